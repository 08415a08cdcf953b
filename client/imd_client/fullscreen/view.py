"""The full-screen console's view: it carries events into the model, and what keys mean to the client."""

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
from imd_client.fullscreen.conversation import Draft, Talk
from imd_client.fullscreen.emoji import replaced
from imd_client.fullscreen.fetcher import PAGE, Fetching
from imd_client.fullscreen.keys import bindings
from imd_client.fullscreen.model import TYPING, Model
from imd_client.fullscreen.results import Found
from imd_client.fullscreen.screen import FullScreen
from imd_client.fullscreen.timeline import NEW
from imd_client.fullscreen.widths import cut
from imd_client.protocol import Refused
from imd_client.screen_protocol import OnLine
from imd_client.state import OutboxItem, State

NAMED = 60
"""Columns of a message's first words, where it is named by them."""


class FullScreenView:
    """Shows the console on the whole screen; also the Hands of its keys."""

    client: Client
    context = PAGE
    _fetching: Fetching

    def __init__(
        self,
        typed: OnLine,
        server: str,
        language: str,
        theme: str,
        *,
        keyboard: Input | None = None,
        display: Output | None = None,
    ) -> None:
        self._server = server
        self._language = language
        self._typed = typed
        self._welcomed = self._told_unread = self._just_opened = False
        nobody = Model(State().account(server, ""), language)
        self.screen = FullScreen(nobody, typed, theme, keyboard=keyboard, display=display)
        self.screen.run(bindings(self.screen, self), self.present)
        self.screen.buffer.on_text_insert += self._types
        self.screen.application.after_render += self._drawn

    @property
    def model(self) -> Model:
        """What the screen shows."""
        return self.screen.model

    @property
    def to(self) -> str:
        """Whom the person writes to."""
        return self.model.current.to

    def say(self, key: str, **params: object) -> None:
        """Show a sentence."""
        self.screen.show(say(f"console.{key}", self._language, **params))

    def begin(self, client: Client) -> None:
        """Show this client's conversations from now on."""
        self.client = client
        home = self.model.home
        self.screen.model = Model(client.account, self._language, home=home)
        self._fetching = Fetching(client, self.model, self.screen.refresh)
        self.screen.refresh()

    # What happens.

    def on_event(self, event: ClientEvent) -> None:
        """Show what happened."""
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
                pass  # seen in place
            case IsTyping():
                self.screen.refresh_in(TYPING)
            case Event() if not isinstance(event, QUIET_EVENTS) and (text := event.text(self._language)):
                self.model.note(text)
        self.screen.refresh()

    def _caught_up(self) -> None:
        self._fetching.complete(self.model.current)
        self._fetching.people()
        unread = [talk for talk in self.model.talks if talk.unread]
        if unread and not self._told_unread:
            self.say("fullscreen.unread", count=sum(talk.unread for talk in unread), talks=len(unread))
        self._told_unread = True

    def _not_sent(self, item: OutboxItem, refused: Refused) -> None:
        """Say why, and put it back into the line, if that is empty."""
        first, why = cut(lines(item.content)[0], NAMED), harmless(refused.message)
        text = say("console.not_sent", self._language, to=item.to, reason=why, content=first)
        self.model.note(text, "class:warning")
        if item.to == self.to and not self.screen.buffer.text:
            self._write(item.content)

    def answered(self, spec: Spec, command: Command, reply: Reply) -> None:
        """Show what a command answered: messages to choose from, or words; what shows in the timeline needs none."""
        if found := messages_in(reply):
            latest = len(found) - 1 if isinstance(reply, Page) else 0
            title = self.screen.echoed() or f"/{spec.verb.lower()}"
            self.model.found = Found(title, found, latest, more=has_more(reply))
            self.screen.refresh()
        elif not isinstance(reply, Changed):
            self.screen.show_all(format_answer(spec, command, reply, self.model.me, self._language))

    def queued(self, item: OutboxItem) -> None:
        """Show what the person wrote."""
        self.model.queued(item)
        self.screen.scroll.anchor = None
        self.screen.refresh()

    def present(self) -> None:
        """Mark read what is in sight: the person touched a key."""
        if self.screen.scroll.anchor is None and (seq := self.model.present(time.monotonic())):
            self.client.receipts.send(Read(conversation=self.model.current.conversation, seq=seq))

    def _types(self, buffer: Buffer) -> None:
        """Go on from a key that typed something: no message is marked any more, and the others see that I type."""
        self.model.current.selected = 0
        if not self.screen.asking and not buffer.text.startswith("/"):
            self._fetching.types(self.model.current, time.monotonic())

    # What the person wants.

    def chosen(self, to: str, page: Page | None) -> None:
        """Open a conversation that was asked for by name."""
        self._put_away()
        self._opened(self.model.open(to, page))

    def go(self, talk: Talk | None) -> None:
        """Open a conversation that is listed."""
        if talk is not None and talk is not self.model.current:
            self._put_away()
            self._opened(self.model.open(talk.to, None))

    def look_up(self) -> None:
        """Open the message that was chosen from those found."""
        assert self.model.found is not None
        message, self.model.found = self.model.found.chosen, None
        talk = self.model.of(message.conversation, message.to)
        self.go(talk)
        if message.seq in talk.messages:
            self._mark(talk, message.seq)
        else:
            self._fetching.around(talk, message.seq, lambda: self._mark(talk, message.seq))

    def _mark(self, talk: Talk, seq: int) -> None:
        talk.selected = seq
        self.screen.scroll.reveal(seq)
        self.screen.refresh()

    def _drawn(self, sender: object) -> None:
        """Note that what was opened is seen; the end of it only, if it is in sight."""
        if self._just_opened:
            self._just_opened = False
            self.present()
            self.screen.refresh()

    def _put_away(self) -> None:
        self.model.current.draft.text = self.screen.buffer.text

    def _opened(self, talk: Talk) -> None:
        self.screen.scroll.anchor = None
        self.screen.scroll.reveal(NEW)
        self._write(talk.draft.text)
        self.screen.prompt(f"{talk.to}> ")
        self._just_opened = True
        self._fetching.complete(talk)

    def _write(self, text: str) -> None:
        self.screen.buffer.text = text
        self.screen.buffer.cursor_position = len(text)

    def submit(self, text: str) -> None:
        """Send what is typed, or do what it says."""
        talk = self.model.current
        draft, talk.draft = talk.draft, Draft()
        self.latest()
        command = text.startswith("/") and not text.startswith("//")
        if command and "\n" in text.strip():
            self.say("fullscreen.one_line")
            self._write(text)
        elif command or not talk.to or self.screen.prefix != f"{talk.to}> ":
            for line in text.split("\n"):
                self._typed(line)
        elif content := replaced(text.removeprefix("/" if text.startswith("//") else "").strip()):
            if draft.editing:
                self._typed(EditMessage(to=talk.to, seq=draft.editing, content=content))
            else:
                self._typed(SendMessage(to=talk.to, content=content, reply_to=draft.reply_to or None))

    def act(self, action: Action) -> None:
        """Begin an answer or an edit, or write the command about the marked message into the line."""
        talk = self.model.current
        seq = talk.selected
        if action.word == "reply":
            talk.draft.reply_to, talk.draft.editing = seq, 0
        elif action.word == "edit":
            talk.draft.reply_to, talk.draft.editing = 0, seq
            self._write(talk.messages[seq].content)
        else:
            self._write(action.line(talk))
            if action.tail:
                self.screen.buffer.start_completion()
        talk.selected = 0
        self.screen.scroll.anchor = None

    def latest(self) -> None:
        """Go back to the end of the conversation."""
        self.screen.scroll.anchor = None
        if self.model.current.detached:
            self.model.load(self.model.current)

    def up(self) -> None:
        """Scroll up; at the top, fetch what was said before."""
        if self.screen.scroll.at_top:
            self._fetching.earlier(self.model.current)
        self.screen.scroll.page(-1)

    def down(self) -> None:
        """Scroll down; at the end of a page from the past, fetch what was said after it."""
        if not self.screen.scroll.below:
            self._fetching.later(self.model.current)
        self.screen.scroll.page(1)
