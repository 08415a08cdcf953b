"""The state of the full screen: the conversations, which one is open, whether there is a connection. No I/O.

Events change it; the modules timeline and frame turn it into lines.
"""

from itertools import count
from typing import assert_never

import attrs

from imd.wire.catalog import say
from imd.wire.conversations import Conversation, Page
from imd.wire.fields import BIGGEST
from imd.wire.friends import FriendAdded, FriendRemoved
from imd.wire.messages import Message
from imd.wire.personal import AccountChange, AccountChanged
from imd.wire.presence import IsTyping, PresenceChanged, SeenAs
from imd.wire.receipts import Receipt
from imd_client.cache import Pointers
from imd_client.events import (
    Arrived,
    CaughtUp,
    Changed,
    ClientEvent,
    ContactDeleted,
    NotSent,
    Offline,
    Online,
    Restored,
)
from imd_client.fullscreen.conversation import ConversationState, Note
from imd_client.fullscreen.results import Results
from imd_client.state import Account, OutboxItem

WINDOW = 100
"""How many messages are loaded from the local copy at once."""

TYPING = 6
"""Seconds for which a member is shown as typing after the server said so."""

AWAY = 60
"""Seconds without a key after which the person may not have seen new messages."""


@attrs.frozen
class Presence:
    """A friend's presence, with their own text about it."""

    presence: SeenAs = "offline"
    text: str | None = None
    last_seen: str | None = None


