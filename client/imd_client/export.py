"""`imd export FILE`: everything of the account in one ZIP file. Exit code 0 = written, 1 = refused, 2 = no server.

The file must be new, and only its owner may read it. It appears only when all of it has come undamaged.
"""

import argparse
import base64
import hashlib
import os
from contextlib import suppress
from typing import Any, BinaryIO, NoReturn

from twisted.internet.defer import Deferred, race
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import deferLater

from imd.wire.catalog import say
from imd.wire.export import Export, Exported, ExportPart, Part
from imd.wire.fields import clock_face
from imd.wire.terminal import harmless
from imd_client.connection import Connection
from imd_client.errors import describe_failure
from imd_client.events import ClientEvent, GaveUp, Offline, Online
from imd_client.options import ClientOptions, OptionError, checked, help_text, print_error
from imd_client.options import add_arguments as add_shared_arguments
from imd_client.protocol import AnswerLost, Refused
from imd_client.reactor import run_to_exit

WRITTEN, REFUSED, UNREACHED = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `imd export`."""
    parser.add_argument("file", help=help_text("file"))
    add_shared_arguments(parser)


class Options(ClientOptions):
    """The options of `imd export`."""

    def __init__(self, given: argparse.Namespace) -> None:
        super().__init__(given)
        self.file: str = given.file


def _private(path: str, flags: int) -> int:
    file = os.open(path, flags | os.O_NOFOLLOW, 0o600)
    os.fchmod(file, 0o600)
    return file


class Exporting:
    """One run of `imd export`."""

    def __init__(self, reactor: Any, options: Options) -> None:
        self.reactor = reactor
        self.options = options
        self._gave_up: Deferred[GaveUp | None] = Deferred()
        self._patience: IDelayedCall | None = None

    def say(self, key: str, **params: object) -> None:
        """Tell the person something, on stderr."""
        print_error(say(f"export.{key}", self.options.language, **params))

    async def run(self) -> int:
        """Run it; returns the exit code."""
        path = self.options.file
        if os.path.lexists(path):
            self.say("exists", file=path)
            return REFUSED
        try:
            return await self._write(path, f"{path}.part")
        except OptionError as wrong:
            print_error(str(wrong))
        except OSError as fault:
            self.say("unwritable", file=path, reason=fault.strerror)
        return REFUSED

    async def _write(self, path: str, part: str) -> int:
        """Write to FILE.part first, so that the name shows what an interrupted run left behind."""
        try:
            with open(part, "wb", opener=_private) as file:
                code = await self._export(file)
            if code == WRITTEN:
                os.rename(part, path)
        finally:
            with suppress(OSError):
                os.unlink(part)
        return code

    async def _export(self, file: BinaryIO) -> int:
        account, credentials = self.options.account(self.options.open_state()), self.options.credentials("export")
        if account is None or not (account.token() or credentials.password):
            print_error(say("send.no_account", self.options.language))
            return REFUSED
        connection = Connection(account, credentials, self._on_event, reactor=self.reactor)
        connection.startService()
        self._wait()
        fetched: Deferred[Any] = Deferred.fromCoroutine(self._fetch(connection, file))
        try:
            _, outcome = await race([fetched, self._gave_up])
        finally:
            self._wait_no_longer()
            await connection.stopService()
        if isinstance(outcome, int):
            return outcome
        if outcome is None:
            self.say("unreachable")
            return UNREACHED
        self.say(
            "refused",
            reason=describe_failure(outcome.reason, self.options.server_name, self.options.language).strip("\n"),
        )
        return REFUSED

    async def _fetch(self, connection: Connection, file: BinaryIO) -> int:
        """Have the export made, and fetch it part by part; a lost connection only costs the part under way."""
        digest, made = hashlib.sha256(), None
        try:
            made = await self._request_export(connection)
            for number in range(1, made.parts + 1):
                part = await self._part(connection, number)
                data = base64.b64decode(part.data)
                digest.update(data)
                file.write(data)
        except Refused as refused:
            self.say("refused", reason=harmless(refused.message))
            return REFUSED
        if digest.hexdigest() != made.sha256:
            self.say("damaged")
            return UNREACHED
        time = clock_face(made.time)
        self.say("written", file=self.options.file, bytes=made.bytes, time=time, sha256=made.sha256)
        return WRITTEN

    async def _request_export(self, connection: Connection) -> Exported | Part:
        """Have the export made. If one was made just now, take that: the connection may have been lost after it."""
        while True:
            try:
                made: Exported = await connection.ask(Export())
            except AnswerLost:
                continue
            except Refused as refused:
                if refused.code == "rate_limited":
                    return await self._part(connection, 1)
                if refused.code != "unavailable":
                    raise
                await deferLater(self.reactor, 1)
            else:
                return made

    async def _part(self, connection: Connection, number: int) -> Part:
        while True:
            with suppress(AnswerLost):
                part: Part = await connection.ask_with_retry(ExportPart(part=number))
                return part

    # Without a connection for too long, it gives up.

    def _on_event(self, event: ClientEvent) -> None:
        match event:
            case Online():
                self._wait_no_longer()
            case GaveUp():
                self._gave_up.callback(event)
            case Offline(why):
                self._wait(describe_failure(why, self.options.server_name, self.options.language))

    def _wait(self, why: str = "") -> None:
        seconds = self.options.wait
        if why:
            print_error(say("send.trying", self.options.language, reason=why, seconds=round(seconds)))
        if self._patience is None:
            self._patience = self.reactor.callLater(seconds, self._gave_up.callback, None)

    def _wait_no_longer(self) -> None:
        if self._patience is not None and self._patience.active():
            self._patience.cancel()
        self._patience = None


def main(reactor: Any, options: Options) -> Deferred[int]:
    """Fetch the export. Fires with the exit code."""
    return Deferred.fromCoroutine(Exporting(reactor, options).run())


def run(given: argparse.Namespace) -> NoReturn:
    """Run `imd export`; ends the process with its exit code."""
    run_to_exit(main, checked(Options, given))
