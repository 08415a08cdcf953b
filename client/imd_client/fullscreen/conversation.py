"""The state of one conversation on the screen: its messages, the console's notes between them, and the draft."""

from enum import Enum

import attrs

from imd.wire.conversations import Conversation, Page
from imd.wire.messages import Message
from imd_client.cache import Pointers


class Tick(Enum):
    """How far one of the person's own messages has come."""

    KEPT = "kept"
    DELIVERED = "delivered"
    READ = "read"


@attrs.frozen
class Note:
    """A text of the console's between the messages: an answer to a command, a warning. Nobody else sees it."""

    number: int
    text: str
    kind: str
    after: int
    """The seq of the message it follows."""

    command: str = ""
    """The command that it answers."""


@attrs.define
class Draft:
    """The message being written, if it replies to another or edits one."""

    text: str = ""
    reply_to: int = 0
    editing: int = 0


@attrs.define(eq=False)
class ConversationState:
    """One conversation. `id` is 0 before the first message; `to` is empty for the home page."""

    to: str
    id: int = 0
    title: str = ""
    unread: int = 0
    mentions: int = 0
    role: str = ""
    muted: bool = False
    archived: bool = False
    pinned: bool = False
    read_seq: int = 0
    last: str = ""
    """The time of the latest message."""

    messages: dict[int, Message] = attrs.Factory(dict)
    """By seq, without gaps; empty until the conversation is opened."""

    opened: bool = False
    detached: bool = False
    """Whether the messages are a page of the past, with later ones missing."""

    more: bool = True
    """Whether there may be earlier messages than these."""

    fetching: bool = False
    new_from: int = 0
    """The seq of the first new message, with a line above it; 0 for none."""

    notes: list[Note] = attrs.Factory(list)
    pointers: dict[str, Pointers] = attrs.Factory(dict)
    members: list[str] = attrs.Factory(list)
    """The members of a group, as far as they are known."""

    typing: dict[str, float] = attrs.Factory(dict)
    """Username -> the time until which they are shown as typing."""

    draft: Draft = attrs.Factory(Draft)
    selected: int = 0

    @property
    def group(self) -> bool:
        """Whether it is a group."""
        return self.to.startswith("#")

    @property
    def first_seq(self) -> int:
        """The lowest seq loaded, 0 for none."""
        return min(self.messages, default=0)

    @property
    def last_seq(self) -> int:
        """The highest seq loaded, 0 for none."""
        return max(self.messages, default=0)

    def update(self, row: Conversation) -> None:
        """Take the server's row for the conversation."""
        self.id, self.to, self.title, self.role = row.conversation, row.to, row.title, row.role
        self.unread, self.mentions, self.read_seq = row.unread, row.mentions, row.read_seq
        self.muted, self.archived, self.pinned = row.muted, row.archived, row.pinned
        self.last = row.last.time if row.last else ""

    def add(self, messages: list[Message]) -> None:
        """Add messages; of two states of the same message the later one stays."""
        for message in messages:
            known = self.messages.get(message.seq)
            if known is None or known.rev < message.rev:
                self.messages[message.seq] = message
        self.messages = dict(sorted(self.messages.items()))

    def prepend(self, page: Page) -> None:
        """Put a page before the messages."""
        self.add(page.messages)
        self.more = page.more

    def append(self, page: Page) -> None:
        """Put a page after the messages; the last page reaches the present."""
        self.add(page.messages)
        self.detached = page.more

    def show_past(self, page: Page) -> None:
        """Replace the messages by a page of the past."""
        self.messages = {}
        self.prepend(page)
        self.opened = self.detached = True

    def arrived(self, message: Message, me: str) -> None:
        """Take a new message."""
        self.last = max(self.last, message.time)
        self.typing.pop(message.sender, None)
        if message.sender != me:
            self._count(message, me)
            self.advance_pointers(message.sender, Pointers(message.seq))
        if self.opened and not self.detached:
            self.add([message])

    def _count(self, message: Message, me: str) -> None:
        if message.seq > self.read_seq:
            self.unread += 1
            self.mentions += mentions_user(message, me)

    def read(self, seq: int, left: list[Message], me: str) -> None:
        """Record that the person has read up to a seq; `left` are the messages after it."""
        if seq > self.read_seq:
            self.read_seq, self.unread, self.mentions = seq, 0, 0
            for message in left:
                if message.sender != me:
                    self._count(message, me)

    def advance_pointers(self, username: str, pointers: Pointers) -> None:
        """Record how far another member has come."""
        known = self.pointers.get(username, Pointers())
        delivered = max(known.delivered, pointers.delivered, pointers.read)
        self.pointers[username] = Pointers(delivered, max(known.read, pointers.read))

    def tick(self, seq: int) -> Tick:
        """Return how far one of the person's messages has come; in a group, by the member who is furthest."""
        if any(each.read >= seq for each in self.pointers.values()):
            return Tick.READ
        if any(each.delivered >= seq for each in self.pointers.values()):
            return Tick.DELIVERED
        return Tick.KEPT

    def select(self, step: int) -> None:
        """Move the selection: -1 is up. Below the last message nothing is selected."""
        seqs = list(self.messages)
        if not seqs:
            return
        index = seqs.index(self.selected) if self.selected in self.messages else len(seqs)
        index = max(0, index + step)
        self.selected = seqs[index] if index < len(seqs) else 0


def mentions_user(message: Message, username: str) -> bool:
    """Return whether a message mentions somebody, by name or as one of all."""
    return username in message.mentions or "all" in message.mentions
