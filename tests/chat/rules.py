"""The chat's rules without a server: a database in memory, some accounts, and a clock that the test moves."""

import sqlite3
from collections.abc import Callable
from io import BytesIO
from typing import Any, TypeVar

import attrs
import pytest
from twisted.internet.defer import Deferred

import imd.chat.capabilities  # noqa: F401  # registers the handlers
from imd.chat.base.context import Caller, Health
from imd.chat.base.effects import ApplyPolicy, Outcome
from imd.chat.base.export_store import ExportStore
from imd.chat.base.handlers import HANDLERS, Lane
from imd.chat.base.limits import Limits
from imd.chat.base.online import Online
from imd.chat.base.rate_limits import LoginLimit, RegistrationLimit
from imd.chat.base.word_filter import WordFilter
from imd.store import accounts, forgetting, sqlite
from imd.store.transaction import Tx
from imd.testing import EPOCH, memory_connection
from imd.wire.base import Command, Reply
from imd.wire.refusals import Refusal

T = TypeVar("T")

PASSWORD = "correct horse battery"


@attrs.define
class Rules:
    """Calls handlers as plain functions, each in a savepoint of its own, as the writer does."""

    limits: Limits = attrs.Factory(Limits)
    registration: str = "open"
    now: int = EPOCH
    ahead: int = 0
    """How far the clock was set forward since the server started."""

    tx: sqlite3.Connection = attrs.field(init=False)
    logins: LoginLimit = attrs.field(init=False)
    registrations: RegistrationLimit = attrs.field(factory=RegistrationLimit, init=False)
    online: Online = attrs.field(init=False)
    exports: ExportStore = attrs.field(init=False)
    checked: list[str | None] = attrs.field(factory=list, init=False)
    """The hashes that passwords were compared with."""

    failed: list[tuple[int, str, str]] = attrs.field(factory=list, init=False)
    """The logins that failed: account, address, case."""

    policies: ApplyPolicy = attrs.field(factory=lambda: ApplyPolicy(None, {}, WordFilter()), init=False)
    """What the admins have set."""

    def __attrs_post_init__(self) -> None:
        self.tx = memory_connection()
        self.logins = LoginLimit(self.limits.failed_logins, Deferred)
        self.online = Online()
        self.exports = ExportStore(BytesIO, lambda close: close())

    def person(self, username: str, *, admin: bool = False) -> Caller:
        """Make an account with a device, and give the caller of its session."""
        account = accounts.add(self.tx, username, username.title(), f"hash of {PASSWORD}", admin, self.now)
        assert account is not None
        device = accounts.add_device(self.tx, account, "phone", f"token of {username}", self.now)
        return Caller(
            now=self.now,
            limits=self.limits,
            account=account,
            username=username,
            device=device.id,
            label=device.label,
            admin=admin,
            address="192.0.2.1",
        )

    def stranger(self, address: str = "192.0.2.1") -> Caller:
        return Caller(now=self.now, limits=self.limits, address=address)

    def operator(self) -> Caller:
        return Caller(now=self.now, limits=self.limits, admin=True)

    def as_now(self, caller: Caller) -> Caller:
        """Give a caller as the server would: with the present time and the rules in force."""
        limits = attrs.evolve(self.limits, **self.policies.limits)
        registration = self.policies.registration or self.registration
        return attrs.evolve(
            caller,
            now=self.now,
            steady=self.now - self.ahead,
            limits=limits,
            registration=registration,
            word_filter=self.policies.word_filter,
            online=self.online,
        )

    def does(self, caller: Caller, command: Command) -> Outcome[Any]:
        """Run a command now. If it raises Refusal, nothing of it is stored."""
        outcome = self._outcome(self.as_now(caller), command)
        self.policies = next((each for each in outcome.effects if isinstance(each, ApplyPolicy)), self.policies)
        return outcome

    def tries(self, caller: Caller, command: Command) -> Outcome[Any]:
        """Run a command inside a savepoint of the test, which can undo it."""
        handler = HANDLERS[type(command)]
        caller = self.as_now(caller)
        if handler.lane is Lane.LIVE:
            return handler.run(caller, command)
        if handler.lane is Lane.SLOW:
            return at_once(handler.run(self, caller, command))
        return handler.run(self.tx, caller, command)

    def _outcome(self, caller: Caller, command: Command) -> Outcome[Any]:
        handler = HANDLERS[type(command)]
        if handler.lane is Lane.LIVE:
            return handler.run(caller, command)
        if handler.lane is Lane.SLOW:
            return at_once(handler.run(self, caller, command))
        return self.in_transaction(lambda tx: handler.run(tx, caller, command))

    def asks(self, caller: Caller, command: Command) -> Any:
        """Run a command and give its reply alone."""
        return self.does(caller, command).reply

    def refuses(self, caller: Caller, command: Command) -> Refusal:
        """Run a command that must be refused, and must leave no trace."""
        before = list(self.tx.iterdump())
        with pytest.raises(Refusal) as refused:
            self.does(caller, command)
        assert list(self.tx.iterdump()) == before, "a refused command has left something behind"
        return refused.value

    def in_transaction(self, work: Callable[[Tx], T]) -> T:
        """Do a piece of work as the writer would."""
        [(value, error)] = sqlite.run_group(self.tx, [work])
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]

    def forgot(self) -> bool:
        """Say whether something was destroyed that must leave the files, and take it as done."""
        if due := forgetting.due(self.tx):
            forgetting.cleaned(self.tx, due)
        return bool(due)

    def health(self) -> Health:
        return Health(uptime=5)

    # -- the services that slow handlers wait for

    async def read(self, work: Callable[[Tx], T]) -> T:
        return work(self.tx)

    async def write(self, work: Callable[[Tx], T]) -> T:
        return self.in_transaction(work)

    async def aside(self, work: Callable[[], T]) -> T:
        return work()

    async def hash_password(self, password: str, address: str) -> str:
        return f"hash of {password}"

    async def password_matches(self, password_hash: str | None, password: str, address: str) -> bool:
        self.checked.append(password_hash)
        return password_hash == f"hash of {password}"

    def login_failed(self, account: int, address: str, refusal: Refusal) -> None:
        self.failed.append((account, address, refusal.case))


def at_once(coroutine: Any) -> Outcome[Reply]:
    """Run a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        outcome: Outcome[Reply] = done.value
        return outcome
    raise AssertionError("it waited")
