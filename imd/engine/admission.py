"""Admission: how many connections there may be, and which one gives way where there is no room.

A connection before login counts for its address. One address may have `unauthenticated_per_address` of them; as many
again are told so, and what comes beyond is cut off without a word. All addresses together may have `Limits.strangers`.
A newcomer beyond that takes the place of the oldest connection at the address with the most: one address cannot fill
the room, and a client that logs in soon is never shut out. A connection that gives way has a moment to read why.
"""

from collections.abc import Callable

import attrs
from twisted.internet.defer import Deferred

from imd.chat.base.limits import Limits
from imd.engine.connection import Connection


@attrs.define(eq=False)
class Admission:
    """Counts connections. One without an address (a unix socket) has no count of its own, but takes room."""

    limits: Callable[[], Limits]
    """Gives the limits that hold now."""

    connections: set[Connection] = attrs.field(factory=set, init=False)

    _strangers: dict[str, dict[Connection, None]] = attrs.field(factory=dict, init=False)
    """Address -> its connections that have not logged in, oldest first."""

    _leaving: dict[Connection, None] = attrs.field(factory=dict, init=False)
    """Those that gave way, and are still being told."""

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
        """Whether all places but those for connections before login are taken."""
        limits = self.limits()
        return self.size - self._count >= limits.connections - limits.strangers

    def admits(self, origin: str) -> bool:
        """Say whether one more may come from an address; another one gives way to it where there is no room."""
        limits = self.limits()
        if origin and len(self._strangers.get(origin, ())) >= 2 * limits.unauthenticated_per_address:
            return False
        if self.size >= limits.connections:
            return self._cut_one_off()
        if self._count >= limits.strangers:
            self._turn_one_out()
        return True

    def arrive(self, connection: Connection, origin: str) -> bool:
        """Count a connection before login; False when its address has too many already."""
        here = self._strangers.setdefault(origin, {})
        here[connection] = None
        self._count += 1
        return not origin or len(here) <= self.limits().unauthenticated_per_address

    def depart(self, connection: Connection, origin: str) -> None:
        """Count it as before login no more."""
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
        """Close every connection, since the server stops; fires when the last one is gone."""
        emptied: Deferred[None] = Deferred()
        if not self.connections:
            emptied.callback(None)
            return emptied
        self._emptied = emptied
        for connection in tuple(self.connections):
            connection.goodbye()
        return emptied

    def _turn_one_out(self) -> None:
        crowd = max(self._strangers, key=lambda each: len(self._strangers[each]))
        connection = next(iter(self._strangers[crowd]))
        self.depart(connection, crowd)
        if len(self._leaving) >= self.limits().strangers:
            self._cut_off(next(iter(self._leaving)))
        if connection.turn_out():
            self._leaving[connection] = None
        else:
            self.gone(connection)

    def _cut_off(self, connection: Connection) -> None:
        connection.cut_off()
        self.gone(connection)

    def _cut_one_off(self) -> bool:
        """Make room at once: of those that leave anyway, else of those before login; False where all are logged in."""
        if not self._leaving and not self._count:
            return False
        if not self._leaving:
            self._turn_one_out()
        if connection := next(iter(self._leaving), None):
            self._cut_off(connection)
        return True
