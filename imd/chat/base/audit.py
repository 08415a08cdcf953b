"""Accountability: what an admin changes is in the audit log by the same transaction, or not changed at all.

`lanes` puts this round the handler of every admin's command that may write, so no handler has to think of it.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import attrs
import msgspec

from imd.store import accounts, audit
from imd.store.transaction import Tx
from imd.wire.base import Command
from imd.wire.fields import SECRETS
from imd.wire.refusals import Forbidden

T = TypeVar("T")


class AdminCaller(Protocol):
    """The admin who asks."""

    now: int
    account: int
    author: str


@attrs.frozen
class AdminAction:
    """What an admin does by one command."""

    action: str
    caller: AdminCaller
    command: Command

    def still_may(self, tx: Tx) -> None:
        """Refuse who was an admin when the command was taken in, and is none by the time it runs."""
        if self.caller.account and self.caller.account not in accounts.admins(tx):
            raise Forbidden

    def keep(self, tx: Tx, result: Any = None) -> None:
        """Write it down."""
        told = {} if result is None else _told(result)
        audit.add(tx, self.caller.now, self.caller.author, self.action, _json(_told(self.command)), _json(told))


def _told(struct: msgspec.Struct) -> dict[str, Any]:
    """Give the fields of a command or a reply that may be known; what is no plain value, as JSON."""
    fields = {name: value for name, value in msgspec.to_builtins(struct).items() if name not in SECRETS}
    return {name: value if isinstance(value, str | int) else _json(value) for name, value in fields.items()}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def write(action: str, run: Callable[[Tx, Any, Any], Any]) -> Callable[[Tx, Any, Any], Any]:
    """Hold a write to account."""

    def accountable(tx: Tx, caller: Any, command: Command) -> Any:
        deed = AdminAction(action, caller, command)
        deed.still_may(tx)
        outcome = run(tx, caller, command)
        deed.keep(tx, outcome.reply)
        return outcome

    return accountable


class AuditedServices:
    """The desk of a slow handler, whose write is held to account. Its answer is made later, and not written down."""

    def __init__(self, services: Any, deed: AdminAction) -> None:
        self._services, self._deed = services, deed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._services, name)

    def write(self, work: Callable[[Tx], T]) -> Awaitable[T]:
        """Write, and write down that it was."""

        def accountable(tx: Tx) -> T:
            self._deed.still_may(tx)
            value = work(tx)
            self._deed.keep(tx)
            return value

        written: Awaitable[T] = self._services.write(accountable)
        return written


def slow(action: str, run: Callable[[Any, Any, Any], Awaitable[Any]]) -> Callable[[Any, Any, Any], Awaitable[Any]]:
    """Hold a slow command to account."""

    async def accountable(services: Any, caller: Any, command: Command) -> Any:
        return await run(AuditedServices(services, AdminAction(action, caller, command)), caller, command)

    return accountable
