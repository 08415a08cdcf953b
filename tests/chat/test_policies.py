"""Policies and forbidden words: what admins set is stored, and is in force from everybody's next command on."""

import msgspec
import pytest

from imd.chat.base.context import Caller
from imd.chat.base.effects import ApplyPolicy
from imd.chat.base.limits import Limits
from imd.chat.base.word_filter import MOST, WordFilter
from imd.chat.policies import standing
from imd.store import policies as sql
from imd.wire.accounts import Register
from imd.wire.admin import UserAdd
from imd.wire.base import Command
from imd.wire.friends import FriendAdd
from imd.wire.groups import GroupCreate, GroupSet
from imd.wire.messages import EditMessage, Forward, SendMessage
from imd.wire.policies import ListWords, PolicyReset, PolicySet, PolicyShow, WordAdd, WordRemove
from imd.wire.presence import SetPresence
from imd.wire.profiles import SetProfile
from imd.wire.refusals import BadRequest, Forbidden, QuotaExceeded
from tests.chat.rules import PASSWORD, Rules


@pytest.fixture
def root(rules: Rules) -> Caller:
    return rules.person("root", admin=True)


def shown(rules: Rules, root: Caller) -> tuple[str, int, int, int]:
    now = rules.asks(root, PolicyShow())
    return now.registration, now.requests_per_second, now.burst, now.strangers_per_day


def test_what_is_configured_holds_until_something_is_set(rules: Rules, root: Caller) -> None:
    limits = Limits()
    configured = ("open", limits.requests_per_second, limits.burst, limits.strangers_per_day)
    assert shown(rules, root) == configured
    reply = rules.asks(root, PolicySet(registration="invite", burst=7))
    assert (reply.registration, reply.requests_per_second, reply.burst) == ("invite", 30, 7)
    rules.asks(root, PolicySet(requests_per_second=0, strangers_per_day=3))
    assert shown(rules, root) == ("invite", 0, 7, 3)
    rules.asks(root, PolicyReset())
    assert shown(rules, root) == configured


def test_what_was_set_is_what_a_new_start_finds(rules: Rules, root: Caller) -> None:
    assert standing(rules.tx) == ApplyPolicy(None, {}, WordFilter())
    rules.asks(root, PolicySet(registration="closed", burst=7))
    rules.asks(root, PolicySet(burst=8))
    rules.asks(root, WordAdd(word="casino"))
    assert standing(rules.tx) == ApplyPolicy("closed", {"burst": 8}, WordFilter.of(["casino"]))
    rules.asks(root, PolicyReset())
    assert standing(rules.tx) == ApplyPolicy(None, {}, WordFilter.of(["casino"])), "the words stay"


def test_nothing_is_no_policy(rules: Rules, root: Caller) -> None:
    refused = rules.refuses(root, PolicySet())
    assert (type(refused), refused.case) == (BadRequest, "policy")


def test_words_are_kept_in_their_plain_spelling(rules: Rules, root: Caller) -> None:
    for word in ("Casino", "ｃａｓｉｎｏ ", "赌博", "buy  NOW"):
        rules.asks(root, WordAdd(word=word))
    assert rules.asks(root, ListWords()).words == ["buy now", "casino", "赌博"]
    assert rules.asks(root, ListWords()).lines("en") == ["buy now", "casino", "赌博"]
    for _ in range(2):
        rules.asks(root, WordRemove(word="CASINO"))
    assert rules.asks(root, ListWords()).words == ["buy now", "赌博"]
    assert rules.refuses(root, WordAdd(word="\u200b ")).case == "word"


def test_the_list_is_full_at_some_point(rules: Rules, root: Caller) -> None:
    for number in range(MOST):
        sql.add_word(rules.tx, f"word{number}")
    assert isinstance(rules.refuses(root, WordAdd(word="more")), QuotaExceeded)
    rules.asks(root, WordAdd(word="word7"))


