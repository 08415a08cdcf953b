"""The copy of an account's conversations: a cursor each (the highest rev), and the messages by seq.

It is whole after the seq at which this device first saw the conversation (`since`); what is earlier is here where it
was looked up. A message that I hid keeps its place, without its body.
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
    """A message that is in another state now. `before` is None where it lies before what this device has seen."""

    message: Message
    before: Message | None


@attrs.frozen
class Applied:
    """What taking messages in changed: the ones never seen before, the changed ones, and where something is missing."""

    fresh: list[Message] = attrs.Factory(list)
    changed: list[Change] = attrs.Factory(list)
    gaps: dict[int, int] = attrs.Factory(dict)
    """Conversation -> the rev that was heard of, with others missing before it."""


@attrs.frozen
class Pointers:
    """How far somebody else has come in a conversation."""

    delivered: int = 0
    read: int = 0


def _renamed(message: Message, old_name: str, to: str) -> Message:
    def name(one: str) -> str:
        return to if one == old_name else one

    reactions = [replace(each, users=[name(one) for one in each.users]) for each in message.reactions]
    return replace(message, to=to, sender=name(message.sender), reactions=reactions)


@attrs.frozen
class Cache:
    """The copy of one account's conversations on one server. `id` is the account's in the file."""

    state: Database
    id: int
    server: str
    username: str

    def cursor(self, conversation: int) -> int | None:
        """Give the highest rev that is here, with everything before it; None for an unknown conversation."""
        query = "SELECT rev FROM cursor WHERE account = ? AND conversation = ?"
        row = self.state.execute(query, (self.id, conversation)).fetchone()
        return row[0] if row else None

    def cursors(self) -> dict[int, int]:
        """Give the highest rev of each conversation that is here."""
        return dict(self.state.execute("SELECT conversation, rev FROM cursor WHERE account = ?", (self.id,)))

    def apply(self, messages: Iterable[Message]) -> Applied:
        """Take in what came live: each message whose rev is the next one of its conversation."""
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
        """Take in a page of a conversation that brings its copy up to a rev. What is new in it is given by seq."""
        applied = Applied()
        with self.state.transaction():
            self._advance_cursor(conversation, rev, since)
            for message in sorted(messages, key=lambda message: message.seq):
                self._store(message, applied)
        return self._scrubbed(applied)

    def add_history(self, messages: Iterable[Message]) -> None:
        """Keep what was said before this device saw the conversation; what came later arrives by itself."""
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
        """Let nothing of what was recalled or burned stay in the file's journal either."""
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
        """Drop the copy of a conversation: the server's own is younger, it was set back to a backup."""
        with self.state.transaction():
            for table in ("cursor", "message", "receipt"):
                self.state.execute(_FORGET.format(table), (self.id, conversation))

    def last_seq(self, conversation: int) -> int:
        """Give the highest seq that is here, 0 for none."""
        query = "SELECT max(seq) FROM message WHERE account = ? AND conversation = ?"
        (seq,) = self.state.execute(query, (self.id, conversation)).fetchone()
        return seq or 0

    def after(self, conversation: int, seq: int) -> list[Message]:
        """Give the messages here that come after a seq."""
        query = "SELECT body FROM message WHERE account = ? AND conversation = ? AND seq > ? AND body NOT NULL"
        return [decode(body) for (body,) in self.state.execute(f"{query} ORDER BY seq", (self.id, conversation, seq))]

    def latest(self) -> list[Message]:
        """Give the latest message of each conversation."""
        query = (
            "SELECT body FROM message WHERE account = ? AND body NOT NULL AND seq ="
            " (SELECT max(seq) FROM message AS its WHERE its.account = message.account"
            " AND its.conversation = message.conversation AND its.body NOT NULL)"
        )
        return [decode(body) for (body,) in self.state.execute(query, (self.id,))]

    def before(self, conversation: int, seq: int, limit: int) -> list[Message]:
        """Give the last messages here that come before a seq, oldest first, as far back as none is missing."""
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
        """Call the other one of a conversation of two something else. Gives what they were called, or nothing."""
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

    # What I see no more.

    def hide(self, conversation: int, seq: int) -> None:
        """Let go of the body of a message, for good."""
        self._drop("seq = ?", conversation, seq)

    def clear(self, conversation: int, upto: int) -> None:
        """Let go of the bodies of all messages up to a seq."""
        self._drop("seq <= ?", conversation, upto)

    def _drop(self, which: str, conversation: int, seq: int) -> None:
        if self.state.execute(_DROP.format(which), (self.id, conversation, seq)).rowcount:
            self.state.scrub()

    # How far the others have come.

    def pointers(self, conversation: int) -> dict[str, Pointers]:
        """Give how far each of the others has come, as far as it is known."""
        query = "SELECT username, delivered, read FROM receipt WHERE account = ? AND conversation = ?"
        rows = self.state.execute(query, (self.id, conversation))
        return {username: Pointers(delivered, read) for username, delivered, read in rows}

    def advance_pointers(self, conversation: int, username: str, pointers: Pointers) -> None:
        """Note how far somebody has come."""
        self.state.execute(
            "INSERT INTO receipt VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " delivered = max(delivered, excluded.delivered), read = max(read, excluded.read)",
            (self.id, conversation, username, pointers.delivered, pointers.read),
        )
