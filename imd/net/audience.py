"""Who is online: accounts and their sessions, every connection, and what is written to whom."""

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from imd.chat.lanes import EVERYBODY, Addressee, Followers, Topic
from imd.engine.announcement import Announcement
from imd.engine.house import House
from imd.engine.session import Session
from imd.net.door import Connection, Door
from imd.wire.refusals import QuotaExceeded, Unavailable

SLICE = 64
"""How many sessions hear one thing in a turn of the reactor: encrypting it takes a tenth of a millisecond for each."""

Hearer = tuple[int, Session]
"""A session, and the account that it is to hear something for."""


@attrs.define(eq=False)
class Audience:
    """The online map, and what is written to whom."""

    log = Logger()

    house: House
    online: dict[int, dict[Session, None]] = attrs.field(factory=dict, init=False)
    """Account -> its sessions, one for each device that is connected, oldest first."""

    followers: dict[Topic, dict[int, int]] = attrs.field(factory=dict, init=False)
    """Topic -> the accounts online that follow it, each from which seq on."""

    door: Door = attrs.field(default=attrs.Factory(lambda self: Door(self.house), takes_self=True), init=False)
    _followed: dict[int, set[Topic]] = attrs.field(factory=dict, init=False)
    _tellings: deque[tuple[Announcement, dict[Hearer, None]]] = attrs.field(factory=deque, init=False)
    """What many are being told, and who of them has yet to hear it."""

    _dirty: list[Connection] = attrs.field(factory=list, init=False)
    _flush_due: bool = attrs.field(default=False, init=False)
    _empty: "Deferred[None] | None" = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.house.audience = self
        self.house.database.after_batch = self.flush

    @property
    def connections(self) -> set[Connection]:
        """Every connection."""
        return self.door.inside

    @property
    def size(self) -> int:
        """How many connections there are."""
        return len(self.connections)

    @property
    def full(self) -> bool:
        """Whether all places but those for strangers are taken."""
        limits = self.house.limits
        return self.size - self.door.strangers >= limits.connections - limits.strangers

    @property
    def people(self) -> int:
        """How many accounts are online."""
        return len(self.online)

    def enter(self, account: int, session: Session, topics: Mapping[Topic, int]) -> None:
        """Count a session as an account's, which follows these topics."""
        mine = self.online.setdefault(account, {})
        mine[session] = None
        if len(mine) > self.house.limits.connections_per_account:
            oldest = next(iter(mine))
            del mine[oldest]
            oldest.close(QuotaExceeded("connections", limit=self.house.limits.connections_per_account))
        for topic, seq in topics.items():
            self.follow(account, topic, seq)

    def leave(self, account: int, session: Session) -> None:
        """Count it no more; an account without sessions follows nothing."""
        sessions = self.online.get(account, {})
        sessions.pop(session, None)
        if not sessions and self.online.pop(account, None) is not None:
            for topic in tuple(self._followed.get(account, ())):
                self.unfollow(account, topic)
            self.house.left(account)

    def follow(self, account: int, topic: Topic, seq: int) -> None:
        """Let an account follow a topic, from a seq on, for as long as it is online."""
        if account in self.online:
            self.followers.setdefault(topic, {})[account] = seq
            self._followed.setdefault(account, set()).add(topic)

    def unfollow(self, account: int, topic: Topic) -> None:
        """Let an account follow the topic no more, or everybody."""
        if account == EVERYBODY:
            for each in tuple(self.followers.get(topic, ())):
                self.unfollow(each, topic)
            return
        followers, followed = self.followers.get(topic, {}), self._followed.get(account, set())
        followers.pop(account, None)
        followed.discard(topic)
        if not followers:
            self.followers.pop(topic, None)
        if not followed:
            self._followed.pop(account, None)

    def tell(self, announcement: Announcement, besides: Session | None = None) -> None:
        """Let those it is for hear it, all but one session. Encoded once, written to each."""
        hearers = {
            (account, session): None
            for account in self._accounts(announcement.to)
            for session in self.online.get(account, ())
            if session is not besides
        }
        if len(hearers) <= SLICE:
            self._catch_up(hearers)
            self._let_all_hear(hearers, announcement)
            return
        if not self._tellings:
            self.house.reactor.callLater(0, self._next_slice)
        self._tellings.append((announcement, hearers))

    def _accounts(self, to: Addressee) -> Iterable[int]:
        """List the accounts that somebody is to be told at."""
        if not isinstance(to, Followers):
            return to
        if to.topic == Topic.everyone():
            return tuple(self.online)
        followers = self.followers.get(to.topic, {})
        if to.only:
            return (to.only,) if followers.get(to.only, to.seq) < to.seq else ()
        return [account for account, seq in followers.items() if seq < to.seq and account != to.besides]

    def _next_slice(self) -> None:
        """Go on telling many: the reactor breathes between two slices."""
        announcement, waiting = self._tellings[0]
        hearers = list(islice(waiting, SLICE))
        for each in hearers:
            del waiting[each]
        if not waiting:
            self._tellings.popleft()
        self._let_all_hear(hearers, announcement)
        if self._tellings:
            self.house.reactor.callLater(0, self._next_slice)

    def _catch_up(self, hearers: Iterable[Hearer]) -> None:
        """Let a few hear at once what they have yet to hear: on one connection nothing overtakes anything."""
        for announcement, waiting in tuple(self._tellings):
            late = [each for each in hearers if each in waiting]
            for each in late:
                del waiting[each]
            self._let_all_hear(late, announcement)

    def _let_all_hear(self, hearers: Iterable[Hearer], announcement: Announcement) -> None:
        """Let sessions hear it; not one that has gone meanwhile, or speaks for somebody else by now."""
        for account, session in hearers:
            if session in self.online.get(account, ()):
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
                session.cut()

    def promote(self, account: int, admin: bool) -> None:
        """Give an account's sessions an admin's rights, or take them."""
        for session in self.online.get(account, ()):
            if session.me is not None:
                session.me = attrs.evolve(session.me, admin=admin)

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
        self.door.gone(connection)
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