def test_no_message_holds_a_word_however_it_is_made(rules: Rules, root: Caller, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, SendMessage(to="bob", content="my casino"))
    rules.asks(ann, SendMessage(to="bob", content="my house"))
    rules.asks(root, WordAdd(word="casino"))
    for command in (
        SendMessage(to="bob", content="a CASINO"),
        EditMessage(to="bob", seq=2, content="my casino"),
        Forward(to="bob", seq=1, target="cid"),
    ):
        rules.person("cid") if command.__class__ is Forward else None
        refused = rules.refuses(ann, command)
        assert (type(refused), refused.case) == (Forbidden, "words"), command
    rules.asks(root, WordRemove(word="casino"))
    rules.asks(ann, SendMessage(to="bob", content="a CASINO"))


@pytest.mark.parametrize(
    "command",
    [
        Register(username="casino", password=PASSWORD),
        Register(username="dan", password=PASSWORD, display_name="My CASINO"),
        SetProfile(display_name="casino"),
        SetProfile(bio="come to my\nca\u200bsino"),
        SetPresence(presence="away", presence_text="at the casino"),
        FriendAdd(username="bob", note="casino?"),
        GroupCreate(handle="#casino"),
        GroupCreate(handle="#other", title="Casino"),
        GroupSet(to="#team", title="the casino"),
        GroupSet(to="#team", topic="casino", slow_mode=5),
    ],
    ids=lambda command: f"{type(command).__name__} {msgspec.structs.asdict(command)}"[:60],
)
def test_nor_does_what_else_others_read(rules: Rules, root: Caller, ann: Caller, bob: Caller, command: Command) -> None:
    rules.asks(ann, GroupCreate(handle="#team"))
    caller = rules.stranger() if isinstance(command, Register) else ann
    rules.asks(root, WordAdd(word="casino"))
    refused = rules.refuses(caller, command)
    assert (type(refused), refused.case) == (Forbidden, "words")
    rules.asks(root, WordRemove(word="casino"))
    rules.asks(caller, command)


def test_what_was_there_before_stays_and_an_admin_may(rules: Rules, root: Caller, ann: Caller) -> None:
    rules.asks(ann, GroupCreate(handle="#team", title="casino"))
    rules.asks(ann, SetPresence(presence="away", presence_text="at the casino"))
    rules.asks(root, WordAdd(word="casino"))
    rules.asks(ann, GroupSet(to="#team", title="casino", topic="cards"))
    rules.asks(ann, SetProfile(writers="friends"))
    rules.asks(root, UserAdd(username="casino"))


def test_what_was_sent_before_may_be_repeated(rules: Rules, root: Caller, ann: Caller, bob: Caller) -> None:
    message = SendMessage(to="bob", content="my casino", client_id="1")
    sent = rules.asks(ann, message)
    rules.asks(root, WordAdd(word="casino"))
    again = rules.asks(ann, message)
    assert (again.seq, again.duplicate) == (sent.seq, True)


def test_so_many_strangers_a_day(rules: Rules, root: Caller, ann: Caller) -> None:
    rules.person("f")
    for name in ("b", "c", "d", "e"):
        rules.asks(rules.person(name), SendMessage(to="ann", content="hi")) if name == "e" else rules.person(name)
    rules.asks(root, PolicySet(strangers_per_day=2))
    for name in ("b", "c", "b", "c", "e", "ann"):
        rules.asks(ann, SendMessage(to=name, content="hi"))
        rules.now += 60_000
    refused = rules.refuses(ann, SendMessage(to="d", content="hi"))
    assert (type(refused), refused.case) == (QuotaExceeded, "strangers")
    assert refused.params == {"limit": 2, "retry_after": 86_400 - 6 * 60}, "until the first of the two is a day old"
    rules.now += (86_400 - 6 * 60) * 1000 - 1
    assert rules.refuses(ann, SendMessage(to="d", content="hi")).params["retry_after"] == 1
    rules.now += 1
    rules.asks(ann, SendMessage(to="d", content="hi"))
    assert rules.refuses(ann, SendMessage(to="f", content="hi")).params["retry_after"] == 60
    rules.now += 86_400_000
    rules.asks(root, PolicySet(strangers_per_day=0))
    for number in range(5):
        rules.person(f"more{number}")
        rules.asks(ann, SendMessage(to=f"more{number}", content="hi"))
