"""Who is online: accounts and their sessions, every connection, and how many strangers each address has sent."""

import ipaddress
from collections import Counter
from typing import Protocol

import attrs
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.logger import Logger

from imd.engine.announcement import Announcement
from imd.engine.house import House
from imd.engine.session import Session
from imd.wire.refusals import AuthRequired, Refusal, Unavailable


class Connection(Protocol):
    """A connection, as the audience sees it."""

    def flush(self) -> None:
        """Write what is queued."""

    def goodbye(self, refusal: Refusal) -> None:
        """Close, and say why."""


@attrs.define(eq=False)
class Audience:
    """The online map, and what is written to whom."""

    log = Logger()

    house: House
    online: dict[int, set[Session]] = attrs.field(factory=dict, init=False)
    """Account -> its sessions, one for each device that is connected."""

    connections: set[Connection] = attrs.field(factory=set, init=False)
    _strangers: Counter[str] = attrs.field(factory=Counter, init=False)
    _dirty: list[Connection] = attrs.field(factory=list, init=False)
    _flush_due: bool = attrs.field(default=False, init=False)
    _empty: "Deferred[None] | None" = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.house.audience = self
        self.house.database.after_batch = self.flush

    def enter(self, account: int, session: Session) -> None:
        """Count a session as an account's."""
        self.online.setdefault(account, set()).add(session)

    def leave(self, account: int, session: Session) -> None:
        """Count it no more."""
        sessions = self.online.get(account, set())
        sessions.discard(session)
        if not sessions:
            self.online.pop(account, None)

    def tell(self, announcement: Announcement, besides: Session | None = None) -> None:
        """Let the accounts' sessions hear it, all but one. Encoded once, written to each."""
        for account in announcement.accounts:
            for session in tuple(self.online.get(account, ())):
                if session is not besides:
                    self._let_hear(session, announcement)

    def _let_hear(self, session: Session, announcement: Announcement) -> None:
        """Let one session hear it. One that cannot be told must catch up, and keeps nobody else from hearing."""
        try:
            session.hear(announcement)
        except Exception:
            self.log.failure("an event could not be told")
            session.close(Unavailable())

    def cut(self, account: int, devices: list[int], besides: Session | None = None) -> None:
        """Close the sessions of these devices."""
        for session in tuple(self.online.get(account, ())):
            if session is not besides and session.me is not None and session.me.device in devices:
                session.close(AuthRequired("revoked"))

    def origin(self, address: IAddress | None) -> str:
        """Give what limits count as one address: an IPv4 address, or an IPv6 /64, which one household has whole."""
        if not isinstance(address, IPv4Address | IPv6Address):
            return ""
        host = ipaddress.ip_address(address.host)
        if isinstance(host, ipaddress.IPv4Address):
            return str(host)
        return str(host.ipv4_mapped or ipaddress.IPv6Network((int(host), 64), strict=False))

    def arrive(self, origin: str) -> bool:
        """Count a stranger; False when the address has sent too many already. No address, no count."""
        self._strangers[origin] += 1
        return not origin or self._strangers[origin] <= self.house.limits.unauthenticated_per_address

    def depart(self, origin: str) -> None:
        """Count one stranger less."""
        self._strangers[origin] -= 1
        if self._strangers[origin] <= 0:
            del self._strangers[origin]

    def flush_soon(self, connection: Connection) -> None:
        """Write a connection's lines at the end of this turn, or of the group of commits, whichever comes first."""
        self._dirty.append(connection)
        if not self._flush_due:
            self._flush_due = True
            self.house.reactor.callLater(0, self._flush_now)

    def _flush_now(self) -> None:
        self._flush_due = False
        self.flush()

    def flush(self) -> None:
        """Write everything that is queued: one write a connection."""
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            connection.flush()

    def gone(self, connection: Connection) -> None:
        """Forget a connection."""
        self.connections.discard(connection)
        if self._empty is not None and not self.connections:
            self._empty.callback(None)
            self._empty = None

    def goodbye(self) -> "Deferred[None]":
        """Tell everybody that the server stops, and close; fires when the last connection is gone."""
        done: Deferred[None] = Deferred()
        if not self.connections:
            done.callback(None)
            return done
        self._empty = done
        for connection in tuple(self.connections):
            connection.goodbye(Unavailable("stopping"))
        return done
