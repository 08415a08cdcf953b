"""Detecting the protocol of a connection: by ALPN if the client offers it, else by its first bytes (PROTOCOL 1)."""

import re
from enum import Enum

_METHOD = re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) ")
_LONGEST_METHOD = 8
_REQUEST_LINE = re.compile(rb"[A-Z]+ [^\r\n]+ HTTP/\d(?:\.\d)?\r?\n")
_LONGEST_REQUEST_LINE = 4096


class Spoken(Enum):
    """The protocol that a peer speaks."""

    LINES = "lines"
    HTTP = "http"


def spoken(alpn: bytes | None, first: bytes) -> Spoken | None:
    """Return the protocol; None while more bytes are needed. `POST bob` is a command, `POST /x HTTP/1.1` is HTTP."""
    if alpn == b"imd/1":
        return Spoken.LINES
    if alpn == b"http/1.1":
        return Spoken.HTTP
    if not _METHOD.match(first):
        return Spoken.LINES if len(first) >= _LONGEST_METHOD or b"\n" in first or not first[:1].isupper() else None
    if b"\n" in first:
        return Spoken.HTTP if _REQUEST_LINE.match(first) else Spoken.LINES
    return Spoken.LINES if len(first) > _LONGEST_REQUEST_LINE else None
