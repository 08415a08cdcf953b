"""The archive: all that is mine, nothing that is not, harmless in any browser, made in small pieces."""

import posixpath
import re
from collections.abc import Callable
from io import BytesIO
from random import Random
from typing import Any

import attrs
import pytest

from imd.chat.base import export_store as shelf_rules
from imd.chat.base.context import Caller
from imd.chat.base.effects import Schedule
from imd.chat.export import commands
from imd.store import accounts
from imd.store import export as sql
from imd.store.transaction import Tx
from imd.testing import MemoryServer
from imd.wire.export import PART_BYTES, Export, ExportPart
from imd.wire.friends import Block, Decline, FriendAccept, FriendAdd, FriendDecline, FriendNote
from imd.wire.groups import GroupCreate
from imd.wire.invitations import GroupInvite
from imd.wire.messages import EditMessage, RecallMessage, SendMessage
from imd.wire.personal import Archive as ArchiveConversation
from imd.wire.personal import ClearHistory, DeleteForMe, Star
from imd.wire.reactions import React
from imd.wire.receipts import Read
from imd.wire.refusals import BadRequest, RateLimited, Refusal, Unavailable
from imd.wire.reports import ReportMessage
from tests.chat.archives import exported, fetch
from tests.chat.rules import Rules
from tests.chat.test_burning import burned, group
from tests.store.source import ROOT

MINUTE = 60_000
SECRET = "the key is under the mat"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</p></article></style></title><h1>",
    "<!-- ", "]]>", "&lt;script&gt;", "&#60;b&#62;", "javascript:alert(1)", "http://example.com/x.png",
    "{language} {title} %s", "\x07\x1b[31mred\x9b", "line one\n  line two\n\ttab", "\u202egnp.exe\u2066\u200f",
    "\ufeff\ufffe👩‍👩‍👧 你好", "a" * 5_000,
]  # fmt: skip


def say(rules: Rules, caller: Caller, to: str, content: str, **fields: Any) -> Any:
    return rules.asks(caller, SendMessage(to=to, content=content, **fields))


# -- what is in it


def test_everything_of_mine(rules: Rules, ann: Caller, bob: Caller) -> None:
    say(rules, bob, "ann", "hello")
    say(rules, ann, "bob", "hi", reply_to=1)
    say(rules, ann, "ann", "milk")
    rules.asks(ann, Star(to="bob", seq=1))
    rules.asks(ann, DeleteForMe(to="bob", seq=2))
    rules.asks(ann, ArchiveConversation(to="bob"))
    archive = exported(rules, ann)
    data = archive.json("data.json")
    assert data["account"] == {
        "username": "ann",
        "display_name": "Ann",
        "bio": "",
        "language": "",
        "writers": "everyone",
        "receipts": True,
        "forwards": True,
        "findable": True,
        "presence": "online",
        "presence_text": "",
        "admin": False,
        "created": "2026-09-21T14:13:20.000Z",
        "last_seen": None,
    }
    assert [each["device"] for each in data["devices"]] == ["phone"]
    assert data["starred"] == [{"conversation": 1, "seq": 1, "time": "2026-09-21T14:13:20.000Z"}]
    assert data["hidden"] == [{"conversation": 1, "seq": 2}]
    assert [(each["what"], each["value"]) for each in data["changes"]] == [
        ("starred", True),
        ("hidden", True),
        ("archived", True),
    ]
    assert [(each["conversation"], each["to"]) for each in data["conversations"]] == [(1, "bob"), (2, "ann")]
    known = archive.json("conversations/1.json")
    assert (known["archived"], known["kind"], known["messages"], known["files"]) == (True, "direct", 1, ["1.jsonl"])
    assert [each["username"] for each in known["members"]] == ["ann", "bob"]
    assert [each["content"] for each in archive.lines("1.jsonl")] == ["hello"]
    assert [each["content"] for each in archive.lines("2.jsonl")] == ["milk"]


