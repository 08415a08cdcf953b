"""The door: how many connections there may be, and whose place a newcomer takes where there is no room.

Until somebody logs in, their connection is a stranger's. Of strangers one address may have
`unauthenticated_per_address`; as many again are told so, and what comes beyond them is cut off without a word. All
addresses together may have `Limits.strangers` of them. Who comes then takes the place of the stranger who has waited
longest, at the address that has most: one address cannot fill the room, and who logs in before so many others have
come is never shut out. Who is turned out has a moment to hear why, while no more than as many are.
"""

import ipaddress
from typing import Protocol

import attrs
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from imd.engine.server import Server
from imd.wire.refusals import Refusal


class Connection(Protocol):
    """A connection, as the door and the audience see it."""

    def flush(self) -> None:
        """Write what is queued."""

    def goodbye(self, refusal: Refusal) -> None:
        """Close, and say why."""

    def turn_out(self) -> bool:
        """Make room for somebody else. True when the connection takes a moment longer, to be told why."""

    def cut_off(self) -> None:
        """Be gone at once."""


def origin(address: IAddress | None) -> str:
    """Give what limits count as one address: an IPv4 address, or an IPv6 /64, which one household has whole."""
    if not isinstance(address, IPv4Address | IPv6Address):
        return ""
    host = ipaddress.ip_address(address.host)
    if isinstance(host, ipaddress.IPv4Address):
        return str(host)
    return str(host.ipv4_mapped or ipaddress.IPv6Network((int(host), 64), strict=False))


@attrs.define(eq=False)
class Admission:
    """Counts who is there. What has no address (a unix socket) has no count of its own, but takes room."""

    server: Server
    inside: set[Connection] = attrs.field(factory=set, init=False)
    """Every connection."""

    _strangers: dict[str, dict[Connection, None]] = attrs.field(factory=dict, init=False)
    """Address -> its connections that have not logged in, oldest first."""

    _leaving: dict[Connection, None] = attrs.field(factory=dict, init=False)
    """Those that were turned out, and are still being told."""

    _count: int = attrs.field(default=0, init=False)

    @property
    def strangers(self) -> int:
        """How many have not logged in."""
        return self._count

    def admits(self, origin: str) -> bool:
        """Say whether one more may come from an address; turns somebody else out for it where there is no room."""
        limits = self.server.limits
        if origin and len(self._strangers.get(origin, ())) >= 2 * limits.unauthenticated_per_address:
            return False
        if len(self.inside) >= limits.connections:
            return self._cut_one_off()
        if self._count >= limits.strangers:
            self._turn_one_out()
        return True

    def arrive(self, connection: Connection, origin: str) -> bool:
        """Count a stranger; False when the address has sent too many already."""
        here = self._strangers.setdefault(origin, {})
        here[connection] = None
        self._count += 1
        return not origin or len(here) <= self.server.limits.unauthenticated_per_address

    def depart(self, connection: Connection, origin: str) -> None:
        """Count it as a stranger no more."""
        here = self._strangers.get(origin, {})
        if connection in here:
            del here[connection]
            self._count -= 1
        if not here:
            self._strangers.pop(origin, None)

    def gone(self, connection: Connection) -> None:
        """Forget a connection."""
        self.inside.discard(connection)
        self._leaving.pop(connection, None)

    def _turn_one_out(self) -> None:
        crowd = max(self._strangers, key=lambda each: len(self._strangers[each]))
        connection = next(iter(self._strangers[crowd]))
        self.depart(connection, crowd)
        if len(self._leaving) >= self.server.limits.strangers:
            self._cut_off(next(iter(self._leaving)))
        if connection.turn_out():
            self._leaving[connection] = None
        else:
            self.gone(connection)

    def _cut_off(self, connection: Connection) -> None:
        connection.cut_off()
        self.gone(connection)

    def _cut_one_off(self) -> bool:
        """Make room at once: of those who leave anyway, else of the strangers; False where all have logged in."""
        if not self._leaving and not self._count:
            return False
        if not self._leaving:
            self._turn_one_out()
        if connection := next(iter(self._leaving), None):
            self._cut_off(connection)
        return True
