"""Texts that mean harm to whoever reads them, people who put them everywhere, and what counts as harm done."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import attrs
import msgspec
from msgspec import inspect

from imd.chat.base.handlers import HANDLERS, Lane
from imd.chat.base.limits import Limits
from imd.testing import PASSWORD, MemoryServer, Terminal
from imd.wire import textline
from imd.wire.base import Command, Right, Spec, registry
from imd.wire.fields import choices, kinds

PIECES = (
    "\x1b[31m\x1b]0;owned\x07\x1bc",
    "\x9b2J\x90q\x9c\x9d0;x\x07\x85",
    "ab\b\b\x7fc\0d",
    "x\r\n* forged: x\nOK FORGED\r* forged: x\x0b\x0cy",
    "x\u2028* forged: x\u2029OK FORGED",
    "\u202eevil\u202c\u202a\u202b\u202d\u2066\u2067\u2068\u2069\u200e\u200f\u061c",
    "a" + "\u0301" * 60,
    "ส" + "\u0e49\u0e4b" * 30,
    "\u200b\u200d\ufeff\u2060\U000e0041\U000e0001\u206a\ufff9x",
    "</p><script>alert(1)</script><img src=x onerror=alert(1)>\"'&",
)
"""Escape sequences of seven and of eight bits, editing, line ends, bidi, piles of accents, what nobody sees, HTML."""

HALF = b'"\\ud83d"'
"""Half a surrogate pair, as JSON can write it."""

PILE = 8
"""How many accents may stand on one another."""

_BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def steers(text: str) -> list[str]:
    """List what in a text could steer a terminal, or cover the lines beside it."""
    found, pile = [], 0
    for each in text:
        kind = unicodedata.category(each)
        pile = pile if kind == "Cf" else pile + 1 if kind in {"Mn", "Me"} else 0
        if (
            (kind in {"Cc", "Zl", "Zp", "Cs"} and each != "\t")
            or unicodedata.bidirectional(each) in _BIDI
            or each in "\u200e\u200f\u061c"
            or pile > PILE
        ):
            found.append(each)
    return found


def forged(line: str) -> bool:
    """Say whether a line looks like the server's own and is not."""
    return line.startswith(("* forged", "OK FORGED"))


def texts(spec: Spec) -> Iterator[tuple[str, int]]:
    """List a command's fields that take any text, each with its greatest length."""
    for field in msgspec.structs.fields(spec.shape):
        if isinstance(kind := kinds(field.type)[0], inspect.StrType):
            yield field.name, kind.max_length or 2000


def example(spec: Spec) -> Command:
    """Give a command's example."""
    typed = textline.decode(spec.shape.example.encode())
    assert typed is not None
    assert typed.command is not None
    return typed.command


ENDS = (
    "quit",
    "logout",
    "delete_account",
    "user_disable",
    "user_signout",
    "user_role",
    "policy_set",
    "change_password",
)
"""What would end the story."""

LAST = ("block", "group_delete", "groups_delete", "group_transfer", "group_kick", "group_ban", "group_leave")
LIMITS = Limits(
    requests_per_second=0,
    failed_logins=10**6,
    unauthenticated_per_address=10**6,
    devices_per_account=10**4,
    friend_requests_per_account=10**4,
    strangers_per_day=0,
    groups_owned=10**4,
)


