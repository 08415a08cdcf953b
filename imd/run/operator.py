"""The operator: an admin without an account. Asks a running daemon by its socket, a stopped one's data directly.

Either way it is the same command, run by the same handler.
"""

import json
import socket
from typing import Any

import msgspec

from imd.chat.lanes import Me
from imd.chat.policies import standing
from imd.engine.crew import Inline
from imd.engine.house import House
from imd.engine.passwords import Passwords
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
    """The daemon turned the command down; str() says why."""

    def __init__(self, why: str) -> None:
        super().__init__(terminal.harmless(why))


def operator_caller(house: House) -> Me:
    """Give whom the rules see when the operator asks."""
    return house.me(language=catalog.language_here(), admin=True)


async def has_no_accounts(house: House) -> bool:
    """Say whether there is no account yet."""
    listed = await house.ask(UserList(limit=1), operator_caller(house))
    assert isinstance(listed, Users)
    return not listed.users


async def first_invite(house: House) -> str:
    """Make an admin's invite."""
    made = await house.ask(InviteCreate(admin=True), operator_caller(house))
    assert isinstance(made, Invite)
    return made.invite


async def ask(reactor: Any, config: Config, spec: Spec, command: Command) -> Reply:
    """Have an admin's command carried out. Raises CommandRefused, and OperatorError."""
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
    """Ask the daemon that runs on a data directory. Raises OSError where none does."""
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
    """Carry the command out on the data of a stopped daemon, which cannot start meanwhile."""
    directory.acquire()
    try:
        database = directory.open_database(reactor)
        house = House(
            database=database,
            reactor=reactor,
            limits=config.limits,
            registration=config.registration,
            passwords=Passwords(Inline()),
        )
        try:
            house.govern(await house.read(standing))
            return await house.ask(command, operator_caller(house))
        except Refusal as refusal:
            raise CommandRefused(sentence(refusal, catalog.language_here())) from None
        except StoreUnavailable as error:
            raise OperatorError("database", path=directory.database, reason=error) from None
        finally:
            await database.close()
    finally:
        directory.release()


def render_reply(spec: Spec, reply: Reply) -> list[str]:
    """Write an answer for the operator's terminal: its lines, then what else it holds as key=value."""
    language = catalog.language_here()
    text = [line for entry in reply.lines(language) for line in terminal.lines(entry)]
    values = {name: getattr(reply, name) for name in reply.__struct_fields__}
    pairs = [
        f"{name}={textline.quoted(value)}"
        for name, value in values.items()
        if value != "" and type(value) in (str, int)
    ]
    return text + [terminal.harmless(" ".join(pairs))] * bool(pairs) or [catalog.say(f"reply.{spec.action}", language)]
