"""Reports: a person reports a message to the admins, and an admin resolves the report.

-> REPORT mallory 3 asks for money      <- OK REPORT number=1
                                           (an admin reads: * Report 1: alice about mallory: asks for money)
-> REPORT LIST                          <- - 1 2026-11-23 06:25Z alice about mallory: asks for money
                                        <- - | send me your card number
                                        <- OK REPORT LIST more=false
-> REPORT RESOLVE 1 account shut        <- OK REPORT RESOLVE
"""

from typing import Annotated

from msgspec import Meta

from imd.wire import catalog
from imd.wire.base import Command, Event, Item, Reply, Right, command
from imd.wire.fields import Number, PageSize, Pointer, clock_face
from imd.wire.messages import AboutMessage
from imd.wire.refusals import BadRequest

Remark = Annotated[str, Meta(max_length=1000)]


class Reported(Reply, frozen=True, kw_only=True):
    """The admins will see it, under this number."""

    number: int


@command("report", "REPORT to seq reason...")
class ReportMessage(AboutMessage, frozen=True, kw_only=True):
    """Report a message to the admins. They get a copy, which a recall does not change; of one that burns, none."""

    reason: Remark = ""
    reply = Reported
    example = "REPORT bob 2 asks for money"


class Report(Item, frozen=True, kw_only=True, omit_defaults=True):
    """A report. `content` is what the message said then; a message that burns after reading has none."""

    number: int
    time: str
    reporter: str
    sender: str
    conversation: int
    seq: int
    kind: str
    reason: str
    content: str | None = None
    resolved: str | None = None
    by: str | None = None
    note: str | None = None

    def text(self, language: str) -> str:
        """Write the report's lines in REPORT LIST."""
        told = catalog.say("line.report", language, reporter=self.reporter, sender=self.sender, reason=self.reason)
        lines = [
            f"{self.number} {clock_face(self.time)} {told}",
            self.content or catalog.say("line.report.burning", language),
        ]
        if self.resolved is not None:
            done = catalog.say("line.report.resolved", language, by=self.by, note=self.note)
            lines.append(f"{clock_face(self.resolved)} {done}")
        return "\n".join(lines)


class NewReport(Report, Event, frozen=True, kw_only=True, omit_defaults=True, tag_field="event", tag="report"):
    """Somebody reported a message. Told to the admins."""

    def text(self, language: str) -> str:
        """Write it for an admin; REPORT LIST shows the rest."""
        told = catalog.say("line.report", language, reporter=self.reporter, sender=self.sender, reason=self.reason)
        return catalog.say("event.report", language, number=self.number, told=told)


class Reports(Reply, frozen=True, kw_only=True):
    """The reports, the oldest first."""

    reports: list[Report]
    more: bool


@command("report_list", "REPORT LIST", right=Right.ADMIN)
class ReportList(Command, frozen=True, kw_only=True):
    """List the open reports, or the resolved ones; go on after the last number."""

    resolved: bool = False
    after: Pointer = 0
    limit: PageSize = 50
    reply = Reports
    example = "REPORT LIST limit=10"


@command("report_resolve", "REPORT RESOLVE number note...", right=Right.ADMIN)
class ReportResolve(Command, frozen=True, kw_only=True):
    """Resolve a report, with a note on what was done."""

    number: Number
    note: Remark = ""
    refusals = (BadRequest,)
    example = "REPORT RESOLVE 1 account shut"
