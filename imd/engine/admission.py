"""Admission: how many connections there may be, and which one is evicted when there are too many.

A connection before login counts for its address. One address may have `unauthenticated_per_address` of them; as many
again are told that this is too many, and further ones are refused without an answer. All addresses together may have
`Limits.strangers`. Beyond that, a new connection evicts the oldest one of the address that has the most: one address
cannot take all places, and a client that logs in soon is not shut out. An evicted connection is told why.
"""

from collections.abc import Callable

import attrs
from twisted.internet.defer import Deferred

from imd.chat.base.limits import Limits
from imd.engine.connection import Connection


@attrs.define(eq=False)
class Admission:
    """Counts connections. Those without an address (a unix socket) have no limit of their own, but count in the sum."""

    limits: Callable[[], Limits]
    """Returns the limits that apply now."""

    connections: set[Connection] = attrs.field(factory=set, init=False)

    _strangers: dict[str, dict[Connection, None]] = attrs.field(factory=dict, init=False)
    """Address -> its connections that have not logged in, oldest first."""

    _leaving: dict[Connection, None] = attrs.field(factory=dict, init=False)
    """Those that were evicted and are still being told why, oldest first."""

    _count: int = attrs.field(default=0, init=False)
    _emptied: "Deferred[None] | None" = attrs.field(default=None, init=False)

    @property
    def size(self) -> int:
        """How many connections there are."""
        return len(self.connections)

    @property
    def strangers(self) -> int:
        """How many connections are before login."""
        return self._count

    @property
    def full(self) -> bool:
        """Whether all places for logged-in connections are taken."""
        limits = self.limits()
        return self.size - self._count >= limits.connections - limits.strangers

    def admits(self, origin: str) -> bool:
        """Say whether an address may have one more connection. Another one is evicted if there is no room."""
        limits = self.limits()
        if origin and len(self._strangers.get(origin, ())) >= 2 * limits.unauthenticated_per_address:
            return False
        if self.size >= limits.connections:
            return self._make_room()
        if self._count >= limits.strangers:
            self._evict_one()
        return True

    def arrive(self, connection: Connection, origin: str) -> bool:
        """Count a connection as before login; False if its address has too many already."""
        here = self._strangers.setdefault(origin, {})
        here[connection] = None
        self._count += 1
        return not origin or len(here) <= self.limits().unauthenticated_per_address

    def depart(self, connection: Connection, origin: str) -> None:
        """Stop counting a connection as before login."""
        here = self._strangers.get(origin, {})
        if connection in here:
            del here[connection]
            self._count -= 1
        if not here:
            self._strangers.pop(origin, None)

    def gone(self, connection: Connection) -> None:
        """Forget a connection."""
        self.connections.discard(connection)
        self._leaving.pop(connection, None)
        if self._emptied is not None and not self.connections:
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)

    def goodbye(self) -> "Deferred[None]":
        """Close every connection because the server stops; fires when the last one is gone."""
        emptied: Deferred[None] = Deferred()
        if not self.connections:
            emptied.callback(None)
            return emptied
        self._emptied = emptied
        for connection in tuple(self.connections):
            connection.goodbye()
        return emptied

    def _evict_one(self) -> None:
        """Evict the oldest connection before login of the address that has the most."""
        fullest = max(self._strangers, key=lambda each: len(self._strangers[each]))
        connection = next(iter(self._strangers[fullest]))
        self.depart(connection, fullest)
        if len(self._leaving) >= self.limits().strangers:
            self._abort(next(iter(self._leaving)))
        if connection.evict():
            self._leaving[connection] = None
        else:
            self.gone(connection)

    def _abort(self, connection: Connection) -> None:
        connection.cut_off()
        self.gone(connection)

    def _make_room(self) -> bool:
        """End one connection at once: an evicted one, else one before login. False if all are logged in."""
        if not self._leaving and not self._count:
            return False
        if not self._leaving:
            self._evict_one()
        if connection := next(iter(self._leaving), None):
            self._abort(connection)
        return True