@attrs.define
class Story:
    """Alice, an admin, writes harm into everything; bob and she read at terminals, in English and in Chinese."""

    server: MemoryServer = attrs.Factory(lambda: MemoryServer(LIMITS))
    readers: dict[str, Terminal] = attrs.field(factory=dict)
    read: list[str] = attrs.field(factory=list)
    """Every line that anybody at a terminal was sent."""

    hand: Terminal = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        for name in ("alice", "bob", "eve"):
            self.server.login(name)
        self.server.database.write(
            lambda tx: tx.execute("UPDATE account SET admin = 1 WHERE username = 'alice'"), print
        )
        self.hand = self.server.login("alice")
        for name, language in (("alice", "zh"), ("bob", "en"), ("eve", "zh")):
            reader = self.readers[name] = self.server.connect()
            reader.say(f"HELLO lang={language}")
            reader.say(f"LOGIN {name} device=laptop {PASSWORD}")
        for name, line in (
            ("alice", "SEND bob one"),
            ("bob", "SEND alice two"),
            ("alice", "FRIEND ADD bob"),
            ("bob", "FRIEND ADD alice"),
            ("alice", "GROUP CREATE #team join_mode=open The team"),
            ("bob", "GROUP JOIN #team"),
            ("eve", "GROUP JOIN #team"),
            ("alice", "SEND #team three"),
        ):
            self.readers[name].say(line)
        self.listen()

    def listen(self) -> None:
        """Take what the readers were sent."""
        for reader in self.readers.values():
            self.read += reader.heard()
        self.hand.heard()

    def harm(self) -> None:
        """Put every piece into every text of every command, in JSON and typed."""
        for spec in sorted(registry, key=lambda spec: spec.action in LAST):
            if spec.action in ENDS or not spec.shape.__module__.startswith("imd.wire."):
                continue
            hand = self.server.connect() if spec.right is Right.ANYONE else self.hand
            for fields in self._filled(spec):
                hand.ask(spec.action, **fields)
            hand.send(b'{"action":"%s","id":%b,"to":%b}\n' % (spec.action.encode(), HALF, HALF))
            self._typed(spec)
            self.server.pass_time(1)
            self.listen()
            hand.heard()
            ended = [name for name, each in {"hand": self.hand, **self.readers}.items() if each.closed]
            assert not ended, f"{spec.action} has ended {ended}"

    def _filled(self, spec: Spec) -> Iterator[dict[str, Any]]:
        sane = {name: value for name, value in msgspec.structs.asdict(example(spec)).items() if value is not None}
        kind = next((field.type for field in msgspec.structs.fields(spec.shape) if field.name == "kind"), None)
        for name, longest in texts(spec):
            for number, piece in enumerate(PIECES):
                fields = {**sane, name: piece[:longest], "id": piece}
                if "client_id" in fields or name == "content":
                    fields["client_id"] = f"{name}{number}{piece}"[:100]
                for kept in (choices(kind) or ["text"]) if name == "content" else [""]:
                    yield {**fields, "kind": kept, "client_id": f"{kept}{number}"} if kept else fields
                yield {**fields, name: piece.replace("\0", "")[:longest]}

    def _typed(self, spec: Spec) -> None:
        """Type it: bob does, who is no admin, and alice where one must be."""
        other = "carol" if spec.right is Right.ADMIN else "alice"
        for piece in PIECES:
            for reader in (self.readers["bob"], *([self.hand] if spec.right is Right.ADMIN else [])):
                for line in (f"@{piece} {spec.verb}", f"{spec.verb} {piece}", f"{spec.verb} {other} {piece}", piece):
                    if not any(line.upper().lstrip("/").startswith(word) for word in ("QUIT", "LOGOUT", "BLOCK")):
                        reader.send(line.replace("\r", "").replace("\n", "").encode() + b"\n")

    def look(self) -> None:
        """Have the readers ask for all there is to read."""
        for name, reader in self.readers.items():
            for spec in registry:
                if HANDLERS[spec.shape].lane in (Lane.READS, Lane.LIVE) and spec.action not in ENDS:
                    line = spec.shape.example.replace("bob", "alice") if name == "bob" else spec.shape.example
                    reader.say(re.sub(r"limit=\d+", "limit=200", line))
            for line in ("SEARCH evil", "FIND bob", "PROFILE alice", "HISTORY #team limit=200", "DEVICES", "SAVED"):
                reader.say(line)
        self.listen()
