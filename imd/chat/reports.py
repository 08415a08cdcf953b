"""The rules of reports: a member reports a message to the admins, and an admin resolves it.

A report keeps a copy of what the message said, so that recalling it hides nothing. Of a message that burns after
reading it keeps none: it was promised to leave no trace.
"""

from typing import TypeVar

from imd.chat.base.access import message
from imd.chat.base.context import Caller
from imd.chat.base.effects import Outcome
from imd.chat.base.handlers import reads, writes
from imd.store import accounts
from imd.store import reports as sql
from imd.store.transaction import Tx
from imd.wire import reports as wire
from imd.wire.base import Done
from imd.wire.fields import timestamp
from imd.wire.refusals import BadRequest

R = TypeVar("R", bound=wire.Report)


@writes(wire.ReportMessage)
def report(tx: Tx, caller: Caller, command: wire.ReportMessage) -> Outcome[wire.Reported]:
    """Store a report of a message that the caller may see, once until it is resolved."""
    _, row = message(tx, caller, command)
    content = None if row.burn_after else row.content
    new = sql.add(
        tx, caller.account, row.conversation, row.seq, row.sender_id, caller.now, row.kind, content, command.reason
    )
    kept = sql.of_message(tx, caller.account, row.conversation, row.seq)
    told = ((accounts.admins(tx), _report(wire.NewReport, kept)),) if new else ()
    return Outcome(wire.Reported(number=kept.number), told=told)


def _report(shape: type[R], row: sql.Report) -> R:
    return shape(
        number=row.number,
        time=timestamp(row.time),
        reporter=row.reporter,
        sender=row.sender,
        conversation=row.conversation,
        seq=row.seq,
        kind=row.kind,
        reason=row.reason,
        content=row.content,
        resolved=None if row.resolved is None else timestamp(row.resolved),
        by=row.resolver or None,
        note=row.note or None,
    )


@reads(wire.ReportList)
def report_list(tx: Tx, caller: Caller, command: wire.ReportList) -> Outcome[wire.Reports]:
    """List the open reports, or the resolved ones, the oldest first."""
    rows = sql.listing(tx, command.resolved, command.after, command.limit + 1)
    reports = [_report(wire.Report, row) for row in rows[: command.limit]]
    return Outcome(wire.Reports(reports=reports, more=len(rows) > command.limit))


@writes(wire.ReportResolve)
def report_resolve(tx: Tx, caller: Caller, command: wire.ReportResolve) -> Outcome[Done]:
    """Resolve a report. One that is resolved already stays as it is."""
    if not sql.resolve(tx, command.number, caller.now, caller.author, command.note):
        raise BadRequest("report", number=command.number)
    return Outcome(Done())
