"""`imd chat`: the console. A typed line is a message to the chosen conversation, or a /command.

Console logs the person in, carries out what they type and leaves; its view shows what happens (see view).
"""

import argparse
from importlib.util import find_spec
from typing import Any, NoReturn

from twisted.internet import asyncioreactor
from twisted.internet.defer import Deferred, DeferredQueue, race
from twisted.internet.task import deferLater
from twisted.logger import globalLogBeginner
from twisted.python.failure import Failure

from imd.extras import install
from imd.wire.base import Command
from imd.wire.catalog import say
from imd_client.client import Client
from imd_client.commands import Commands
from imd_client.connection import Credentials
from imd_client.errors import describe_failure
from imd_client.events import CaughtUp, ClientEvent, GaveUp, NotSent, Online
from imd_client.login_dialog import LoginDialog
from imd_client.options import ClientOptions, OptionError, checked, help_text
from imd_client.options import add_arguments as add_shared_arguments
from imd_client.plain import PlainView
from imd_client.reactor import run_to_exit, wait_for
from imd_client.screen import is_capable_terminal, open_line_screen
from imd_client.state import Account
from imd_client.view import InputEnded, OnLine, Screen, View

LEAVE_TIMEOUT = 3
"""Seconds to wait for the last answers when a person leaves."""


THEMES = ("dark", "light")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `imd chat`."""
    parser.add_argument("address", metavar="server", nargs="?", help=help_text("server"))
    add_shared_arguments(parser)
    parser.add_argument("--invite", help=help_text("invite"))
    parser.add_argument("--theme", help=help_text("theme"))
    for flag in ("register", "plain"):
        parser.add_argument(f"--{flag}", action="store_true", help=help_text(flag))


class Options(ClientOptions):
    """The options of `imd chat`."""

    def __init__(self, given: argparse.Namespace) -> None:
        super().__init__(given, given.address)
        self.register: bool = given.register
        self.plain: bool = given.plain
        self.invite: str = given.invite or ""
        self.theme: str = given.theme or ""
        if self.theme not in ("", *THEMES):
            raise self.wrong("theme", themes=", ".join(THEMES))

    @property
    def full_screen(self) -> bool:
        """Whether to draw the full screen."""
        return self.edits_lines and not self.plain

    @property
    def edits_lines(self) -> bool:
        """Whether prompt_toolkit edits the input line: the terminal can do it, and the extra is installed."""
        return is_capable_terminal() and find_spec("prompt_toolkit") is not None

    @property
    def lacks_extra(self) -> bool:
        """Whether the full screen is wanted and only the extra is missing."""
        return not self.plain and is_capable_terminal() and not self.edits_lines


class Stop(Exception):
    """The console cannot go on. The text is for people; `code` is the exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


