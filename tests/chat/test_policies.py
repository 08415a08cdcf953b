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
from tests.chat.room import PASSWORD, Room


@pytest.fixture
def root(room: Room) -> Caller:
    return room.person("root", admin=True)


def shown(room: Room, root: Caller) -> tuple[str, int, int, int]:
    now = room.asks(root, PolicyShow())
    return now.registration, now.requests_per_second, now.burst, now.strangers_per_day


def test_what_is_configured_holds_until_something_is_set(room: Room, root: Caller) -> None:
    limits = Limits()
    configured = ("open", limits.requests_per_second, limits.burst, limits.strangers_per_day)
    assert shown(room, root) == configured
    reply = room.asks(root, PolicySet(registration="invite", burst=7))
    assert (reply.registration, reply.requests_per_second, reply.burst) == ("invite", 30, 7)
    room.asks(root, PolicySet(requests_per_second=0, strangers_per_day=3))
    assert shown(room, root) == ("invite", 0, 7, 3)
    room.asks(root, PolicyReset())
    assert shown(room, root) == configured


def test_what_was_set_is_what_a_new_start_finds(room: Room, root: Caller) -> None:
    assert standing(room.tx) == ApplyPolicy(None, {}, WordFilter())
    room.asks(root, PolicySet(registration="closed", burst=7))
    room.asks(root, PolicySet(burst=8))
    room.asks(root, WordAdd(word="casino"))
    assert standing(room.tx) == ApplyPolicy("closed", {"burst": 8}, WordFilter.of(["casino"]))
    room.asks(root, PolicyReset())
    assert standing(room.tx) == ApplyPolicy(None, {}, WordFilter.of(["casino"])), "the words stay"


def test_nothing_is_no_policy(room: Room, root: Caller) -> None:
    refused = room.refuses(root, PolicySet())
    assert (type(refused), refused.case) == (BadRequest, "policy")


def test_words_are_kept_in_their_plain_spelling(room: Room, root: Caller) -> None:
    for word in ("Casino", "ｃａｓｉｎｏ ", "赌博", "buy  NOW"):
        room.asks(root, WordAdd(word=word))
    assert room.asks(root, ListWords()).words == ["buy now", "casino", "赌博"]
    assert room.asks(root, ListWords()).lines("en") == ["buy now", "casino", "赌博"]
    for _ in range(2):
        room.asks(root, WordRemove(word="CASINO"))
    assert room.asks(root, ListWords()).words == ["buy now", "赌博"]
    assert room.refuses(root, WordAdd(word="\u200b ")).case == "word"


def test_the_list_is_full_at_some_point(room: Room, root: Caller) -> None:
    for number in range(MOST):
        sql.add_word(room.tx, f"word{number}")
    assert isinstance(room.refuses(root, WordAdd(word="more")), QuotaExceeded)
    room.asks(root, WordAdd(word="word7"))


def test_no_message_holds_a_word_however_it_is_made(room: Room, root: Caller, ann: Caller, bob: Caller) -> None:
    room.asks(ann, SendMessage(to="bob", content="my casino"))
    room.asks(ann, SendMessage(to="bob", content="my house"))
    room.asks(root, WordAdd(word="casino"))
    for command in (
        SendMessage(to="bob", content="a CASINO"),
        EditMessage(to="bob", seq=2, content="my casino"),
        Forward(to="bob", seq=1, target="cid"),
    ):
        room.person("cid") if command.__class__ is Forward else None
        refused = room.refuses(ann, command)
        assert (type(refused), refused.case) == (Forbidden, "words"), command
    room.asks(root, WordRemove(word="casino"))
    room.asks(ann, SendMessage(to="bob", content="a CASINO"))


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
def test_nor_does_what_else_others_read(room: Room, root: Caller, ann: Caller, bob: Caller, command: Command) -> None:
    room.asks(ann, GroupCreate(handle="#team"))
    caller = room.stranger() if isinstance(command, Register) else ann
    room.asks(root, WordAdd(word="casino"))
    refused = room.refuses(caller, command)
    assert (type(refused), refused.case) == (Forbidden, "words")
    room.asks(root, WordRemove(word="casino"))
    room.asks(caller, command)


def test_what_was_there_before_stays_and_an_admin_may(room: Room, root: Caller, ann: Caller) -> None:
    room.asks(ann, GroupCreate(handle="#team", title="casino"))
    room.asks(ann, SetPresence(presence="away", presence_text="at the casino"))
    room.asks(root, WordAdd(word="casino"))
    room.asks(ann, GroupSet(to="#team", title="casino", topic="cards"))
    room.asks(ann, SetProfile(writers="friends"))
    room.asks(root, UserAdd(username="casino"))


def test_what_was_sent_before_may_be_repeated(room: Room, root: Caller, ann: Caller, bob: Caller) -> None:
    message = SendMessage(to="bob", content="my casino", client_id="1")
    sent = room.asks(ann, message)
    room.asks(root, WordAdd(word="casino"))
    again = room.asks(ann, message)
    assert (again.seq, again.duplicate) == (sent.seq, True)


def test_so_many_strangers_a_day(room: Room, root: Caller, ann: Caller) -> None:
    room.person("f")
    for name in ("b", "c", "d", "e"):
        room.asks(room.person(name), SendMessage(to="ann", content="hi")) if name == "e" else room.person(name)
    room.asks(root, PolicySet(strangers_per_day=2))
    for name in ("b", "c", "b", "c", "e", "ann"):
        room.asks(ann, SendMessage(to=name, content="hi"))
        room.now += 60_000
    refused = room.refuses(ann, SendMessage(to="d", content="hi"))
    assert (type(refused), refused.case) == (QuotaExceeded, "strangers")
    assert refused.params == {"limit": 2, "retry_after": 86_400 - 6 * 60}, "until the first of the two is a day old"
    room.now += (86_400 - 6 * 60) * 1000 - 1
    assert room.refuses(ann, SendMessage(to="d", content="hi")).params["retry_after"] == 1
    room.now += 1
    room.asks(ann, SendMessage(to="d", content="hi"))
    assert room.refuses(ann, SendMessage(to="f", content="hi")).params["retry_after"] == 60
    room.now += 86_400_000
    room.asks(root, PolicySet(strangers_per_day=0))
    for number in range(5):
        room.person(f"more{number}")
        room.asks(ann, SendMessage(to=f"more{number}", content="hi"))
