"""Search: what is found by which words, where and by whom, indexed or not, before and after every change."""

from typing import Any

import pytest

from imd.chat.base.burning import burn
from imd.chat.base.context import Caller
from imd.store import search as sql
from imd.testing import EPOCH
from imd.wire.messages import EditMessage, Forward, RecallMessage
from imd.wire.personal import ClearHistory, DeleteForMe
from imd.wire.refusals import NoSuchConversation, NoSuchUser, NotAMember, Refusal
from imd.wire.search import Search
from tests.chat.rules import Rules
from tests.chat.searching import bring_up_to_date, contents, group, join, leave, send

DAY = 86_400_000


@pytest.fixture(params=["indexed", "not indexed"])
def looked(request: pytest.FixtureRequest, rules: Rules) -> Any:
    """Search, once with everything in the index and once with nothing in it."""

    def look(caller: Caller, query: str, **fields: Any) -> list[str]:
        if request.param == "indexed":
            bring_up_to_date(rules)
        return contents(rules.asks(caller, Search(query=query, **fields)))

    return look


# -- by which words


@pytest.mark.parametrize(
    ("said", "query", "found"),
    [
        ("Shall we meet at six?", "meet", True),
        ("Shall we meet at six?", "MEET six", True),
        ("Shall we meet at six?", "six meet", True),
        ("Shall we meet at six?", "meet seven", False),
        ("Shall we meet at six?", "mee", False),
        ("Shall we meet at six?", "mee*", True),
        ("Shall we meet at six?", "me*", True),
        ("Shall we meet at six?", "meeting*", False),
        ("Shall we meet at six?", '"meet at six"', True),
        ("Shall we meet at six?", '"at meet"', False),
        ("Shall we meet at six?", '"meet six"', False),
        ("Shall we meet at six?", '"we meet" six', True),
        ("Shall we meet at six?", "“meet at”", True),
        ("Shall we meet at six?", '"meet at si*"', False),
        ("Shall we meet at six?", "we-meet", True),
        ("Shall we meet at six?", "we-mee*", True),
        ("Shall we meet at six?", "we-at", False),
        ("Shall we meet at six?", "... meet !!", True),
        ("Crème brûlée für José", "creme brulee", True),
        ("creme brulee", "Crème BRÛLÉE", True),
        ("Crème brûlée für José", "jos*", True),
        ("Crème brûlée für José", "brul*", True),
        ("Straße nach Łódź", "STRASSE lodz", True),
        ("会议改到下午三点", "会", True),
        ("会议改到下午三点", "点", True),
        ("会议改到下午三点", "会议", True),
        ("会议改到下午三点", "下午三点", True),
        ("会议改到下午三点", "会 三", True),
        ("会议改到下午三点", "会改", False),
        ("会议改到下午三点", "议会", False),
        ("会议改到下午三点", "晚", False),
        ("会议改到下午三点", "会*", True),
        ("会议改到下午三点", "　会议　下午　", True),
        ("我的iPhone手机掉了", "iphone", True),
        ("我的iPhone手机掉了", "iphone手机", True),
        ("我的iPhone手机掉了", "的iph*", True),
        ("我的iPhone手机掉了", "iphone掉", False),
        ("ＡＢＣ全角", "abc", True),
        ("好的👍🏽", "👍", True),
        ("c5 s1 p2", "c5", True),
        ("x", "c1", False),
        ("x", "text", False),
        ("x", "x", True),
    ],
)
def test_words(rules: Rules, ann: Caller, bob: Caller, looked: Any, said: str, query: str, found: bool) -> None:
    send(rules, ann, "bob", "quite another thing")
    send(rules, ann, "bob", said)
    for caller in (ann, bob):
        assert looked(caller, query) == [said] * found


def test_newest_first_and_with_all_that_a_message_is(rules: Rules, ann: Caller, bob: Caller, looked: Any) -> None:
    for number in range(3):
        send(rules, ann, "bob", f"meet {number}", client_id=f"c{number}")
    assert looked(bob, "meet") == ["meet 2", "meet 1", "meet 0"]
    seen = rules.asks(bob, Search(query="meet")).messages[0]
    assert (seen.to, seen.sender, seen.seq, seen.client_id) == ("ann", "ann", 3, None)
    seen = rules.asks(ann, Search(query="meet")).messages[0]
    assert (seen.to, seen.sender, seen.seq, seen.client_id) == ("bob", "ann", 3, "c2")


