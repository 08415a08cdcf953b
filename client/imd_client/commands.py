"""What a line typed in the console means: a message to whom was chosen, or a /command."""

from datetime import datetime
from typing import Any

import attrs
from twisted.internet.defer import CancelledError

import imd.wire.capabilities  # noqa: F401  # all of it can be typed
from imd.wire import names
from imd.wire.accounts import Logout
from imd.wire.base import Command, Spec, registry
from imd.wire.catalog import say
from imd.wire.conversations import Changes, History, Page
from imd.wire.jsonline import sentence
from imd.wire.messages import SendMessage
from imd.wire.reader import LineReader
from imd.wire.refusals import BadName
from imd.wire.terminal import harmless
from imd_client import shown
from imd_client.client import Client
from imd_client.protocol import AnswerLost, Refused
from imd_client.screen import Screen
from imd_client.waiting import within

CONTEXT = 5
"""How many earlier messages are shown when somebody is chosen."""


@attrs.define
class Commands:
    """Carries out typed lines. `wait` is how many seconds a pipe's commands wait for the connection."""

    screen: Screen
    client: Client
    language: str
    wait: float
    clock: Any
    to: str = ""
    refused: int = 0
    """How many typed lines came to nothing."""

    _reader: LineReader = attrs.Factory(lambda: LineReader(content_limit=2**20))
    _posting: bool = False

    def say(self, key: str, **params: object) -> None:
        """Show a sentence."""
        self.screen.show(say(f"console.{key}", self.language, **params))

    async def typed(self, line: str) -> bool:
        """Do what a line says. False: the person wants to leave."""
        if self._posting:
            self.screen.echo(line)
            return await self._command(line)
        line = line.strip()
        if line.startswith("/") and not line.startswith("//"):
            return await self._slash(line)
        if line and self.to:
            self._send(self.to, line[1:] if line.startswith("//") else line)
        elif line:
            self._fail(say("console.nobody", self.language))
        return True

    def _fail(self, text: str) -> None:
        self.refused += 1
        self.screen.show(text)

    def _send(self, to: str, content: str, reply_to: int | None = None) -> None:
        self.client.outbox.queue(to, content, reply_to=reply_to)
        if self.screen.interactive and not self.client.connection.online:
            self.say("queued", to=to, content=harmless(content))

    async def _slash(self, line: str) -> bool:
        word, rest = shown.arguments(line)
        if word != "password":
            self.screen.echo(line)
        if word in {"quit", "exit"}:
            return False
        if word == "to":
            await self._choose(*rest.split(None, 1))
        elif word == "help" and rest.lower() in {"", "commands"}:
            self._help(everything=bool(rest))
        else:
            return await self._command(line)
        return True

    def _help(self, *, everything: bool) -> None:
        if everything:
            self.screen.show("\n".join(f"/{spec.usage()}" for spec in registry))
        else:
            self.screen.show(say("console.help", self.language).strip("\n"))

    async def _choose(self, typed: str = "", first: str = "") -> None:
        """Choose whom to write to, show what was said before, and say the first words if there are some."""
        if not typed:
            self.say("chosen" if self.to else "nobody", to=self.to)
            return
        try:
            to = typed if typed.startswith("#") else names.username(typed)
        except BadName as refusal:
            self._fail(sentence(refusal, self.language))
            return
        if self.screen.interactive and not await self._known(to):
            return
        self.to = to
        self.screen.prompt(f"{to}> ")
        if first:
            self._send(to, first)

    async def _known(self, to: str) -> bool:
        """Ask the server about somebody, and show the last words. Without a connection anybody may be chosen."""
        if not self.client.connection.online:
            self.say("chosen", to=to)
            return True
        try:
            page = await self.client.ask(History(to=to, limit=CONTEXT))
        except Refused as refused:
            if refused.code != "no_such_conversation":
                self.screen.show(harmless(refused.message))
                return False
            self.say("first_words", to=to)
            return True
        except (AnswerLost, CancelledError):
            return True
        self.say("chosen" if page.messages else "first_words", to=to)
        self._page(page, to)
        return True

    def _page(self, page: Page | Changes, to: str | None) -> None:
        now = datetime.now().astimezone()
        if page.more and to and page.messages:
            self.say("more", to=to, seq=page.messages[0].seq)
        for message in page.messages:
            self.screen.show(shown.message(message, self.client.account.username, now, self.language))

    async def _command(self, line: str) -> bool:
        """Do a command of the server's, in its text syntax."""
        request = self._reader.feed(line.encode(errors="replace"))
        if request is None:
            return True
        self._posting = bool(request.notice)
        self.screen.prompt("| " if self._posting else f"{self.to}> ")
        if request.notice:
            self.screen.show(say(request.notice, self.language))
        elif request.refusal is not None:
            self._fail(sentence(request.refusal, self.language))
        elif isinstance(request.command, SendMessage) and request.command.to is not None:
            self._send(request.command.to, request.command.content, request.command.reply_to)
        elif request.command is not None and request.spec is not None:
            return await self._ask(request.spec, request.command)
        return True

    async def _ask(self, spec: Spec, command: Command) -> bool:
        if not await self._connected():
            self._fail(say("console.needs_connection", self.language))
            return True
        try:
            reply = await self.client.ask(command)
        except Refused as refused:
            self._fail(harmless(refused.message))
        except (AnswerLost, CancelledError):
            self._fail(say("console.answer_lost", self.language))
        else:
            if isinstance(reply, Page | Changes):
                self._page(reply, getattr(command, "to", None))
            else:
                self.screen.show(shown.reply(spec, reply, self.language))
            if isinstance(command, Logout):
                self.client.account.set_token(None)
                self.say("logged_out")
                return False
        return True

    async def _connected(self) -> bool:
        """A person is told at once when there is no connection; a pipe waits for it, and for what it sent before."""
        if self.screen.interactive:
            return self.client.connection.online
        return await within(self.wait, self.client.outbox.flushed(), self.clock)
