"""What the full-screen console knows: the conversations, which one is open, whether there is a connection. No I/O.

An event changes it; the modules timeline, sidebar and frame turn it into lines.
"""

from itertools import count

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
from imd_client.fullscreen.conversation import Note, Talk
from imd_client.fullscreen.results import Found
from imd_client.state import Account, OutboxItem

WINDOW = 100
"""How many messages are taken from the local copy at once."""

TYPING = 6
"""Seconds for which somebody types who was said to."""

AWAY = 60
"""Seconds without a key after which the person may not have seen what came."""


@attrs.frozen
class Seen:
    """What somebody is seen as, with a few words of theirs."""

    presence: SeenAs = "offline"
    words: str | None = None
    last_seen: str | None = None


@attrs.define(eq=False)
class Model:
    """The state of the screen. `current` is the home page until somebody is chosen."""

    account: Account
    language: str
    talks: list[Talk] = attrs.Factory(list)
    home: Talk = attrs.Factory(lambda: Talk(to=""))
    online: bool = False
    offline_because: str = ""
    waiting: list[OutboxItem] = attrs.Factory(list)
    seen_at: float = 0
    found: Found | None = None
    people: dict[str, Seen] = attrs.Factory(dict)
    """What my friends are seen as."""

    current: Talk = attrs.field(init=False)
    _numbers: "count[int]" = attrs.Factory(count)

    def __attrs_post_init__(self) -> None:
        self.current = self.home
        for message in self.account.latest():
            self.of(message.conversation, message.to).last = message.time
        self.waiting = self.account.waiting()

    @property
    def me(self) -> str:
        """My name."""
        return self.account.username

    def of(self, conversation: int, to: str) -> Talk:
        """Give the conversation of a number, or of a name if it has none yet; make it if there is none."""
        for talk in self.talks:
            if conversation and talk.conversation == conversation:
                return talk
            if talk.to == to and not (conversation and talk.conversation):
                talk.conversation = conversation or talk.conversation
                return talk
        self.talks.append(Talk(to=to, conversation=conversation))
        return self.talks[-1]

    def order(self) -> list[Talk]:
        """List the conversations as the screen does: pinned ones, then the one with the latest message first."""
        shown = [talk for talk in self.talks if not talk.archived or talk is self.current]
        return sorted(shown, key=lambda talk: (talk.pinned, not talk.last, talk.last), reverse=True)

    # What the person does.

    def open(self, to: str, page: Page | None) -> Talk:
        """Open a conversation, with its latest messages as the server told them; without, with those known here."""
        talk = self.of(page.conversation if page else 0, to)
        self.load(talk, page)
        unread = (seq for seq, each in talk.messages.items() if seq > talk.read_seq and each.sender != self.me)
        if talk is not self.current:
            talk.new_from = next(unread, 0)
            self.current.selected = 0
        self.current = talk
        return talk

    def load(self, talk: Talk, page: Page | None = None) -> None:
        """Have the latest messages of a conversation: those known here, and a page of the server's."""
        if page is not None:
            self.account.add_history(page.messages)
        known = self.account.before(talk.conversation, BIGGEST, WINDOW)
        start = page.messages[0].seq if page and page.messages else 0
        if start and not any(start - 1 <= message.seq for message in known):
            known = []
        if start or talk.detached:
            talk.messages, talk.detached = {}, False
        talk.show([*known, *(page.messages if page else [])])
        talk.more = talk.first != 1 and bool(talk.conversation) and (page is None or page.more or talk.first < start)
        talk.others = self.account.pointers(talk.conversation) | talk.others
        talk.opened = True

    def knew_earlier(self, talk: Talk) -> bool:
        """Show what the local copy has before what is shown, without a gap; says whether there was something."""
        known = self.account.before(talk.conversation, talk.first, WINDOW)
        if not known or known[-1].seq != talk.first - 1:
            return False
        talk.show(known)
        talk.more = talk.first > 1
        return True

    def queued(self, item: OutboxItem) -> None:
        """Note that the person wrote something."""
        self.waiting.append(item)
        self.current.new_from = 0

    def present(self, now: float) -> int:
        """Note that the person is there and sees the end of the conversation. Gives the seq that is read now, or 0."""
        self.seen_at = now
        talk = self.current
        if not talk.unread or talk.detached:
            return 0
        seq = talk.top
        talk.read(seq, [], self.me)
        return seq

    def next_unread(self) -> Talk | None:
        """Give the next conversation below the current one with something unread, beginning again at the top."""
        order = self.order()
        place = order.index(self.current) + 1 if self.current in order else 0
        around = [*order[place:], *order[:place]]
        loud = [talk for talk in around if talk.unread and talk is not self.current]
        return next((talk for talk in loud if not talk.muted), next(iter(loud), None))

    def beside(self, step: int) -> Talk | None:
        """Give the conversation so many below the current one."""
        order = self.order()
        if not order:
            return None
        if self.current not in order:
            return order[0]
        return order[(order.index(self.current) + step) % len(order)]

    # What happens.

    def note(self, text: str, kind: str = "", command: str = "") -> Note:
        """Let the console say something where the person looks."""
        note = Note(next(self._numbers), text, kind, self.current.top, command)
        self.current.notes.append(note)
        return note

    def on_event(self, event: ClientEvent, now: float) -> None:
        """Take what happened."""
        match event:
            case Online():
                self.online = True
            case Offline() | NotSent():
                self.online = self.online and not isinstance(event, Offline)
                self.waiting = self.account.waiting()
            case Restored():
                self._restored()
            case ContactDeleted(conversation, old_name, to):
                self._contact_deleted(self.of(conversation, old_name), old_name, to)
            case CaughtUp(listing):
                self._listed(listing)
            case Arrived(message):
                self._arrived(message, now)
            case Changed(message):
                self._changed(message)
            case Receipt():
                self._receipt(event)
            case PresenceChanged() | FriendAdded() | FriendRemoved():
                self._person(event)
            case IsTyping():
                self.of(event.conversation, event.to).typing[event.username] = now + TYPING
            case AccountChanged() if event.conversation in {talk.conversation for talk in self.talks}:
                self._noted(event)

    def _restored(self) -> None:
        """Let go of all that is shown of conversations: they are fetched anew."""
        for talk in self.talks:
            talk.messages, talk.others = {}, {}
        self.note(say("console.restored", self.language))

    def _contact_deleted(self, talk: Talk, old_name: str, to: str) -> None:
        """Call a conversation what it is called now, with all that was said in it."""
        talk.to, talk.title, talk.others, talk.messages = to, "", {}, {}
        talk.typing.clear()
        self.people.pop(old_name, None)
        if talk.opened:
            self.load(talk)
        self.note(say("console.contact_deleted", self.language, old_name=old_name, to=to))

    def _listed(self, listing: list[Conversation]) -> None:
        ours = {0, *(row.conversation for row in listing), *self.account.cursors()}
        self.talks = [talk for talk in self.talks if talk.conversation in ours]
        if self.current not in self.talks:
            self.current = self.home
        for row in listing:
            talk = self.of(row.conversation, row.to)
            if talk.top and max(each.rev for each in talk.messages.values()) > row.last_rev:
                talk.messages = {}  # the conversation was set back to a backup
            talk.listed(row)
            if talk.opened:
                self.load(talk)

    def _arrived(self, message: Message, now: float) -> None:
        talk = self.of(message.conversation, message.to)
        if message.sender == self.me:
            self.waiting = self.account.waiting()
        elif talk is self.current and not talk.unread and now - self.seen_at > AWAY:
            talk.new_from = message.seq
        talk.arrived(message, self.me)

    def _changed(self, message: Message) -> None:
        talk = self.of(message.conversation, message.to)
        if message.seq in talk.messages:
            talk.show([message])

    def _receipt(self, moved: Receipt) -> None:
        talk = self.of(moved.conversation, moved.to)
        if moved.own:
            talk.read(moved.read_seq, self.account.after(moved.conversation, moved.read_seq), self.me)
        else:
            pointers = Pointers(moved.delivered_seq, moved.read_seq)
            self.account.advance_pointers(moved.conversation, moved.username, pointers)
            talk.reached(moved.username, pointers)

    def _person(self, event: PresenceChanged | FriendAdded | FriendRemoved) -> None:
        if isinstance(event, FriendRemoved):
            self.people.pop(event.username, None)
        else:
            self.people[event.username] = Seen(event.presence, event.presence_text, event.last_seen)

    def _noted(self, change: AccountChange) -> None:
        talk = self.of(change.conversation or 0, "")
        match change:
            case AccountChange(what="left"):
                self.talks.remove(talk)
                if self.current is talk:
                    self.current = self.home
                self.note(say("console.fullscreen.left", self.language, to=talk.to))
            case AccountChange(what="hidden", seq=int(seq)):
                talk.messages.pop(seq, None)
            case AccountChange(what="cleared", value=int(upto)):
                talk.messages = {seq: message for seq, message in talk.messages.items() if seq > upto}
                talk.more = False
            case AccountChange(what="muted" | "archived" | "pinned" as what, value=bool(on)):
                setattr(talk, what, on)

    def names(self) -> list[str]:
        """List the names the person may mean: of people and groups, the ones talked with last first."""
        senders = {message.sender: None for message in reversed(self.current.messages.values())}
        listed = [talk.to for talk in self.order()]
        return list(dict.fromkeys([*listed, *senders, *self.current.members, *self.people]))

    def typing(self, now: float) -> list[str]:
        """List who types in the open conversation."""
        return [username for username, until in self.current.typing.items() if until > now]

    def unread(self) -> int:
        """Count the unread messages of the conversations that make a noise, and mentions in the others."""
        return sum(talk.mentions if talk.muted else talk.unread for talk in self.talks)
