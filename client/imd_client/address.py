"""A server's address: what a person writes, and the endpoint it stands for.

localhost, localhost:7373, [::1]:7373, tls:chat.example:443    a host, and a port if it is not 7373
unix:/run/imd.sock, tcp:10.0.0.5:7373                          any other Twisted client endpoint, used under TLS
"""

import re
from typing import Any

import attrs
from twisted.internet.endpoints import HostnameEndpoint, clientFromString
from twisted.internet.interfaces import IStreamClientEndpoint

PORT = 7373
"""The port an imd listens on by default."""

_HOST = re.compile(r"(?:\[(?P<bracketed>[0-9a-fA-F:.%]+)\]|(?P<host>[^\s:/\[\]]+))(?::(?P<port>\d{1,5}))?")


@attrs.frozen
class Address:
    """One server. `name` is the key under which it is remembered; `host` is the name its certificate must have."""

    name: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Parse a host and a port, or else an endpoint string. Raises ValueError if it is neither."""
        written = _HOST.fullmatch(text.strip().removeprefix("tls:"))
        if written is None:
            name, _, rest = text.strip().partition(":")
            if not name or not rest:
                raise ValueError(text)
            clientFromString(None, text.strip())  # ValueError for an endpoint that Twisted does not know
            return cls(name=text.strip(), host="", port=0)
        host = (written["bracketed"] or written["host"]).lower()
        port = int(written["port"] or PORT)
        if not 0 < port < 65536:
            raise ValueError(text)
        return cls(name=f"[{host}]:{port}" if ":" in host else f"{host}:{port}", host=host, port=port)

    def endpoint(self, reactor: Any) -> IStreamClientEndpoint:
        """Return the endpoint to run TLS over."""
        if self.host:
            return HostnameEndpoint(reactor, self.host, self.port)
        endpoint: IStreamClientEndpoint = clientFromString(reactor, self.name)
        return endpoint