class Console:
    """One run of the console."""

    client: Client
    credentials: Credentials
    commands: Commands

    def __init__(self, reactor: Any, options: Options) -> None:
        self.reactor = reactor
        self.options = options
        self.language = options.language
        self.typed: DeferredQueue[str | Command | GaveUp | None] = DeferredQueue()
        self.view = open_view(self.typed.put, reactor, options)
        self.screen = self.view.screen
        self.login_dialog = LoginDialog(self.screen, options.server_name, self.language)
        self._logging_in: Deferred[Any] | None = None
        self._caught_up: Deferred[None] = Deferred()

    async def run(self) -> int:
        """Run it; returns the exit code."""
        try:
            return await self._chat()
        except (Stop, OptionError) as stop:
            self.screen.show_after_exit(str(stop))
            return stop.code if isinstance(stop, Stop) else 1
        except InputEnded:
            return 1
        finally:
            await self.screen.close()

    async def _chat(self) -> int:
        account = await self._account()
        self.client = Client(account, self.credentials, self._on_event, reactor=self.reactor)
        self.view.begin(self.client)
        self.commands = Commands(self.view, self.client, self.language, self.options.wait, self.reactor)
        if waiting := len(account.waiting()):
            self.screen.show(say("console.waiting", self.language, count=waiting))
        try:
            if account.token() is None:
                await self._log_in()
            else:
                self.client.startService()
            self.screen.prompt("> ")
            while (line := await self.typed.get()) is not None:
                if isinstance(line, GaveUp):
                    await self._ask_credentials(line.reason)
                    self.client.connection.startService()
                elif not await self._line(line):
                    break
            return await self._leave()
        finally:
            await self.client.stopService()

    # Logging in.

    async def _account(self) -> Account:
        state = self.options.open_state()
        account = self.options.account(state)
        if account is None and not self.screen.interactive:
            raise Stop(self.login_dialog.say("no_name"))
        account = account or state.account(self.options.server_name, await self.login_dialog.name())
        if not account.lock():
            raise Stop(self.login_dialog.say("busy", username=account.username))
        self.credentials = self.options.credentials(
            "console", register=self.options.register, invite=self.options.invite
        )
        if account.token() is None and not self.credentials.password:
            if not self.screen.interactive:
                raise Stop(self.login_dialog.say("no_password"))
            self.credentials.password = await self.login_dialog.password(account.username)
        return account

    async def _log_in(self) -> None:
        """Log in for the first time; nothing can be typed before that."""
        start = self.client.startService
        while True:
            self._logging_in = Deferred()
            start()
            patience: Deferred[Any] = Deferred()
            if not self.screen.interactive:
                patience = deferLater(self.reactor, self.options.wait)
            which, gave_up = await race([self._logging_in, patience])
            if which == 1:
                raise Stop(say("console.no_answer", self.language, server=self.options.server_name), 2)
            self._logging_in = None
            if gave_up is None:
                return
            await self._ask_credentials(gave_up.reason)
            start = self.client.connection.startService

    async def _ask_credentials(self, failure: Failure) -> None:
        """Ask the person for what was missing or wrong, if an answer can help."""
        username = self.client.account.username
        if self.screen.interactive and await self.login_dialog.again(username, self.credentials, failure):
            return
        raise Stop(describe_failure(failure, self.options.server_name, self.language).strip("\n"))

    # Chatting.

    async def _line(self, line: str | Command) -> bool:
        self.view.mark_read()
        return await self.commands.typed(line)

    def _on_event(self, event: ClientEvent) -> None:
        self.view.on_event(event)
        match event:
            case Online() if self._logging_in is not None:
                self._logging_in.callback(None)
            case GaveUp() if self._logging_in is not None:
                self._logging_in.callback(event)
            case GaveUp():
                self.typed.put(event)
            case NotSent():
                self.commands.refused += 1
            case CaughtUp() if not self._caught_up.called:
                self._caught_up.callback(None)

    # Leaving.

    async def _leave(self) -> int:
        """Wait for the last answers, but not forever."""
        self.screen.prompt("")
        seconds = LEAVE_TIMEOUT if self.screen.interactive else self.options.wait
        if self.client.connection.online or not self.screen.interactive:
            settled: Deferred[Any] = Deferred.fromCoroutine(
                wait_for(seconds, Deferred.fromCoroutine(self._settle()), self.reactor)
            )
            given_up: Deferred[Any] = Deferred.fromCoroutine(self._given_up())
            _, gave_up = await race([settled, given_up])
            if isinstance(gave_up, GaveUp):
                raise Stop(describe_failure(gave_up.reason, self.options.server_name, self.language).strip("\n"))
        waiting = len(self.client.account.waiting())
        if waiting:
            self.screen.show_after_exit(say("console.still_queued", self.language, count=waiting))
        if self.screen.interactive:
            return 0
        return 1 if self.commands.refused else 2 if waiting or not self._caught_up.called else 0

    async def _given_up(self) -> GaveUp:
        """Wait until the connection gives up; lines typed meanwhile are ignored."""
        while not isinstance(last := await self.typed.get(), GaveUp):
            pass
        return last

    async def _settle(self) -> None:
        await self._caught_up
        await self.client.outbox.flushed()
        await self.client.receipts.flush()


def open_view(on_line: OnLine, reactor: Any, options: Options) -> View:
    """Open the view and screen that fit the options and the terminal."""
    if options.full_screen:
        from imd_client.fullscreen.view import FullScreenView  # prompt_toolkit may not be installed

        full_screen = FullScreenView(on_line, options.server_name, options.language, options.theme)
        _log_to(full_screen.screen.log)
        return full_screen
    view = PlainView(_open_screen(on_line, reactor, options), options.server_name, options.language)
    if options.lacks_extra:
        view.say("extra", command=install("console"))
    return view


def _open_screen(on_line: OnLine, reactor: Any, options: Options) -> Screen:
    if not options.edits_lines:
        return open_line_screen(on_line, reactor)
    from imd_client.prompt import PromptScreen  # prompt_toolkit may not be installed

    screen = PromptScreen(on_line)
    _log_to(screen.log)
    return screen


def _log_to(observer: Any) -> None:
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)


def main(reactor: Any, options: Options) -> Deferred[int]:
    """Run the console. Fires with the exit code; from a pipe 0 = all stored, 1 = something refused, 2 = unknown."""
    return Deferred.fromCoroutine(Console(reactor, options).run())


def run(given: argparse.Namespace) -> NoReturn:
    """Run `imd chat`; ends the process with its exit code."""
    options = checked(Options, given)
    if options.edits_lines:
        asyncioreactor.install()  # see imd_client.prompt
    run_to_exit(main, options)
