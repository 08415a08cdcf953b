"""A connection that keeps itself up: TLS, login, and reconnecting.

-> HELLO, then RESUME with the token, or LOGIN with the password (after REGISTER, if that was asked for)
      ask(SendMessage(to="bob", content="hi"))  returns Sent(...), or raises Refused or AnswerLost
"""

from collections.abc import Callable
from typing import Any

import attrs
from OpenSSL import SSL
from twisted.application.internet import ClientService, backoffPolicy
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from imd import __version__
from imd.wire.accounts import Login, Register, Resume
from imd.wire.base import Command
from imd.wire.session import Closing, Hello
from imd_client.address import Address
from imd_client.errors import ClosedByServer, CodeNeeded, LoginNeeded, wants_code
from imd_client.events import ClientEvent, GaveUp, Offline, Online, Restored, Trusted
from imd_client.protocol import AnswerLost, ClientProtocol, Refused, ServerEvent
from imd_client.reactor import current_reactor
from imd_client.state import Account
from imd_client.trust import CertificateChanged, TrustOnFirstUse

TRANSIENT = frozenset({"rate_limited", "unavailable"})
"""Refusals that say nothing about the request itself: the same one may succeed later."""

MAX_RETRY_AFTER = 3600.0
"""Seconds; the longest that we wait before the next attempt, whatever the server asks for."""

_backoff = backoffPolicy(initialDelay=0.3, maxDelay=30, factor=1.6)


def _retry_after(params: dict[str, Any], otherwise: float = 0) -> float:
    """Return the seconds that a refusal asks us to wait."""
    seconds = params.get("retry_after")
    return min(seconds, MAX_RETRY_AFTER) if isinstance(seconds, int | float) and seconds >= 0 else otherwise


@attrs.define
class Credentials:
    """How to log in when no token is known. With `register`, a new account is made, with `invite` if that is set.

    `code` is the code of a second factor; it is used once.
    """

    password: str = ""
    code: str = ""
    register: bool = False
    invite: str = ""
    device: str = "imd"
    language: str = "en"


