"""The options that `imd chat` and `imd send` share. Each may come from the environment where it says so."""

import getopt
import os
import socket
import sqlite3
import sys
from itertools import chain
from pathlib import Path
from typing import Any

from twisted.python import usage

from imd import __version__
from imd.wire import names
from imd.wire.catalog import LANGUAGES, language_here, say
from imd.wire.jsonline import sentence
from imd.wire.refusals import BadName
from imd.wire.terminal import block
from imd_client.address import Address
from imd_client.connection import Credentials
from imd_client.database import NewerState
from imd_client.paths import default_state_file
from imd_client.state import Account, State
from imd_client.trust import fingerprint


def help_text(option: str) -> str:
    """Give the help of an option in the person's language."""
    return say(f"option.{option}", language_here())


def print_error(text: str) -> None:
    """Tell a person something beside the output, whatever stands in it."""
    print(block(text), file=sys.stderr)


class ClientOptions(usage.Options):
    """Which server, who, and where it is remembered."""

    optParameters = [
        ["server", "s", None, help_text("server")],
        ["user", "u", None, help_text("user")],
        ["password-file", None, None, help_text("password_file")],
        ["code", None, None, help_text("code")],
        ["state", None, None, help_text("state")],
        ["fingerprint", None, None, help_text("fingerprint")],
        ["wait", None, 30.0, help_text("wait"), float],
        ["lang", None, None, help_text("lang")],
    ]

    def opt_version(self) -> None:
        """Show the version and exit."""
        print(f"imd {__version__}")
        sys.exit(0)

    def parseOptions(self, options: list[str] | None = None) -> None:
        """Take options wherever they stand, before or after the other words."""
        try:
            found, words = getopt.gnu_getopt(sys.argv[1:] if options is None else options, self.shortOpt, self.longOpt)
        except getopt.GetoptError as wrong:
            raise usage.UsageError(str(wrong)) from None
        flags = {f"--{name}" for name in self.longOpt if not name.endswith("=")}
        flat = [
            [name] if name in flags else [f"{name}={value}"] if name[:2] == "--" else [name, value]
            for name, value in found
        ]
        super().parseOptions([*chain.from_iterable(flat), "--", *words])

    def postOptions(self) -> None:
        """Check what can be checked without a connection."""
        if self["lang"] not in (None, *LANGUAGES):
            raise self.wrong("lang", languages=", ".join(LANGUAGES))
        try:
            Address.parse(self.server)
        except ValueError:
            raise self.wrong("server", server=self.server) from None
        if self["user"]:
            self["user"] = self.name(self["user"])
        if self["fingerprint"]:
            try:
                self["fingerprint"] = fingerprint(self["fingerprint"])
            except ValueError:
                raise self.wrong("fingerprint") from None

    def wrong(self, case: str, **params: object) -> usage.UsageError:
        """Make the error for an option that is no good."""
        return usage.UsageError(say(f"option.wrong.{case}", self.language, **params))

    @property
    def language(self) -> str:
        """The language to speak."""
        return str(self["lang"] or language_here())

    @property
    def server(self) -> str:
        """The server as it was named, here, in IMD_SERVER, or by default."""
        return str(self["server"] or os.environ.get("IMD_SERVER") or "localhost")

    def name(self, typed: str) -> str:
        """Give the one spelling of a name; a UsageError if it is none."""
        try:
            return names.username(typed)
        except BadName as refusal:
            raise usage.UsageError(sentence(refusal, self.language)) from None

    def password(self) -> str:
        """Give the password from the file, or IMD_PASSWORD, or nothing."""
        if not self["password-file"]:
            return os.environ.get("IMD_PASSWORD", "")
        try:
            return Path(self["password-file"]).read_text("utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as fault:
            raise self.wrong("password_file", reason=fault) from None

    def open_state(self) -> State:
        """Open the file where everything is remembered, with the fingerprint in it if one was given."""
        path = self["state"] or default_state_file()
        try:
            state = State(path)
        except (OSError, sqlite3.Error) as fault:
            raise self.wrong("state", path=path, reason=fault) from None
        except NewerState:
            raise self.wrong("newer_state", path=path) from None
        if self["fingerprint"]:
            state.set_pin(self.server_name, self["fingerprint"])
        return state

    @property
    def server_name(self) -> str:
        """The server's full name."""
        return Address.parse(self.server).name

    def account(self, state: State) -> Account | None:
        """Give the account that was named, or else the one that was used last; None if there is none."""
        return state.account(self.server_name, self["user"]) if self["user"] else state.latest(self.server_name)

    def credentials(self, program: str, **more: Any) -> Credentials:
        """Give what logs the account in, as a device called after the program and this machine."""
        device = f"{program}@{socket.gethostname()}"
        code = self["code"] or ""
        return Credentials(password=self.password(), code=code, device=device, language=self.language, **more)
