"""One connection: its transport, the flow of bytes both ways, and its phase.

`ImdFactory` builds an ImdProtocol(LineReceiver) for each connection. It works on any transport, with or without TLS.
Its face knows the format of the bytes; its session pulls requests and sends lines.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from typing import Any

from twisted.internet.interfaces import IAddress, IDelayedCall, IHandshakeListener, ISSLTransport, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from imd.engine.encoded_event import EncodedEvent
from imd.engine.server import Server
from imd.engine.session import Session
from imd.net.address import origin
from imd.net.face import Face
from imd.net.flow import WRITE_BYTES, Producer, WriteQueue
from imd.net.http import HttpFace
from imd.net.lines import LinesFace
from imd.net.sniff import Spoken, spoken
from imd.wire.base import Request
from imd.wire.reader import LineReader
from imd.wire.refusals import RateLimited, SlowConsumer, Unavailable

SILENCE_SECONDS = 0.5
"""A client that sends nothing for so long is probably a person at a terminal, and is greeted."""

FAREWELL_SECONDS = 4.0
"""How long a peer may take to read the last lines before the connection is cut."""

REVOKED_SECONDS = 0.75
"""The same, if its device was logged out."""

LINES_A_TURN = 32
"""After so many lines of one connection, other connections have their turn."""

TOO_FAST_SECONDS = 1.0
"""How long a client over the rate limit is not read after LINES_A_TURN lines, since refusals cost time as well."""

CROWDED_SECONDS = 5
"""When an evicted client may try again."""

KERNEL = {
    "TCP_NOTSENT_LOWAT": WRITE_BYTES,  # else the kernel buffers megabytes for a peer that does not read
    "TCP_KEEPIDLE": 60,  # after so many seconds of silence, ask whether the peer is there:
    "TCP_KEEPINTVL": 20,  # with so many seconds between the probes,
    "TCP_KEEPCNT": 3,  # and so many of them
}
"""Socket options of each connection, if the system knows them."""

VANISHED_SECONDS = 120
"""When the kernel gives up a peer that acknowledges nothing. It must not be less than what the keepalive takes, else
one lost probe ends the connection."""


class Phase(Enum):
    """The state of a connection. It may be CONGESTED several times; FAREWELL is the last one."""

    HANDSHAKE = auto()
    """The TLS handshake is under way."""

    WAITING = auto()
    """It is not known yet which protocol the peer speaks."""

    OPEN = auto()

    CONGESTED = auto()
    """The peer reads too slowly: output is held back, and nothing is read from it."""

    FAREWELL = auto()
    """The last bytes are being sent."""


@implementer(IHandshakeListener)
class ImdProtocol(LineReceiver):
    """A peer's connection."""

    delimiter = b"\n"
    transport: Any
    """A TCP, TLS or unix transport: each can be paused, and accepts a producer."""

    def __init__(self, server: Server, address: IAddress | None = None, *, operator: bool = False) -> None:
        self.server = server
        self.address = "" if operator else origin(address)
        self.operator = operator
        self.phase, self.congested = Phase.WAITING, False
        self.face: Face | None = None
        self.session = Session(server, self, address=self.address, operator=operator)
        self.stranger = False
        self._unwelcome: RateLimited | None = None
        self._first = b""
        self._going_on = False
        self.more = False
        self._rest: IDelayedCall | None = None
        self._queue = WriteQueue()
        self._timer: IDelayedCall | None = None
        self._farewell = FAREWELL_SECONDS
        self._begun = 0.0

    # -- the connection's life

    def connectionMade(self) -> None:
        """Start. With TLS the handshake comes first; it has a time limit."""
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
            self._set_socket_options()
        self.transport.registerProducer(Producer(self._congested, self._relieved), True)
        self.server.admission.connections.add(self)
        limits, self._begun = self.server.limits, self.server.reactor.seconds()
        if not self.operator:
            self.stranger = True
            if not self.server.admission.arrive(self, self.address):
                self._unwelcome = RateLimited("connections", retry_after=limits.login_seconds)
        if ISSLTransport.providedBy(self.transport):
            self._enter(Phase.HANDSHAKE, min(limits.handshake_seconds, limits.login_seconds), self._abort)
        else:
            self._await_first_bytes()
        self.session.begin()

    def _set_socket_options(self) -> None:
        vanished = max(VANISHED_SECONDS, 2 * self.server.limits.stall_seconds)  # it also ends a peer that never reads
        for name, value in (KERNEL | {"TCP_USER_TIMEOUT": min(vanished * 1000, 2**31 - 1)}).items():
            with suppress(OSError, AttributeError):
                self.transport.socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def handshakeCompleted(self) -> None:
        """Use the protocol that the client offered by ALPN."""
        self._await_first_bytes()
        if (alpn := self.transport.negotiatedProtocol) and (offered := spoken(alpn, b"")):
            self._speak(offered)

    def _await_first_bytes(self) -> None:
        if self.operator:
            self._enter(Phase.WAITING)
        else:
            self._enter(Phase.WAITING, SILENCE_SECONDS, self._silent)

    def _silent(self) -> None:
        self._speak(Spoken.LINES)
        if not self._unwelcome:
            self.session.greet()

    def _speak(self, language: Spoken) -> None:
        """Set the face for the protocol that the peer speaks."""
        limits = self.server.limits
        if language is Spoken.HTTP:
            self.session.ended()
            left = self._begun + limits.login_seconds - self.server.reactor.seconds()
            self._enter(Phase.OPEN, max(0.0, left), self._abort)
            self.face = HttpFace(self._answer, limits.login_seconds if self._unwelcome else 0)
            return
        self._enter(Phase.OPEN)
        self.face = LinesFace(LineReader(limits.content_bytes), limits.line_bytes, self._longest_line)
        if self._unwelcome and not self._first:
            self.session.close(self._unwelcome)

    def _longest_line(self) -> int:
        """Return how long a line may be: less before login. Lines that wait for a login are measured after it."""
        limits = self.server.limits
        short = self.stranger and not self.session.entering
        return min(limits.stranger_line_bytes, limits.line_bytes) if short else limits.line_bytes

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Clean up."""
        self._enter(Phase.FAREWELL)
        self._stop_rest()
        self.session.ended()
        self.identified(True)
        self.server.admission.gone(self)

    def identified(self, logged_in: bool) -> None:
        """Count the connection as before login, or as logged in."""
        if logged_in and self.stranger:
            self.server.admission.depart(self, self.address)
        elif not logged_in and not self.stranger:
            self.server.admission.arrive(self, self.address)
        self.stranger = not logged_in
        if not logged_in and self.face is not None:
            self.face.logged_out()

    def _enter(self, phase: Phase, seconds: float | None = None, then: Callable[[], None] | None = None) -> None:
        """Change the phase. The timer of the phase before is cancelled."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self.phase, self.congested = phase, phase is Phase.CONGESTED
        self._timer = None if then is None else self.server.reactor.callLater(seconds, then)

    # -- bytes in

    def dataReceived(self, data: bytes) -> None:
        """Receive bytes, and let the session pull the requests that it may start."""
        if self.phase is Phase.FAREWELL:
            return
        if self.face is None:
            data = self._recognize(data)
        if data and self.face is not None:
            self.face.receive(data)
            self.more = self.face.waiting
            self._go_on()

    def _recognize(self, data: bytes) -> bytes:
        """Find out the protocol. Returns all bytes received so far, or nothing while more are needed."""
        self._enter(Phase.WAITING)  # this cancels the greeting: the client has sent something
        self._first += data
        language = spoken(None, self._first)
        if language is None:
            return b""
        self._speak(language)
        data, self._first = self._first, b""
        return data

    def next_request(self) -> Request | None:
        """Take the next request, unless other connections have their turn first."""
        request = None
        try:
            while self.face is not None and self._rest is None and request is None:
                reads = self.face.reads
                request = self.face.next_request()
                self.more = self.face.waiting
                if self.face.reads == reads:
                    break
                if self.face.reads % LINES_A_TURN == 0:
                    self._let_others()
        except Exception as error:  # our own fault: tell the peer, rather than leave it waiting
            self.session.close(self.server.excuse(error, "reading"))
            return None
        if request is not None and self._unwelcome:
            self.session.dialect = request.dialect
            self.session.close(self._unwelcome)
            return None
        if request is None and not self._going_on:
            self._regulate_reading()
        return request

    def _let_others(self) -> None:
        """Pause reading, so that other connections have their turn."""
        seconds = TOO_FAST_SECONDS if self.session.too_fast else 0
        self._rest = self.server.reactor.callLater(seconds, self._rested)

    def _rested(self) -> None:
        self._rest = None
        self._go_on()

    def _stop_rest(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    def _go_on(self) -> None:
        """Let the session continue."""
        self._going_on = True
        try:
            self.session.received()
        finally:
            self._going_on = False
        self._regulate_reading()

    def _regulate_reading(self) -> None:
        """Pause reading while lines wait, the peer is congested, others have their turn, or a login is under way."""
        if self.phase is Phase.FAREWELL:
            return
        if self.more or self.phase is Phase.CONGESTED or self._rest is not None or self.session.entering:
            self.transport.pauseProducing()
        else:
            self.transport.resumeProducing()

    # -- bytes out

    def write(self, lines: list[bytes]) -> None:
        """Write lines. What the peer cannot take yet is written later. A peer that has sent nothing yet gets text."""
        if self.face is None:
            self._speak(Spoken.LINES)
        assert self.face is not None
        for line in lines:
            self._queue.add(self.face.frame(line))
        if self.congested and self._queue.size > self.server.limits.queue_bytes:
            self._too_slow()
        else:
            self._flush()

    def told(self, event: EncodedEvent) -> None:
        """Tell the face which event a person is shown."""
        if self.face is not None:
            self.face.told(event)

    def _flush(self) -> None:
        """Write what is queued, in pieces, so that the time limit of a slow peer applies to each piece."""
        while not self.congested and (piece := self._queue.piece()):
            self.transport.write(piece)

    def _congested(self) -> None:
        """Hold output back, and read nothing, until the peer has read what it was sent."""
        if self.phase is not Phase.FAREWELL and self.phase is not Phase.CONGESTED:
            self._enter(Phase.CONGESTED, self.server.limits.stall_seconds, self._too_slow)
            self._regulate_reading()

    def _relieved(self) -> None:
        """Continue: the peer has caught up."""
        if self.phase is Phase.CONGESTED:
            self._enter(Phase.OPEN)
            self._flush()
            if not self.congested:
                self._go_on()

    def drop(self) -> None:
        """Discard what is queued for a peer that reads too slowly, and do not wait long for it to read the rest."""
        self._farewell = REVOKED_SECONDS
        if self.phase is Phase.FAREWELL:
            self._leave()
        elif self.phase is Phase.CONGESTED and self.face is not None:
            self._queue.break_off(self.face.broken)

    def _too_slow(self) -> None:
        self._queue.drop()
        self.session.close(SlowConsumer())

    # -- the end

    def hang_up(self) -> None:
        """Send what is queued and close. A peer that does not read it in time is aborted."""
        if self.phase is Phase.FAREWELL:
            return
        self.transport.unregisterProducer()
        self._leave()
        self._flush()
        self.transport.resumeProducing()  # TLS closes only when the peer's close_notify has been read
        self.transport.loseConnection()

    def _leave(self) -> None:
        self._enter(Phase.FAREWELL, self._farewell, self._abort)

    def _answer(self, data: bytes) -> None:
        """Send the only answer, and close."""
        self.write([data])
        self.hang_up()

    def peer_ended(self) -> None:
        """Wait a short time for the peer to read what was written: it will send no more."""
        if self.phase is not Phase.FAREWELL:
            self._enter(self.phase, self._farewell, self._abort)

    def goodbye(self) -> None:
        """Close because the server stops. A peer that speaks no lines is closed at once."""
        if self.face is not None and self.face.tells:
            self.session.close(Unavailable("stopping"))
        else:
            self.cut_off()

    def evict(self) -> bool:
        """Close to make room for another connection. True if it stays for a moment to be told why."""
        if self.face is None or not self.face.tells or self.phase is Phase.FAREWELL:
            self.cut_off()
            return False
        self.session.close(RateLimited("crowded", retry_after=CROWDED_SECONDS))
        return True

    def cut_off(self) -> None:
        """Close at once, without sending what is queued."""
        self._enter(Phase.FAREWELL)
        self.transport.abortConnection()

    def _abort(self) -> None:
        self._timer = None
        self.transport.abortConnection()