@implementer(IStreamClientEndpoint)
@attrs.define
class _ReportingEndpoint:
    """An endpoint that reports every failed attempt; ClientService does not."""

    endpoint: Any
    failed: Callable[[Failure], None]

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Connect, and report a failure."""
        attempt: Deferred[Any] = self.endpoint.connect(factory)
        return attempt.addErrback(self._report)

    def _report(self, failure: Failure) -> Failure:
        if not failure.check(CancelledError):
            self.failed(failure)
        return failure


class Connection(Service):
    """One account's connection. `emit` is called with every ClientEvent, in order.

    `endpoint` replaces the address's own endpoint and its TLS, for tests.
    """

    name: str | None = "imd connection"
    _log = Logger()

    def __init__(
        self,
        account: Account,
        credentials: Credentials,
        emit: Callable[[ClientEvent], None],
        *,
        reactor: Any = None,
        endpoint: IStreamClientEndpoint | None = None,
    ) -> None:
        self.account = account
        self.credentials = credentials
        self.online = False
        self._emit = emit
        self._reactor = current_reactor(reactor)
        self._endpoint = endpoint
        self._protocol: ClientProtocol | None = None
        self._waiting: list[Deferred[ClientProtocol]] = []
        self._failures = 0
        self._reason: Failure | None = None
        self._delay = 0.0
        self._trust = TrustOnFirstUse(Address.parse(account.server), account.state)
        self._service = self._client_service()

    def _client_service(self) -> ClientService:
        factory = Factory.forProtocol(
            lambda: ClientProtocol(
                self._reactor, self._opened, self._on_server_event, self._lost, None if self._endpoint else self._verify
            )
        )
        factory.noisy = False
        endpoint = self._endpoint or wrapClientTLS(self._trust, self._trust.address.endpoint(self._reactor))
        watched = _ReportingEndpoint(endpoint, self._offline)
        return ClientService(watched, factory, self._retry_delay, self._reactor)

    def _retry_delay(self, attempt: int) -> float:
        """Return the seconds until the next attempt. A failed login counts like a failed connection."""
        return max(_backoff(max(attempt, self._failures)), self._delay)

    def startService(self) -> None:
        """Start connecting. It may be started again after it gave up."""
        super().startService()
        self._failures = 0
        self._delay = 0
        self._service.startService()

    def stopService(self) -> Deferred[None]:
        """Close the connection. Those waiting for it get a CancelledError."""
        super().stopService()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.cancel()
        if self._protocol is not None:
            self._protocol.leave()
        return self._service.stopService()

    def ready(self) -> Deferred[ClientProtocol]:
        """Fire with the connection when it is logged in."""
        waiting: Deferred[ClientProtocol] = Deferred()
        if self.online and self._protocol is not None:
            waiting.callback(self._protocol)
        elif self.running:
            self._waiting.append(waiting)
        else:
            waiting.cancel()
        return waiting

    async def ask(self, command: Command) -> Any:
        """Send a request when logged in. Returns its typed reply, or raises Refused or AnswerLost."""
        return await (await self.ready()).ask(command)

    async def ask_with_retry(self, command: Command) -> Any:
        """Send a request, and again as long as the server says that it is too much or that it is not available."""
        while True:
            try:
                return await self.ask(command)
            except Refused as refused:
                if refused.code not in TRANSIENT:
                    raise
                await deferLater(self._reactor, _retry_after(refused.params, 1))

    def drop(self) -> None:
        """Cut the connection; it is made again."""
        if self._protocol is not None:
            self._protocol.transport.abortConnection()

    # Called by the protocol.

    def _verify(self, connection: SSL.Connection) -> None:
        if (fingerprint := self._trust.verify(connection)) is not None:
            self._emit(Trusted(self.account.server, fingerprint))

    def _opened(self, protocol: ClientProtocol) -> None:
        self._protocol = protocol
        self._reason = None
        Deferred.fromCoroutine(self._log_in(protocol)).addErrback(self._login_failed, protocol)

    def _on_server_event(self, event: ServerEvent) -> None:
        if isinstance(event, Closing):
            self._reason = Failure(ClosedByServer(event))
            self._delay = _retry_after(event.params)
        self._emit(event)

    def _lost(self, protocol: ClientProtocol, reason: Failure) -> None:
        if self._protocol is protocol:
            self._protocol = None
        if reason.check(CertificateChanged):
            self._give_up(reason)
        else:
            self._offline(reason)

    def _offline(self, reason: Failure) -> None:
        self.online = False
        self._failures += 1
        if self.running:
            self._emit(Offline(self._reason or reason))

    # Logging in.

    async def _log_in(self, protocol: ClientProtocol) -> None:
        greeting = await protocol.ask(Hello(client=f"imd {__version__}", lang=self.credentials.language))  # type: ignore[arg-type]  # a Language, by where it comes from
        if self.account.check_epoch(greeting.epoch):
            self._emit(Restored())
        if not await self._resume(protocol):
            await self._log_in_with_password(protocol)
        self.online = True
        self._failures = 0
        self._delay = 0
        self._emit(Online(self.account.username))
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(protocol)

    async def _resume(self, protocol: ClientProtocol) -> bool:
        token = self.account.token()
        if token is None:
            return False
        try:
            await protocol.ask(Resume(token=token, replay=False))
        except Refused as refused:
            if refused.code != "invalid_credentials":
                raise
            self.account.set_token(None)
            return False
        return True

    async def _log_in_with_password(self, protocol: ClientProtocol) -> None:
        credentials = self.credentials
        if not credentials.password:
            raise LoginNeeded
        login = Login(
            username=self.account.username,
            password=credentials.password,
            device=credentials.device[:64],
            replay=False,
            code=credentials.code,
        )
        credentials.code = ""
        try:
            reply = await protocol.ask(login)
        except Refused as refused:
            if wants_code(refused) and not login.code:
                raise CodeNeeded from None
            if refused.code != "invalid_credentials" or wants_code(refused) or not credentials.register:
                raise
            await self._register(protocol, refused)
            reply = await protocol.ask(login)
        self.account.set_token(reply.token)

    async def _register(self, protocol: ClientProtocol, wrong: Refused) -> None:
        credentials = self.credentials
        try:
            await protocol.ask(
                Register(username=self.account.username, password=credentials.password, invite=credentials.invite)
            )
        except Refused as refused:
            raise (wrong if refused.code == "name_taken" else refused) from None

    def _login_failed(self, reason: Failure, protocol: ClientProtocol) -> None:
        """Handle a failed login: give up, or try again later."""
        if reason.check(AnswerLost):
            return
        refused = reason.value
        if isinstance(refused, Refused) and refused.code in TRANSIENT | {"internal"}:
            self._reason = reason
            self._delay = _retry_after(refused.params)
        else:
            self._give_up(reason)
        protocol.transport.loseConnection()

    def _give_up(self, reason: Failure) -> None:
        self.online = False
        if self.running:
            self.stopService().addErrback(lambda failure: self._log.failure("stopping", failure))
            self._emit(GaveUp(reason))
