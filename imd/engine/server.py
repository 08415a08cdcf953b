"""The server without its network: rules, data and shared state. It runs commands, sends events, applies effects."""

import secrets
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any, BinaryIO, TypeVar

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

import imd.chat.capabilities  # noqa: F401  # registers the handlers
from imd.chat.base.context import Caller, Health
from imd.chat.base.effects import ApplyPolicy, Effect, Outcome, SignIn
from imd.chat.base.export_store import ExportStore
from imd.chat.base.handlers import HANDLERS, Lane
from imd.chat.base.limits import Limits
from imd.chat.base.online import Online
from imd.chat.base.presence import departure, still_online
from imd.chat.base.rate_limits import LoginLimit, RegistrationLimit
from imd.chat.base.word_filter import WordFilter
from imd.chat.policies import standing
from imd.engine import effects
from imd.engine.admission import Admission
from imd.engine.disk_guard import DiskGuard
from imd.engine.effects import When
from imd.engine.encoded_event import EncodedEvent
from imd.engine.executor import Executor, ThreadExecutor
from imd.engine.hub import Hub
from imd.engine.jobs import Jobs
from imd.engine.metrics import Metrics
from imd.engine.pacing import Listener, Pacing
from imd.engine.passwords import Passwords
from imd.store.db import Database, QueueFull, StoreUnavailable
from imd.store.transaction import Tx
from imd.wire.base import Command, Reply, registry
from imd.wire.refusals import Internal, RateLimited, Refusal, Unavailable

T = TypeVar("T")

BUSY_SECONDS = 3
"""When to try again after a full queue of writes: about the time that a slow disk takes for the default queue."""


def _wall_clock() -> int:
    return time.time_ns() // 1_000_000


