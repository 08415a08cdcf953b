"""The operator: an admin without an account.

A command goes to the running daemon by its unix socket, or else runs on the data directory, by the same handler.
"""

import json
import socket
from typing import Any

import msgspec

from imd.chat.base.context import Caller
from imd.chat.policies import standing
from imd.engine.executor import InlineExecutor
from imd.engine.passwords import Passwords
from imd.engine.server import Server
from imd.run.config import Config
from imd.run.directory import DataDirectory
from imd.run.errors import OperatorError
from imd.store.db import StoreUnavailable
from imd.wire import catalog, terminal, textline
from imd.wire.admin import Invite, InviteCreate, UserList, Users
from imd.wire.base import Command, Reply, Spec
from imd.wire.jsonline import sentence
from imd.wire.refusals import Refusal

TIMEOUT_SECONDS = 30


class CommandRefused(Exception):
    """The command was refused; str() says why."""

    def __init__(self, why: str) -> None:
        super().__init__(terminal.harmless(why))


def operator_caller(server: Server) -> Caller:
    """Make the caller that handlers see for the operator."""
    return server.caller(language=catalog.language_here(), admin=True)


async def has_no_accounts(server: Server) -> bool:
    """Say whether the server has no account yet."""
    listed = await server.ask(UserList(limit=1), operator_caller(server))
    assert isinstance(listed, Users)
    return not listed.users


async def first_invite(server: Server) -> str:
    """Create an invite that makes an admin."""
    made = await server.ask(InviteCreate(admin=True), operator_caller(server))
    assert isinstance(made, Invite)
    return made.invite


async def ask(reactor: Any, config: Config, spec: Spec, command: Command) -> Reply:
    """Run an admin command. Raises CommandRefused and OperatorError."""
    directory = DataDirectory(config.data_dir)
    if not directory.path.is_dir():
        raise OperatorError("no_data_dir", path=directory.path)
    try:
        return ask_daemon(directory, spec, command)
    except (FileNotFoundError, ConnectionRefusedError):
        return await ask_directory(reactor, config, directory, command)
    except OSError as error:
        raise OperatorError("operator_socket", path=directory.socket, reason=error) from None


def ask_daemon(directory: DataDirectory, spec: Spec, command: Command) -> Reply:
    """Send the command to the daemon of a data directory. Raises OSError if none runs, and CommandRefused."""
    requests = [
        {"action": "hello", "lang": catalog.language_here()},
        {"action": spec.action, **msgspec.to_builtins(command)},
    ]
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(TIMEOUT_SECONDS)
        line.connect(str(directory.socket))
        line.sendall(b"".join(json.dumps(request).encode() + b"\n" for request in requests))
        with line.makefile("rb") as replies:
            replies.readline()
            reply = json.loads(replies.readline() or b"{}")
    if not reply:
        raise ConnectionResetError("closed without an answer")
    if reply["status"] != "success":
        raise CommandRefused(reply["message"])
    return msgspec.convert(reply, spec.shape.reply)


async def ask_directory(reactor: Any, config: Config, directory: DataDirectory, command: Command) -> Reply:
    """Run the command on a data directory without a daemon; the lock keeps one from starting."""
    directory.acquire()
    try:
        database = directory.open_database(reactor)
        server = Server(
            database=database,
            reactor=reactor,
            limits=config.limits,
            registration=config.registration,
            passwords=Passwords(InlineExecutor()),
        )
        try:
            server.apply_policy(await server.read(standing))
            return await server.ask(command, operator_caller(server))
        except Refusal as refusal:
            raise CommandRefused(sentence(refusal, catalog.language_here())) from None
        except StoreUnavailable as error:
            raise OperatorError("database", path=directory.database, reason=error) from None
        finally:
            await database.close()
    finally:
        directory.release()


def render_reply(spec: Spec, reply: Reply) -> list[str]:
    """Write a reply for the terminal: its lines, then its other values as key=value."""
    language = catalog.language_here()
    text = [line for entry in reply.lines(language) for line in terminal.lines(entry)]
    values = {name: getattr(reply, name) for name in reply.__struct_fields__}
    pairs = [
        f"{name}={textline.quoted(value)}"
        for name, value in values.items()
        if value != "" and type(value) in (str, int)
    ]
    return text + [terminal.harmless(" ".join(pairs))] * bool(pairs) or [catalog.say(f"reply.{spec.action}", language)]
