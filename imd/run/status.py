"""`imd status`: asks the running daemon for its state."""

import argparse

import msgspec

from imd.run import operator
from imd.run.directory import DataDirectory
from imd.run.errors import OperatorError
from imd.run.options import PLACE, add_options, configured
from imd.run.parser import Parser, echo, say
from imd.wire import catalog
from imd.wire.base import registry
from imd.wire.status import AskServerStatus


def add_command(program: Parser) -> None:
    """Add `imd status`."""
    parser = program.add_command("status", say("status"), say("status.about"))
    parser.add_argument("-j", "--json", action="store_true", help=say("option.json"))
    add_options(parser, PLACE)
    parser.set_defaults(run=run)


def run(namespace: argparse.Namespace) -> None:
    """Print the state, for people or as one JSON object. Raises OperatorError."""
    directory = DataDirectory(configured(vars(namespace)).data_dir)
    try:
        reply = operator.ask_daemon(directory, registry.actions["server_status"], AskServerStatus())
    except (FileNotFoundError, ConnectionRefusedError):
        raise OperatorError("not_running", path=directory.path) from None
    except OSError as error:
        raise OperatorError("operator_socket", path=directory.socket, reason=error) from None
    except operator.CommandRefused as refused:
        echo(f"imd: {refused}", wrong=True)
        raise SystemExit(1) from None
    echo(msgspec.json.encode(reply).decode() if namespace.json else "\n".join(reply.lines(catalog.language_here())))
