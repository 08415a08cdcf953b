"""The house: what all sessions share. It runs a command in its lane and tells who must be told."""

import secrets
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, BinaryIO, Protocol, TypeVar

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

import imd.chat.capabilities  # noqa: F401  # registers the handlers
from imd.chat.base.context import Caller, Health
from imd.chat.base.effects import (
    ApplyPolicy,
    DropDevices,
    Effect,
    Follow,
    Outcome,
    Schedule,
    SetAdmin,
    ShowPresence,
    Topic,
    Unfollow,
)
from imd.chat.base.export_store import ExportStore
from imd.chat.base.handlers import HANDLERS, Lane
from imd.chat.base.limits import Limits
from imd.chat.base.online import Online
from imd.chat.base.presence import departure, still_online
from imd.chat.base.rate_limits import LoginLimit, RegistrationLimit
from imd.chat.base.word_filter import WordFilter
from imd.engine.disk_guard import DiskGuard
from imd.engine.encoded_event import EncodedEvent
from imd.engine.executor import Executor, ThreadExecutor
from imd.engine.jobs import Jobs
from imd.engine.metrics import Metrics
from imd.engine.passwords import Passwords
from imd.store.db import Database, QueueFull, StoreUnavailable
from imd.store.transaction import Tx
from imd.wire.base import Command, Reply, registry
from imd.wire.refusals import Internal, Refusal, Unavailable

T = TypeVar("T")

BUSY_SECONDS = 3
"""When a full queue of writes is worth another try: so long a slow disk takes for the default one."""


class Hub(Protocol):
    """Who is online: the factory."""

    @property
    def size(self) -> int:
        """How many connections there are."""

    @property
    def people(self) -> int:
        """How many accounts are online."""

    @property
    def full(self) -> bool:
        """Whether there is no room for another login."""

    def enter(self, account: int, session: Any, topics: Mapping[Topic, int]) -> None:
        """Count a session as an account's, which follows these topics."""

    def follow(self, account: int, topic: Topic, seq: int) -> None:
        """Let an account that is online follow a topic, from a seq on."""

    def unfollow(self, account: int, topic: Topic) -> None:
        """Let an account follow the topic no more, or everybody."""

    def leave(self, account: int, session: Any) -> None:
        """Count it no more."""

    def tell(self, encoded: EncodedEvent, besides: Any = None) -> None:
        """Let the sessions of those it is for hear it, all but one."""

    def catch_up(self, session: Any) -> None:
        """Let a session hear what it has yet to hear."""

    def cut(self, account: int, devices: list[int], besides: Any = None) -> None:
        """Close the sessions of these devices."""

    def promote(self, account: int, admin: bool) -> None:
        """Give an account's sessions an admin's rights, or take them."""


class NullHub:
    """The audience of a house without a door: the command line beside a stopped daemon."""

    size = 0
    people = 0
    full = False

    def enter(self, account: int, session: Any, topics: Mapping[Topic, int]) -> None:
        """Let nobody in."""

    def follow(self, account: int, topic: Topic, seq: int) -> None:
        """Have nobody follow."""

    def unfollow(self, account: int, topic: Topic) -> None:
        """Have nobody follow."""

    def leave(self, account: int, session: Any) -> None:
        """Let nobody out."""

    def tell(self, encoded: EncodedEvent, besides: Any = None) -> None:
        """Tell nobody."""

    def catch_up(self, session: Any) -> None:
        """Tell nobody."""

    def cut(self, account: int, devices: list[int], besides: Any = None) -> None:
        """Close nothing."""

    def promote(self, account: int, admin: bool) -> None:
        """Have no sessions."""


def _wall_clock() -> int:
    return time.time_ns() // 1_000_000


