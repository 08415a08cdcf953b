"""The yardstick: a bare line relay on stock Twisted and stock TLS. No store, no rules, no accounts.

-> NAME                 <- a line of a reply's size       the first line says who connects
-> OTHER anything       <- a line of a reply's size       OTHER's latest connection gets `anything`
-> #GROUP anything      <- a line of a reply's size       every other connection gets `anything`

python -m bench.relay PORT CERTIFICATE KEY
"""

import sys
from typing import Any, ClassVar

from twisted.internet import endpoints, reactor
from twisted.internet.interfaces import IProtocolNegotiationFactory
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver
from zope.interface import implementer

ANSWER = b'{"status":"success","action":"send_message","message":"Sent.","conversation":17,"seq":123456,"rev":123456'
ANSWER += b',"time":"2026-01-01T00:00:00.000Z","duplicate":false}'


class Relay(LineReceiver):
    """One connection."""

    delimiter = b"\n"
    transport: Any
    online: ClassVar[dict[bytes, "Relay"]] = {}
    everybody: ClassVar[list["Relay"]] = []
    name = b""

    def connectionMade(self) -> None:
        """Turn Nagle's algorithm off, as every messenger must: with it the relay would look slower than it is."""
        self.transport.setTcpNoDelay(True)

    def lineReceived(self, line: bytes) -> None:
        """Pass a line on and answer it."""
        if self.name:
            other, _, rest = line.partition(b" ")
            to = [self.online[other]] if other[:1] != b"#" else [each for each in self.everybody if each is not self]
            for each in to:
                each.sendLine(rest)
        else:
            self.name = line
            self.online[line] = self
            self.everybody.append(self)
        self.sendLine(ANSWER)


@implementer(IProtocolNegotiationFactory)
class RelayFactory(Factory):
    """Makes the connections. Without the ALPN name, stock Twisted ends a handshake that offers one."""

    protocol = Relay

    def acceptableProtocols(self) -> list[bytes]:
        """Accept what imd accepts."""
        return [b"imd/1"]


def main(port: str, certificate: str, key: str) -> None:
    """Serve until killed."""
    where = f"ssl:{port}:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
    endpoints.serverFromString(reactor, where).listen(RelayFactory())
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
