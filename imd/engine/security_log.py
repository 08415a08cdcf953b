"""The security log: logins and suspicious refusals, each with account, address and result.

    login from 192.0.2.7 (account 12, device 34)
    user_list from 192.0.2.7: refused, forbidden (account 12, device 34)

Accounts and devices appear as numbers. Typed names are never logged, since they may be passwords in the wrong place.
Each kind of refusal is logged once for each connection, so that a client cannot fill the log by repeating one.
"""

from functools import cache

import attrs
from msgspec import structs
from twisted.logger import Logger

from imd.chat.base.effects import SignIn
from imd.wire.base import Command, Request, registry
from imd.wire.fields import SECRETS

REFUSALS = frozenset({"forbidden", "rate_limited", "invite_invalid"})
"""The codes that suggest an attack. Failed logins have their own log line; the metrics count all other refusals."""

UNKNOWN_TOKEN = ("resume", "invalid_credentials")

LOGGED_TOO = frozenset({"logout", "revoke_device"})


@cache
def logged_commands() -> frozenset[type[Command]]:
    """Return the commands that are logged when they succeed: those that take a secret, or end a login."""
    return frozenset(
        spec.shape
        for spec in registry
        if spec.action in LOGGED_TOO or SECRETS & {field.name for field in structs.fields(spec.shape)}
    )


@attrs.define
class SecurityLog:
    """Logs the security events of one connection."""

    log = Logger()

    address: str
    _logged: set[tuple[str, str]] = attrs.field(factory=set, init=False)

    def answered(self, request: Request, identity: SignIn | None) -> None:
        """Log a command that succeeded, if it is one of `logged_commands`."""
        if request.spec is not None and request.spec.shape in logged_commands():
            self._write("{action} from {address}", request.spec.action, identity)

    def refused(self, request: Request, code: str, identity: SignIn | None) -> None:
        """Log a suspicious refusal, unless the same one was logged before."""
        action = request.spec.action if request.spec else "?"
        if (code in REFUSALS or (action, code) == UNKNOWN_TOKEN) and (action, code) not in self._logged:
            self._logged.add((action, code))
            self._write("{action} from {address}: refused, {code}", action, identity, code=code)

    def closed(self, code: str, identity: SignIn | None) -> None:
        """Log that the server ended a logged-in session, such as one whose device was revoked."""
        if identity is not None:
            self._write("closed from {address}: {code}", "close", identity, code=code)

    def _write(self, text: str, action: str, identity: SignIn | None, **more: str) -> None:
        if identity is not None and identity.account:
            text += " (account {account}, device {device})"
            self.log.info(
                text, action=action, address=self.address, account=identity.account, device=identity.device, **more
            )
        else:
            self.log.info(text, action=action, address=self.address, **more)
