"""The full screen's view: events go into the model, and keys become calls of the client."""

import time

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from imd.wire.base import Command, Event, Reply, Spec
from imd.wire.catalog import say
from imd.wire.conversations import Page
from imd.wire.messages import Changed, EditMessage, MessageChanged, SendMessage
from imd.wire.presence import IsTyping, PresenceChanged
from imd.wire.receipts import Read
from imd.wire.terminal import harmless, lines
from imd_client.client import Client
from imd_client.errors import describe_failure
from imd_client.events import CaughtUp, ClientEvent, ContactDeleted, NotSent, Offline, Online, Trusted
from imd_client.formatting import QUIET_EVENTS, format_answer, has_more, messages_in
from imd_client.fullscreen.actions import Action
from imd_client.fullscreen.conversation import ConversationState, Draft
from imd_client.fullscreen.emoji import replace_names
from imd_client.fullscreen.fetcher import PAGE, Fetcher
from imd_client.fullscreen.keys import bindings
from imd_client.fullscreen.model import TYPING, Model
from imd_client.fullscreen.results import Results
from imd_client.fullscreen.screen import FullScreen
from imd_client.fullscreen.timeline import NEW
from imd_client.fullscreen.widths import truncate
from imd_client.protocol import Refused
from imd_client.state import OutboxItem, State
from imd_client.view import OnLine

NAMED = 60
"""Columns of a message's first words when it is named by them."""