@attrs.define(eq=False)
class Server:
    """One server's rules and data, without its network. Also the desk that slow handlers wait at."""

    log = Logger()

    database: Database
    reactor: Any
    """IReactorTime; with threads, the whole reactor."""

    limits: Limits = attrs.Factory(Limits)
    registration: str = "open"
    """open, invite or closed."""

    language: str = "en"
    """For those who did not choose one."""

    passwords: Passwords = attrs.field(
        default=attrs.Factory(
            lambda self: Passwords(ThreadExecutor(self.reactor, "passwords", 2, niceness=10)), takes_self=True
        )
    )
    export_executor: Executor = attrs.field(
        default=attrs.Factory(lambda self: ThreadExecutor(self.reactor, "archives"), takes_self=True)
    )
    """Writes and reads archives: one thread."""

    scratch: Callable[[], BinaryIO] = BytesIO
    """Makes a file for an archive, which is gone once it is closed."""

    now: Callable[[], int] = _wall_clock
    """Milliseconds since 1970."""

    disk: DiskGuard = attrs.Factory(DiskGuard)
    """Where the data lies."""

    hub: Hub = attrs.Factory(NullHub)
    logins: LoginLimit = attrs.field(
        default=attrs.Factory(lambda self: LoginLimit(self.limits.failed_logins, Deferred), takes_self=True), init=False
    )

    registrations: RegistrationLimit = attrs.field(factory=RegistrationLimit, init=False)
    word_filter: WordFilter = attrs.field(factory=WordFilter, init=False)
    """What nothing may hold that others read."""

    _configured: tuple[Limits, str] = attrs.field(
        default=attrs.Factory(lambda self: (self.limits, self.registration), takes_self=True), init=False
    )

    _standing: ApplyPolicy = attrs.field(default=ApplyPolicy(None, {}, WordFilter()), init=False)
    online: Online = attrs.field(factory=Online, init=False)
    exports: ExportStore = attrs.field(
        default=attrs.Factory(lambda self: ExportStore(self.scratch, self.aside), takes_self=True), init=False
    )
    watch: Callable[[Health], Health] = lambda health: health
    """Adds to the vitals what is known further up: of disk, certificate and backups."""

    metrics: Metrics | None = None
    """Who measures, if anybody does."""

    jobs: Jobs = attrs.field(default=attrs.Factory(Jobs, takes_self=True), init=False)
    _began: tuple[int, float] = attrs.field(
        default=attrs.Factory(lambda self: (self.now(), self.reactor.seconds()), takes_self=True), init=False
    )

    def __attrs_post_init__(self) -> None:
        self.database.waiting_limit = self.limits.waiting_writes
        unhandled = [spec.action for spec in registry if spec.shape not in HANDLERS]
        if missing := registry.missing_sentences() + unhandled:
            raise ValueError(f"commands without sentences or handler: {', '.join(missing)}")

    def configure(self, limits: Limits, registration: str, language: str) -> None:
        """Go by another configuration from now on; what admins have set still holds over it."""
        self._configured = limits, registration
        self.language = language
        self.logins.allowed = limits.failed_logins
        self.database.waiting_limit = limits.waiting_writes
        self.govern(self._standing)

    def govern(self, policies: ApplyPolicy) -> None:
        """Let what admins have set hold over what is configured."""
        self._standing = policies
        limits, registration = self._configured
        self.limits = attrs.evolve(limits, **policies.limits)
        self.registration = policies.registration or registration
        self.word_filter = policies.word_filter

    def caller(self, **who: Any) -> Caller:
        """Make who asks, now and under the rules that hold now."""
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
        """Tell how the server is."""
        return self.watch(
            Health(
                uptime=int(self.reactor.seconds() - self._began[1]),
                connections=self.hub.size,
                online=self.hub.people,
                queue=self.database.waiting,
                commit_ms=round(self.database.group_seconds * 1000, 3),
            )
        )

    def steady(self) -> int:
        """Give the time, had nobody set the clock since the start."""
        wall, seconds = self._began
        return wall + int((self.reactor.seconds() - seconds) * 1000)

    def read(self, work: Callable[[Tx], T]) -> "Deferred[T]":
        """Read on a snapshot."""
        return self.database.read(work)

    def write(self, work: Callable[[Tx], T]) -> "Deferred[T]":
        """Write, and wait for the disk."""
        return self.database.written(work)

    def aside(self, work: Callable[[], T]) -> "Deferred[T]":
        """Work in a thread that may take its time."""
        return self.export_executor.do(work)

    def hash_password(self, password: str, address: str) -> "Deferred[str]":
        """Hash a password."""
        return self.passwords.hash(password, address, self.limits)

    def password_matches(self, password_hash: str | None, password: str, address: str) -> "Deferred[bool]":
        """Compare a password with a hash."""
        return self.passwords.matches(password_hash, password, address, self.limits)

    def login_failed(self, account: int, address: str, refusal: Refusal) -> None:
        """Let the log tell whoever watches it, such as fail2ban. Whose name was tried is not told, nor with what."""
        self.log.info(
            "login failed from {address}: account {account}, {code}",
            address=address or "this machine",
            account=account or "unknown",
            code=".".join(filter(None, (refusal.code, refusal.case))),
        )

    async def outcome(self, caller: Caller, command: Command) -> Outcome[Reply]:
        """Run a command in its lane, wherever that is."""
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
        """Run a command without a session: for the operator, and for programs that embed the server. Raises Refusal."""
        outcome = await self.outcome(caller, command)
        self.spread([EncodedEvent.of(*told) for told in outcome.told], outcome.effects)
        return outcome.reply

    def excuse(self, error: Exception, action: str) -> Refusal:
        """Give what a command that failed is answered with; a fault of ours goes to the log."""
        if isinstance(error, Refusal):
            return error
        if isinstance(error, QueueFull):
            return Unavailable("busy", retry_after=BUSY_SECONDS)
        if isinstance(error, StoreUnavailable):
            return Unavailable()
        reference = secrets.token_hex(4)
        self.log.failure("fault {reference} in {action}", Failure(error), reference=reference, action=action)
        return Internal(reference=reference)

    def refused(self, refusal: Refusal) -> None:
        """Count a refusal, where somebody counts."""
        if self.metrics is not None:
            self.metrics.refused(refusal.code)

    def spread(self, events: list[EncodedEvent], effects: tuple[Effect, ...], besides: Any = None) -> None:
        """Tell others, and do to other sessions, what an outcome says; all but the one session that asked.

        Who begins to follow hears of it already, and who ceases still does.
        """
        for effect in effects:
            if isinstance(effect, Follow):
                self.hub.follow(effect.account, effect.topic, effect.seq)
        self.publish(events, besides)
        for effect in effects:
            if isinstance(effect, Unfollow):
                self.hub.unfollow(effect.account, effect.topic)
            elif isinstance(effect, DropDevices):
                self.hub.cut(effect.account, effect.devices, besides)
            elif isinstance(effect, SetAdmin):
                self.hub.promote(effect.account, effect.admin)
            elif isinstance(effect, ApplyPolicy):
                self.govern(effect)
            elif isinstance(effect, ShowPresence):
                self.online.change(effect.account, effect.chosen)
            elif isinstance(effect, Schedule):
                self.jobs.wake(effect.at)

    def publish(self, events: list[EncodedEvent], besides: Any = None) -> None:
        """Tell whoever is online."""
        for encoded in events:
            self.hub.tell(encoded, besides)

    def left(self, account: int) -> None:
        """Note that an account has gone, and tell its friends, if it has not come back by then."""
        self.online.go(account)
        now = self.now()

        def work(tx: Tx) -> list[EncodedEvent]:
            return [EncodedEvent.of(*told) for told in departure(tx, account, now)]

        def done(events: Any, error: Exception | None) -> None:
            if error is None and account not in self.online:
                self.publish(events)
            elif error is not None and not isinstance(error, StoreUnavailable):
                self.log.failure("a departure was not noted", Failure(error))

        self.database.write(work, done)

    def note_who_is_here(self) -> None:
        """Note that they are seen last now: the server is about to stop."""
        here, now = self.online.everybody(), self.now()
        self.database.write(lambda tx: still_online(tx, here, now), lambda value, error: None)
