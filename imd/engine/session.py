"""The session of one connection, without any I/O: requests in, lines out, in order.

A request waits until it may start. Writes are pipelined: one may start while earlier writes of the same session are in
the writer's queue, since the writer keeps their order. Everything else waits for what came before, and what comes
after waits for it; so replies come in request order, and a session reads what it wrote.
"""

import secrets
from collections import deque
from typing import Any, Protocol

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from imd.chat.lanes import HANDLERS, Handler, Lane, Leave, Me, Outcome, SignIn, SignOut, Speak
from imd.engine import gate
from imd.engine.announcement import Announcement
from imd.engine.house import House
from imd.engine.replay import Replay
from imd.store.db import StoreUnavailable
from imd.store.transaction import Tx
from imd.wire import jsonline, textline
from imd.wire.base import Command, Reply, Request, registry
from imd.wire.messages import NewMessage, SendMessage
from imd.wire.receipts import Ack, Read
from imd.wire.refusals import AuthRequired, Internal, Refusal, Unavailable
from imd.wire.session import Closing, Welcome

PIPELINE = 128
"""How many requests of one session may be under way or waiting before its connection is not read any more."""


class Outlet(Protocol):
    """The connection as a session sees it."""

    congested: bool
    """Whether the peer is behind in reading."""

    def send(self, line: bytes) -> None:
        """Queue a line, without its end."""

    def hang_up(self) -> None:
        """Send what is queued and close."""

    def listen(self, attentive: bool) -> None:
        """Go on or stop reading."""

    def known(self, logged_in: bool) -> None:
        """Learn whether the connection is somebody's, or a stranger's."""