class FullScreenView:
    """Shows the console on the full screen; it is also the KeyHandler."""

    client: Client
    context = PAGE
    _fetcher: Fetcher

    def __init__(
        self,
        on_line: OnLine,
        server: str,
        language: str,
        theme: str,
        *,
        keyboard: Input | None = None,
        display: Output | None = None,
    ) -> None:
        self._server = server
        self._language = language
        self._on_line = on_line
        self._welcomed = self._announced_unread = self._just_opened = False
        empty = Model(State().account(server, ""), language)
        self.screen = FullScreen(empty, on_line, theme, keyboard=keyboard, display=display)
        self.screen.run(bindings(self.screen, self), self.mark_read)
        self.screen.buffer.on_text_insert += self._types
        self.screen.application.after_render += self._drawn

    @property
    def model(self) -> Model:
        """What the screen shows."""
        return self.screen.model

    @property
    def to(self) -> str:
        """The open conversation, as the person would type it."""
        return self.model.current.to

    def say(self, key: str, **params: object) -> None:
        """Show a sentence."""
        self.screen.show(say(f"console.{key}", self._language, **params))

    def begin(self, client: Client) -> None:
        """Take the client whose conversations are to be shown."""
        self.client = client
        home = self.model.home
        self.screen.model = Model(client.account, self._language, home=home)
        self._fetcher = Fetcher(client, self.model, self.screen.refresh)
        self.screen.refresh()

    # What happens.

    def on_event(self, event: ClientEvent) -> None:
        """Show an event."""
        self.model.on_event(event, time.monotonic())
        match event:
            case Trusted(server, fingerprint):
                self.say("trusted", server=server, first=fingerprint[:48], second=fingerprint[48:])
            case Online(username) if not self._welcomed:
                self._welcomed = True
                self.say("welcome", username=username, server=self._server)
                self.say("fullscreen.hint")
            case Offline(why):
                self.model.offline_because = describe_failure(why, self._server, self._language)
            case ContactDeleted(_, _, to) if to == self.to:
                self.screen.prompt(f"{to}> ")
            case CaughtUp():
                self._caught_up()
            case NotSent(item, refused):
                self._not_sent(item, refused)
            case MessageChanged() | PresenceChanged():
                pass  # shown in place
            case IsTyping():
                self.screen.refresh_in(TYPING)
            case Event() if not isinstance(event, QUIET_EVENTS) and (text := event.text(self._language)):
                self.model.note(text)
        self.screen.refresh()

    def _caught_up(self) -> None:
        self._fetcher.complete(self.model.current)
        self._fetcher.fetch_presence()
        unread = [each.unread for each in self.model.conversations if each.unread]
        if unread and not self._announced_unread:
            self.say("fullscreen.unread", count=sum(unread), conversations=len(unread))
        self._announced_unread = True

    def _not_sent(self, item: OutboxItem, refused: Refused) -> None:
        """Say why, and put the message back into the input line if that is empty."""
        first, why = truncate(lines(item.content)[0], NAMED), harmless(refused.message)
        text = say("console.not_sent", self._language, to=item.to, reason=why, content=first)
        self.model.note(text, "class:warning")
        if item.to == self.to and not self.screen.buffer.text:
            self._write(item.content)

    def answered(self, spec: Spec, command: Command, reply: Reply) -> None:
        """Show a reply: messages as a list to choose from, others as text; a change is seen in the timeline."""
        if found := messages_in(reply):
            latest = len(found) - 1 if isinstance(reply, Page) else 0
            title = self.screen.take_echo() or f"/{spec.verb.lower()}"
            self.model.results = Results(title, found, latest, more=has_more(reply))
            self.screen.refresh()
        elif not isinstance(reply, Changed):
            self.screen.show_all(format_answer(spec, command, reply, self.model.me, self._language))

    def queued(self, item: OutboxItem) -> None:
        """Show a message of the person's before the server has stored it."""
        self.model.queued(item)
        self.screen.scroll.anchor = None
        self.screen.refresh()

    def mark_read(self) -> None:
        """Mark as read what is visible: the person touched a key."""
        if self.screen.scroll.anchor is None and (seq := self.model.mark_read(time.monotonic())):
            self.client.receipts.send(Read(conversation=self.model.current.id, seq=seq))

    def _types(self, buffer: Buffer) -> None:
        """When text is typed, drop the selection and tell the others."""
        self.model.current.selected = 0
        if not self.screen.asking and not buffer.text.startswith("/"):
            self._fetcher.send_typing(self.model.current, time.monotonic())

    # What the person wants.

    def chosen(self, to: str, page: Page | None) -> None:
        """Open a conversation that was asked for by name."""
        self._save_draft()
        self._show_opened(self.model.open(to, page))

    def open(self, conversation: ConversationState | None) -> None:
        """Open a listed conversation."""
        if conversation is not None and conversation is not self.model.current:
            self._save_draft()
            self._show_opened(self.model.open(conversation.to, None))

    def open_result(self) -> None:
        """Open the message selected in the list of results."""
        assert self.model.results is not None
        message, self.model.results = self.model.results.message, None
        conversation = self.model.find(message.conversation, message.to)
        self.open(conversation)
        if message.seq in conversation.messages:
            self._mark(conversation, message.seq)
        else:
            self._fetcher.fetch_around(conversation, message.seq, lambda: self._mark(conversation, message.seq))

    def _mark(self, conversation: ConversationState, seq: int) -> None:
        conversation.selected = seq
        self.screen.scroll.reveal(seq)
        self.screen.refresh()

    def _drawn(self, sender: object) -> None:
        """Mark an opened conversation as read once it is drawn, if its end is visible."""
        if self._just_opened:
            self._just_opened = False
            self.mark_read()
            self.screen.refresh()

    def _save_draft(self) -> None:
        self.model.current.draft.text = self.screen.buffer.text

    def _show_opened(self, conversation: ConversationState) -> None:
        self.screen.scroll.anchor = None
        self.screen.scroll.reveal(NEW)
        self._write(conversation.draft.text)
        self.screen.prompt(f"{conversation.to}> ")
        self._just_opened = True
        self._fetcher.complete(conversation)

    def _write(self, text: str) -> None:
        self.screen.buffer.text = text
        self.screen.buffer.cursor_position = len(text)

    def submit(self, text: str) -> None:
        """Send the text, or run it as a command."""
        conversation = self.model.current
        draft, conversation.draft = conversation.draft, Draft()
        self.go_to_end()
        command = text.startswith("/") and not text.startswith("//")
        if command and "\n" in text.strip():
            self.say("one_line")
            self._write(text)
        elif command or not conversation.to or self.screen.prefix != f"{conversation.to}> ":
            self._on_line(text)
        elif content := replace_names(text.removeprefix("/" if text.startswith("//") else "").strip()):
            if draft.editing:
                self._on_line(EditMessage(to=conversation.to, seq=draft.editing, content=content))
            else:
                self._on_line(SendMessage(to=conversation.to, content=content, reply_to=draft.reply_to or None))

    def act(self, action: Action) -> None:
        """Start a reply or an edit, or put the command for the selected message on the input line."""
        conversation = self.model.current
        seq = conversation.selected
        if action.name == "reply":
            conversation.draft.reply_to, conversation.draft.editing = seq, 0
        elif action.name == "edit":
            conversation.draft.reply_to, conversation.draft.editing = 0, seq
            self._write(conversation.messages[seq].content)
        else:
            self._write(action.line(conversation))
            if action.suffix:
                self.screen.buffer.start_completion()
        conversation.selected = 0
        self.screen.scroll.anchor = None

    def go_to_end(self) -> None:
        """Go to the end of the conversation."""
        self.screen.scroll.anchor = None
        if self.model.current.detached:
            self.model.load(self.model.current)

    def page_up(self) -> None:
        """Scroll up; at the top, load earlier messages."""
        if self.screen.scroll.at_top:
            self._fetcher.fetch_earlier(self.model.current)
        self.screen.scroll.scroll_pages(-1)

    def page_down(self) -> None:
        """Scroll down; at the end of a page of the past, fetch what follows."""
        if not self.screen.scroll.below:
            self._fetcher.fetch_later(self.model.current)
        self.screen.scroll.scroll_pages(1)
