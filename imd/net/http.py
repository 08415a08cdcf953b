"""The HTTP face, for now: whoever points a browser at the port learns what lives here."""

from typing import Any

from twisted.internet.protocol import Protocol

LONGEST_HEAD = 16_384

_PAGE = b"""<!doctype html>
<title>imd</title>
<p>This is <b>imd</b>, a chat server. Talk to it from a terminal:
<pre>openssl s_client -quiet -connect HOST:PORT</pre>
"""


_NOTHING_ELSE = (
    b"Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"Referrer-Policy: no-referrer\r\n"
    b"Cross-Origin-Resource-Policy: same-origin\r\n"
    b"Cache-Control: no-store\r\n\r\n"
)
"""The page is all there is: a browser is to load, embed, guess and keep nothing."""


class HttpProtocol(Protocol):
    """Answers the first request with a short page and closes."""

    transport: Any

    def __init__(self, retry_after: int = 0) -> None:
        """Where `retry_after` is not 0, that is all they learn: when to try again."""
        self._head = b""
        self._retry_after = retry_after

    def dataReceived(self, data: bytes) -> None:
        """Wait for the end of the request's head, then answer."""
        if self.transport.disconnecting:
            return
        self._head += data
        if b"\r\n\r\n" not in self._head and b"\n\n" not in self._head and len(self._head) < LONGEST_HEAD:
            return
        method = self._head.split(b" ", 1)[0]
        page = b"" if method == b"HEAD" else _PAGE
        status = b"200 OK" if method in (b"GET", b"HEAD") else b"405 Method Not Allowed\r\nAllow: GET, HEAD"
        if self._retry_after:
            page, status = b"", b"429 Too Many Requests\r\nRetry-After: %d" % self._retry_after
        head = (
            b"HTTP/1.1 %b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n"
            + _NOTHING_ELSE
        )
        self.transport.write(head % (status, 0 if self._retry_after else len(_PAGE)) + page)
        self.transport.loseConnection()
