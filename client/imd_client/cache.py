"""The local copy of an account's conversations: for each a cursor (the highest rev), and the messages by seq.

The copy is complete after the seq at which this device first saw the conversation (`since`). Earlier messages are
here only if they were fetched. A message that the person hid keeps its row, without its body.
"""

from collections.abc import Iterable

import attrs
import msgspec
from msgspec.structs import replace

from imd.wire.messages import Message
from imd_client.database import Database

encode = msgspec.json.encode
decode = msgspec.json.Decoder(Message).decode

_FORGET = "DELETE FROM {} WHERE account = ? AND conversation = ?"
_DROP = "UPDATE message SET body = NULL WHERE account = ? AND conversation = ? AND {}"


@attrs.frozen
class Change:
    """A message whose state changed. `before` is None if it is older than what this device has seen."""

    message: Message
    before: Message | None


@attrs.frozen
class Applied:
    """The result of applying messages: those seen for the first time, those that changed, and the gaps."""

    fresh: list[Message] = attrs.Factory(list)
    changed: list[Change] = attrs.Factory(list)
    gaps: dict[int, int] = attrs.Factory(dict)
    """Conversation -> a rev that was announced while earlier ones are missing."""


@attrs.frozen
class Pointers:
    """How far another member has received and read a conversation."""

    delivered: int = 0
    read: int = 0


def _renamed(message: Message, old_name: str, to: str) -> Message:
    def name(one: str) -> str:
        return to if one == old_name else one

    reactions = [replace(each, users=[name(one) for one in each.users]) for each in message.reactions]
    return replace(message, to=to, sender=name(message.sender), reactions=reactions)


