"""What an endpoint string would open, judged by its text."""

import re
import socket
from ipaddress import ip_address, ip_network

import attrs

DEFAULT_ENDPOINT = "imd:7373:interface=127.0.0.1"

_PIECE = re.compile(r"(?:[^:\\]|\\.)+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@attrs.frozen
class TCPAddress:
    """A TCP port at one of this machine's addresses; an empty host means all of them."""

    host: str
    port: int

    def bind(self) -> None:
        """Bind the port as a test, and release it. Raises OSError."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((self.host, self.port))


def _pieces(listen: str) -> list[str]:
    """Split at unescaped colons. An `imd:` around another endpoint counts as that one."""
    raw = _PIECE.findall(listen)
    if raw[:1] == ["imd"] and raw[1:] and not raw[1].isdecimal():
        return _pieces(":".join([_ESCAPED.sub(r"\1", raw[1]), *raw[2:]]))
    return [_ESCAPED.sub(r"\1", piece) for piece in raw]


def tcp_address(listen: str) -> TCPAddress | None:
    """Read the address of an endpoint string that opens a TCP port; None for every other kind."""
    kind, *pieces = _pieces(listen) or [""]
    named = dict(piece.split("=", 1) for piece in pieces if "=" in piece)
    numbers = [piece for piece in [named.get("port", ""), *pieces] if piece.isdecimal()]
    if kind not in ("imd", "tcp", "tcp6", "ssl", "tls") or not numbers:
        return None
    return TCPAddress(named.get("interface", ""), int(numbers[0]))


def loopback_only(listen: str) -> bool:
    """Say whether only this machine can reach the endpoint; False if in doubt."""
    if _pieces(listen)[:1] == ["unix"]:
        return True
    at = tcp_address(listen)
    try:
        return at is not None and (at.host == "localhost" or ip_address(at.host).is_loopback)
    except ValueError:
        return False


def is_network(text: str) -> bool:
    """Say whether a text is an IP address or network."""
    try:
        ip_network(text)
    except ValueError:
        return False
    return True