@attrs.define(eq=False)
class Session:
    """One connection's conversation with the house."""

    log = Logger()

    house: House
    outlet: Outlet
    address: str = ""
    me: SignIn | None = None
    """Whom the session speaks for."""

    operator: bool = False
    """Whether this is the operator's own socket: an admin, and nobody's account."""

    dialect: Any = textline.DIALECT
    language: str = attrs.field(default=attrs.Factory(lambda self: self.house.language, takes_self=True))

    _waiting: deque[Request] = attrs.field(factory=deque, init=False)
    _under_way: int = attrs.field(default=0, init=False)
    _lane: Lane = attrs.field(default=Lane.LIVE, init=False)
    _deaf: bool = attrs.field(default=False, init=False)
    _over: bool = attrs.field(default=False, init=False)
    _shown: dict[int, int] = attrs.field(factory=dict, init=False)
    _unanswered: set[int] = attrs.field(factory=set, init=False)
    _replay: Replay | None = attrs.field(default=None, init=False)
    _deadline: IDelayedCall | None = attrs.field(default=None, init=False)
    _bucket: gate.Bucket = attrs.field(
        default=attrs.Factory(
            lambda self: gate.Bucket.full(self.house.limits, self.house.reactor.seconds()), takes_self=True
        ),
        init=False,
    )

    # -- what the connection reports

    def begin(self) -> None:
        """Start the time within which somebody must log in."""
        if not self.operator:
            self._deadline = self.house.reactor.callLater(self.house.limits.login_seconds, self._too_late)

    def greet(self) -> None:
        """Welcome whoever stays silent."""
        self.tell(Announcement.of((), Welcome(server="imd")))

    def receive(self, request: Request) -> None:
        """Take a request in."""
        if self._over:
            return
        self.dialect = request.dialect
        if request.dialect is textline.DIALECT:
            self._count_shown_as_delivered()
        self._waiting.append(request)
        self._advance()

    def drained(self) -> None:
        """Go on with what waited for the peer to read."""
        if self._replay is not None:
            self._replay.proceed()

    def ended(self) -> None:
        """Forget the connection: it is gone."""
        self._over = True
        self._waiting.clear()
        self._stop_deadline()
        if self.me is not None:
            self.house.audience.leave(self.me.account, self)
        if self._replay is not None:
            self._replay.stop()

    # -- what the house tells

    def hear(self, announcement: Announcement) -> None:
        """Hear what an account of this session is told; during a replay, after it."""
        if self._replay is not None:
            self._replay.hold(announcement)
        else:
            self.tell(announcement)

    def tell(self, announcement: Announcement) -> None:
        """Write an event in the dialect of the latest request."""
        if self.dialect is jsonline.DIALECT:
            self.outlet.send(announcement.json)
            return
        if text := announcement.text(self.language):
            self.outlet.send(text)
        if isinstance(event := announcement.event, NewMessage):
            self._shown[event.conversation] = event.seq
            self._unanswered.add(event.conversation)

    def close(self, refusal: Refusal) -> None:
        """Say why, and end."""
        if self._over:
            return
        closing = Closing(code=refusal.code, message=jsonline.sentence(refusal, self.language))
        self.outlet.send(self.dialect.event(closing, self.language))
        self._over = True
        self.outlet.hang_up()

    # -- requests, in order

    def _advance(self) -> None:
        while self._waiting and self._may_start(self._waiting[0]):
            self._start(self._waiting.popleft())
        busy = len(self._waiting) + self._under_way
        if busy >= PIPELINE and not self._deaf:
            self._deaf = True
            self.outlet.listen(False)
        elif self._deaf and busy < PIPELINE // 2:
            self._deaf = False
            self.outlet.listen(True)

    def _may_start(self, request: Request) -> bool:
        if not self._under_way:
            return True
        writes = request.command is not None and HANDLERS[type(request.command)].lane is Lane.WRITES
        return writes and self._lane is Lane.WRITES and self._under_way < PIPELINE

    def _start(self, request: Request) -> None:
        if request.notice:
            self.outlet.send(textline.DIALECT.notice(request.notice, self.language))
            return
        try:
            if not request.silent:
                self._bucket.take(self.house.reactor.seconds())
            if request.refusal is not None:
                raise request.refusal
            assert request.spec is not None
            assert request.command is not None
            admin = self.operator or (self.me is not None and self.me.admin)
            gate.check(request.spec, logged_in=self.me is not None, admin=admin)
        except Refusal as refusal:
            self._refuse(request, refusal)
            return
        handler = HANDLERS[type(request.command)]
        self._lane = handler.lane
        self._under_way += 1
        if handler.lane is Lane.WRITES:
            self._write(request, request.command, handler)
        else:
            Deferred.fromCoroutine(self._run(request, request.command))

    def _me(self) -> Me:
        limits, now, me = self.house.limits, self.house.now(), self.me
        if me is None:
            return Me(now=now, limits=limits, language=self.language, admin=self.operator, address=self.address)
        return Me(
            now=now,
            limits=limits,
            language=self.language,
            account=me.account,
            username=me.username,
            display_name=me.display_name,
            device=me.device,
            label=me.label,
            admin=me.admin,
            address=self.address,
        )

    def _write(self, request: Request, command: Command, handler: Handler) -> None:
        me, language = self._me(), self.language

        def work(tx: Tx) -> tuple[Outcome[Reply], bytes, list[Announcement]]:
            outcome = handler.run(tx, me, command)
            line = request.dialect.reply(request, outcome.reply, language)
            return outcome, line, [Announcement.of(*told) for told in outcome.told]

        def done(value: Any, error: Exception | None) -> None:
            if error is not None:
                self._failed(request, error)
            else:
                self._deliver(request, *value)
            self._finished()

        self.house.database.write(work, done)

    async def _run(self, request: Request, command: Command) -> None:
        """Run a command that is not a write, answer it, and go on. Lets no error out."""
        try:
            outcome = await self.house.outcome(self._me(), command)
            self.language = next((each.language for each in outcome.effects if isinstance(each, Speak)), self.language)
            line = request.dialect.reply(request, outcome.reply, self.language)
            self._deliver(request, outcome, line, [Announcement.of(*told) for told in outcome.told])
        except Exception as error:
            self._failed(request, error)
        self._finished()

    def _deliver(
        self, request: Request, outcome: Outcome[Reply], line: bytes, announcements: list[Announcement]
    ) -> None:
        """Answer, then tell the others; the one who asked knows by the answer."""
        if not self._over and not request.silent:
            self.outlet.send(line)
        self.house.publish(announcements, besides=self)
        self.house.carry_out(outcome.effects, besides=self)
        for effect in outcome.effects:
            self._apply(effect)
        if request.dialect is textline.DIALECT and isinstance(request.command, SendMessage):
            self._count_answered_as_read(outcome)

    def _apply(self, effect: object) -> None:
        if self._over:
            return
        if isinstance(effect, SignIn):
            self._sign_in(effect)
        elif isinstance(effect, SignOut):
            self._sign_out()
        elif isinstance(effect, Leave):
            self._over = True
            self.outlet.hang_up()

    def _failed(self, request: Request, error: Exception) -> None:
        if isinstance(error, StoreUnavailable):
            error = Unavailable()
        elif not isinstance(error, Refusal):
            reference = secrets.token_hex(4)
            action = request.spec.action if request.spec else ""
            self.log.failure("fault {reference} in {action}", Failure(error), reference=reference, action=action)
            error = Internal(reference=reference)
        self._refuse(request, error)

    def _refuse(self, request: Request, refusal: Refusal) -> None:
        if not self._over and not request.silent:
            self.outlet.send(request.dialect.refusal(request, refusal, self.language))

    def _finished(self) -> None:
        self._under_way -= 1
        self._advance()

    # -- logging in and out

    def _sign_in(self, me: SignIn) -> None:
        self.me = me
        self._stop_deadline()
        self.outlet.known(True)
        self.house.audience.enter(me.account, self)
        if me.replay:
            self._replay = Replay(self.house, self, self._me())
            self._replay.begin()

    def congested(self) -> bool:
        """Say whether the peer is behind in reading."""
        return self.outlet.congested

    def replay_over(self) -> None:
        """Hear events directly again."""
        self._replay = None

    def _sign_out(self) -> None:
        assert self.me is not None
        self.house.audience.leave(self.me.account, self)
        self.me = None
        self.outlet.known(False)
        if self._replay is not None:
            self._replay.stop()
            self._replay = None
        self._shown.clear()
        self._unanswered.clear()
        self.begin()

    def _too_late(self) -> None:
        self._deadline = None
        self.close(AuthRequired("late", seconds=self.house.limits.login_seconds))

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    # -- what a person at a terminal does without saying so (PROTOCOL section 6.7)

    def _count_shown_as_delivered(self) -> None:
        """Take the next typed line as a sign that what was shown has arrived."""
        if not self._shown or self.me is None or self.outlet.congested:
            return
        for conversation, seq in self._shown.items():
            self._waiting.append(_silent("ack", Ack(conversation=conversation, seq=seq)))
        self._shown.clear()

    def _count_answered_as_read(self, outcome: Outcome[Reply]) -> None:
        """Take an answer as a sign that what it answers was read."""
        conversation = getattr(outcome.reply, "conversation", 0)
        if conversation in self._unanswered:
            self._unanswered.discard(conversation)
            self._waiting.appendleft(_silent("read", Read(conversation=conversation, seq=None)))


def _silent(action: str, command: Command) -> Request:
    """Make a request that nobody typed and nobody hears the answer of."""
    return Request(dialect=textline.DIALECT, spec=registry.actions[action], command=command, silent=True)