@attrs.frozen
class Cache:
    """The local copy of one account's conversations on one server. `id` is the account's row in the file."""

    state: Database
    id: int
    server: str
    username: str

    def cursor(self, conversation: int) -> int | None:
        """Return the rev up to which the copy is complete; None for an unknown conversation."""
        query = "SELECT rev FROM cursor WHERE account = ? AND conversation = ?"
        row = self.state.execute(query, (self.id, conversation)).fetchone()
        return row[0] if row else None

    def cursors(self) -> dict[int, int]:
        """Return the cursor of every conversation."""
        return dict(self.state.execute("SELECT conversation, rev FROM cursor WHERE account = ?", (self.id,)))

    def apply(self, messages: Iterable[Message]) -> Applied:
        """Apply live messages: each one whose rev is the next of its conversation."""
        with self.state.transaction():
            applied = self._apply(messages)
        return self._scrubbed(applied)

    def _apply(self, messages: Iterable[Message]) -> Applied:
        applied = Applied()
        for message in messages:
            if message.rev > (self.cursor(message.conversation) or 0) + 1:
                applied.gaps[message.conversation] = message.rev
                continue
            self._advance_cursor(message.conversation, message.rev, 0)
            self._store(message, applied)
        return applied

    def merge(self, conversation: int, messages: Iterable[Message], rev: int, since: int = 0) -> Applied:
        """Apply a page that brings a conversation up to a rev. New messages are returned in order of seq."""
        applied = Applied()
        with self.state.transaction():
            self._advance_cursor(conversation, rev, since)
            for message in sorted(messages, key=lambda message: message.seq):
                self._store(message, applied)
        return self._scrubbed(applied)

    def add_history(self, messages: Iterable[Message]) -> None:
        """Store messages from before this device first saw the conversation; later ones arrive by themselves."""
        with self.state.transaction():
            for message in messages:
                if message.seq <= self._since(message.conversation):
                    self._store(message, Applied())

    def _store(self, message: Message, applied: Applied) -> None:
        """Insert or update one message."""
        key = (self.id, message.conversation, message.seq)
        query = "SELECT rev, body FROM message WHERE account = ? AND conversation = ? AND seq = ?"
        known = self.state.execute(query, key).fetchone()
        if known is None:
            old = message.seq <= self._since(message.conversation)
            row = (*key, message.rev, old or message.sender == self.username, encode(message))
            self.state.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)", row)
            if old:
                applied.changed.append(Change(message, None))
            else:
                applied.fresh.append(message)
        elif known[0] < message.rev and known[1] is not None:
            change = "UPDATE message SET rev = ?, body = ? WHERE account = ? AND conversation = ? AND seq = ?"
            self.state.execute(change, (message.rev, encode(message), *key))
            applied.changed.append(Change(message, decode(known[1])))

    def _scrubbed(self, applied: Applied) -> Applied:
        """Erase the text of recalled and burned messages from the file's journal too."""
        if any(change.before and change.before.content and not change.message.content for change in applied.changed):
            self.state.scrub()
        return applied

    def _since(self, conversation: int) -> int:
        query = "SELECT since FROM cursor WHERE account = ? AND conversation = ?"
        row = self.state.execute(query, (self.id, conversation)).fetchone()
        return row[0] if row else 0

    def _advance_cursor(self, conversation: int, rev: int, since: int) -> None:
        self.state.execute(
            "INSERT INTO cursor VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET rev = max(rev, excluded.rev)",
            (self.id, conversation, rev, since),
        )

    def forget(self, conversation: int) -> None:
        """Delete the copy of a conversation: the server was restored from a backup and is behind it."""
        with self.state.transaction():
            for table in ("cursor", "message", "receipt"):
                self.state.execute(_FORGET.format(table), (self.id, conversation))

    def last_seq(self, conversation: int) -> int:
        """Return the highest seq stored, or 0."""
        query = "SELECT max(seq) FROM message WHERE account = ? AND conversation = ?"
        (seq,) = self.state.execute(query, (self.id, conversation)).fetchone()
        return seq or 0

    def after(self, conversation: int, seq: int) -> list[Message]:
        """Return the stored messages after a seq."""
        query = "SELECT body FROM message WHERE account = ? AND conversation = ? AND seq > ? AND body NOT NULL"
        return [decode(body) for (body,) in self.state.execute(f"{query} ORDER BY seq", (self.id, conversation, seq))]

    def latest(self) -> list[Message]:
        """Return the latest message of each conversation."""
        query = (
            "SELECT body FROM message WHERE account = ? AND body NOT NULL AND seq ="
            " (SELECT max(seq) FROM message AS its WHERE its.account = message.account"
            " AND its.conversation = message.conversation AND its.body NOT NULL)"
        )
        return [decode(body) for (body,) in self.state.execute(query, (self.id,))]

    def before(self, conversation: int, seq: int, limit: int) -> list[Message]:
        """Return the last messages before a seq, oldest first, back to the first gap."""
        query = (
            "SELECT seq, body FROM message WHERE account = ? AND conversation = ? AND seq < ? ORDER BY seq DESC LIMIT ?"
        )
        found: list[Message] = []
        next_one = None
        for number, body in self.state.execute(query, (self.id, conversation, seq, limit)):
            if next_one not in (None, number):
                break
            if body is not None:
                found.append(decode(body))
            next_one = number - 1
        return found[::-1]

    def rename(self, conversation: int, to: str) -> str:
        """Give the other member of a direct conversation a new name. Returns the old one, or an empty string."""
        old_name = ""
        with self.state.transaction():
            for message in self.after(conversation, 0):
                if message.to != to:
                    old_name = message.to
                    change = "UPDATE message SET body = ? WHERE account = ? AND conversation = ? AND seq = ?"
                    self.state.execute(
                        change, (encode(_renamed(message, old_name, to)), self.id, conversation, message.seq)
                    )
            change = "UPDATE receipt SET username = ? WHERE account = ? AND conversation = ? AND username = ?"
            self.state.execute(change, (to, self.id, conversation, old_name))
        if old_name:
            self.state.scrub()
        return old_name

    # Messages that the person hid.

    def hide(self, conversation: int, seq: int) -> None:
        """Erase the body of a message."""
        self._drop("seq = ?", conversation, seq)

    def clear(self, conversation: int, upto: int) -> None:
        """Erase the bodies of all messages up to a seq."""
        self._drop("seq <= ?", conversation, upto)

    def _drop(self, which: str, conversation: int, seq: int) -> None:
        if self.state.execute(_DROP.format(which), (self.id, conversation, seq)).rowcount:
            self.state.scrub()

    # How far the other members have come.

    def pointers(self, conversation: int) -> dict[str, Pointers]:
        """Return the pointers of the other members, as far as they are known."""
        query = "SELECT username, delivered, read FROM receipt WHERE account = ? AND conversation = ?"
        rows = self.state.execute(query, (self.id, conversation))
        return {username: Pointers(delivered, read) for username, delivered, read in rows}

    def advance_pointers(self, conversation: int, username: str, pointers: Pointers) -> None:
        """Advance the pointers of a member; they never go back."""
        self.state.execute(
            "INSERT INTO receipt VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " delivered = max(delivered, excluded.delivered), read = max(read, excluded.read)",
            (self.id, conversation, username, pointers.delivered, pointers.read),
        )
