"""What a client remembers, in one SQLite file: certificates, accounts, messages to be sent, messages that came.

Every function is synchronous and one transaction: killed at any point, the file is as it was before or after it.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import attrs
import msgspec

from imd.wire.messages import Message

VERSION = 1
_SCHEMA = """
CREATE TABLE pin (server TEXT PRIMARY KEY, fingerprint TEXT NOT NULL);
CREATE TABLE life (account INTEGER PRIMARY KEY, epoch TEXT NOT NULL);
CREATE TABLE account (
    id INTEGER PRIMARY KEY, server TEXT NOT NULL, username TEXT NOT NULL, token TEXT, used INTEGER NOT NULL,
    UNIQUE (server, username));
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, client_id TEXT NOT NULL UNIQUE,
    recipient TEXT NOT NULL, content TEXT NOT NULL, kind TEXT NOT NULL, reply_to INTEGER,
    queued INTEGER NOT NULL, once INTEGER NOT NULL);
CREATE TABLE cursor (
    account INTEGER NOT NULL, conversation INTEGER NOT NULL, rev INTEGER NOT NULL,
    PRIMARY KEY (account, conversation));
CREATE TABLE message (
    account INTEGER NOT NULL, conversation INTEGER NOT NULL, seq INTEGER NOT NULL, rev INTEGER NOT NULL,
    handled INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (account, conversation, seq));
"""

_encode = msgspec.json.encode
_message = msgspec.json.Decoder(Message).decode


class NewerState(Exception):
    """The file was written by a newer imd than this one."""


@attrs.frozen
class Item:
    """A message that waits in the outbox for the server's answer."""

    number: int
    client_id: str
    to: str
    content: str
    kind: str
    reply_to: int | None


@attrs.frozen
class Applied:
    """What taking messages in changed: the ones never seen before, and how far conversations with a gap go on."""

    fresh: list[Message]
    gaps: dict[int, int]
    """Conversation -> the rev that was heard of, with others missing before it."""


class State:
    """The file. `:memory:` forgets everything at the end. Raises NewerState, or sqlite3.Error for no database."""

    def __init__(self, path: str | Path = ":memory:", factory: type[sqlite3.Connection] = sqlite3.Connection) -> None:
        self.path = str(path)
        if self.path != ":memory:":
            Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        self._sqlite = sqlite3.connect(path, isolation_level=None, factory=factory)
        self.execute = self._sqlite.execute
        self.execute("PRAGMA journal_mode = WAL")
        self.execute("PRAGMA synchronous = FULL")
        with self.transaction():
            (version,) = self.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise NewerState(self.path)
            if version == 0:
                for statement in _SCHEMA.strip().rstrip(";").split(";"):
                    self.execute(statement)
                self.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of what is inside, or nothing."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

    def close(self) -> None:
        """Let the file go."""
        self._sqlite.close()

    def pin(self, server: str) -> str | None:
        """Give the fingerprint of the server's certificate, if it is known."""
        row = self.execute("SELECT fingerprint FROM pin WHERE server = ?", (server,)).fetchone()
        return row[0] if row else None

    def set_pin(self, server: str, fingerprint: str) -> None:
        """Trust this certificate of the server from now on, and no other."""
        self.execute("INSERT OR REPLACE INTO pin VALUES (?, ?)", (server, fingerprint))

    def account(self, server: str, username: str) -> "Account":
        """Give the account of this name, known before or not."""
        with self.transaction():
            self.execute(
                "INSERT INTO account (server, username, used) VALUES (?, ?, 0) ON CONFLICT DO NOTHING",
                (server, username),
            )
            query = "SELECT id FROM account WHERE server = ? AND username = ?"
            (number,) = self.execute(query, (server, username)).fetchone()
        return Account(state=self, id=number, server=server, username=username)

    def latest(self, server: str) -> "Account | None":
        """Give the account that logged in last on a server, if it may still do so without a password."""
        query = "SELECT id, username FROM account WHERE server = ? AND token NOT NULL ORDER BY used DESC LIMIT 1"
        row = self.execute(query, (server,)).fetchone()
        return Account(state=self, id=row[0], server=server, username=row[1]) if row else None


