"""What an application that embeds imd imports: these names, and no others, stay as they are between minor versions.

A server of your own on a port of your own, with a command of your own:

    from twisted.internet import endpoints, reactor
    from twisted.internet.defer import Deferred
    from imd.api import Command, ImdFactory, Outcome, Reply, Server, command, live

    class Rolled(Reply, frozen=True, kw_only=True):
        result: int

    @command("roll", "ROLL", sentences={"help": {"en": "Roll a die."}, "reply": {"en": "Rolled."}})
    class Roll(Command, frozen=True, kw_only=True):
        reply = Rolled

    @live(Roll)
    def roll(caller, command):
        return Outcome(Rolled(result=4))

    server = Server.open("chat.db", reactor)
    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(server.start()))
    reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(server.stop()))
    endpoints.serverFromString(reactor, "tcp:7373:interface=127.0.0.1").listen(ImdFactory(server))
    reactor.run()

docs/embedding.md says what each name is for. Refusals to raise stand in `imd.wire.refusals`, fields in
`imd.wire.fields`, a server for tests in `imd.testing`.
"""

from imd.chat.base.context import Caller
from imd.chat.base.effects import Outcome
from imd.chat.base.handlers import live, reads, slow, writes
from imd.engine.server import Server
from imd.net.factory import ImdFactory
from imd.run.config import load as load_config
from imd.run.service import Daemon
from imd.store.transaction import Tx
from imd.wire.base import Command, Event, Reply, command
from imd.wire.refusals import Refusal

__all__ = [
    "Caller",
    "Command",
    "Daemon",
    "Event",
    "ImdFactory",
    "Outcome",
    "Refusal",
    "Reply",
    "Server",
    "Tx",
    "command",
    "live",
    "load_config",
    "reads",
    "slow",
    "writes",
]
