"""The server's status, for admins and for the operator's socket.

-> SERVER STATUS      <- - imd …, running for …
                      <- - connections: …; people online: …
                      <- …
                      <- OK SERVER STATUS version=… uptime=… …
"""

from imd.wire import catalog
from imd.wire.base import Command, Reply, Right, command
from imd.wire.fields import clock_face


class ServerStatus(Reply, frozen=True, kw_only=True, omit_defaults=True):
    """The server's figures now. Figures that it does not know are left out."""

    version: str
    uptime: int
    connections: int
    online: int
    accounts: int
    conversations: int
    stored: int
    queue: int
    commit_ms: float
    disk_free: int | None = None
    certificate_days: int | None = None
    backup: str | None = None

    def lines(self, language: str) -> list[str]:
        """Write the figures for a person."""

        def say(key: str, **params: object) -> str:
            return catalog.say(f"line.server.{key}", language, **params)

        text = [
            say("up", version=self.version, uptime=span(self.uptime)),
            say("people", connections=self.connections, online=self.online, accounts=self.accounts),
            say("stored", conversations=self.conversations, stored=self.stored),
            say("writer", queue=self.queue, commit_ms=f"{self.commit_ms:.1f}"),
        ]
        if self.disk_free is not None:
            text.append(say("disk", free=f"{self.disk_free / 2**30:.1f}"))
        if self.certificate_days is not None:
            text.append(say("certificate", days=self.certificate_days))
            text.append(say("backup", time=clock_face(self.backup)) if self.backup else say("no_backup"))
        return text


def span(seconds: int) -> str:
    """Write a span of time in its two largest parts: `3 d 4 h`."""
    parts = [(seconds // 86_400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    first = next((number for number, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2])


@command("server_status", "SERVER STATUS", right=Right.ADMIN)
class AskServerStatus(Command, frozen=True, kw_only=True):
    """Show the server's status: connections, what is stored, the speed of commits, and what is running out."""

    reply = ServerStatus
    example = "SERVER STATUS"