@attrs.define(eq=False)
class Server:
    """One server's rules and data, without its network. It also offers the services that slow handlers await."""

    log = Logger()

    database: Database
    reactor: Any
    """IReactorTime; with threads, the whole reactor."""

    pacing: Pacing = attrs.field(default=attrs.Factory(lambda self: Pacing(self.reactor), takes_self=True))
    """The database passes committed groups to its `deliver`."""

    limits: Limits = attrs.Factory(Limits)
    registration: str = "open"
    """open, invite or closed."""

    language: str = "en"
    """The language of sessions that did not choose one."""

    passwords: Passwords = attrs.field(
        default=attrs.Factory(
            lambda self: Passwords(ThreadExecutor(self.reactor, "passwords", 2, niceness=10)), takes_self=True
        )
    )
    export_executor: Executor = attrs.field(
        default=attrs.Factory(lambda self: ThreadExecutor(self.reactor, "archives"), takes_self=True)
    )
    """Writes and reads exports, in one thread."""

    scratch: Callable[[], BinaryIO] = BytesIO
    """Opens a file for an export. It must disappear when it is closed."""

    now: Callable[[], int] = _wall_clock
    """Milliseconds since 1970."""

    disk: DiskGuard = attrs.Factory(DiskGuard)
    """Guards the free space of the data directory."""

    watch: Callable[[Health], Health] = lambda health: health
    """Adds to the health what only the daemon knows: disk, certificate and backups."""

    hub: Hub = attrs.field(default=attrs.Factory(lambda self: Hub(self.pacing), takes_self=True), init=False)
    admission: Admission = attrs.field(
        default=attrs.Factory(lambda self: Admission(lambda: self.limits), takes_self=True), init=False
    )

    logins: LoginLimit = attrs.field(
        default=attrs.Factory(lambda self: LoginLimit(self.limits.failed_logins, Deferred), takes_self=True), init=False
    )

    registrations: RegistrationLimit = attrs.field(factory=RegistrationLimit, init=False)
    word_filter: WordFilter = attrs.field(factory=WordFilter, init=False)
    """The words that texts for other people may not contain."""

    _configured: tuple[Limits, str] = attrs.field(
        default=attrs.Factory(lambda self: (self.limits, self.registration), takes_self=True), init=False
    )

    _policy: ApplyPolicy = attrs.field(default=ApplyPolicy(None, {}, WordFilter()), init=False)
    online: Online = attrs.field(factory=Online, init=False)
    exports: ExportStore = attrs.field(
        default=attrs.Factory(lambda self: ExportStore(self.scratch, self.aside), takes_self=True), init=False
    )
    metrics: Metrics | None = attrs.field(default=None, init=False)
    jobs: Jobs = attrs.field(
        default=attrs.Factory(
            lambda self: Jobs(self.database, self.reactor, self.now, self.exports.tidy, self.spread), takes_self=True
        ),
        init=False,
    )
    _began: tuple[int, float] = attrs.field(
        default=attrs.Factory(lambda self: (self.now(), self.reactor.seconds()), takes_self=True), init=False
    )

    def __attrs_post_init__(self) -> None:
        self.database.waiting_limit = self.limits.waiting_writes
        unhandled = [spec.action for spec in registry if spec.shape not in HANDLERS]
        if missing := registry.missing_sentences() + unhandled:
            raise ValueError(f"commands without sentences or handler: {', '.join(missing)}")

    @classmethod
    def open(cls, path: str, reactor: Any, **settings: Any) -> "Server":
        """Make a server on an SQLite file. Raises NewerSchema and sqlite3.Error."""
        pacing = Pacing(reactor)
        return cls(Database.open(path, reactor, pacing.deliver), reactor, pacing, **settings)

    def observe(self, metrics: Metrics) -> None:
        """Report to these metrics from now on."""
        self.metrics = metrics
        self.pacing.observe = metrics.committed

    def configure(self, limits: Limits, registration: str, language: str) -> None:
        """Apply another configuration. What admins have set still overrides it."""
        self._configured = limits, registration
        self.language = language
        self.logins.allowed = limits.failed_logins
        self.database.waiting_limit = limits.waiting_writes
        self.apply_policy(self._policy)

    def apply_policy(self, policy: ApplyPolicy) -> None:
        """Let what admins have set override the configuration."""
        self._policy = policy
        limits, registration = self._configured
        self.limits = attrs.evolve(limits, **policy.limits)
        self.registration = policy.registration or registration
        self.word_filter = policy.word_filter

    def caller(self, **who: Any) -> Caller:
        """Make the context of a request, with the time and the rules that apply now."""
        return Caller(
            now=self.now(),
            steady=self.steady(),
            limits=self.limits,
            registration=self.registration,
            word_filter=self.word_filter,
            epoch=self.database.epoch,
            **who,
        )

    def health(self) -> Health:
        """Report how the server is doing."""
        return self.watch(
            Health(
                uptime=int(self.reactor.seconds() - self._began[1]),
                connections=self.admission.size,
                online=self.hub.people,
                queue=self.database.waiting,
                commit_ms=round(self.database.group_seconds * 1000, 3),
            )
        )

    def steady(self) -> int:
        """Return the wall-clock time, as if nobody had set the clock since the start."""
        wall, seconds = self._began
        return wall + int((self.reactor.seconds() - seconds) * 1000)

    def read(self, work: Callable[[Tx], T]) -> "Deferred[T]":
        """Read on a snapshot."""
        return self.database.read(work)

    def write(self, work: Callable[[Tx], T]) -> "Deferred[T]":
        """Write, and wait for the disk."""
        return self.database.written(work)

    def aside(self, work: Callable[[], T]) -> "Deferred[T]":
        """Run work that may take long in the export thread."""
        return self.export_executor.submit(work)

    def hash_password(self, password: str, address: str) -> "Deferred[str]":
        """Hash a password."""
        return self.passwords.hash(password, address, self.limits)

    def password_matches(self, password_hash: str | None, password: str, address: str) -> "Deferred[bool]":
        """Check a password against a hash."""
        return self.passwords.matches(password_hash, password, address, self.limits)

    def login_failed(self, account: int, address: str, refusal: Refusal) -> None:
        """Log a failed login for programs such as fail2ban. Neither the name nor the password is logged."""
        self.log.info(
            "login failed from {address}: account {account}, {code}",
            address=address or "this machine",
            account=account or "unknown",
            code=".".join(filter(None, (refusal.code, refusal.case))),
        )

    async def outcome(self, caller: Caller, command: Command) -> Outcome[Reply]:
        """Run a command in its lane."""
        handler = HANDLERS[type(command)]
        if handler.lane is Lane.SLOW:
            result = await handler.run(self, caller, command)
        elif handler.lane is Lane.LIVE:
            result = handler.run(caller, command)
        elif handler.lane is Lane.READS:
            result = await self.read(lambda tx: handler.run(tx, caller, command))
        else:
            result = await self.write(lambda tx: handler.run(tx, caller, command))
        assert isinstance(result, Outcome)
        return result

    async def ask(self, command: Command, caller: Caller) -> Reply:
        """Run a command without a session, for the operator and for programs that embed the server. Raises Refusal."""
        outcome = await self.outcome(caller, command)
        self.spread(EncodedEvent.all(outcome.told), outcome.effects)
        return outcome.reply

    def excuse(self, error: Exception, action: str) -> Refusal:
        """Turn an error of a command into the refusal that answers it. Unexpected errors are logged."""
        if isinstance(error, Refusal):
            return error
        if isinstance(error, QueueFull):
            return Unavailable("busy", retry_after=BUSY_SECONDS)
        if isinstance(error, StoreUnavailable):
            return Unavailable()
        reference = secrets.token_hex(4)
        self.log.failure("fault {reference} in {action}", Failure(error), reference=reference, action=action)
        return Internal(reference=reference)

    def check_room(self, shape: type[Command], *, logged_in: bool) -> None:
        """Refuse a command if the disk, the queue of writes or the number of sessions leaves no room for it."""
        if shape.grows:
            self.disk.check(self.limits.disk_reserve_mb)
        if HANDLERS[shape].lane is Lane.WRITES and (error := self.database.objection()):
            raise self.excuse(error, "")
        if shape.enters and not logged_in and self.admission.full:
            raise RateLimited("full", retry_after=self.limits.login_seconds)

    def refused(self, refusal: Refusal) -> None:
        """Count a refusal in the metrics, if there are any."""
        if self.metrics is not None:
            self.metrics.refused(refusal.code)

    def spread(self, events: list[EncodedEvent], due: tuple[Effect, ...], session: Listener | None = None) -> None:
        """Tell the others, and apply the effects. The session that asked knows by its reply."""
        if due:
            effects.apply(When.BEFORE_TELLING, due, self, session)
        for event in events:
            self.hub.tell(event, besides=session)
        if due:
            effects.apply(When.AFTER_TELLING, due, self, session)

    def enter(self, identity: SignIn, session: Listener) -> None:
        """Add a session to its account: it has logged in."""
        self.hub.enter(identity.account, session, identity.topics, self.limits.connections_per_account)
        self.online.come(identity.account, identity.chosen)

    def leave(self, account: int, session: Listener) -> None:
        """Remove a session from its account. Friends learn that the account has gone, unless it is back by then."""
        if not self.hub.leave(account, session):
            return
        self.online.go(account)
        now = self.now()

        def gone(tx: Tx) -> list[EncodedEvent]:
            return EncodedEvent.all(tuple(departure(tx, account, now)))

        def told(events: list[EncodedEvent]) -> None:
            if account not in self.online:
                self.spread(events, ())

        leaving = self.database.written(gone).addCallback(told)
        leaving.addErrback(lambda failure: failure.trap(StoreUnavailable))
        leaving.addErrback(lambda failure: self.log.failure("a departure was not noted", failure))

    async def start(self) -> None:
        """Apply what admins have set, and start the background jobs. Await it before the first connection."""
        self.apply_policy(await self.read(standing))
        self.jobs.start()

    async def stop(self) -> None:
        """Finish and answer what was asked, close the database, and let the threads go."""
        self.jobs.stop()
        self.note_last_seen()
        await self.database.close()
        self.passwords.executor.stop()
        self.export_executor.stop()
        self.exports.close()

    def note_last_seen(self) -> None:
        """Store that all online accounts were last seen now, because the server is about to stop."""
        here, now = self.online.everybody(), self.now()
        noting = self.database.written(lambda tx: still_online(tx, here, now))
        noting.addErrback(lambda failure: failure.trap(StoreUnavailable))
        noting.addErrback(lambda failure: self.log.failure("it was not noted when accounts were last seen", failure))
