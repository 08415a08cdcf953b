"""`imd send bob -m "text"`: one message from a script. Exit code 0 = stored, 1 = refused, 2 = unknown, safe to repeat.

Without an answer a message keeps its client_id: the same command within a day sends that message again, not another.
"""

import argparse
import os
import sys
import time
from typing import Any, NoReturn

from twisted.internet.defer import Deferred, race
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.stdio import StandardIO
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from imd.wire.catalog import say
from imd.wire.messages import SendMessage
from imd.wire.terminal import harmless
from imd_client.connection import Connection
from imd_client.errors import describe_failure
from imd_client.events import ClientEvent, GaveUp, Offline, Online
from imd_client.options import ClientOptions, OptionError, checked, help_text, print_error
from imd_client.options import add_arguments as add_shared_arguments
from imd_client.protocol import AnswerLost, Refused
from imd_client.reactor import run_to_exit
from imd_client.screen import TerminalModes
from imd_client.state import Account, OutboxItem

DAY = 24 * 60 * 60
STORED, REFUSED, UNKNOWN = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `imd send`."""
    parser.add_argument("to", help=help_text("to"))
    add_shared_arguments(parser)
    parser.add_argument("-m", "--message", help=help_text("message"))


class Options(ClientOptions):
    """The options of `imd send`."""

    def __init__(self, given: argparse.Namespace) -> None:
        super().__init__(given)
        self.to = given.to if given.to.startswith("#") else self.name(given.to)
        self.message: str | None = given.message


class _Reading(Protocol):
    """Reads standard input to its end."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.done: Deferred[str] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.pieces.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.done.callback(b"".join(self.pieces).decode(errors="replace").removesuffix("\n"))


class Sending:
    """One run of `imd send`."""

    def __init__(self, reactor: Any, options: Options) -> None:
        self.reactor = reactor
        self.options = options
        self._gave_up: Deferred[Any] = Deferred()
        self._was_online = False
        self._told = False

    def say(self, key: str, **params: object) -> None:
        """Tell the person something, on stderr."""
        print_error(say(f"send.{key}", self.options.language, **params))

    async def run(self) -> int:
        """Run it; returns the exit code."""
        try:
            return await self._send()
        except OptionError as wrong:
            print_error(str(wrong))
            return REFUSED

    async def _send(self) -> int:
        account = self.options.account(self.options.open_state())
        credentials = self.options.credentials("send")
        if account is None or not (account.token() or credentials.password):
            self.say("no_account")
            return REFUSED
        to, content = self.options.to, await self._content()
        earlier = account.unanswered(to, content, since=time.time() - DAY)
        item = earlier or account.queue(SendMessage(to=to, content=content), once=True)
        connection = Connection(account, credentials, self._on_event, reactor=self.reactor)
        connection.startService()
        answer: Deferred[Any] = Deferred.fromCoroutine(self._answer(connection, account, item))
        too_long: Deferred[Any] = deferLater(self.reactor, self.options.wait)
        try:
            _, outcome = await race([answer, self._gave_up, too_long])
        finally:
            await connection.stopService()
        if isinstance(outcome, GaveUp):
            return self._not_logged_in(account, item, outcome.reason, known=earlier is not None)
        if outcome is not None:
            return int(outcome)
        if not self._was_online and earlier is None:
            account.answered(item)
            self.say("unreachable")
        else:
            self.say("unknown")
        return UNKNOWN

    async def _content(self) -> str:
        if self.options.message is not None:
            return self.options.message
        if sys.stdin.isatty():
            self.say("hint")
        reading, modes = _Reading(), TerminalModes()
        StandardIO(reading, os.dup(0), os.dup(1), self.reactor)  # type: ignore[call-arg]  # mypy reads the one for Windows
        try:
            return await reading.done
        finally:
            modes.restore()

    async def _answer(self, connection: Connection, account: Account, item: OutboxItem) -> int:
        """Send until there is an answer."""
        while True:
            try:
                sent = await connection.ask_with_retry(item.message)
            except AnswerLost:
                continue
            except Refused as refused:
                account.answered(item)
                self.say("refused", reason=harmless(refused.message))
                return REFUSED
            account.answered(item)
            if sys.stderr.isatty():
                self.say("duplicate" if sent.duplicate else "stored", to=item.to, seq=sent.seq)
            return STORED

    def _not_logged_in(self, account: Account, item: OutboxItem, why: Failure, *, known: bool) -> int:
        """This time nothing was sent; an earlier attempt may have been."""
        self.say("refused", reason=describe_failure(why, self.options.server_name, self.options.language).strip("\n"))
        if known:
            return UNKNOWN
        account.answered(item)
        return REFUSED

    def _on_event(self, event: ClientEvent) -> None:
        match event:
            case Online():
                self._was_online = True
            case GaveUp():
                self._gave_up.callback(event)
            case Offline(why) if not self._told:
                self._told = True
                text = describe_failure(why, self.options.server_name, self.options.language)
                self.say("trying", reason=text, seconds=round(self.options.wait))


def main(reactor: Any, options: Options) -> Deferred[int]:
    """Send one message. Fires with the exit code."""
    return Deferred.fromCoroutine(Sending(reactor, options).run())


def run(given: argparse.Namespace) -> NoReturn:
    """Run `imd send`; ends the process with its exit code."""
    run_to_exit(main, checked(Options, given))
