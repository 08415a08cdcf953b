"""Who is online: accounts and their sessions, every connection, and what is written to whom."""

from collections.abc import Iterable, Mapping
from itertools import islice

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from imd.chat.base.effects import EVERYBODY, Addressee, Followers, Topic
from imd.engine.encoded_event import EncodedEvent
from imd.engine.server import Server
from imd.engine.session import Session
from imd.net.admission import Admission, Connection
from imd.wire.refusals import QuotaExceeded, Unavailable

SLICE = 64
"""How many connections are written to in a turn of the reactor: encrypting takes a tenth of a millisecond for each."""

TURN_SECONDS = 0.004
"""How long of a turn of the reactor is given to that."""

MOST_LATE = 32
"""When so much waits to be heard by one session, no more commits are answered until it has heard it."""

MOST_TOLD = 65_536
"""When so many bytes were told, they are written first, to see whether those they are for can take them."""


@attrs.define(eq=False)
class Hub:
    """The online map, and what is written to whom."""

    log = Logger()

    server: Server
    online: dict[int, dict[Session, None]] = attrs.field(factory=dict, init=False)
    """Account -> its sessions, one for each device that is connected, oldest first."""

    followers: dict[Topic, dict[int, int]] = attrs.field(factory=dict, init=False)
    """Topic -> the accounts online that follow it, each from which seq on."""

    admission: Admission = attrs.field(
        default=attrs.Factory(lambda self: Admission(self.server), takes_self=True), init=False
    )
    _followed: dict[int, set[Topic]] = attrs.field(factory=dict, init=False)
    _late: dict[Session, list[EncodedEvent]] = attrs.field(factory=dict, init=False)
    """Who has yet to hear what many are told; the first has waited longest."""

    _overdue: dict[Session, None] = attrs.field(factory=dict, init=False)
    """Those of them for whom MOST_LATE waits."""

    _told: int = attrs.field(default=0, init=False)
    """The bytes that were told since the last writing."""

    _dirty: dict[Connection, None] = attrs.field(factory=dict, init=False)
    _due: bool = attrs.field(default=False, init=False)
    _empty: "Deferred[None] | None" = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.server.hub = self
        self.server.database.after_batch = self._turn
        self.server.database.held_up = self._behind

    @property
    def connections(self) -> set[Connection]:
        """Every connection."""
        return self.admission.inside

    @property
    def size(self) -> int:
        """How many connections there are."""
        return len(self.connections)

    @property
    def full(self) -> bool:
        """Whether all places but those for strangers are taken."""
        limits = self.server.limits
        return self.size - self.admission.strangers >= limits.connections - limits.strangers

    @property
    def people(self) -> int:
        """How many accounts are online."""
        return len(self.online)

    def enter(self, account: int, session: Session, topics: Mapping[Topic, int]) -> None:
        """Count a session as an account's, which follows these topics."""
        mine = self.online.setdefault(account, {})
        mine[session] = None
        if len(mine) > self.server.limits.connections_per_account:
            oldest = next(iter(mine))
            del mine[oldest]
            oldest.close(QuotaExceeded("connections", limit=self.server.limits.connections_per_account))
        for topic, seq in topics.items():
            self.follow(account, topic, seq)

    def leave(self, account: int, session: Session) -> None:
        """Count it no more, nor tell it what it has yet to hear; an account without sessions follows nothing."""
        self._late.pop(session, None)
        self._overdue.pop(session, None)
        sessions = self.online.get(account, {})
        sessions.pop(session, None)
        if not sessions and self.online.pop(account, None) is not None:
            for topic in tuple(self._followed.get(account, ())):
                self.unfollow(account, topic)
            self.server.left(account)

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

    def tell(self, encoded: EncodedEvent, besides: Session | None = None) -> None:
        """Let those it is for hear it, all but one session. Encoded once, written to each."""
        hearers = dict.fromkeys(
            session
            for account in self._accounts(encoded.to)
            for session in self.online.get(account, ())
            if session is not besides
        )
        if hearers:
            self._told += len(encoded.json)
        if len(hearers) > SLICE:
            for session in hearers:
                late = self._late.setdefault(session, [])
                late.append(encoded)
                if len(late) >= MOST_LATE:
                    self._overdue[session] = None
            self._go_on()
            return
        for session in hearers:
            self.catch_up(session)
            self._let_hear(session, encoded)

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

    def catch_up(self, session: Session) -> None:
        """Let a session hear what it has yet to hear: on one connection nothing overtakes anything."""
        self._overdue.pop(session, None)
        for encoded in self._late.pop(session, ()):
            self._let_hear(session, encoded)

    def _behind(self) -> bool:
        """Say whether so much waits to be heard, or to be written, that no more should come."""
        behind = bool(self._overdue) or self._told > MOST_TOLD
        if behind:
            self._go_on()
        return behind

    def _let_hear(self, session: Session, encoded: EncodedEvent) -> None:
        """Let one session hear it. One that cannot be told must catch up, and keeps nobody else from hearing."""
        try:
            session.hear(encoded)
        except Exception:
            self.log.failure("an event could not be told")
            session.close(Unavailable())

    def cut(self, account: int, devices: list[int], besides: Session | None = None) -> None:
        """Close the sessions of these devices."""
        for session in tuple(self.online.get(account, ())):
            if session is not besides and session.identity is not None and session.identity.device in devices:
                session.cut()

    def promote(self, account: int, admin: bool) -> None:
        """Give an account's sessions an admin's rights, or take them."""
        for session in self.online.get(account, ()):
            if session.identity is not None:
                session.identity = attrs.evolve(session.identity, admin=admin)

    def flush_soon(self, connection: Connection) -> None:
        """Write a connection's lines once the group of commits has been answered, or else at the end of this turn."""
        self._dirty[connection] = None
        if not self.server.database.answering:
            self._go_on()

    def _go_on(self) -> None:
        if not self._due:
            self._due = True
            self.server.reactor.callLater(0, self._next)

    def _next(self) -> None:
        self._due = False
        self._turn()

    def _turn(self) -> None:
        """Let some hear what they have yet to hear, and write to some, one write each; others in the next turns."""
        until, self._told = self.server.reactor.seconds() + TURN_SECONDS, 0
        try:
            for session in tuple(islice(self._overdue or self._late, SLICE)):
                self.catch_up(session)
                if self.server.reactor.seconds() > until:
                    break
            for connection in tuple(islice(self._dirty, SLICE)):
                del self._dirty[connection]
                self._write(connection)
                if self.server.reactor.seconds() > until:
                    break
        finally:
            if self._late or self._dirty:
                self._go_on()

    def _write(self, connection: Connection) -> None:
        """Write one connection's lines. One that cannot be written to keeps nobody else waiting."""
        try:
            connection.flush()
        except Exception:
            self.log.failure("a connection could not be written to")
            connection.cut_off()

    def gone(self, connection: Connection) -> None:
        """Forget a connection."""
        self.admission.gone(connection)
        self._dirty.pop(connection, None)
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
