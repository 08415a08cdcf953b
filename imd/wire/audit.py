"""The audit log: everything that admins changed, without secrets. No command changes the log.

-> AUDIT LIST limit=1     <- - 2 2026-11-23 06:25Z root: user_role username=bob role=admin
                          <- OK AUDIT LIST more=true
"""

from imd.wire import textline
from imd.wire.base import Command, Item, Reply, Right, command
from imd.wire.fields import Number, PageSize, clock_face

Plain = str | int | bool


class AuditEntry(Item, frozen=True, kw_only=True):
    """One action. `*operator` is the operator's socket or command line: no account can have that name."""

    number: int
    time: str
    by: str
    action: str
    arguments: dict[str, Plain]
    result: dict[str, Plain]

    def text(self, language: str) -> str:
        """Write the entry's line in AUDIT LIST."""
        said = f"{self.number} {clock_face(self.time)} {self.by}: {self.action}{_pairs(self.arguments)}"
        return f"{said} ->{_pairs(self.result)}" if self.result else said


def _pairs(fields: dict[str, Plain]) -> str:
    return "".join(f" {name}={textline.quoted(value)}" for name, value in fields.items())


class AuditLog(Reply, frozen=True, kw_only=True):
    """The entries, the newest first."""

    entries: list[AuditEntry]
    more: bool


@command("audit_list", "AUDIT LIST", right=Right.ADMIN)
class AuditList(Command, frozen=True, kw_only=True):
    """List what admins did, the newest first; go on before the last number."""

    before: Number | None = None
    limit: PageSize = 50
    reply = AuditLog
    example = "AUDIT LIST limit=10"
