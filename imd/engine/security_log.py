"""What the log says of logging in and of what is refused: who, from where, with what result; for whoever looks into it.

    login from 192.0.2.7 (account 12, device 34)
    user_list from 192.0.2.7: refused, forbidden (account 12, device 34)

Accounts and devices by their numbers. Never a name that was typed (it may be a password in the wrong place), nor a
secret. Of each connection, each kind of refusal is told once: whoever repeats one does not fill the log.
"""

from functools import cache

import attrs
from msgspec import structs
from twisted.logger import Logger

from imd.chat.base.effects import SignIn
from imd.wire.base import Command, Request, registry
from imd.wire.fields import SECRETS

REFUSALS = frozenset({"forbidden", "rate_limited", "invite_invalid"})
"""What an attack looks like; failed logins have a line of their own, other refusals are counted in the metrics."""

DEAD_TOKEN = ("resume", "invalid_credentials")

ALSO = frozenset({"logout", "revoke_device"})


@cache
def watched() -> frozenset[type[Command]]:
    """Give the commands that are told when they succeed: those that take a secret, or end what one began."""
    return frozenset(
        spec.shape
        for spec in registry
        if spec.action in ALSO or SECRETS & {field.name for field in structs.fields(spec.shape)}
    )


@attrs.define
class SecurityLog:
    """Watches one connection."""

    log = Logger()

    address: str
    _told: set[tuple[str, str]] = attrs.field(factory=set, init=False)

    def answered(self, request: Request, identity: SignIn | None) -> None:
        """Tell of a command that succeeded, if it is one of those."""
        if request.spec is not None and request.spec.shape in watched():
            self._tell("{action} from {address}", request.spec.action, identity)

    def refused(self, request: Request, code: str, identity: SignIn | None) -> None:
        """Tell of one that was refused, if that says something and is new here."""
        action = request.spec.action if request.spec else "?"
        if (code in REFUSALS or (action, code) == DEAD_TOKEN) and (action, code) not in self._told:
            self._told.add((action, code))
            self._tell("{action} from {address}: refused, {code}", action, identity, code=code)

    def closed(self, code: str, identity: SignIn | None) -> None:
        """Tell that somebody's session was ended by the server: its device was revoked, or does not read."""
        if identity is not None:
            self._tell("closed from {address}: {code}", "close", identity, code=code)

    def _tell(self, said: str, action: str, identity: SignIn | None, **more: str) -> None:
        if identity is not None and identity.account:
            said += " (account {account}, device {device})"
            self.log.info(
                said, action=action, address=self.address, account=identity.account, device=identity.device, **more
            )
        else:
            self.log.info(said, action=action, address=self.address, **more)
