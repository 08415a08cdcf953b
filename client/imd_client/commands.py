"""What a line typed in the console means: a message to the chosen conversation, or a /command."""

from typing import Any

import attrs
from twisted.internet.defer import CancelledError

from imd.wire import names
from imd.wire.accounts import Logout
from imd.wire.base import Command, Right, Spec, registry
from imd.wire.capabilities import MODULES
from imd.wire.catalog import say
from imd.wire.conversations import History, Page
from imd.wire.jsonline import sentence
from imd.wire.messages import Changed, SendMessage
from imd.wire.reader import LineReader
from imd.wire.refusals import BadName
from imd.wire.session import Help, explained
from imd.wire.terminal import harmless
from imd_client.client import Client
from imd_client.formatting import SECRET_COMMANDS, is_listing, split_command
from imd_client.protocol import AnswerLost, Refused
from imd_client.reactor import wait_for
from imd_client.view import Screen, View


@attrs.define
class Commands:
    """Carries out typed lines. `wait` is how many seconds a pipe's commands wait for the connection."""

    view: View
    client: Client
    language: str
    wait: float
    clock: Any
    refused: int = 0
    """How many lines failed."""

    _reader: LineReader = attrs.Factory(lambda: LineReader(content_limit=2**20))
    _posting: bool = False

    @property
    def screen(self) -> Screen:
        """The view's screen."""
        return self.view.screen

    async def typed(self, line: str | Command) -> bool:
        """Carry out a line, or a command that a key stands for. Returns False if the person wants to leave."""
        if isinstance(line, Command):
            return await self._carry_out(next(spec for spec in registry if spec.shape is type(line)), line)
        if self._posting:
            return await self._post(line)
        line = line.strip()
        if line.startswith("/") and not line.startswith("//"):
            return await self._slash(line)
        if line and self.view.to:
            self._queue(SendMessage(to=self.view.to, content=line[1:] if line.startswith("//") else line))
        elif line:
            self._fail(say("console.nobody", self.language))
        return True

    def _fail(self, text: str) -> None:
        self.refused += 1
        self.screen.show(text)

    def _queue(self, message: SendMessage) -> None:
        self.view.queued(self.client.outbox.queue(message))

    async def _slash(self, line: str) -> bool:
        if "\n" in line:
            self._fail(say("console.one_line", self.language))
            return True
        word, rest = split_command(line)
        if word not in SECRET_COMMANDS:
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
            order = [module.__name__ for module in MODULES]
            ours = (spec for spec in registry if spec.right is Right.USER and spec.shape.__module__ in order)
            listed = sorted(ours, key=lambda spec: order.index(spec.shape.__module__))
            pages = Help(commands=[explained(spec, self.language) for spec in listed])
            self.screen.show("\n".join(pages.lines(self.language)))
        else:
            self.screen.show(say("console.help", self.language).strip("\n"))

    async def _choose(self, typed: str = "", first: str = "") -> None:
        """Choose a conversation and show its latest messages; send the text after the name, if there is any."""
        if not typed:
            key = "chosen" if self.view.to else "nobody"
            self.screen.show(say(f"console.{key}", self.language, to=self.view.to))
            return
        try:
            to = typed if typed.startswith("#") else names.username(typed)
            page = await self._latest_page(to) if self.screen.interactive else None
        except BadName as refusal:
            self._fail(sentence(refusal, self.language))
        except Refused as refused:
            self._fail(harmless(refused.message))
        else:
            self.view.chosen(to, page)
            if first:
                self._queue(SendMessage(to=to, content=first))

    async def _latest_page(self, to: str) -> Page | None:
        """Fetch the latest messages. Offline, any name may be chosen."""
        if not self.client.connection.online:
            return None
        try:
            page: Page = await self.client.ask(History(to=to, limit=self.view.context))
        except Refused as refused:
            if refused.code != "no_such_conversation":
                raise
            return Page(conversation=0, messages=[], more=False)
        except (AnswerLost, CancelledError):
            return None
        return page

    async def _post(self, text: str) -> bool:
        """Add to a message of several lines. A paste may go on after the line that ends it."""
        line, more, rest = text.partition("\n")
        self.screen.echo(line)
        return await self._command(line) and (not more or await self.typed(rest))

    async def _command(self, line: str) -> bool:
        """Run one of the server's commands, written in its text syntax."""
        request = self._reader.feed(line.encode(errors="replace"))
        if request is None:
            return True
        self._posting = bool(request.notice)
        self.screen.prompt("| " if self._posting else f"{self.view.to}> ")
        if request.notice:
            self.screen.show(say(request.notice, self.language))
        elif request.refusal is not None:
            self._fail(sentence(request.refusal, self.language))
        elif request.command is not None and request.spec is not None:
            return await self._carry_out(request.spec, request.command)
        return True

    async def _carry_out(self, spec: Spec, command: Command) -> bool:
        if isinstance(command, SendMessage) and command.to is not None:
            self._queue(command)
            return True
        return await self._ask(spec, command)

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
            self.view.answered(spec, command, reply)
            if not isinstance(reply, Changed) and not is_listing(reply):
                self.client.refresh()
            if isinstance(command, Logout):
                self.client.account.set_token(None)
                self.screen.show_after_exit(say("console.logged_out", self.language))
                return False
        return True

    async def _connected(self) -> bool:
        """Return whether there is a connection; on a pipe, first wait for it and for the messages sent before."""
        if self.screen.interactive:
            return self.client.connection.online
        return await wait_for(self.wait, self.client.outbox.flushed(), self.clock)
