"""One conversation as the screen has it: what was said, what the console itself had to say, and the draft."""

from enum import Enum

import attrs

from imd.wire.conversations import Conversation, Page
from imd.wire.messages import Message
from imd_client.cache import Pointers


class Tick(Enum):
    """How far an own message has come."""

    KEPT = "kept"
    DELIVERED = "delivered"
    READ = "read"


@attrs.frozen
class Note:
    """Something the console says between the messages: an answer to a command, a warning. Nobody else sees it."""

    number: int
    text: str
    kind: str
    after: int
    """The seq of the message it follows."""

    command: str = ""
    """The command that it answers."""


@attrs.define
class Draft:
    """What is being written. It answers a message, or says one anew; or neither."""

    text: str = ""
    reply_to: int = 0
    editing: int = 0


@attrs.define(eq=False)
class ConversationState:
    """One conversation. `conversation` is 0 where nothing was said yet; `to` is empty for the home page."""

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
    """By seq, without a gap; empty until it is opened."""

    opened: bool = False
    detached: bool = False
    """Whether they are from the past, with others after them that are not here."""

    more: bool = True
    """Whether there may be earlier ones than those here."""

    fetching: bool = False
    new_from: int = 0
    """The seq before which the rule stands that says what is new; 0 for none."""

    notes: list[Note] = attrs.Factory(list)
    pointers: dict[str, Pointers] = attrs.Factory(dict)
    members: list[str] = attrs.Factory(list)
    """Who is in a group, as far as it is known."""

    typing: dict[str, float] = attrs.Factory(dict)
    """Who types, and until when that is to be believed."""

    draft: Draft = attrs.Factory(Draft)
    selected: int = 0

    @property
    def group(self) -> bool:
        """Whether it is a group's."""
        return self.to.startswith("#")

    @property
    def first_seq(self) -> int:
        """The lowest seq here, 0 for none."""
        return min(self.messages, default=0)

    @property
    def last_seq(self) -> int:
        """The highest seq here, 0 for none."""
        return max(self.messages, default=0)

    def update(self, row: Conversation) -> None:
        """Take what the server's list says."""
        self.id, self.to, self.title, self.role = row.conversation, row.to, row.title, row.role
        self.unread, self.mentions, self.read_seq = row.unread, row.mentions, row.read_seq
        self.muted, self.archived, self.pinned = row.muted, row.archived, row.pinned
        self.last = row.last.time if row.last else ""

    def add(self, messages: list[Message]) -> None:
        """Have these in the window; of two states of one message the later one stays."""
        for message in messages:
            known = self.messages.get(message.seq)
            if known is None or known.rev < message.rev:
                self.messages[message.seq] = message
        self.messages = dict(sorted(self.messages.items()))

    def prepend(self, page: Page) -> None:
        """Put a page before what is here."""
        self.add(page.messages)
        self.more = page.more

    def append(self, page: Page) -> None:
        """Put a page after what is here; with the last one the present is reached."""
        self.add(page.messages)
        self.detached = page.more

    def show_past(self, page: Page) -> None:
        """Show a page from the past instead of what is here."""
        self.messages = {}
        self.prepend(page)
        self.opened = self.detached = True

    def arrived(self, message: Message, me: str) -> None:
        """Take a message that is new."""
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
        """Note that all up to a seq was read by me; `left` is what comes after it."""
        if seq > self.read_seq:
            self.read_seq, self.unread, self.mentions = seq, 0, 0
            for message in left:
                if message.sender != me:
                    self._count(message, me)

    def advance_pointers(self, username: str, pointers: Pointers) -> None:
        """Note that somebody else has come so far at least."""
        known = self.pointers.get(username, Pointers())
        delivered = max(known.delivered, pointers.delivered, pointers.read)
        self.pointers[username] = Pointers(delivered, max(known.read, pointers.read))

    def tick(self, seq: int) -> Tick:
        """Say how far a message of mine has come; in a group, with the one who is furthest."""
        if any(each.read >= seq for each in self.pointers.values()):
            return Tick.READ
        if any(each.delivered >= seq for each in self.pointers.values()):
            return Tick.DELIVERED
        return Tick.KEPT

    def select(self, step: int) -> None:
        """Move the mark from message to message: -1 is up. Below the last one there is none."""
        seqs = list(self.messages)
        if not seqs:
            return
        index = seqs.index(self.selected) if self.selected in self.messages else len(seqs)
        index = max(0, index + step)
        self.selected = seqs[index] if index < len(seqs) else 0


def mentions_user(message: Message, username: str) -> bool:
    """Say whether a message mentions somebody, by name or with all others."""
    return username in message.mentions or "all" in message.mentions
