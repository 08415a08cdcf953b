"""The rules of the audit log: admins read it, and nothing changes it."""

import json

from imd.chat.base.context import Caller
from imd.chat.base.effects import Outcome
from imd.chat.base.handlers import reads
from imd.store import audit as sql
from imd.store.transaction import Tx
from imd.wire import audit as wire
from imd.wire.fields import BIGGEST, timestamp


@reads(wire.AuditList)
def audit_list(tx: Tx, caller: Caller, command: wire.AuditList) -> Outcome[wire.AuditLog]:
    """List what admins did, the newest first."""
    rows = sql.before(tx, command.before or BIGGEST, command.limit + 1)
    entries = [
        wire.AuditEntry(
            number=row.number,
            time=timestamp(row.time),
            by=row.author,
            action=row.action,
            arguments=json.loads(row.arguments),
            result=json.loads(row.result),
        )
        for row in rows[: command.limit]
    ]
    return Outcome(wire.AuditLog(entries=entries, more=len(rows) > command.limit))
