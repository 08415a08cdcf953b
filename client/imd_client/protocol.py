"""One connection's lines: requests that wait for their answers, and events.

-> {"action": "send_message", "id": 7, "to": "bob", "content": "hi"}
<- {"status": "success", "action": "send_message", "id": 7, ...}        ask(SendMessage(...)) fires with Sent(...)
<- {"event": "message", "sender": "bob", ...}                           on_event(NewMessage(...))
"""

from collections.abc import Callable
from itertools import count
from typing import Any, TypeAlias

import msgspec
from OpenSSL import SSL
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IDelayedCall, IHandshakeListener, IReactorTime
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure
from zope.interface import implementer

import imd.wire.capabilities  # noqa: F401  # declares every command and every event
from imd.wire.base import Command, Event, Reply, registry
from imd.wire.session import Ping

ServerEvent: TypeAlias = Event | dict[str, Any]
"""An event; one that this client does not know is passed on as its fields."""

_EVENTS: dict[str, type[Event]] = {str(shape.__struct_config__.tag): shape for shape in Event.__subclasses__()}

IDLE_TIMEOUT = 60
"""Seconds of silence before the server is pinged; after as many again the connection counts as dead."""

CLOSE_TIMEOUT = 2
"""Seconds that closing the connection may take."""


class Refused(Exception):
    """The server refused a request. `code` and `params` are for programs, the message is for people."""

    def __init__(self, code: str, message: str, params: dict[str, Any]) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.params = params


class AnswerLost(ConnectionLost):
    """The connection ended before the answer came: the outcome is unknown."""


@implementer(IHandshakeListener)
class ClientProtocol(LineReceiver, TimeoutMixin):
    """A connection to an imd, in JSON. `verify` checks the TLS connection before anything is sent, and may raise."""

    delimiter = b"\n"
    MAX_LENGTH = 16 * 1024 * 1024
    """Bytes in the longest line accepted: a page of `sync` is one line."""

    transport: Any
    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        opened: Callable[["ClientProtocol"], None],
        on_event: Callable[[ServerEvent], None],
        lost: Callable[["ClientProtocol", Failure], None],
        verify: Callable[[SSL.Connection], None] | None = None,
    ) -> None:
        self._pieces: list[bytes] = []
        self._clock = clock
        self._opened = opened
        self._on_event = on_event
        self._lost = lost
        self._verify = verify
        self._ids = count(1)
        self._waiting: dict[int, tuple[type[Reply], Deferred[Any]]] = {}
        self._started = False
        self._pinged = False

    def connectionMade(self) -> None:
        """Start, or wait for the TLS handshake."""
        self.setTimeout(IDLE_TIMEOUT)
        if self._verify is None:
            self._begin()

    def handshakeCompleted(self) -> None:
        """Verify the certificate before anything is sent."""
        assert self._verify is not None
        try:
            self._verify(self.transport.getHandle())
        except Exception:
            self.transport.failVerification(Failure())
        else:
            self._begin()

    def _begin(self) -> None:
        self._started = True
        self._opened(self)

    def ask(self, command: Command) -> Deferred[Any]:
        """Send a request. Fires with the command's typed reply, or fails with Refused or AnswerLost."""
        if not self.connected:
            return fail(AnswerLost())
        spec = next(spec for spec in registry if spec.shape is type(command))
        number = next(self._ids)
        answer: Deferred[Any] = Deferred()
        self._waiting[number] = (spec.shape.reply, answer)
        self.sendLine(msgspec.json.encode({"action": spec.action, "id": number, **msgspec.to_builtins(command)}))
        return answer

    def dataReceived(self, data: bytes) -> None:
        """Split all lines at once; LineReceiver would copy the rest of the buffer for each."""
        self._pinged = False
        self.resetTimeout()
        self._pieces.append(data)
        if b"\n" not in data:
            if sum(map(len, self._pieces)) > self.MAX_LENGTH:
                self._pieces.clear()
                self.transport.abortConnection()
            return
        *lines, rest = b"".join(self._pieces).split(b"\n")
        self._pieces = [rest]
        for line in lines:
            if self.transport is None or self.transport.disconnecting:
                return
            self.lineReceived(line.removesuffix(b"\r"))

    def lineReceived(self, line: bytes) -> None:
        """Take a reply or an event. A line that does not start like JSON is a greeting for people."""
        if not line.startswith(b"{"):
            return
        try:
            fields = msgspec.json.decode(line)
        except msgspec.MsgspecError:
            self._log.failure("the server sent a line that is not JSON")
            self.transport.abortConnection()
            return
        if "event" in fields:
            self._on_event(_event(fields))
        else:
            self._answered(fields)

    def _answered(self, fields: dict[str, Any]) -> None:
        """Give a reply to its request. One without an id belongs to the oldest: replies come in order."""
        number = fields.get("id") or next(iter(self._waiting), 0)
        if number not in self._waiting:
            return
        shape, answer = self._waiting.pop(number)
        if fields.get("status") != "success":
            answer.errback(Refused(str(fields.get("code")), str(fields.get("message")), fields.get("params") or {}))
            return
        try:
            reply = msgspec.convert(fields, shape)
        except msgspec.ValidationError:
            answer.errback()
        else:
            answer.callback(reply)

    def timeoutConnection(self) -> None:
        """Ping a silent server, or cut the connection if it did not answer the last ping."""
        if self._pinged or not self._started or self.transport.disconnecting:
            self.transport.abortConnection()
            return
        self._pinged = True
        self.ask(Ping()).addErrback(lambda failure: failure.trap(AnswerLost, Refused))
        self.setTimeout(IDLE_TIMEOUT)

    def leave(self) -> None:
        """Close the connection, and wait a little for the server to close it too."""
        self.transport.loseConnection()
        self.setTimeout(CLOSE_TIMEOUT)

    def callLater(self, period: float, func: Callable[[], None]) -> IDelayedCall:
        """Let TimeoutMixin use our clock."""
        return self._clock.callLater(period, func)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # Twisted gives a default
        """Fail all requests that wait for an answer."""
        self.connected = 0
        self.setTimeout(None)
        waiting, self._waiting = self._waiting, {}
        self._lost(self, reason)  # first, so that a request repeated at once waits for the next connection
        for _, answer in waiting.values():
            answer.errback(AnswerLost())


def _event(fields: dict[str, Any]) -> ServerEvent:
    try:
        event: ServerEvent = msgspec.convert(fields, _EVENTS[fields["event"]])
    except (KeyError, TypeError, msgspec.ValidationError):
        return fields
    return event
