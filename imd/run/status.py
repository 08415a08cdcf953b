"""`imd status`: asks the daemon that runs how it is."""

import msgspec

from imd.run import operator
from imd.run.directory import DataDirectory
from imd.run.errors import OperatorError
from imd.run.options import Placed, say, tell
from imd.wire import catalog
from imd.wire.base import registry
from imd.wire.status import AskServerStatus


class Status(Placed):
    """`imd status`: how the running daemon is."""

    synopsis = "Usage: imd status [options]"
    longdesc = say("status.about")
    optFlags = [["json", "j", say("option.json")]]

    def parseArgs(self) -> None:
        """Take no words."""

    def work(self) -> None:
        """Print the figures: for people, or as one JSON object."""
        directory = DataDirectory(self.config().data_dir)
        try:
            reply = operator.ask_daemon(directory, registry.actions["server_status"], AskServerStatus())
        except (FileNotFoundError, ConnectionRefusedError):
            raise OperatorError("not_running", path=directory.path) from None
        except OSError as error:
            raise OperatorError("operator_socket", path=directory.socket, reason=error) from None
        except operator.CommandRefused as refused:
            tell(f"imd: {refused}", wrong=True)
            raise SystemExit(1) from None
        tell(msgspec.json.encode(reply).decode() if self["json"] else "\n".join(reply.lines(catalog.language_here())))
