"""A TCP proxy that does to connections what bad networks do, by a seeded schedule.

python -m tests.rigs.proxy --to 7373 --seed 1 --life 1.5

It prints the port it listens on; at SIGTERM, what it did as JSON.
"""

import argparse
import json
import random
import signal
from collections import Counter, deque
from typing import Any

import attrs
from twisted.internet import reactor as the_reactor
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol

reactor: Any = the_reactor

FATES = {"drop": 3, "reset": 3, "half_open": 1, "deaf": 1, "torn": 3, "delay": 4, "trickle": 2}
"""What may happen to a connection, and how often beside the others:

drop       both ends are closed           reset     both ends get a reset
half_open  nothing passes any more, and nobody is told until much later
deaf       the same, for what the server says alone: it goes on hearing
torn       half of the next piece passes, then a reset
delay      nothing passes for a while, then all of it; the connection lives on
trickle    one byte at a time for a while; the connection lives on
"""


@attrs.define(eq=False)
class Way:
    """One direction of a connection."""

    to: "End | None" = None
    waiting: deque[bytes] = attrs.field(factory=deque)
    lost: bool = False
    held: bool = False
    trickling: int = 0
    tearing: bool = False


@attrs.define(eq=False)
class End(Protocol):  # type: ignore[misc]  # Twisted's Protocol is untyped
    """One end of a connection; what it receives goes the other way."""

    link: "Link"
    number: int

    def dataReceived(self, data: bytes) -> None:
        self.link.carry(self.number, data)

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)
        self.link.connected(self)

    def connectionLost(self, reason: Any = None) -> None:
        self.link.end(abort=False)


class Link:
    """One connection through the proxy."""

    def __init__(self, proxy: "Proxy") -> None:
        self.proxy = proxy
        self.chance = random.Random(proxy.chance.random())
        self.ends: list[End] = []
        self.ways = [Way(), Way()]  # from the client, from the server
        self.over = False
        self._timer: Any = None
        self._wait_for_fate()

    def connected(self, end: End) -> None:
        """Take an end in; the client is the first."""
        self.ends.append(end)
        self.ways[1 - end.number].to = end
        if end.number == 0:
            endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.proxy.to)
            connectProtocol(endpoint, End(self, 1)).addErrback(lambda failure: self.end(abort=True))
        self.pump(1 - end.number)
        if self.over:
            end.transport.abortConnection()

    def carry(self, number: int, data: bytes) -> None:
        """Pass a piece on, as the fate allows."""
        way = self.ways[number]
        if way.lost:
            return
        if way.tearing:
            data = data[: len(data) // 2]
        way.waiting.append(data)
        self.pump(number)
        if way.tearing:
            self.end(abort=True)

    def pump(self, number: int) -> None:
        """Write what waits."""
        way = self.ways[number]
        while way.waiting and way.to is not None and not way.held and not self.over:
            data = way.waiting.popleft()
            if way.trickling:
                way.trickling -= 1
                if data[1:]:
                    way.waiting.appendleft(data[1:])
                data = data[:1]
                way.held = True
                reactor.callLater(0.0005, self._release, number)
            way.to.transport.write(data)

    def _release(self, number: int) -> None:
        self.ways[number].held = False
        self.pump(number)

    def _wait_for_fate(self) -> None:
        self._timer = reactor.callLater(self.chance.expovariate(1 / self.proxy.life), self._meet_fate)

    def _meet_fate(self) -> None:
        (fate,) = self.chance.choices(list(FATES), FATES.values())
        self.proxy.did[fate] += 1
        getattr(self, fate)()

    def drop(self) -> None:
        self.end(abort=False)

    def reset(self) -> None:
        self.end(abort=True)

    def half_open(self) -> None:
        self.ways[0].lost = self.ways[1].lost = True
        self._timer = reactor.callLater(self.chance.uniform(0.5, 4), self.end, abort=True)

    def deaf(self) -> None:
        self.ways[1].lost = True
        self._timer = reactor.callLater(self.chance.uniform(0.2, 2), self.end, abort=True)

    def torn(self) -> None:
        self.chance.choice(self.ways).tearing = True
        self._timer = reactor.callLater(1, self.end, abort=True)

    def delay(self) -> None:
        for number, way in enumerate(self.ways):
            way.held = True
            reactor.callLater(self.chance.uniform(0.02, 0.4), self._release, number)
        self._wait_for_fate()

    def trickle(self) -> None:
        for way in self.ways:
            way.trickling = self.chance.randint(20, 400)
        self._wait_for_fate()

    def end(self, *, abort: bool) -> None:
        """End both ends."""
        if self.over:
            return
        self.over = True
        if self._timer.active():
            self._timer.cancel()
        for end in self.ends:
            if abort:
                end.transport.abortConnection()
            else:
                end.transport.loseConnection()


class Proxy(Factory):  # type: ignore[misc]
    """Every connection gets a fate of its own."""

    noisy = False

    def __init__(self, to: int, seed: int, life: float) -> None:
        self.to = to
        self.life = life
        self.chance = random.Random(seed)
        self.did: Counter[str] = Counter()

    def buildProtocol(self, addr: IAddress) -> End:
        self.did["connections"] += 1
        return End(Link(self), 0)


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(description="Be a bad network.")
    parser.add_argument("--to", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--life", type=float, default=1.5, help="mean seconds until something happens to a connection")
    options = parser.parse_args()
    proxy = Proxy(options.to, options.seed, options.life)
    listening = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(proxy)
    listening.addCallback(lambda port: print(port.getHost().port, flush=True))
    signal.signal(signal.SIGTERM, lambda number, frame: reactor.callFromThread(reactor.stop))
    signal.signal(signal.SIGUSR1, lambda number, frame: print(json.dumps(proxy.did), flush=True))
    reactor.run(installSignalHandlers=False)
    print(json.dumps(proxy.did), flush=True)


if __name__ == "__main__":
    main()
