"""The conversation that each module of the wire opens with, and the reference shows, is true."""

import re
from collections.abc import Mapping

import attrs
import pytest

from imd.chat.base.limits import Limits
from imd.testing import PASSWORD, MemoryServer
from imd.wire.capabilities import MODULES
from tests.chat.authenticator import code

CONVERSATIONS = {each.__name__.rsplit(".", 1)[1]: each.__doc__ or "" for each in MODULES}
TYPED = re.compile(r"-> (?P<typed>.+?)(?:\s{2,}<- (?P<heard>.*))?")
HEARD = re.compile(r"\s*<- (?P<heard>.*)")
READ = re.compile(r"\s+\((?P<reader>[\w ]+) reads?: (?P<line>.*)\)")
TIME = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d|T[\d:.]+)Z")
SIX_DIGITS = re.compile(r"\b\d{6}\b")
"""An authenticator's code. It works for half a minute."""

NOT_LOGGED_IN = ("nobody", "other")


@attrs.frozen
class Setup:
    """What a conversation needs: who types its lines, what happened before, who else is there."""

    speakers: str = ""
    """One name a line; alice, where there is none."""

    before: tuple[str, ...] = ()
    """A name, and the line that they type."""

    people: str = "alice bob"
    readers: Mapping[str, str] = {}
    """Those whom the conversation does not call by name."""


FIRST = "alice SEND bob hello"
SETUPS = {
    "accounts": Setup("nobody nobody other nobody", people=""),
    "messages": Setup(people="alice bob carol"),
    "reactions": Setup(before=(FIRST, "bob SEND alice hi")),
    "pins": Setup(before=("alice SEND bob the key is under the mat", FIRST, FIRST, FIRST)),
    "conversations": Setup(before=(FIRST, "alice READ", "bob SEND alice hi", "bob SEND alice hello")),
    "receipts": Setup(before=(FIRST, *["bob SEND alice hi"] * 4, "bob READ", "alice READ bob 3")),
    "search": Setup(
        before=(
            FIRST,
            "bob SEND alice shall we meet at six?",
            "小明 GROUP CREATE #team join_mode=open",
            "alice GROUP JOIN #team",
            "小明 SEND #team 会议在三楼",
            "小明 SEND #team 会议改到下午三点",
        ),
        people="alice bob 小明",
    ),
    "groups": Setup(before=(FIRST, f"other LOGIN alice {PASSWORD}"), readers={"members": "other"}),
    "members": Setup(
        "bob alice alice bob",
        (FIRST, "alice GROUP CREATE #team join_mode=open", "eve GROUP JOIN #team", "eve SEND #team hello"),
        people="alice bob eve",
        readers={"members": "eve"},
    ),
    "invitations": Setup(
        before=(
            FIRST,
            "alice GROUP CREATE #team join_mode=request",
            "alice SEND #team hello",
            "carol GROUP JOIN #team",
        ),
        people="alice bob carol",
    ),
    "profiles": Setup("bob bob bob", ('alice PROFILE SET display_name="Alice L" bio="likes tea"',)),
    "friends": Setup("ann bob bob bob bob", ('ann PROFILE SET display_name="Ann L"',), "ann bob mallory"),
    "presence": Setup(before=("alice FRIEND ADD bob", "bob FRIEND ADD alice", FIRST), readers={"friends": "bob"}),
    "personal": Setup(before=("bob SEND alice the key is under the mat",)),
    "second_factor": Setup("alice alice other alice"),
    "deletion": Setup(
        "ann bob",
        (
            f"other LOGIN ann {PASSWORD}",
            *["ann SEND ann remember the milk"] * 5,
            *["ann SEND bob hello"] * 3,
            "bob SEND ann hello",
        ),
        people="ann bob",
    ),
    "reports": Setup(
        "alice root root",
        ("mallory SEND alice hello", "alice SEND mallory hello", "mallory SEND alice send me your card number"),
        people="alice mallory root",
        readers={"an admin": "root"},
    ),
    "announcements": Setup("root alice root", people="alice bob root", readers={"everybody": "bob"}),
    "admin": Setup(
        "root root root root root",
        ("alice GROUP CREATE #team join_mode=open The team",),
        people="alice root",
    ),
    "policies": Setup("root root alice", people="alice bob root"),
    "audit": Setup("root", ("root WORD ADD casino", "root USER ROLE bob admin"), people="bob root"),
    "status": Setup("root", people="root"),
}


class Stage:
    """A server with some people. Root is an admin."""

    def __init__(self, people: str) -> None:
        self.server = MemoryServer(Limits(login_seconds=600))
        self.terminals = {name: self.server.connect() for name in (*people.split(), *NOT_LOGGED_IN)}
        self.token = ""
        for name in people.split():
            self.terminals[name].say(f"REGISTER {name} {PASSWORD}")
        self.server.database.write(lambda tx: tx.execute("UPDATE account SET admin = username = 'root'"), print)
        self.server.settle()
        for name in people.split():
            self.terminals[name].say(f"LOGIN {name} {PASSWORD}")

    def types(self, name: str, line: str) -> str:
        """Type a line, with the token that was given last and a code that works, and give the reply."""
        self.server.pass_time(30 if SIX_DIGITS.search(line) else 1)
        for terminal in self.terminals.values():
            terminal.heard()
        line = re.sub(r"\btoken\b", self.token, SIX_DIGITS.sub(lambda match: self._code(), line))
        self.terminals[name].say(line)
        reply = [each for each in self.terminals[name].heard() if not each.startswith("*")]
        if token := re.search(r"token=(\S+)", reply[-1]):
            self.token = token[1]
        return "\n".join(reply)

    def _code(self) -> str:
        found = self.server.database.read(lambda tx: tx.execute("SELECT secret FROM second_factor").fetchone()).result
        return code(found[0], self.server.server.now())


def same(expected: list[str], lines: str) -> bool:
    """Say whether lines are as expected: `…` is anything, alone on a line any lines; a time is any time."""
    patterns = [re.escape(TIME.sub("TIME", line)).replace("TIME", TIME.pattern) for line in expected]
    whole = "".join("(?:.*\n)*" if each == "…" else each.replace("…", ".*") + "\n" for each in patterns)
    return re.fullmatch(whole, lines + "\n") is not None


def exchanges(text: str) -> list[tuple[str, list[str], list[tuple[str, str]]]]:
    """Read a conversation: what is typed, the lines of the reply, and who reads what."""
    found: list[tuple[str, list[str], list[tuple[str, str]]]] = []
    for line in text[text.index("->") :].rstrip().splitlines():
        if typed := TYPED.fullmatch(line):
            found.append((typed["typed"], [typed["heard"]] if typed["heard"] else [], []))
        elif heard := HEARD.fullmatch(line):
            found[-1][1].append(heard["heard"])
        else:
            read = READ.fullmatch(line)
            assert read, f"not a line of a conversation: {line}"
            found[-1][2].append((read["reader"], read["line"]))
    return found


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_is_true(name: str) -> None:
    setup = SETUPS.get(name, Setup())
    stage = Stage(setup.people)
    for step in setup.before:
        speaker, line = step.split(" ", 1)
        assert "OK" in stage.types(speaker, line), step
    said = exchanges(CONVERSATIONS[name])
    for speaker, (line, expected, read) in zip(setup.speakers.split() or ["alice"] * len(said), said, strict=True):
        reply = stage.types(speaker, line)
        assert same(expected, reply), f"{line}\n{reply}"
        for reader, told in read:
            heard = stage.terminals[setup.readers.get(reader, reader)].heard()
            assert any(same([told], each) for each in heard), f"{line}\n{reader}: {heard}"
