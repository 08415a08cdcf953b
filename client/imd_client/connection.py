"""A connection that keeps itself up: TLS, logging in, and coming back after it was lost.

-> HELLO, then RESUME with the token, or LOGIN with the password (and REGISTER before it, where that was asked for)
   ask(SendMessage(to="bob", content="hi"))  gives Sent(...), or raises Refused or AnswerLost
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
from imd_client.events import GaveUp, Happening, Offline, Online, Restored, Trusted
from imd_client.protocol import AnswerLost, ClientProtocol, Heard, Refused
from imd_client.reactor import turning
from imd_client.state import Account
from imd_client.trust import CertificateChanged, Trust

PASSING = frozenset({"rate_limited", "unavailable"})
"""Refusals that say nothing about the request: the same one may succeed later."""

LONGEST_WAIT = 3600.0
"""Seconds: no server makes us wait longer for the next attempt, whatever it asks for."""

_backoff = backoffPolicy(initialDelay=0.3, maxDelay=30, factor=1.6)


def _asked(params: dict[str, Any], otherwise: float = 0) -> float:
    """Give the seconds that a refusal asks us to wait."""
    seconds = params.get("retry_after")
    return min(seconds, LONGEST_WAIT) if isinstance(seconds, int | float) and seconds >= 0 else otherwise


class LoginNeeded(Exception):
    """There is no token that works, and no password was given."""


class CodeNeeded(Exception):
    """The account has a second factor, and no code was given."""


@attrs.define
class Credentials:
    """How to log in where no token is known. `register` makes the account first if there is none, with the invite.

    `code` is what a second factor asks for; it works once.
    """

    password: str = ""
    code: str = ""
    register: bool = False
    invite: str = ""
    device: str = "imd"
    language: str = "en"


@implementer(IStreamClientEndpoint)
@attrs.define
class _Watched:
    """An endpoint that tells of each attempt that failed; ClientService keeps that to itself."""

    endpoint: Any
    failed: Callable[[Failure], None]

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Try, and tell."""
        attempt: Deferred[Any] = self.endpoint.connect(factory)
        return attempt.addErrback(self._told)

    def _told(self, failure: Failure) -> Failure:
        if not failure.check(CancelledError):
            self.failed(failure)
        return failure