# -- where, by whom, when


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("meet", "7 6 5 4 3 2 1"),
        ("from:bob meet", "6 2"),
        ("meet from:BOB", "6 2"),
        ("FROM：bob", "6 2"),
        ("from:cid", ""),
        ("in:bob", "7 3 2 1"),
        ("in:#team", "6 5"),
        ("in:ann", "4"),
        ("in:#team from:ann meet", "5"),
        ('from:"ann" in:bob "meet 1"', "1"),
        ("kind:markdown", "7"),
        ("kind:Text meet in:bob", "3 2 1"),
        ("kind:sticker", ""),
        ("meet after:2026-09-23", "7 6 5 4 3"),
        ("meet before:2026-09-23", "2 1"),
        ("meet after:2026-09-23 before:2026-09-24", "3"),
        ("meet after:2026-09-28", ""),
        ("meet before:2026-09-21", ""),
        ("meet before:0001-01-01", ""),
        ("meet after:9999-12-31", ""),
        ("in:bob before:2026-09-22", "1"),
    ],
)
def test_narrowed(rules: Rules, ann: Caller, bob: Caller, cid: Caller, looked: Any, query: str, found: str) -> None:
    """One message a day from 2026-09-21 on, 14:13 in UTC."""
    group(rules, "team", ann, bob)
    said = [(ann, "bob"), (bob, "ann"), (ann, "bob"), (ann, "ann"), (ann, "#team"), (bob, "#team"), (ann, "bob")]
    for number, (caller, to) in enumerate(said, 1):
        send(rules, caller, to, f"meet {number}", kind="markdown" if number == 7 else "text")
        send(rules, cid, "bob", f"meet {number}")
        rules.now += DAY
    assert looked(ann, query) == [f"meet {number}" for number in found.split()]


@pytest.mark.parametrize(
    ("kind", "content", "query"),
    [
        ("sticker", "cats/wave", "cats"),
        ("location", "52.5,13.4 Alexanderplatz", "alexanderplatz"),
        ("contact", "bob", "bob"),
        ("markdown", "**shall** we", '"shall we"'),
    ],
)
def test_every_kind_is_found(
    rules: Rules, ann: Caller, bob: Caller, looked: Any, kind: str, content: str, query: str
) -> None:
    send(rules, ann, "bob", content, kind=kind)
    send(rules, ann, "bob", f"{content} said")
    assert looked(bob, f"{query} kind:{kind}") == [content]


def test_dates_are_right_when_the_clock_was_not(rules: Rules, ann: Caller, looked: Any) -> None:
    """The clock once ran a year ahead."""
    for number, days in enumerate((0, 365, 1, 2)):
        rules.now = EPOCH + days * DAY
        send(rules, ann, "ann", f"meet {number}")
    assert looked(ann, "meet before:2026-09-23") == ["meet 2", "meet 0"]
    assert looked(ann, "meet after:2026-09-23") == ["meet 3", "meet 1"]


# -- by whom it is found


def test_only_in_ones_own_conversations(rules: Rules, ann: Caller, bob: Caller, cid: Caller, looked: Any) -> None:
    send(rules, ann, "bob", "secret of two")
    send(rules, ann, "ann", "secret of one")
    group(rules, "team", ann, bob)
    send(rules, ann, "#team", "secret of the team")
    assert looked(cid, "secret") == []
    assert looked(cid, "from:ann") == []
    assert looked(bob, "secret") == ["secret of the team", "secret of two"]
    assert looked(ann, "secret") == ["secret of the team", "secret of one", "secret of two"]


def test_nothing_of_a_group_one_left_until_one_is_back(rules: Rules, ann: Caller, bob: Caller, looked: Any) -> None:
    group(rules, "team", ann, bob)
    send(rules, ann, "#team", "meet one")
    leave(rules, "team", bob)
    send(rules, ann, "#team", "meet two")
    assert looked(bob, "meet") == []
    assert looked(bob, "from:ann") == []
    join(rules, "team", bob)
    send(rules, ann, "#team", "meet three")
    assert looked(bob, "meet") == ["meet three"], "what was said before is not for who joined after it"
    assert looked(ann, "meet") == ["meet three", "meet two", "meet one"]


def test_what_one_deleted_for_oneself_is_not_found(rules: Rules, ann: Caller, bob: Caller, looked: Any) -> None:
    for number in range(3):
        send(rules, ann, "bob", f"meet {number}")
    rules.asks(bob, DeleteForMe(to="ann", seq=2))
    assert looked(bob, "meet") == ["meet 2", "meet 0"]
    rules.asks(bob, ClearHistory(to="ann"))
    assert looked(bob, "meet") == []
    send(rules, ann, "bob", "meet again")
    assert looked(bob, "meet") == ["meet again"]
    assert looked(ann, "meet") == ["meet again", "meet 2", "meet 1", "meet 0"]


