"""The session of one connection, without any I/O: requests in, lines out, in order.

A request waits until it may start. Writes are pipelined: one may start while earlier writes of the same session are in
the writer's queue, since the writer keeps their order. Everything else waits for what came before, and what comes
after waits for it; so replies come in request order, and a session reads what it wrote.
"""

import time
from collections import deque
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from imd.chat.base.context import Caller
from imd.chat.base.effects import CloseConnection, DropDevices, Effect, Outcome, SetLanguage, SignIn, SignOut
from imd.chat.base.handlers import HANDLERS, Handler, Lane
from imd.engine import gate
from imd.engine.connection import Connection
from imd.engine.encoded_event import EncodedEvent
from imd.engine.implicit_acks import ImplicitAcks
from imd.engine.replay import Replay
from imd.engine.security_log import SecurityLog
from imd.engine.server import Server
from imd.store.transaction import Tx
from imd.wire import jsonline, textline
from imd.wire.base import Command, Reply, Request
from imd.wire.messages import Sent
from imd.wire.refusals import AuthRequired, RateLimited, Refusal
from imd.wire.session import Closing, Welcome

PIPELINE = 128
"""How many requests of one session may be under way or waiting before its connection is not read any more."""

_NOBODY = SignIn(account=0, username="", language="", admin=False, device=0, label="", replay=False)