class Connection(Service):
    """One account's connection. `tell` is called with each Happening, in the order they happen.

    `endpoint` takes the place of the address's own endpoint and its TLS, for tests.
    """

    name: str | None = "imd connection"
    _log = Logger()

    def __init__(
        self,
        account: Account,
        credentials: Credentials,
        tell: Callable[[Happening], None],
        *,
        reactor: Any = None,
        endpoint: IStreamClientEndpoint | None = None,
    ) -> None:
        self.account = account
        self.credentials = credentials
        self.online = False
        self._tell = tell
        self._reactor = turning(reactor)
        self._given = endpoint
        self._protocol: ClientProtocol | None = None
        self._waiting: list[Deferred[ClientProtocol]] = []
        self._failures = 0
        self._setback: Failure | None = None
        self._wait = 0.0
        self._trust = Trust(Address.parse(account.server), account.state)
        self._service = self._client_service()

    def _client_service(self) -> ClientService:
        factory = Factory.forProtocol(
            lambda: ClientProtocol(
                self._reactor, self._opened, self._heard, self._lost, None if self._given else self._judge
            )
        )
        factory.noisy = False
        endpoint = self._given or wrapClientTLS(self._trust, self._trust.address.endpoint(self._reactor))
        watched = _Watched(endpoint, self._offline)
        return ClientService(watched, factory, self._pause, self._reactor)

    def _pause(self, attempt: int) -> float:
        """Give the seconds until the next attempt: a login that failed counts like a connection that did."""
        return max(_backoff(max(attempt, self._failures)), self._wait)

    def startService(self) -> None:
        """Begin to connect. After it gave up, it may be started again."""
        super().startService()
        self._failures = 0
        self._wait = 0
        self._service.startService()

    def stopService(self) -> Deferred[None]:
        """Say goodbye. Whoever waits for the connection gets a CancelledError."""
        super().stopService()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.cancel()
        if self._protocol is not None:
            self._protocol.leave()
        return self._service.stopService()

    def ready(self) -> Deferred[ClientProtocol]:
        """Give the connection once it is logged in: now, or when it is back."""
        waiting: Deferred[ClientProtocol] = Deferred()
        if self.online and self._protocol is not None:
            waiting.callback(self._protocol)
        elif self.running:
            self._waiting.append(waiting)
        else:
            waiting.cancel()
        return waiting

    async def ask(self, command: Command) -> Any:
        """Send a request as soon as we are logged in. Gives its typed reply, or raises Refused or AnswerLost."""
        return await (await self.ready()).ask(command)

    async def insist(self, command: Command) -> Any:
        """Ask, and ask again while the server says that it is too much or not now."""
        while True:
            try:
                return await self.ask(command)
            except Refused as refused:
                if refused.code not in PASSING:
                    raise
                await deferLater(self._reactor, _asked(refused.params, 1))

    def drop(self) -> None:
        """Cut the connection; a new one follows by itself."""
        if self._protocol is not None:
            self._protocol.transport.abortConnection()

    # What the protocol tells us.

    def _judge(self, connection: SSL.Connection) -> None:
        if (fingerprint := self._trust.judge(connection)) is not None:
            self._tell(Trusted(self.account.server, fingerprint))

    def _opened(self, protocol: ClientProtocol) -> None:
        self._protocol = protocol
        self._setback = None
        Deferred.fromCoroutine(self._enter(protocol)).addErrback(self._kept_out, protocol)

    def _heard(self, event: Heard) -> None:
        if isinstance(event, Closing):
            self._setback = Failure(ClosedByServer(event))
            self._wait = _asked(event.params)
        self._tell(event)

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
            self._tell(Offline(self._setback or reason))

    # Logging in.

    async def _enter(self, protocol: ClientProtocol) -> None:
        greeting = await protocol.ask(Hello(client=f"imd {__version__}", lang=self.credentials.language))  # type: ignore[arg-type]  # a Language, by where it comes from
        if self.account.meets(greeting.epoch):
            self._tell(Restored())
        if not await self._resumed(protocol):
            await self._logged_in(protocol)
        self.online = True
        self._failures = 0
        self._wait = 0
        self._tell(Online(self.account.username))
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(protocol)

    async def _resumed(self, protocol: ClientProtocol) -> bool:
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

    async def _logged_in(self, protocol: ClientProtocol) -> None:
        mine = self.credentials
        if not mine.password:
            raise LoginNeeded
        login = Login(
            username=self.account.username,
            password=mine.password,
            device=mine.device[:64],
            replay=False,
            code=mine.code,
        )
        mine.code = ""
        try:
            reply = await protocol.ask(login)
        except Refused as refused:
            if wants_code(refused) and not login.code:
                raise CodeNeeded from None
            if refused.code != "invalid_credentials" or wants_code(refused) or not mine.register:
                raise
            await self._registered(protocol, refused)
            reply = await protocol.ask(login)
        self.account.set_token(reply.token)

    async def _registered(self, protocol: ClientProtocol, wrong: Refused) -> None:
        mine = self.credentials
        try:
            await protocol.ask(Register(username=self.account.username, password=mine.password, invite=mine.invite))
        except Refused as refused:
            raise (wrong if refused.code == "name_taken" else refused) from None

    def _kept_out(self, reason: Failure, protocol: ClientProtocol) -> None:
        """Deal with a login that failed: for good, or for now."""
        if reason.check(AnswerLost):
            return
        refused = reason.value
        if isinstance(refused, Refused) and refused.code in PASSING | {"internal"}:
            self._setback = reason
            self._wait = _asked(refused.params)
        else:
            self._give_up(reason)
        protocol.transport.loseConnection()

    def _give_up(self, reason: Failure) -> None:
        self.online = False
        if self.running:
            self.stopService().addErrback(lambda failure: self._log.failure("stopping", failure))
            self._tell(GaveUp(reason))


def wants_code(refused: Refused) -> bool:
    """Say whether the password was right, and the code is what was missing or wrong."""
    return refused.code == "invalid_credentials" and refused.params.get("field") == "code"


class ClosedByServer(Exception):
    """The server said goodbye, and why: `closing.code`, `closing.message`."""

    def __init__(self, closing: Closing) -> None:
        super().__init__(closing.message)
        self.closing = closing
