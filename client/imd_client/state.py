"""What a client remembers, in one SQLite file: certificates, accounts, the outbox, and received messages.

Every method that writes is one transaction: whenever the process is killed, the file is as before it or after it.
"""

import fcntl
import os
import time
from uuid import uuid4

import attrs
import msgspec

from imd.wire.messages import Message, SendMessage
from imd_client.cache import Applied, Cache, decode, encode
from imd_client.database import Database

_written = msgspec.json.Decoder(SendMessage).decode


@attrs.frozen
class OutboxItem:
    """A message in the outbox, waiting for the server's answer; it has its client_id."""

    number: int
    message: SendMessage

    @property
    def to(self) -> str:
        """The conversation it is for."""
        return self.message.to or ""

    @property
    def content(self) -> str:
        """Its text."""
        return self.message.content


def _outbox_item(number: int, client_id: str, body: bytes) -> OutboxItem:
    return OutboxItem(number, msgspec.structs.replace(_written(body), client_id=client_id))


class State(Database):
    """What is remembered on this machine, for all accounts."""

    def account(self, server: str, username: str) -> "Account":
        """Return the account of this name, whether it was known or not."""
        with self.transaction():
            self.execute(
                "INSERT INTO account (server, username, used) VALUES (?, ?, 0) ON CONFLICT DO NOTHING",
                (server, username),
            )
            query = "SELECT id FROM account WHERE server = ? AND username = ?"
            (number,) = self.execute(query, (server, username)).fetchone()
        return Account(state=self, id=number, server=server, username=username)

    def latest(self, server: str) -> "Account | None":
        """Return the account that logged in last on a server, if it can do so again without a password."""
        query = "SELECT id, username FROM account WHERE server = ? AND token NOT NULL ORDER BY used DESC LIMIT 1"
        row = self.execute(query, (server,)).fetchone()
        return Account(state=self, id=row[0], server=server, username=row[1]) if row else None


@attrs.frozen
class Account(Cache):
    """What is remembered about one account on one server."""

    def lock(self) -> bool:
        """Claim this account for this process, until it ends. Returns False if another process has it.

        Two processes would take turns: a message that one of them receives would never be shown by the other.
        """
        if self.state.path == ":memory:":
            return True
        lock = os.open(f"{self.state.path}.{self.id}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        return True

    def token(self) -> str | None:
        """Return the token that logs this device in, if there is one."""
        row = self.state.execute("SELECT token FROM account WHERE id = ?", (self.id,)).fetchone()
        return row[0] if row else None

    def set_token(self, token: str | None) -> None:
        """Remember the token or its absence, and that this account was used last."""
        latest = "UPDATE account SET token = ?, used = (SELECT max(used) + 1 FROM account) WHERE id = ?"
        self.state.execute(latest, (token, self.id))

    def log(self) -> int | None:
        """Return how far the account's log was read; None before the first time."""
        row = self.state.execute("SELECT log FROM account WHERE id = ?", (self.id,)).fetchone()
        return row[0] if row else None

    def set_log(self, n: int) -> None:
        """Remember how far the account's log was read."""
        self.state.execute("UPDATE account SET log = ? WHERE id = ?", (n, self.id))

    def check_epoch(self, epoch: str) -> bool:
        """Remember the epoch of the server's data. If it changed, delete the copies of conversations and return True.

        The outbox stays: the server finds by the client_id which of its messages it already has.
        """
        with self.state.transaction():
            known = self.state.execute("SELECT epoch FROM life WHERE account = ?", (self.id,)).fetchone()
            if known is not None and known[0] == epoch:
                return False
            self.state.execute("INSERT OR REPLACE INTO life VALUES (?, ?)", (self.id, epoch))
            if known is not None:
                self.state.execute("DELETE FROM cursor WHERE account = ?", (self.id,))
                self.state.execute("DELETE FROM message WHERE account = ?", (self.id,))
                self.state.execute("DELETE FROM receipt WHERE account = ?", (self.id,))
                self.state.execute("UPDATE account SET log = NULL WHERE id = ?", (self.id,))
        return known is not None

    # The outbox: messages written here and not yet answered.

    def queue(self, message: SendMessage, *, once: bool = False) -> OutboxItem:
        """Put a message in the outbox. With `once`, for `imd send`, it is sent only when the command is repeated."""
        with self.state.transaction():
            return self._queue(message, once=once)

    def _queue(self, message: SendMessage, *, once: bool) -> OutboxItem:
        client_id = uuid4().hex
        number = self.state.execute(
            "INSERT INTO outbox (account, client_id, recipient, content, body, queued, once)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self.id, client_id, message.to, message.content, encode(message), int(time.time()), once),
        ).lastrowid
        assert number is not None
        return _outbox_item(number, client_id, encode(message))

    def waiting(self) -> list[OutboxItem]:
        """Return the messages to be sent, in order."""
        query = "SELECT number, client_id, body FROM outbox WHERE account = ? AND NOT once ORDER BY number"
        return [_outbox_item(*row) for row in self.state.execute(query, (self.id,))]

    def unanswered(self, to: str, content: str, *, since: float) -> OutboxItem | None:
        """Return the same message of an earlier `imd send` that got no answer, queued after `since` (Unix time)."""
        query = (
            "SELECT number, client_id, body FROM outbox WHERE account = ? AND once AND recipient = ? AND content = ?"
            " AND queued >= ? ORDER BY number DESC LIMIT 1"
        )
        row = self.state.execute(query, (self.id, to, content, int(since))).fetchone()
        return _outbox_item(*row) if row else None

    def answered(self, item: OutboxItem) -> None:
        """Remove a message from the outbox: the server stored or refused it."""
        self.state.execute("DELETE FROM outbox WHERE number = ?", (item.number,))

    def stored(self, item: OutboxItem, message: Message) -> Applied:
        """Move a message from the outbox into its conversation."""
        with self.state.transaction():
            self.answered(item)
            applied = self._apply([message])
        return self._scrubbed(applied)

    # For programs that handle every message exactly once.

    def unhandled(self) -> list[Message]:
        """Return unhandled messages by others, oldest first in each conversation."""
        query = (
            "SELECT body FROM message WHERE account = ? AND NOT handled AND body NOT NULL ORDER BY conversation, seq"
        )
        return [decode(body) for (body,) in self.state.execute(query, (self.id,))]

    def handled(self, message: Message, answer: str | None = None) -> OutboxItem | None:
        """Record that a message was handled, and queue the answer: both, or neither."""
        done = "UPDATE message SET handled = 1 WHERE account = ? AND conversation = ? AND seq = ? AND NOT handled"
        with self.state.transaction():
            first = self.state.execute(done, (self.id, message.conversation, message.seq)).rowcount == 1
            if not first or answer is None:
                return None
            return self._queue(SendMessage(to=message.to, content=answer), once=False)
