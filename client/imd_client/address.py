"""Where a server is: what a person writes, and the endpoint that it means.

localhost, localhost:7373, [::1]:7373, tls:chat.example:443    a host, and a port if it is not 7373
unix:/run/imd.sock, tcp:10.0.0.5:7373                          any other Twisted client endpoint; TLS is put round it
"""

import re
from typing import Any

import attrs
from twisted.internet.endpoints import HostnameEndpoint, clientFromString
from twisted.internet.interfaces import IStreamClientEndpoint

PORT = 7373
"""Where an imd listens if nobody says otherwise."""

_HOST = re.compile(r"(?:\[(?P<bracketed>[0-9a-fA-F:.%]+)\]|(?P<host>[^\s:/\[\]]+))(?::(?P<port>\d{1,5}))?")


@attrs.frozen
class Address:
    """One server. `name` is the key of what is remembered about it; `host` is the name its certificate must bear."""

    name: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read an address. What is no host with a port is taken for an endpoint string; a ValueError if it is none."""
        written = _HOST.fullmatch(text.strip().removeprefix("tls:"))
        if written is None:
            name, _, rest = text.strip().partition(":")
            if not name or not rest:
                raise ValueError(text)
            clientFromString(None, text.strip())  # a ValueError for an endpoint that Twisted does not know
            return cls(name=text.strip(), host="", port=0)
        host = (written["bracketed"] or written["host"]).lower()
        port = int(written["port"] or PORT)
        if not 0 < port < 65536:
            raise ValueError(text)
        return cls(name=f"[{host}]:{port}" if ":" in host else f"{host}:{port}", host=host, port=port)

    def endpoint(self, reactor: Any) -> IStreamClientEndpoint:
        """Give the endpoint below TLS."""
        if self.host:
            return HostnameEndpoint(reactor, self.host, self.port)
        endpoint: IStreamClientEndpoint = clientFromString(reactor, self.name)
        return endpoint
