"""Auditing: what an admin changes is written to the audit log by the same transaction, or not changed at all.

`handlers` wraps the handler of every admin's command that may write, so that no handler has to think of it.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import attrs
import msgspec

from imd.chat.base.context import Caller, Services
from imd.store import accounts, audit
from imd.store.transaction import Tx
from imd.wire.base import Command
from imd.wire.fields import SECRETS
from imd.wire.refusals import Forbidden

T = TypeVar("T")

Write = Callable[[Tx, Caller, Any], Any]
Slow = Callable[[Any, Caller, Any], Awaitable[Any]]


@attrs.frozen
class AdminAction:
    """What an admin does by one command."""

    action: str
    caller: Caller
    command: Command

    def check_still_admin(self, tx: Tx) -> None:
        """Refuse a caller who was an admin when the command came in, and is none when it runs."""
        if self.caller.account and self.caller.account not in accounts.admins(tx):
            raise Forbidden

    def log(self, tx: Tx, result: Any = None) -> None:
        """Write the action to the audit log, with its arguments and its result."""
        reply = {} if result is None else _loggable(result)
        audit.add(tx, self.caller.now, self.caller.author, self.action, _json(_loggable(self.command)), _json(reply))


def _loggable(struct: msgspec.Struct) -> dict[str, Any]:
    """Give the fields of a command or a reply that are no secrets. Lists and objects become JSON text."""
    fields = {name: value for name, value in msgspec.to_builtins(struct).items() if name not in SECRETS}
    return {name: value if isinstance(value, str | int) else _json(value) for name, value in fields.items()}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def audited_write(action: str, run: Write) -> Write:
    """Wrap a handler that writes."""

    def audited(tx: Tx, caller: Caller, command: Command) -> Any:
        done = AdminAction(action, caller, command)
        done.check_still_admin(tx)
        outcome = run(tx, caller, command)
        done.log(tx, outcome.reply)
        return outcome

    return audited


@attrs.frozen
class AuditedServices:
    """The services of a slow handler, with an audited write. The reply is made later, so it is not logged."""

    _services: Services
    _action: AdminAction

    def __getattr__(self, name: str) -> Any:
        return getattr(self._services, name)

    def write(self, work: Callable[[Tx], T]) -> Awaitable[T]:
        """Write, and log it in the same transaction."""

        def audited(tx: Tx) -> T:
            self._action.check_still_admin(tx)
            value = work(tx)
            self._action.log(tx)
            return value

        return self._services.write(audited)


def audited_slow(action: str, run: Slow) -> Slow:
    """Wrap a slow handler."""

    async def audited(services: Services, caller: Caller, command: Command) -> Any:
        return await run(AuditedServices(services, AdminAction(action, caller, command)), caller, command)

    return audited
