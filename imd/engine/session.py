"""The session of one connection: it pulls requests, checks them, and has them answered in order.

A write may start while earlier writes are under way, since the writer keeps their order. Any other request waits for
all requests before it, and later ones wait for it, so that a session reads what it wrote.
"""

import time
from collections import deque
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from imd.chat.base.context import Caller
from imd.chat.base.effects import Outcome, SignIn
from imd.chat.base.handlers import HANDLERS, Handler, Lane
from imd.engine import effects, gate
from imd.engine.connection import Connection
from imd.engine.effects import When
from imd.engine.encoded_event import EncodedEvent
from imd.engine.replay import Replay
from imd.engine.security_log import SecurityLog
from imd.engine.server import Server
from imd.store.transaction import Tx
from imd.wire import jsonline, textline
from imd.wire.base import Command, Dialect, Reply, Request
from imd.wire.messages import Sent
from imd.wire.refusals import AuthRequired, RateLimited, Refusal
from imd.wire.session import Closing, Welcome

WRITE_BYTES = 65_536
"""If more bytes are queued, they are written first, to learn whether the peer can take more."""

PIPELINE = 128
"""How many writes of one session may be under way."""

_NOBODY = SignIn(account=0, username="", language="", admin=False, device=0, label="", replay=False)


@attrs.define(eq=False)
class Session:
    """One connection's conversation with the server."""

    log = Logger()

    server: Server
    connection: Connection
    address: str = ""
    identity: SignIn | None = None
    """The account that is logged in."""

    operator: bool = False
    """Whether this is the operator's socket: an admin without an account."""

    too_fast: bool = attrs.field(default=False, init=False)
    """Whether the latest request came too fast."""

    language: str = attrs.field(default=attrs.Factory(lambda self: self.server.language, takes_self=True))

    dialect: Dialect = textline.DIALECT
    """The dialect of the latest request."""

    entering: bool = attrs.field(default=False, init=False)
    """Whether a login is under way. How long a line may be depends on its outcome."""

    lines: list[bytes] = attrs.field(factory=list, init=False)
    """The queued output, written at the end of this turn."""

    size: int = attrs.field(default=0, init=False)
    """The bytes of the queued output."""

    _waiting: deque[Request] = attrs.field(factory=deque, init=False)
    """Requests that were taken, but may not start yet."""

    _drained_dry: bool = attrs.field(default=False, init=False)
    """Whether the connection had no more requests. It calls `pull` when it has."""

    _chose_language: bool = attrs.field(default=False, init=False)
    _under_way: int = attrs.field(default=0, init=False)
    _lane: Lane = attrs.field(default=Lane.LIVE, init=False)
    _pulling: bool = attrs.field(default=False, init=False)
    _in_input: bool = attrs.field(default=False, init=False)
    """Whether the connection will flush after its input is processed."""

    _over: bool = attrs.field(default=False, init=False)
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

    # -- called by the connection

    def begin(self) -> None:
        """Start the timer within which the client must log in."""
        if not self.operator:
            self._deadline = self.server.reactor.callLater(self.server.limits.login_seconds, self._too_late)

    def greet(self) -> None:
        """Welcome a person who has said nothing yet."""
        self.tell(EncodedEvent((), Welcome(server="imd")))

    def pull(self) -> None:
        """Start all requests that may start now."""
        if self._pulling:  # a command that finishes at once calls this again: do not recurse for each
            return
        self._pulling = True
        try:
            while not (self._over or self.entering or self.connection.congested):
                if self.size > WRITE_BYTES:
                    self.flush()
                    continue
                if not self._waiting:
                    request = self.connection.next_request()
                    self._drained_dry = request is None
                    if request is None:
                        break
                    self.dialect = request.dialect
                    self._waiting.append(request)
                if not self._start(self._waiting[0]):
                    break
                if self._in_input and not (self.entering or self._waiting or self.connection.more):
                    self._drained_dry = True
                    break
        finally:
            self._pulling = False

    def received(self) -> None:
        """Continue: there is input, or the peer has read what it was sent."""
        self._in_input = True
        try:
            if self._replay is not None:
                self._replay.proceed()
            self.pull()
        finally:
            self._in_input = False
            if self.lines:
                self.flush()

    def ended(self) -> None:
        """Clean up: the connection is gone."""
        self._end()
        self._stop_deadline()
        if self.identity is not None:
            self.server.leave(self.identity.account, self)

    def _end(self) -> None:
        """Do nothing more. Commands under way are finished without a reply."""
        self._over = True
        self._waiting.clear()
        self.lines, self.size = [], 0
        self.server.pacing.gone(self)
        self._stop_replay()

    # -- events

    def hear(self, event: EncodedEvent) -> None:
        """Receive an event; during a replay it is held until the end."""
        if self._replay is not None:
            self._replay.hold(event)
        else:
            self.tell(event)

    def tell(self, event: EncodedEvent) -> None:
        """Write an event, if this dialect shows it."""
        if self._over:
            return
        if line := event.line(self.dialect, self.language):
            self.send(line)
        if self.dialect.for_people:
            self.connection.told(event)

    def send(self, line: bytes) -> None:
        """Queue a line. It is written together with the others of this turn."""
        if not (self.lines or self._in_input):
            self.server.pacing.flush_soon(self)
        self.lines.append(line)
        self.size += len(line)

    def flush(self) -> None:
        """Write what is queued."""
        if self.lines:
            lines, self.lines, self.size = self.lines, [], 0
            self.connection.write(lines)

    def ready(self) -> bool:
        """Say whether the peer can take more. If much is queued, it is written first, to find out."""
        if self.size > WRITE_BYTES:
            self.flush()
        return not self.connection.congested

    def revoke(self) -> None:
        """End because the device was logged out. Its holder may see nothing more, not even what is queued."""
        if self.connection.congested:
            self.lines, self.size = [], 0
        self.connection.drop()
        self.close(AuthRequired("revoked"))

    def close(self, refusal: Refusal) -> None:
        """Tell the client why, and end."""
        if self._over:
            return
        self.server.refused(refusal)
        self._security_log.closed(refusal.code, self.identity)
        message = jsonline.sentence(refusal, self.language)
        self.tell(EncodedEvent((), Closing(code=refusal.code, message=message, params=refusal.params)))
        self.hang_up()

    def hang_up(self) -> None:
        """End after sending what is queued."""
        if not self._over:
            self.flush()
            self._end()
            self.connection.hang_up()

    # -- requests, in order

    def _start(self, request: Request) -> bool:
        """Start a request and give True, or leave it waiting. A refusal waits for earlier replies too."""
        refusal = self._objection(request)
        if self._under_way and (refusal is not None or not self._may_follow(request)):
            return False
        self._waiting.popleft()
        if refusal is not None:
            self._refuse(request, refusal)
        elif request.notice:
            self.send(textline.DIALECT.notice(request.notice, self.language))
        elif request.command is not None:
            self._run(request, request.command, HANDLERS[type(request.command)])
        return True

    def _objection(self, request: Request) -> Refusal | None:
        """Return the refusal of a request, if any: its line is bad, it came too fast, or it is not allowed."""
        if not (request.charged or request.silent or request.notice):
            self._charge(request)
        if request.refusal is not None or request.command is None:
            return request.refusal
        assert request.spec is not None
        admin = self.operator or (self.identity is not None and self.identity.admin)
        try:
            gate.check(request.spec, logged_in=self.identity is not None, admin=admin)
            self.server.check_room(request.spec.shape, logged_in=self.identity is not None)
        except Refusal as refusal:
            return refusal
        return None

    def _charge(self, request: Request) -> None:
        request.charged, self.too_fast = True, False
        try:
            self._bucket.take(self.server.limits, self.server.reactor.seconds())
        except RateLimited as refusal:
            request.refusal, self.too_fast = refusal, True

    def _may_follow(self, request: Request) -> bool:
        writes = request.command is not None and HANDLERS[type(request.command)].lane is Lane.WRITES
        return writes and self._lane is Lane.WRITES and self._under_way < PIPELINE

    def _run(self, request: Request, command: Command, handler: Handler) -> None:
        self._lane = handler.lane
        self._under_way += 1
        self.entering = self.identity is None and handler.lane is Lane.SLOW
        if self.server.metrics is not None:
            request.begun = time.perf_counter()
        if handler.lane is Lane.WRITES:
            self._write(request, command, handler)
        else:
            running = Deferred.fromCoroutine(self._ask(request, command))
            running.addErrback(lambda failure: self.log.failure("a reply was not delivered", failure))

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
        """Run a write. Reply and events are encoded before the commit, so that nothing unsendable is stored."""
        caller, language = self._caller(), self.language

        def work(tx: Tx) -> tuple[Outcome[Reply], bytes, list[EncodedEvent]]:
            outcome = handler.run(tx, caller, command)
            line = request.dialect.reply(request, outcome.reply, language)
            return outcome, line, EncodedEvent.all(outcome.told)

        def done(value: Any, error: Exception | None) -> None:
            try:
                if error is None:
                    outcome, line, events = value
                    if outcome.effects:
                        effects.apply(When.BEFORE_REPLY, outcome.effects, self.server, self)
                    self._deliver(request, outcome, line, events)
                else:
                    self._failed(request, error)
            finally:
                self._finished()

        self.server.database.write(work, done)

    async def _ask(self, request: Request, command: Command) -> None:
        """Run a command that is not a write, and answer it."""
        try:
            outcome = await self.server.outcome(self._caller(), command)
            effects.apply(When.BEFORE_REPLY, outcome.effects, self.server, self)
            line = request.dialect.reply(request, outcome.reply, self.language)
            events = EncodedEvent.all(outcome.told)
        except Exception as error:
            self._failed(request, error)
        else:
            self._deliver(request, outcome, line, events)
        finally:
            try:
                if self._lane is not Lane.LIVE:
                    self.flush()  # it did not come with a commit, so it need not wait for the pacing
            finally:
                self._finished()

    def _deliver(self, request: Request, outcome: Outcome[Reply], line: bytes, events: list[EncodedEvent]) -> None:
        """Send the reply, then the events to others."""
        identity = self.identity
        if self.server.metrics is not None:
            self.server.metrics.answered(request, outcome.reply)
        if not self._over and not request.silent:
            self.server.pacing.catch_up(self)  # events of earlier changes come before this reply
            self.send(line)
        self.server.spread(events, outcome.effects, session=self)
        self._security_log.answered(request, self.identity or identity)
        if self._replay is not None and isinstance(outcome.reply, Sent):
            self._replay.sent(outcome.reply.conversation, outcome.reply.seq)
        if request.replied is not None:
            self._waiting.extendleft(request.replied(outcome.reply))

    def _failed(self, request: Request, error: Exception) -> None:
        self._refuse(request, self.server.excuse(error, request.spec.action if request.spec else ""))

    def _refuse(self, request: Request, refusal: Refusal) -> None:
        self.server.refused(refusal)
        self._security_log.refused(request, refusal.code, self.identity)
        if not self._over and not request.silent:
            self.send(request.dialect.refusal(request, refusal, self.language))

    def _finished(self) -> None:
        self._under_way -= 1
        self.entering = False
        if self._waiting or not self._drained_dry:
            self.pull()

    # -- called by effects

    def choose_language(self, language: str) -> None:
        """Use the language that was chosen on this connection."""
        self.language, self._chose_language = language, True

    def prefer_language(self, language: str) -> None:
        """Use the language of the account that logs in, unless one was chosen on this connection."""
        if language and not self._chose_language:
            self.language = language

    def sign_in(self, identity: SignIn) -> None:
        """Act for an account from now on."""
        if self._over:
            return
        self.identity = identity
        self._stop_deadline()
        self.connection.identified(True)
        self.server.enter(identity, self)
        self._replay = Replay(self.server, self, self._caller(), messages=identity.replay)
        self._replay.begin()

    def sign_out(self) -> None:
        """Act for no account any more."""
        if self._over or self.identity is None:
            return
        self.server.leave(self.identity.account, self)
        self.identity = None
        self.connection.identified(False)
        self._stop_replay()
        self.begin()

    # -- called by the replay

    def replay_over(self) -> None:
        """Receive events directly again."""
        self._replay = None

    def _stop_replay(self) -> None:
        if self._replay is not None:
            self._replay.stop()
            self._replay = None

    def _too_late(self) -> None:
        self._deadline = None
        self.close(AuthRequired("late", seconds=self.server.limits.login_seconds))

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
