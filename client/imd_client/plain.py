"""The plain console: everything that happens is written on a line of its own, above the input line.

hi                       [06:25] you to bob: hi        with the time once the server has it
                         [06:26] bob: hello            as it arrives
"""

from datetime import datetime

from imd.wire.base import Command, Event, Reply, Spec
from imd.wire.catalog import say
from imd.wire.conversations import Conversation, Page
from imd.wire.messages import Message
from imd.wire.receipts import Read
from imd.wire.terminal import harmless, lines
from imd_client.client import Client
from imd_client.errors import describe_failure
from imd_client.events import (
    Arrived,
    CaughtUp,
    ClientEvent,
    ContactDeleted,
    NotSent,
    Offline,
    Online,
    Restored,
    Trusted,
)
from imd_client.formatting import QUIET_EVENTS, format_answer, format_message, format_page
from imd_client.state import OutboxItem
from imd_client.view import Screen

MOST_UNREAD = 20
"""How many unread messages of a conversation are shown at the start."""


class PlainView:
    """Shows the console line by line, on a terminal or a pipe."""

    client: Client
    context = 5

    def __init__(self, screen: Screen, server: str, language: str) -> None:
        self.screen = screen
        self.to = ""
        self._server = server
        self._language = language
        self._caught_up = False
        self._offline = False
        self._shown_unread: dict[int, int] = {}
        """Conversation -> the highest seq by others that is shown and not yet marked as read."""

    def say(self, key: str, **params: object) -> None:
        """Show a sentence."""
        self.screen.show(say(f"console.{key}", self._language, **params))

    def begin(self, client: Client) -> None:
        """Take the client whose events are to be shown."""
        self.client = client

    # What the person does.

    def mark_read(self) -> None:
        """Mark as read what is on the screen."""
        if self.screen.interactive:
            self._mark_conversations_read(*self._shown_unread)

    def _mark_conversations_read(self, *conversations: int) -> None:
        for conversation in conversations:
            if seq := self._shown_unread.pop(conversation, 0):
                self.client.receipts.send(Read(conversation=conversation, seq=seq))

    def chosen(self, to: str, page: Page | None) -> None:
        """Name the conversation that was chosen, and show its latest messages."""
        self.to = to
        if self.screen.interactive:
            known = page is None or page.messages
            self.say("chosen" if known else "first_words", to=to)
            if page is not None:
                self.screen.show_all(format_page(page, to, self.client.account.username, self._language))
        self.screen.prompt(f"{to}> ")

    def answered(self, spec: Spec, command: Command, reply: Reply) -> None:
        """Write the reply to a command."""
        self.screen.show_all(format_answer(spec, command, reply, self.client.account.username, self._language))

    def queued(self, item: OutboxItem) -> None:
        """Say that a message is kept, if there is no connection to send it."""
        if self.screen.interactive and not self.client.connection.online:
            self.say("queued", to=item.to, content=harmless(item.content))

    # What happens.

    def on_event(self, event: ClientEvent) -> None:
        """Write an event."""
        match event:
            case Trusted(server, fingerprint):
                self.say("trusted", server=server, first=fingerprint[:48], second=fingerprint[48:])
            case Online(username):
                self._came_online(username)
            case Offline(why):
                self._went_offline(describe_failure(why, self._server, self._language))
            case Restored():
                self._shown_unread.clear()
                self.say("restored")
            case ContactDeleted(_, old_name, to):
                self._contact_deleted(old_name, to)
            case Arrived(message) if self._caught_up:
                self._show(message)
            case CaughtUp(listing) if not self._caught_up:
                self._caught_up = True
                self._show_unread(listing)
            case Event() if not isinstance(event, QUIET_EVENTS) and (text := event.text(self._language)):
                self.screen.show("\n".join(lines(text)))
            case NotSent(item, refused):
                content = harmless(lines(item.content)[0])
                self.say("not_sent", to=item.to, reason=harmless(refused.message), content=content)

    def _came_online(self, username: str) -> None:
        if not self._caught_up:
            self.say("welcome", username=username, server=self._server)
            if self.screen.interactive:
                self.say("hint")
        elif self._offline:
            self.say("online")
        self._offline = False

    def _went_offline(self, why: str) -> None:
        if not self._offline:
            self.say("unreachable" if self.client.account.token() is None else "offline", reason=why)
        self._offline = True

    def _contact_deleted(self, old_name: str, to: str) -> None:
        """Say who deleted their account, and that nobody is chosen any more."""
        self.say("contact_deleted", old_name=old_name, to=to)
        if self.to == old_name:
            self.to = ""
            self.screen.prompt("> ")

    def _show(self, message: Message) -> None:
        me = self.client.account.username
        self.screen.show(format_message(message, me, datetime.now().astimezone(), self._language))
        if message.sender != me:
            self._shown_unread[message.conversation] = message.seq
        elif not self.screen.interactive:
            self._mark_conversations_read(message.conversation)

    def _show_unread(self, listing: list[Conversation]) -> None:
        """Show unread messages conversation by conversation, the one with the latest message last."""
        unread = [each for each in reversed(listing) if each.unread]
        if not unread:
            self.say("nothing_unread")
        for each in unread:
            self.say("unread", to=each.to, count=each.unread)
            account = self.client.account
            messages = [
                one for one in account.after(each.conversation, each.read_seq) if one.sender != account.username
            ]
            if (earlier := len(messages) - MOST_UNREAD) > 0:
                self.say("earlier", to=each.to, count=earlier)
            for message in messages[-MOST_UNREAD:]:
                self._show(message)