def test_notices_are_not_found(rules: Rules, ann: Caller, bob: Caller, looked: Any) -> None:
    send(rules, ann, "bob", "meet")
    rules.tx.execute('UPDATE message SET kind = \'notice\', content = \'{"what":"joined","by":"ann"}\'')
    assert looked(ann, "joined") == []
    assert looked(ann, "in:bob") == []


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("in:nobody", NoSuchUser),
        ("in:a,b", NoSuchUser),
        ("from:nobody", NoSuchUser),
        ("from:#team", NoSuchUser),
        ("in:cid", NoSuchConversation),
        ("in:#nothing", NoSuchConversation),
        ("in:#secret", NoSuchConversation),
        ("in:#", NoSuchConversation),
        ("in:#left", NotAMember),
    ],
)
def test_where_one_has_no_part(
    rules: Rules, ann: Caller, bob: Caller, cid: Caller, query: str, refusal: type[Refusal]
) -> None:
    """As with every other command, absent and forbidden look alike, but a group that one has left does not."""
    group(rules, "secret", bob)
    group(rules, "left", ann, bob)
    rules.tx.execute("UPDATE conversation SET join_mode = 'open' WHERE handle = 'left'")
    leave(rules, "left", ann)
    assert isinstance(rules.refuses(ann, Search(query=f"x {query}")), refusal)


# -- what becomes of messages


def test_edited_messages_are_found_by_their_new_words(rules: Rules, ann: Caller, bob: Caller, looked: Any) -> None:
    send(rules, ann, "bob", "meet at six")
    send(rules, bob, "ann", "meet where")
    assert looked(bob, "six") == ["meet at six"]
    for time in ("seven", "八点"):
        rules.asks(ann, EditMessage(to="bob", seq=1, content=f"meet at {time}"))
        assert looked(bob, "six") == []
        assert looked(bob, time) == [f"meet at {time}"]
    assert looked(bob, "meet") == ["meet where", "meet at 八点"], "its place is still the old one"


def test_what_was_taken_back_is_not_found(rules: Rules, ann: Caller, bob: Caller, looked: Any) -> None:
    send(rules, ann, "bob", "meet at six")
    rules.asks(bob, Forward(to="ann", seq=1, target="bob"))
    assert len(looked(bob, "six")) == 2
    rules.asks(ann, RecallMessage(to="bob", seq=1))
    assert len(looked(bob, "six")) == 1
    assert looked(bob, "in:ann") == []
    assert looked(ann, "six") == []


def test_what_burns_is_never_found_nor_indexed(rules: Rules, ann: Caller, bob: Caller, looked: Any) -> None:
    send(rules, ann, "bob", "the spoon is under the mat", burn_after=60)
    assert looked(bob, "spoon") == looked(ann, "in:bob") == []
    rules.asks(ann, EditMessage(to="bob", seq=1, content="the spoon is in the shed"))
    assert looked(bob, "spoon") == []
    assert not any("spoon" in line for line in rules.tx.iterdump() if '"burning_words"' not in line)


def test_what_was_kept_long_enough_is_not_found_any_more(rules: Rules, ann: Caller, looked: Any) -> None:
    group(rules, "team", ann)
    rules.tx.execute("UPDATE conversation SET retention = 3600")
    send(rules, ann, "#team", "meet")
    assert looked(ann, "meet") == ["meet"]
    rules.now += 3_600_000
    rules.in_transaction(lambda tx: burn(tx, rules.now))
    assert looked(ann, "meet") == []


def test_deleted_rows_leave_the_index_and_their_numbers_come_again(
    rules: Rules, ann: Caller, bob: Caller, looked: Any
) -> None:
    for number in range(4):
        send(rules, ann, "bob", f"meet {number}")
    assert len(looked(ann, "meet")) == 4
    rules.asks(ann, EditMessage(to="bob", seq=3, content="meet them"))
    rules.tx.execute("DELETE FROM message WHERE seq > 2")
    assert looked(ann, "meet") == ["meet 1", "meet 0"]
    send(rules, ann, "bob", "meet anew")
    assert rules.tx.execute("SELECT max(id) FROM message").fetchone() == (3,), "else this test could not fail"
    assert looked(ann, "meet") == ["meet anew", "meet 1", "meet 0"]
    rules.tx.execute("DELETE FROM message")
    send(rules, ann, "bob", "meet at last")
    assert looked(ann, "meet") == ["meet at last"]


def test_a_member_of_very_many_groups_finds_the_same(
    rules: Rules, ann: Caller, bob: Caller, looked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        group(rules, f"team{number}", ann)
        send(rules, ann, f"#team{number}", f"meet {number}")
        send(rules, bob, "bob", "meet not you")
    everything = [f"meet {number}" for number in range(4, -1, -1)]
    for narrowed_by in (128, 4):
        monkeypatch.setattr(sql, "NARROWED_BY", narrowed_by)
        assert looked(ann, "meet", limit=3) == everything[:3]
        assert looked(ann, "kind:text") == everything