@attrs.define(eq=False)
class Session:
    """One connection's conversation with the house."""

    log = Logger()

    server: Server
    connection: Connection
    address: str = ""
    identity: SignIn | None = None
    """Whom the session speaks for."""

    operator: bool = False
    """Whether this is the operator's own socket: an admin, and nobody's account."""

    hurried: bool = attrs.field(default=False, init=False)
    """Whether the latest request came too fast."""

    dialect: Any = textline.DIALECT
    language: str = attrs.field(default=attrs.Factory(lambda self: self.server.language, takes_self=True))

    _chosen: bool = attrs.field(default=False, init=False)
    _waiting: deque[Request] = attrs.field(factory=deque, init=False)
    _under_way: int = attrs.field(default=0, init=False)
    _lane: Lane = attrs.field(default=Lane.LIVE, init=False)
    _advancing: bool = attrs.field(default=False, init=False)
    _deaf: bool = attrs.field(default=False, init=False)
    _over: bool = attrs.field(default=False, init=False)
    _implicit_acks: ImplicitAcks = attrs.field(factory=ImplicitAcks, init=False)
    _replay: Replay | None = attrs.field(default=None, init=False)
    _security_log: SecurityLog = attrs.field(
        default=attrs.Factory(lambda self: SecurityLog(self.address), takes_self=True), init=False
    )
    _deadline: IDelayedCall | None = attrs.field(default=None, init=False)
    _bucket: gate.Bucket = attrs.field(
        default=attrs.Factory(
            lambda self: gate.Bucket.full(self.server.limits, self.server.reactor.seconds()), takes_self=True
        ),
        init=False,
    )

    # -- what the connection reports

    def begin(self) -> None:
        """Start the time within which somebody must log in."""
        if not self.operator:
            self._deadline = self.server.reactor.callLater(self.server.limits.login_seconds, self._too_late)

    def greet(self) -> None:
        """Welcome whoever stays silent."""
        self.tell(EncodedEvent.of((), Welcome(server="imd")))

    def receive(self, request: Request) -> None:
        """Take a request in."""
        if self._over:
            return
        self.dialect = request.dialect
        if request.dialect is textline.DIALECT and self.identity is not None and not self.connection.congested:
            self._waiting += self._implicit_acks.typed()
        if not request.notice:
            self.hurried = False
            try:
                self._bucket.take(self.server.limits, self.server.reactor.seconds())
            except RateLimited as refusal:
                request.refusal = refusal
                self.hurried = True
        self._waiting.append(request)
        self._advance()

    def drained(self) -> None:
        """Go on with what waited for the peer to read."""
        if self._replay is not None:
            self._replay.proceed()
        self._advance()

    def ended(self) -> None:
        """Forget the connection: it is gone."""
        self._end()
        self._stop_deadline()
        if self.identity is not None:
            self.server.hub.leave(self.identity.account, self)

    def _end(self) -> None:
        """Do nothing more: what waits is dropped, what is under way is finished unheard."""
        self._over = True
        self._waiting.clear()
        self._stop_replay()

    # -- what the house tells

    def hear(self, encoded: EncodedEvent) -> None:
        """Hear what an account of this session is told; during a replay, after it."""
        if self._replay is not None:
            self._replay.hold(encoded)
        else:
            self.tell(encoded)

    def tell(self, encoded: EncodedEvent) -> None:
        """Write an event in the dialect of the latest request."""
        if self._over:
            return
        if self.dialect is jsonline.DIALECT:
            self.connection.send(encoded.json)
            return
        if text := encoded.text(self.language):
            self.connection.send(text)
        self._implicit_acks.show(encoded.event)

    def cut(self) -> None:
        """End since the device was logged out: nothing more is shown to whoever holds it, not even what waits."""
        self.connection.forget()
        self.close(AuthRequired("revoked"))

    def close(self, refusal: Refusal) -> None:
        """Say why, and end."""
        if self._over:
            return
        self.server.refused(refusal)
        self._security_log.closed(refusal.code, self.identity)
        message = jsonline.sentence(refusal, self.language)
        closing = Closing(code=refusal.code, message=message, params=refusal.params)
        self.connection.send(self.dialect.event(closing, self.language))
        self._end()
        self.connection.hang_up()

    # -- requests, in order

    def _advance(self) -> None:
        """Start what may start. What is done at once comes back here, and must not pile up on the stack."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._waiting and self.connection.ready() and self._take_turn(self._waiting[0]):
                pass
        finally:
            self._advancing = False
        busy = len(self._waiting) + self._under_way
        entering = (
            self.identity is None and self._under_way and self._lane is Lane.SLOW
        )  # how much it may say is not known
        deaf = bool(entering) or busy >= (PIPELINE // 2 if self._deaf else PIPELINE)
        if deaf is not self._deaf:
            self._deaf = deaf
            self.connection.listen(not deaf)

    def _take_turn(self, request: Request) -> bool:
        """Start a request, or leave it waiting. A write may follow writes; a refusal is said in its turn."""
        refusal = self._objection(request)
        if self._under_way and (refusal is not None or not self._may_follow(request)):
            return False
        self._waiting.popleft()
        if refusal is not None:
            self._refuse(request, refusal)
        elif request.notice:
            self.connection.send(textline.DIALECT.notice(request.notice, self.language))
        else:
            self._start(request)
        return True

    def _objection(self, request: Request) -> Refusal | None:
        """Give what speaks against a request: its own line, the limits, or the gate."""
        if request.refusal is not None or request.spec is None:
            return request.refusal
        admin = self.operator or (self.identity is not None and self.identity.admin)
        try:
            gate.check(request.spec, logged_in=self.identity is not None, admin=admin)
            if request.spec.shape.grows:
                self.server.disk.check(self.server.limits.disk_reserve_mb)
            if request.spec.shape.enters and self.identity is None and self.server.hub.full:
                raise RateLimited("full", retry_after=self.server.limits.login_seconds)
        except Refusal as refusal:
            return refusal
        return None

    def _may_follow(self, request: Request) -> bool:
        writes = request.command is not None and HANDLERS[type(request.command)].lane is Lane.WRITES
        return writes and self._lane is Lane.WRITES and self._under_way < PIPELINE

    def _start(self, request: Request) -> None:
        assert request.command is not None
        handler = HANDLERS[type(request.command)]
        self._lane = handler.lane
        self._under_way += 1
        if self.server.metrics is not None:
            request.begun = time.perf_counter()
        if handler.lane is Lane.WRITES:
            self._write(request, request.command, handler)
        else:
            running = Deferred.fromCoroutine(self._run(request, request.command))
            running.addErrback(lambda failure: self.log.failure("an answer was not delivered", failure))

    def _caller(self) -> Caller:
        identity = self.identity or _NOBODY
        return self.server.caller(
            language=self.language,
            account=identity.account,
            username=identity.username,
            device=identity.device,
            label=identity.label,
            admin=identity.admin or self.operator,
            address=self.address,
            online=self.server.online,
        )

    def _write(self, request: Request, command: Command, handler: Handler) -> None:
        identity, language = self._caller(), self.language

        def work(tx: Tx) -> tuple[Outcome[Reply], bytes, list[EncodedEvent]]:
            outcome = handler.run(tx, identity, command)
            line = request.dialect.reply(request, outcome.reply, language)
            return outcome, line, [EncodedEvent.of(*told) for told in outcome.told]

        def done(value: Any, error: Exception | None) -> None:
            try:
                if error is not None:
                    self._failed(request, error)
                else:
                    self._deliver(request, *value)
            finally:
                self._finished()

        self.server.database.write(work, done)

    async def _run(self, request: Request, command: Command) -> None:
        """Run a command that is not a write, answer it, and go on."""
        try:
            outcome = await self.server.outcome(self._caller(), command)
            self._heed(outcome.effects)
            line = request.dialect.reply(request, outcome.reply, self.language)
            events = [EncodedEvent.of(*told) for told in outcome.told]
        except Exception as error:
            self._failed(request, error)
        else:
            self._deliver(request, outcome, line, events)
        finally:
            try:
                if self._lane is not Lane.LIVE:
                    self.connection.flush()  # it came in a turn of its own: it need not wait for what commits write
            finally:
                self._finished()

    def _deliver(self, request: Request, outcome: Outcome[Reply], line: bytes, events: list[EncodedEvent]) -> None:
        """Answer, then tell the others; the one who asked knows by the answer."""
        if self.server.metrics is not None:
            self.server.metrics.answered(request, outcome.reply)
        self._heed(outcome.effects)
        if not self._over and not request.silent:
            self.server.hub.catch_up(self)  # of two changes the earlier is told first, though it was another's
            self.connection.send(line)
        self.server.spread(events, outcome.effects, besides=self)
        was = self.identity
        for effect in outcome.effects:
            self._apply(effect)
        self._security_log.answered(request, self.identity or was)
        if isinstance(outcome.reply, Sent):
            self._note_sent(request, outcome.reply)

    def _heed(self, effects: tuple[Effect, ...]) -> None:
        """Speak the language that was chosen on this connection, else the one of who logs in."""
        for effect in effects:
            if isinstance(effect, SetLanguage):
                self.language, self._chosen = effect.language, True
            elif isinstance(effect, SignIn) and effect.language and not self._chosen:
                self.language = effect.language

    def _note_sent(self, request: Request, sent: Sent) -> None:
        """Remember what this session sent: a replay leaves it out, and a person who answers has read."""
        if self._replay is not None:
            self._replay.sent(sent.conversation, sent.seq)
        if request.dialect is textline.DIALECT:
            self._waiting.extendleft(self._implicit_acks.answered(sent.conversation))

    def _apply(self, effect: object) -> None:
        if self._over:
            return
        if isinstance(effect, SignIn):
            self._sign_in(effect)
        elif isinstance(effect, SignOut):
            self._sign_out()
        elif isinstance(effect, DropDevices):
            if (
                self.identity is not None
                and self.identity.account == effect.account
                and self.identity.device in effect.devices
            ):
                self.cut()
        elif isinstance(effect, CloseConnection):
            self._end()
            self.connection.hang_up()

    def _failed(self, request: Request, error: Exception) -> None:
        self._refuse(request, self.server.excuse(error, request.spec.action if request.spec else ""))

    def _refuse(self, request: Request, refusal: Refusal) -> None:
        self.server.refused(refusal)
        self._security_log.refused(request, refusal.code, self.identity)
        if not self._over and not request.silent:
            self.connection.send(request.dialect.refusal(request, refusal, self.language))

    def _finished(self) -> None:
        self._under_way -= 1
        self._advance()

    # -- logging in and out

    def _sign_in(self, identity: SignIn) -> None:
        self.identity = identity
        self._stop_deadline()
        self.connection.known(True)
        self.server.hub.enter(identity.account, self, identity.topics)
        self.server.online.come(identity.account, identity.chosen)
        self._replay = Replay(self.server, self, self._caller(), messages=identity.replay)
        self._replay.begin()

    def ready(self) -> bool:
        """Say whether the peer can take more."""
        return self.connection.ready()

    def replay_over(self) -> None:
        """Hear events directly again."""
        self._replay = None

    def _stop_replay(self) -> None:
        if self._replay is not None:
            self._replay.stop()
            self._replay = None

    def _sign_out(self) -> None:
        assert self.identity is not None
        self.server.hub.leave(self.identity.account, self)
        self.identity = None
        self.connection.known(False)
        self._stop_replay()
        self._implicit_acks = ImplicitAcks()
        self.begin()

    def _too_late(self) -> None:
        self._deadline = None
        self.close(AuthRequired("late", seconds=self.server.limits.login_seconds))

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
