"""The HTTP face: a browser that opens the port gets a page that says what imd is."""

from collections.abc import Callable

import attrs

from imd.engine.encoded_event import EncodedEvent
from imd.wire.base import Request

LONGEST_HEAD = 16_384

_PAGE = b"""<!doctype html>
<title>imd</title>
<p>This is <b>imd</b>, a chat server. Talk to it from a terminal:
<pre>openssl s_client -quiet -connect HOST:PORT</pre>
"""


_STRICT_HEADERS = (
    b"Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"Referrer-Policy: no-referrer\r\n"
    b"Cross-Origin-Resource-Policy: same-origin\r\n"
    b"Cache-Control: no-store\r\n\r\n"
)
"""A browser must load nothing else, embed the page nowhere, guess no types, and cache nothing."""


@attrs.define(eq=False)
class HttpFace:
    """Answers the first request with a short page and closes."""

    answer: Callable[[bytes], None]
    """Writes the answer and closes."""

    retry_after: int = 0
    """If it is not 0, the answer says only when to try again."""

    tells = False
    broken = b""
    waiting = False
    reads = 0
    _head: bytes = attrs.field(default=b"", init=False)

    def receive(self, data: bytes) -> None:
        """Wait for the end of the request's head, then answer."""
        self._head += data
        if b"\r\n\r\n" not in self._head and b"\n\n" not in self._head and len(self._head) < LONGEST_HEAD:
            return
        method = self._head.split(b" ", 1)[0]
        page = b"" if method == b"HEAD" else _PAGE
        status = b"200 OK" if method in (b"GET", b"HEAD") else b"405 Method Not Allowed\r\nAllow: GET, HEAD"
        if self.retry_after:
            page, status = b"", b"429 Too Many Requests\r\nRetry-After: %d" % self.retry_after
        head = (
            b"HTTP/1.1 %b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n"
            + _STRICT_HEADERS
        )
        self.answer(head % (status, 0 if self.retry_after else len(_PAGE)) + page)

    def next_request(self) -> Request | None:
        """Return nothing: HTTP carries no requests for the session."""
        return None

    def frame(self, line: bytes) -> bytes:
        """Return the bytes unchanged."""
        return line

    def told(self, event: EncodedEvent) -> None:
        """Do nothing: a browser receives no events."""

    def logged_out(self) -> None:
        """Do nothing: no account is ever logged in."""