@attrs.define(eq=False)
class Model:
    """The state of the screen. `current` is the home page until a conversation is chosen."""

    account: Account
    language: str
    conversations: list[ConversationState] = attrs.Factory(list)
    home: ConversationState = attrs.Factory(lambda: ConversationState(to=""))
    online: bool = False
    offline_because: str = ""
    waiting: list[OutboxItem] = attrs.Factory(list)
    active_at: float = 0
    results: Results | None = None
    presence: dict[str, Presence] = attrs.Factory(dict)
    """The friends' presence, by username."""

    current: ConversationState = attrs.field(init=False)
    _numbers: "count[int]" = attrs.Factory(count)

    def __attrs_post_init__(self) -> None:
        self.current = self.home
        for message in self.account.latest():
            self.find(message.conversation, message.to).last = message.time
        self.waiting = self.account.waiting()

    @property
    def me(self) -> str:
        """The person's own name."""
        return self.account.username

    def find(self, number: int, to: str) -> ConversationState:
        """Return the conversation with this number, or with this name if it has no number yet; create it if needed."""
        for conversation in self.conversations:
            if number and conversation.id == number:
                return conversation
            if conversation.to == to and not (number and conversation.id):
                conversation.id = number or conversation.id
                return conversation
        self.conversations.append(ConversationState(to=to, id=number))
        return self.conversations[-1]

    def order(self) -> list[ConversationState]:
        """Return the conversations in the order shown: pinned ones first, then by the time of the latest message."""
        listed = [each for each in self.conversations if not each.archived or each is self.current]
        return sorted(listed, key=lambda each: (each.pinned, not each.last, each.last), reverse=True)

    # What the person does.

    def open(self, to: str, page: Page | None) -> ConversationState:
        """Open a conversation, with a page of its latest messages from the server, or else with those stored here."""
        conversation = self.find(page.conversation if page else 0, to)
        self.load(conversation, page)
        later = ((seq, each) for seq, each in conversation.messages.items() if seq > conversation.read_seq)
        unread = (seq for seq, each in later if each.sender != self.me)
        if conversation is not self.current:
            conversation.new_from = next(unread, 0)
            self.current.selected = 0
        self.current = conversation
        return conversation

    def load(self, conversation: ConversationState, page: Page | None = None) -> None:
        """Load the latest messages of a conversation: those stored here, and the server's page."""
        if page is not None:
            self.account.add_history(page.messages)
        known = self.account.before(conversation.id, BIGGEST, WINDOW)
        start = page.messages[0].seq if page and page.messages else 0
        if start and not any(start - 1 <= message.seq for message in known):
            known = []
        if start or conversation.detached:
            conversation.messages, conversation.detached = {}, False
        conversation.add([*known, *(page.messages if page else [])])
        more = page is None or page.more or conversation.first_seq < start
        conversation.more = conversation.first_seq != 1 and bool(conversation.id) and more
        conversation.pointers = self.account.pointers(conversation.id) | conversation.pointers
        conversation.opened = True

    def load_earlier(self, conversation: ConversationState) -> bool:
        """Load earlier messages from the local copy, if they follow without a gap. Returns whether there were any."""
        known = self.account.before(conversation.id, conversation.first_seq, WINDOW)
        if not known or known[-1].seq != conversation.first_seq - 1:
            return False
        conversation.add(known)
        conversation.more = conversation.first_seq > 1
        return True

    def queued(self, item: OutboxItem) -> None:
        """Take a message that the person wrote."""
        self.waiting.append(item)
        self.current.new_from = 0

    def mark_read(self, now: float) -> int:
        """Record that the person is there and sees the end of the conversation. Returns the seq read now, or 0."""
        self.active_at = now
        conversation = self.current
        if not conversation.unread or conversation.detached:
            return 0
        seq = conversation.last_seq
        conversation.read(seq, [], self.me)
        return seq

    def next_unread(self) -> ConversationState | None:
        """Return the next unread conversation below the current one, continuing at the top."""
        order = self.order()
        index = order.index(self.current) + 1 if self.current in order else 0
        around = [*order[index:], *order[:index]]
        unread = [each for each in around if each.unread and each is not self.current]
        return next((each for each in unread if not each.muted), next(iter(unread), None))

    def neighbour(self, step: int) -> ConversationState | None:
        """Return the conversation that many rows below the current one."""
        order = self.order()
        if not order:
            return None
        if self.current not in order:
            return order[0]
        return order[(order.index(self.current) + step) % len(order)]

    # What happens.

    def note(self, text: str, kind: str = "", command: str = "") -> Note:
        """Show a text of the console's in the open conversation."""
        note = Note(next(self._numbers), text, kind, self.current.last_seq, command)
        self.current.notes.append(note)
        return note

    def on_event(self, event: ClientEvent, now: float) -> None:
        """Take an event."""
        match event:
            case Online():
                self.online = True
            case Offline() | NotSent():
                self.online = self.online and not isinstance(event, Offline)
                self.waiting = self.account.waiting()
            case Restored():
                self._restored()
            case ContactDeleted(conversation, old_name, to):
                self._contact_deleted(self.find(conversation, old_name), old_name, to)
            case CaughtUp(listing):
                self._caught_up(listing)
            case Arrived(message):
                self._arrived(message, now)
            case Changed(message):
                self._changed(message)
            case Receipt():
                self._receipt_moved(event)
            case PresenceChanged() | FriendAdded() | FriendRemoved():
                self._presence_changed(event)
            case IsTyping():
                self.find(event.conversation, event.to).typing[event.username] = now + TYPING
            case AccountChanged() if event.conversation in {each.id for each in self.conversations}:
                self._account_changed(event)

    def _restored(self) -> None:
        """Drop all loaded messages: they are fetched again."""
        for conversation in self.conversations:
            conversation.messages, conversation.pointers = {}, {}
        self.note(say("console.restored", self.language))

    def _contact_deleted(self, conversation: ConversationState, old_name: str, to: str) -> None:
        """Rename a conversation, with all its messages."""
        conversation.to, conversation.title, conversation.pointers, conversation.messages = to, "", {}, {}
        conversation.typing.clear()
        self.presence.pop(old_name, None)
        if conversation.opened:
            self.load(conversation)
        self.note(say("console.contact_deleted", self.language, old_name=old_name, to=to))

    def _caught_up(self, listing: list[Conversation]) -> None:
        ours = {0, *(row.conversation for row in listing), *self.account.cursors()}
        self.conversations = [each for each in self.conversations if each.id in ours]
        if self.current not in self.conversations:
            self.current = self.home
        for row in listing:
            conversation = self.find(row.conversation, row.to)
            if conversation.last_seq and max(each.rev for each in conversation.messages.values()) > row.last_rev:
                conversation.messages = {}  # the server was restored from a backup
            conversation.update(row)
            if conversation.opened:
                self.load(conversation)

    def _arrived(self, message: Message, now: float) -> None:
        conversation = self.find(message.conversation, message.to)
        if message.sender == self.me:
            self.waiting = self.account.waiting()
        elif conversation is self.current and not conversation.unread and now - self.active_at > AWAY:
            conversation.new_from = message.seq
        conversation.arrived(message, self.me)

    def _changed(self, message: Message) -> None:
        conversation = self.find(message.conversation, message.to)
        if message.seq in conversation.messages:
            conversation.add([message])

    def _receipt_moved(self, moved: Receipt) -> None:
        conversation = self.find(moved.conversation, moved.to)
        if moved.own:
            conversation.read(moved.read_seq, self.account.after(moved.conversation, moved.read_seq), self.me)
        else:
            pointers = Pointers(moved.delivered_seq, moved.read_seq)
            self.account.advance_pointers(moved.conversation, moved.username, pointers)
            conversation.advance_pointers(moved.username, pointers)

    def _presence_changed(self, event: PresenceChanged | FriendAdded | FriendRemoved) -> None:
        if isinstance(event, FriendRemoved):
            self.presence.pop(event.username, None)
        else:
            self.presence[event.username] = Presence(event.presence, event.presence_text, event.last_seen)

    def _account_changed(self, change: AccountChange) -> None:
        conversation = self.find(change.conversation or 0, "")
        match change.what:
            case "left":
                self.conversations.remove(conversation)
                if self.current is conversation:
                    self.current = self.home
                self.note(say("console.fullscreen.left", self.language, to=conversation.to))
            case "hidden":
                conversation.messages.pop(change.seq or 0, None)
            case "cleared":
                upto = change.value if isinstance(change.value, int) else 0
                conversation.messages = {seq: message for seq, message in conversation.messages.items() if seq > upto}
                conversation.more = False
            case "muted" | "archived" | "pinned" as what:
                setattr(conversation, what, bool(change.value))
            case "joined" | "deleted" | "starred" | "profile" | "relation" | "friend_note" | "declined":
                pass  # told by other events, or not shown
            case _:
                assert_never(change.what)

    def names(self) -> list[str]:
        """Return the names that the person may mean: conversations, latest first, then senders, members and friends."""
        senders = {message.sender: None for message in reversed(self.current.messages.values())}
        listed = [each.to for each in self.order()]
        return list(dict.fromkeys([*listed, *senders, *self.current.members, *self.presence]))

    def typing(self, now: float) -> list[str]:
        """Return the members who are typing in the open conversation."""
        return [username for username, until in self.current.typing.items() if until > now]

    def unread(self) -> int:
        """Count unread messages; in muted conversations only mentions."""
        return sum(each.mentions if each.muted else each.unread for each in self.conversations)