def test_whom_i_know(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> None:
    _, eve, fred = (rules.person(name) for name in ("dora", "eve", "fred"))
    rules.asks(ann, FriendAdd(username="bob", note="it's me"))
    rules.asks(bob, FriendAccept(username="ann"))
    rules.asks(ann, FriendNote(username="bob", note="Bobby <3"))
    rules.asks(ann, Block(username="cid"))
    rules.asks(ann, Decline(username="dora"))
    rules.asks(ann, FriendAdd(username="nobody", note="are you there?"))
    rules.asks(eve, FriendAdd(username="ann", note="<b>hi</b>"))
    rules.asks(fred, GroupCreate(handle="#fans", title="Fans"))
    rules.asks(fred, GroupInvite(to="#fans", username="ann"))
    say(rules, eve, "ann", "buy now")
    rules.asks(ann, ReportMessage(to="eve", seq=1, reason="she sells things"))
    archive = exported(rules, ann)
    data = archive.json("data.json")
    names = ("friends", "blocked", "declined", "asked", "asking", "invitations", "reports")
    for each in [each for name in names for each in data[name]]:
        assert (each.pop("since", None) or each.pop("time", None)) == "2026-09-21T14:13:20.000Z"
    assert {name: data[name] for name in names} == {
        "friends": [{"username": "bob", "display_name": "Bob", "note": "Bobby <3"}],
        "blocked": [{"username": "cid"}],
        "declined": [{"username": "dora"}],
        "asked": [{"username": "nobody", "note": "are you there?"}],
        "asking": [{"username": "eve", "note": "<b>hi</b>"}],
        "invitations": [{"group": "fans", "username": "fred"}],
        "reports": [{"conversation": 2, "seq": 1, "reason": "she sells things"}],
    }
    said = archive.page("index.html").says()
    for words in ("Bobby <3", "<b>hi</b>", "Blocked", "are you there?", "fans"):
        assert words in said
    assert "None" not in said


def test_a_decline_is_not_told_by_the_archive_of_who_asked(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, FriendAdd(username="bob"))
    before = rules.in_transaction(lambda tx: sections(tx, ann))
    rules.asks(bob, FriendDecline(username="ann"))
    assert rules.in_transaction(lambda tx: sections(tx, ann)) == before


def sections(tx: Tx, caller: Caller) -> dict[str, Any]:
    return {each.name: sql.records(tx, each, caller.account, 0, 100) for each in sql.SECTIONS}


def test_what_logs_in_is_not_in_it(rules: Rules, ann: Caller) -> None:
    archive = exported(rules, ann)
    row = accounts.by_id(rules.tx, ann.account)
    for secret in (row.password_hash, "token of ann", "token", "password"):
        assert not any(secret in text for text in archive.files.values()), secret


def test_only_what_i_may_see(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> None:
    say(rules, bob, "cid", f"not for ann: {SECRET}")
    say(rules, bob, "ann", f"recalled: {SECRET}")
    rules.asks(bob, RecallMessage(to="ann", seq=1))
    say(rules, bob, "ann", f"burned: {SECRET}", burn_after=1)
    rules.asks(ann, Read(to="bob", seq=2))
    rules.now += 1_000
    burned(rules)
    say(rules, bob, "ann", f"to burn: {SECRET}", burn_after=1)
    say(rules, bob, "ann", f"old: {SECRET}")
    rules.asks(bob, EditMessage(to="ann", seq=4, content="new"))
    archive = exported(rules, ann)
    assert not any(SECRET in text for text in archive.files.values())
    states = [(each["content"][:8], "recalled" in each, "burned" in each) for each in archive.lines("2.jsonl")]
    assert states == [("", True, False), ("", False, True), ("(burns a", False, False), ("new", False, False)]
    assert len(archive.json("data.json")["conversations"]) == 1


def test_a_group_from_where_i_see_it(rules: Rules, ann: Caller, bob: Caller) -> None:
    group(rules, ann, bob)
    say(rules, bob, "#team", "before")
    rules.asks(ann, ClearHistory(to="#team"))
    say(rules, bob, "#team", "after")
    archive = exported(rules, ann)
    assert [each["content"] for each in archive.lines("1.jsonl")] == ["after"]
    assert "Members: ann, bob" in archive.page("conversations/1.html").says()


def test_nothing_was_said_yet(rules: Rules, ann: Caller, bob: Caller) -> None:
    assert exported(rules, ann).pages == ["index.html"]
    say(rules, ann, "bob", "hi")
    rules.asks(ann, ClearHistory(to="bob"))
    rules.now += 10 * MINUTE
    assert "no message here" in exported(rules, ann).page("conversations/1.html").says()


def test_many_records_and_members(rules: Rules, ann: Caller, bob: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "ROWS_AT_ONCE", 2)
    group(rules, ann, bob, *(rules.person(f"p{number}") for number in range(5)))
    for number in range(1, 8):
        say(rules, bob, "#team", "x")
        rules.asks(ann, Star(to="#team", seq=number))
    archive = exported(rules, ann)
    assert [each["seq"] for each in archive.json("data.json")["starred"]] == list(range(1, 8))
    assert [each["n"] for each in archive.json("data.json")["changes"]] == list(range(1, 8))
    assert len({each["username"] for each in archive.json("conversations/1.json")["members"]}) == 7


# -- as a browser sees it


@pytest.mark.parametrize("text", HOSTILE)
def test_what_others_wrote_is_text(rules: Rules, ann: Caller, text: str) -> None:
    mallory = rules.person("mallory")
    rules.tx.execute("UPDATE account SET display_name = ? WHERE id = ?", (text, ann.account))
    rules.tx.execute("UPDATE device SET label = ? WHERE account = ?", (text, ann.account))
    say(rules, mallory, "ann", text)
    archive = exported(rules, ann)
    [message] = archive.lines("1.jsonl")
    assert message["content"] == text, "for programs, to the letter"
    for name in archive.pages:
        page = archive.page(name)
        assert page.names <= {"html", "head", "meta", "title", "style", "body", "nav", "a", "h1", "h2", "table", "tr",
                              "th", "td", "p", "article", "div", "b", "time", "span"}  # fmt: skip
        for tag, attributes in page.tags:
            assert set(attributes) <= {"lang", "charset", "http-equiv", "content", "name", "href", "class", "id", "dir"}
            assert tag == "meta" or not any(text in str(value) for value in attributes.values())
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\x00-\x08\x0b-\x1f\x7f-\x9f]", archive.files[name])
    said = archive.page("conversations/1.html").says()
    assert text.split()[0].strip("\x07\x1b\x9b\u202e\u2066\u200f\ufeff")[:4] in said


def test_no_page_loads_anything(rules: Rules, ann: Caller, bob: Caller) -> None:
    say(rules, bob, "ann", "see https://example.com/a.png")
    archive = exported(rules, ann)
    for name in archive.pages:
        html = archive.files[name]
        assert "default-src 'none'" in html
        assert "prefers-color-scheme: dark" in html
        assert not re.search(r"src=|url\(|@import|<script|<link|<iframe|<object", html)
        assert not any(re.match("[a-z]+:|/", link) for link in archive.page(name).links)


@pytest.mark.parametrize(("language", "title"), [("en", "Everything of ann"), ("zh", "ann 的全部数据")])
def test_in_my_language(rules: Rules, ann: Caller, bob: Caller, language: str, title: str) -> None:
    say(rules, bob, "ann", "x")
    archive = exported(rules, attrs.evolve(ann, language=language))
    assert archive.page("index.html").says().startswith(title)
    assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}">' in archive.files["index.html"]


