"""How the server is: what the database counts, beside what only the running daemon knows."""

import imd
from imd.chat.lanes import Desk, Me, Outcome, slow
from imd.store import status as sql
from imd.wire import status as wire
from imd.wire.fields import timestamp


@slow(wire.AskServerStatus)
async def server_status(desk: Desk, me: Me, command: wire.AskServerStatus) -> Outcome[wire.ServerStatus]:
    """Gather the figures."""
    counts = await desk.read(sql.counts)
    vitals = desk.vitals()
    reply = wire.ServerStatus(
        version=imd.__version__,
        uptime=vitals.uptime,
        connections=vitals.connections,
        online=vitals.online,
        accounts=counts.accounts,
        conversations=counts.conversations,
        stored=counts.messages,
        queue=vitals.queue,
        commit_ms=vitals.commit_ms,
        disk_free=vitals.disk_free,
        certificate_days=vitals.certificate_days,
        backup=timestamp(vitals.backup) if vitals.backup else None,
    )
    return Outcome(reply)