@attrs.frozen
class Account:
    """What is remembered for one person on one server."""

    state: State
    id: int
    server: str
    username: str

    def token(self) -> str | None:
        """Give the token that logs this device in, if there is one."""
        row = self.state.execute("SELECT token FROM account WHERE id = ?", (self.id,)).fetchone()
        return row[0] if row else None

    def set_token(self, token: str | None) -> None:
        """Remember the token, or that there is none, and that this account was used last."""
        latest = "(SELECT max(used) + 1 FROM account)"
        self.state.execute(f"UPDATE account SET token = ?, used = {latest} WHERE id = ?", (token, self.id))  # noqa: S608

    def meets(self, epoch: str) -> bool:
        """Note which life of the server's data this is. In another one than before, the copies of conversations go.

        What waits in the outbox stays: the server finds by its client_id what it has stored in this life.
        """
        with self.state.transaction():
            known = self.state.execute("SELECT epoch FROM life WHERE account = ?", (self.id,)).fetchone()
            if known is not None and known[0] == epoch:
                return False
            self.state.execute("INSERT OR REPLACE INTO life VALUES (?, ?)", (self.id, epoch))
            if known is not None:
                self.state.execute("DELETE FROM cursor WHERE account = ?", (self.id,))
                self.state.execute("DELETE FROM message WHERE account = ?", (self.id,))
        return known is not None

    # The outbox: what was written here and is not answered yet.

    def queue(self, to: str, content: str, *, reply_to: int | None = None, once: bool = False) -> Item:
        """Put a message in the outbox. `once` is for `imd send`: it is sent only when the command is repeated."""
        with self.state.transaction():
            return self._queue(to, content, reply_to, once)

    def _queue(self, to: str, content: str, reply_to: int | None, once: bool) -> Item:
        client_id = uuid4().hex
        number = self.state.execute(
            "INSERT INTO outbox (account, client_id, recipient, content, kind, reply_to, queued, once)"
            " VALUES (?, ?, ?, ?, 'text', ?, ?, ?)",
            (self.id, client_id, to, content, reply_to, int(time.time()), once),
        ).lastrowid
        assert number is not None
        return Item(number=number, client_id=client_id, to=to, content=content, kind="text", reply_to=reply_to)

    def waiting(self) -> list[Item]:
        """Give what is to be sent, in order."""
        query = (
            "SELECT number, client_id, recipient, content, kind, reply_to FROM outbox"
            " WHERE account = ? AND NOT once ORDER BY number"
        )
        return [Item(*row) for row in self.state.execute(query, (self.id,))]

    def unanswered(self, to: str, content: str, *, since: float) -> Item | None:
        """Give the same message of an earlier `imd send` that was never answered, queued after `since` (Unix time)."""
        query = (
            "SELECT number, client_id, recipient, content, kind, reply_to FROM outbox WHERE account = ? AND once"
            " AND recipient = ? AND content = ? AND queued >= ? ORDER BY number DESC LIMIT 1"
        )
        row = self.state.execute(query, (self.id, to, content, int(since))).fetchone()
        return Item(*row) if row else None

    def answered(self, item: Item) -> None:
        """Take a message out of the outbox: the server stored it, or refused it."""
        self.state.execute("DELETE FROM outbox WHERE number = ?", (item.number,))

    def stored(self, item: Item, message: Message) -> Applied:
        """Take a message out of the outbox and into the conversation."""
        with self.state.transaction():
            self.answered(item)
            return self._apply([message])

    # The copy of the conversations: a cursor each (the highest rev), and the messages by seq.

    def cursor(self, conversation: int) -> int | None:
        """Give the highest rev that is here, with everything before it; None for an unknown conversation."""
        query = "SELECT rev FROM cursor WHERE account = ? AND conversation = ?"
        row = self.state.execute(query, (self.id, conversation)).fetchone()
        return row[0] if row else None

    def apply(self, messages: Iterable[Message]) -> Applied:
        """Take in what came live: each message whose rev is the next one of its conversation."""
        with self.state.transaction():
            return self._apply(messages)

    def _apply(self, messages: Iterable[Message]) -> Applied:
        applied = Applied([], {})
        for message in messages:
            if message.rev > (self.cursor(message.conversation) or 0) + 1:
                applied.gaps[message.conversation] = message.rev
                continue
            self._move(message.conversation, message.rev)
            if self._keep(message):
                applied.fresh.append(message)
        return applied

    def merge(self, conversation: int, messages: Iterable[Message], rev: int) -> list[Message]:
        """Take in a page of a conversation that brings its copy up to a rev. Gives what is new in it, by seq."""
        with self.state.transaction():
            fresh = [message for message in messages if self._keep(message)]
            self._move(conversation, rev)
        return sorted(fresh, key=lambda message: message.seq)

    def _keep(self, message: Message) -> bool:
        """Insert or update one message. Says whether it was never seen before."""
        key = (self.id, message.conversation, message.seq)
        query = "SELECT rev FROM message WHERE account = ? AND conversation = ? AND seq = ?"
        known = self.state.execute(query, key).fetchone()
        if known is None:
            row = (*key, message.rev, message.sender == self.username, _encode(message))
            self.state.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)", row)
        elif known[0] < message.rev:
            change = "UPDATE message SET rev = ?, body = ? WHERE account = ? AND conversation = ? AND seq = ?"
            self.state.execute(change, (message.rev, _encode(message), *key))
        return known is None

    def _move(self, conversation: int, rev: int) -> None:
        self.state.execute(
            "INSERT INTO cursor VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET rev = max(rev, excluded.rev)",
            (self.id, conversation, rev),
        )

    def forget(self, conversation: int) -> None:
        """Drop the copy of a conversation: the server's own is younger, it was set back to a backup."""
        with self.state.transaction():
            for table in ("cursor", "message"):
                self.state.execute(
                    f"DELETE FROM {table} WHERE account = ? AND conversation = ?",  # noqa: S608
                    (self.id, conversation),
                )

    def top(self, conversation: int) -> int:
        """Give the highest seq that is here, 0 for none."""
        query = "SELECT max(seq) FROM message WHERE account = ? AND conversation = ?"
        (seq,) = self.state.execute(query, (self.id, conversation)).fetchone()
        return seq or 0

    def after(self, conversation: int, seq: int) -> list[Message]:
        """Give the messages here that come after a seq."""
        query = "SELECT body FROM message WHERE account = ? AND conversation = ? AND seq > ? ORDER BY seq"
        return [_message(body) for (body,) in self.state.execute(query, (self.id, conversation, seq))]

    # For programs that do something with each message, once.

    def unhandled(self) -> list[Message]:
        """Give what others wrote and no `handled` was said for, oldest first in each conversation."""
        query = "SELECT body FROM message WHERE account = ? AND NOT handled ORDER BY conversation, seq"
        return [_message(body) for (body,) in self.state.execute(query, (self.id,))]

    def handled(self, message: Message, answer: str | None = None) -> Item | None:
        """Remember that a message was handled, and queue the answer to it: both, or neither."""
        done = "UPDATE message SET handled = 1 WHERE account = ? AND conversation = ? AND seq = ? AND NOT handled"
        with self.state.transaction():
            first = self.state.execute(done, (self.id, message.conversation, message.seq)).rowcount == 1
            return self._queue(message.to, answer, None, once=False) if first and answer is not None else None