@pytest.fixture
def long_talk(rules: Rules, ann: Caller, bob: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven messages, three a page; the last one answers the second."""
    monkeypatch.setattr(commands, "MESSAGES_PER_PAGE", 3)
    monkeypatch.setattr(commands, "MESSAGES_AT_ONCE", 2)
    for number in range(10):
        say(rules, bob, "ann", f"number {number}")
        rules.now += 10 * 60 * MINUTE
    say(rules, ann, "bob", "I see", reply_to=2)
    rules.asks(ann, Star(to="bob", seq=5))
    rules.asks(ann, React(to="bob", seq=1, emoji="👍"))


def test_a_long_talk_has_several_pages(rules: Rules, ann: Caller, long_talk: None) -> None:
    archive = exported(rules, ann)
    names = ["1.html", "1-2.html", "1-3.html", "1-4.html"]
    assert archive.pages == [*(f"conversations/{name}" for name in names), "index.html"]
    seqs = [sorted(int(each[1:]) for each in archive.page(f"conversations/{name}").ids) for name in names]
    assert seqs == [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11]]
    lines = [[each["seq"] for each in archive.lines(name.replace("html", "jsonl"))] for name in names]
    assert lines == seqs
    assert archive.json("conversations/1.json")["files"] == [name.replace("html", "jsonl") for name in names]
    ways = [[link for link in archive.page(f"conversations/{name}").links if "#" not in link] for name in names]
    assert [sorted(set(each)) for each in ways] == [
        ["../index.html", "1-2.html"],
        ["../index.html", "1-3.html", "1.html"],
        ["../index.html", "1-2.html", "1-4.html"],
        ["../index.html", "1-3.html"],
    ]


def test_every_link_leads_somewhere(rules: Rules, ann: Caller, long_talk: None) -> None:
    archive = exported(rules, ann)
    followed = 0
    for name in archive.pages:
        for link in archive.page(name).links:
            path, _, mark = link.partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
            assert target in archive.pages
            assert not mark or mark in archive.page(target).ids
            followed += bool(mark)
    assert followed == 2, "the starred message, and the answered one"


def test_a_page_is_full_by_its_size_too(
    rules: Rules, ann: Caller, bob: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "CHARACTERS_PER_PAGE", 20)
    for _ in range(4):
        say(rules, bob, "ann", "x" * 15)
    assert len(exported(rules, ann).pages) == 1 + 2


def test_what_a_reader_sees_of_a_message(rules: Rules, ann: Caller, long_talk: None) -> None:
    page = exported(rules, ann).page("conversations/1.html")
    assert page.says() == (
        "bob Overview Later messages bob 2026-09-21 bob 14:13 number 0 👍 ann"
        " 2026-09-22 bob 00:13 number 1 bob 10:13 number 2 Overview Later messages"
    )


# -- making and fetching it


def noise(seed: int) -> str:
    """Make a text that hardly gets smaller by packing."""
    return "".join(chr(0x4E00 + each % 20_000) for each in Random(seed).choices(range(20_000), k=1_500))


def test_parts_fit_into_a_line(rules: Rules, ann: Caller) -> None:
    for number in range(40):
        say(rules, ann, "ann", noise(number))
    made = rules.asks(ann, Export())
    assert made.parts == -(-made.bytes // PART_BYTES) > 1
    fetch(rules, ann)
    refused = rules.refuses(ann, ExportPart(part=made.parts + 1))
    assert (type(refused), refused.case, refused.params) == (BadRequest, "no_part", {"parts": made.parts})


def test_a_part_goes_over_the_wire_in_both_dialects() -> None:
    server = MemoryServer()
    ann = server.login("ann")
    for number in range(40):
        ann.call("send_message", to="ann", content=noise(number))
    ann.say("EXPORT")
    assert ann.heard()[-1].startswith("OK EXPORT parts=")
    ann.say("EXPORT PART 1")
    [line] = ann.heard()
    assert len(line.encode()) < server.server.limits.line_bytes
    ann.ask("export_part", part=1)
    [answer] = ann.objects()
    assert f'data="{answer["data"]}"' in line or f"data={answer['data']}" in line


def test_once_in_ten_minutes(rules: Rules, ann: Caller, bob: Caller) -> None:
    outcome = rules.does(ann, Export())
    assert outcome.effects == (Schedule(rules.now + 60 * MINUTE),)
    rules.now += 4 * MINUTE
    refused = rules.refuses(ann, Export())
    assert (type(refused), refused.params) == (RateLimited, {"retry_after": 360})
    exported(rules, bob)
    rules.now += 6 * MINUTE
    say(rules, ann, "ann", "later")
    assert "later" in str(exported(rules, ann).files)


def test_it_is_kept_for_an_hour(rules: Rules, ann: Caller, bob: Caller) -> None:
    assert rules.refuses(ann, ExportPart(part=1)).case == "no_export"
    files: list[BytesIO] = []
    rules.exports.scratch = lambda: files.append(BytesIO()) or files[-1]  # type: ignore[func-returns-value]
    rules.asks(ann, Export())
    assert rules.refuses(bob, ExportPart(part=1)).case == "no_export", "somebody else's"
    rules.now += 60 * MINUTE - 1
    rules.asks(ann, ExportPart(part=1))
    rules.now += 1
    assert rules.refuses(ann, ExportPart(part=1)).case == "no_export"
    assert [file.closed for file in files] == [True]


def test_a_new_one_takes_the_place_of_the_old_one(rules: Rules, ann: Caller) -> None:
    files: list[BytesIO] = []
    rules.exports.scratch = lambda: files.append(BytesIO()) or files[-1]  # type: ignore[func-returns-value]
    exported(rules, ann)
    rules.now += 10 * MINUTE
    exported(rules, ann)
    assert [file.closed for file in files] == [True, False]


def test_the_server_throws_it_away_by_itself() -> None:
    server = MemoryServer()
    ann = server.login("ann")
    ann.call("export")
    [archive] = server.server.exports._exports.values()
    server.pass_time(3_599)
    assert archive.file is not None
    assert not archive.file.closed
    server.pass_time(2)
    assert archive.file.closed


class Full(BytesIO):
    """A file on a full disk."""

    def write(self, data: Any) -> int:
        raise OSError(28, "No space left on device")


def test_what_fails_can_be_repeated_at_once(rules: Rules, ann: Caller) -> None:
    file = Full()
    rules.exports.scratch = lambda: file
    with pytest.raises(OSError, match="No space"):
        rules.does(ann, Export())
    assert file.closed
    rules.exports.scratch = BytesIO
    exported(rules, ann)


@attrs.define
class Interrupted(Rules):
    """A room where something happens between two pieces."""

    reads: int = 0
    when: int = 0
    act: Callable[[], None] = lambda: None

    async def read(self, work: Any) -> Any:
        self.reads += 1
        if self.reads == self.when:
            self.act()
        return await super().read(work)


@pytest.mark.parametrize("when", range(1, 12))
def test_an_account_that_ends_meanwhile(when: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MESSAGES_AT_ONCE", 1)
    rules = Interrupted()
    ann = rules.person("ann")
    for _ in range(3):
        say(rules, ann, "ann", "x")
    rules.when, rules.act = when, lambda: rules.exports.drop(ann.account)
    files: list[BytesIO] = []
    rules.exports.scratch = lambda: files.append(BytesIO()) or files[-1]  # type: ignore[func-returns-value]
    assert isinstance(refusal(rules, ann), Unavailable)
    assert [file.closed for file in files] == [True]


def refusal(rules: Rules, caller: Caller) -> Refusal:
    with pytest.raises(Refusal) as refused:
        rules.does(caller, Export())
    return refused.value


def test_who_leaves_a_group_meanwhile_has_it_up_to_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MESSAGES_AT_ONCE", 1)
    rules = Interrupted()
    ann = rules.person("ann")
    group(rules, ann)
    for number in range(1, 5):
        say(rules, ann, "#team", str(number))
    exported(rules, ann)
    rules.when, rules.act = 2 * rules.reads - 2, lambda: rules.tx.execute("UPDATE member SET left_seq = 4") and None
    rules.now += 10 * MINUTE
    assert [each["content"] for each in exported(rules, ann).lines("1.jsonl")] == ["1", "2"]


def test_it_is_read_in_small_pieces() -> None:
    rules = Interrupted()
    ann = rules.person("ann")
    for number in range(450):
        say(rules, ann, "ann", str(number))
    rules.asks(ann, Export())
    assert rules.reads > 450 / 100


def test_few_are_made_at_a_time(rules: Rules, ann: Caller) -> None:
    for account in range(101, 101 + shelf_rules.MOST_AT_ONCE):
        rules.exports.begin(account, rules.now)
    refused = rules.refuses(ann, Export())
    assert (type(refused), refused.case) == (Unavailable, "exports")
    assert refused.params == {"reason": "exports", "retry_after": shelf_rules.RETRY_SECONDS}
    refused = rules.refuses(attrs.evolve(ann, account=101), ExportPart(part=1))
    assert (type(refused), refused.case) == (Unavailable, "exporting")
    rules.exports.drop(101)
    exported(rules, ann)


def test_the_oldest_goes_where_there_are_too_many(
    rules: Rules, ann: Caller, bob: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf_rules, "MOST_KEPT", 2)
    for caller in (ann, bob, rules.person("dora")):
        rules.asks(caller, Export())
    assert isinstance(rules.refuses(ann, ExportPart(part=1)), BadRequest)
    fetch(rules, bob)


def test_the_rules_hold_no_html() -> None:
    for path in sorted((ROOT / "imd" / "chat").rglob("*.py")):
        found = re.search(
            r"</?(html|head|style|body|p|a|b|h\d|t[dhr]|table|article|span|nav)\b", path.read_text("utf-8")
        )
        assert found is None, f"{path}: {found}"
