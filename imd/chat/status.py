"""The server's status: what the database counts, and what only the running server knows."""

import imd
from imd.chat.base.context import Caller, Services
from imd.chat.base.effects import Outcome
from imd.chat.base.handlers import slow
from imd.store import status as sql
from imd.wire import status as wire
from imd.wire.fields import timestamp


@slow(wire.AskServerStatus)
async def server_status(
    services: Services, caller: Caller, command: wire.AskServerStatus
) -> Outcome[wire.ServerStatus]:
    """Gather the figures."""
    counts = await services.read(sql.counts)
    health = services.health()
    reply = wire.ServerStatus(
        version=imd.__version__,
        uptime=health.uptime,
        connections=health.connections,
        online=health.online,
        accounts=counts.accounts,
        conversations=counts.conversations,
        stored=counts.messages,
        queue=health.queue,
        commit_ms=health.commit_ms,
        disk_free=health.disk_free,
        certificate_days=health.certificate_days,
        backup=timestamp(health.backup) if health.backup else None,
    )
    return Outcome(reply)
