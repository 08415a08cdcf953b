"""The options that `imd chat`, `imd send` and `imd export` share: added to a parser, and checked after parsing.

argparse only splits the words. Values are checked here, so that every error is a sentence of the catalog.
"""

import argparse
import math
import os
import socket
import sqlite3
import sys
from pathlib import Path
from typing import Any, TypeVar

from imd.wire import names
from imd.wire.catalog import LANGUAGES, language_here, say
from imd.wire.jsonline import sentence
from imd.wire.refusals import BadName
from imd.wire.terminal import block
from imd_client.address import Address
from imd_client.connection import Credentials
from imd_client.database import NewerState, default_state_file
from imd_client.state import Account, State
from imd_client.trust import fingerprint

WAIT = 30
"""Seconds to wait for the server, by default."""


class OptionError(Exception):
    """An option has a wrong value. The text is for people."""


def help_text(option: str) -> str:
    """Return the help of an option in the person's language."""
    return say(f"option.{option}", language_here())


def print_error(text: str) -> None:
    """Print a text to stderr, made harmless."""
    print(block(text), file=sys.stderr)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that all commands of the client take."""
    for short, name in (("-s", "server"), ("-u", "user")):
        parser.add_argument(short, f"--{name}", help=help_text(name))
    for name in ("password_file", "code", "state", "fingerprint", "wait", "lang"):
        parser.add_argument(f"--{name.replace('_', '-')}", help=help_text(name))


class ClientOptions:
    """Which server, which account, and where things are remembered. Raises OptionError for a wrong value."""

    def __init__(self, given: argparse.Namespace, server: str | None = None) -> None:
        self.language: str = given.lang or language_here()
        if self.language not in LANGUAGES:
            raise OptionError(say("option.wrong.lang", language_here(), languages=", ".join(LANGUAGES)))
        self.server_name = self._server_name(server or given.server or os.environ.get("IMD_SERVER") or "localhost")
        self.user = self.name(given.user) if given.user else ""
        self.fingerprint = self._fingerprint(given.fingerprint) if given.fingerprint else ""
        self.wait = self._seconds(given.wait) if given.wait is not None else WAIT
        self.code: str = given.code or ""
        self._password_file: str | None = given.password_file
        self._state = given.state or default_state_file()

    def wrong(self, case: str, **params: object) -> OptionError:
        """Make the error for a wrong value."""
        return OptionError(say(f"option.wrong.{case}", self.language, **params))

    def _server_name(self, server: str) -> str:
        try:
            return Address.parse(server).name
        except ValueError:
            raise self.wrong("server", server=server) from None

    def name(self, typed: str) -> str:
        """Return a name in its normalised spelling. Raises OptionError if it is not a valid name."""
        try:
            return names.username(typed)
        except BadName as refusal:
            raise OptionError(sentence(refusal, self.language)) from None

    def _fingerprint(self, typed: str) -> str:
        try:
            return fingerprint(typed)
        except ValueError:
            raise self.wrong("fingerprint") from None

    def _seconds(self, typed: str) -> float:
        try:
            seconds = float(typed)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds < math.inf:
            raise self.wrong("wait", given=typed)
        return seconds

    def password(self) -> str:
        """Return the password from the file, from IMD_PASSWORD, or an empty string. Raises OptionError."""
        if not self._password_file:
            return os.environ.get("IMD_PASSWORD", "")
        try:
            return Path(self._password_file).read_text("utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise self.wrong("password_file", reason=error) from None

    def open_state(self) -> State:
        """Open the state file, and pin the fingerprint that was given. Raises OptionError."""
        try:
            state = State(self._state)
        except (OSError, sqlite3.Error) as error:
            raise self.wrong("state", path=self._state, reason=error) from None
        except NewerState:
            raise self.wrong("newer_state", path=self._state) from None
        if self.fingerprint:
            state.set_pin(self.server_name, self.fingerprint)
        return state

    def account(self, state: State) -> Account | None:
        """Return the account that was named, or the one used last; None if there is none."""
        return state.account(self.server_name, self.user) if self.user else state.latest(self.server_name)

    def credentials(self, program: str, **more: Any) -> Credentials:
        """Return what logs the account in, as a device named after the program and this machine."""
        device = f"{program}@{socket.gethostname()}"
        return Credentials(password=self.password(), code=self.code, device=device, language=self.language, **more)


Options = TypeVar("Options", bound=ClientOptions)


def checked(kind: type[Options], given: argparse.Namespace) -> Options:
    """Check the values that were parsed; a wrong one ends the process with one line."""
    try:
        return kind(given)
    except OptionError as error:
        raise SystemExit(block(f"imd: {error}")) from None
