"""Pacing: decides how much of each reactor turn goes to connections before login, to completions and to output.

Each turn has this order: work for connections before login, for PREAUTH_SECONDS; completions of committed groups;
events for many, to the sessions that have yet to get them; flushing connections, with one write each.
What does not fit into TURN_SECONDS waits for the next turn, so that new input is read in between.
"""

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from imd.chat.base.effects import SignIn
from imd.engine.connection import Connection
from imd.engine.encoded_event import EncodedEvent
from imd.store.db import Call, Group, complete
from imd.wire.refusals import Refusal, Unavailable

TURN_SECONDS = 0.008
"""After so long a turn starts nothing more. Completions may use half of it."""

PREAUTH_SECONDS = 0.003
"""The share of connections before login: a TLS handshake costs one or two milliseconds, and many may come at once."""

MOST_BEHIND = 32
"""When so many events wait for one session, no more completions are called until it has got them."""

MOST_UNFLUSHED = 64
"""When so many connections wait to be flushed, events for many wait. An event for a few would be flushed after all
of them."""

MOST_TOLD = 65_536
"""After so many bytes of events, connections are flushed first, to learn whether their peers can take more."""


class Listener(Protocol):
    """What the pacing, the hub and a replay need of a session, whose module imports theirs."""

    identity: SignIn | None
    """The account that it is logged in to."""

    connection: Connection
    lines: list[bytes]
    """The queued output."""

    size: int
    """The bytes of the queued output."""

    def hear(self, event: EncodedEvent) -> None:
        """Receive an event; during a replay it is held until the end."""

    def tell(self, event: EncodedEvent) -> None:
        """Write an event."""

    def ready(self) -> bool:
        """Say whether the peer can take more."""

    def replay_over(self) -> None:
        """Receive events directly again."""

    def close(self, refusal: Refusal) -> None:
        """Tell the client why, and end."""

    def revoke(self) -> None:
        """End because the device was logged out."""


def _nothing() -> None:
    """Complete nothing: a group may have no completions."""


@attrs.define(eq=False)
class Pacing:
    """Distributes work over the turns of the reactor."""

    log = Logger()

    reactor: IReactorTime
    observe: Callable[[int, float], None] | None = None
    """Called with the size of each committed group, and the seconds that the writer took."""

    told: int = attrs.field(default=0, init=False)
    """The bytes of events since the last flush."""

    _preauth: deque[Call] = attrs.field(factory=deque, init=False)
    _preauth_spent: float = attrs.field(default=0.0, init=False)
    _completions: "deque[Call | None]" = attrs.field(factory=deque, init=False)
    """None marks the end of a group: its events go out before the next group's completions are called."""

    _behind: dict[Listener, list[EncodedEvent]] = attrs.field(factory=dict, init=False)
    """The events that each session has yet to get. The first session has waited longest."""

    _far_behind: dict[Listener, None] = attrs.field(factory=dict, init=False)
    """The sessions for which MOST_BEHIND events wait."""

    _unflushed: dict[Listener, None] = attrs.field(factory=dict, init=False)
    _due: bool = attrs.field(default=False, init=False)
    _in_turn: bool = attrs.field(default=False, init=False)

    # -- what is to be done

    def deliver(self, group: Group) -> None:
        """Call the completions of a committed group: as many as time allows now, the others in later turns."""
        if self.observe is not None:
            complete(partial(self.observe, group.writes, group.seconds))
        self._completions.extend(group.completions)
        self._completions.append(None)
        if not self._in_turn:
            self._turn()

    def hear_later(self, session: Listener, event: EncodedEvent) -> None:
        """Queue an event for a session, because many sessions get it."""
        waiting = self._behind.setdefault(session, [])
        waiting.append(event)
        if len(waiting) >= MOST_BEHIND:
            self._far_behind[session] = None
        if not self._in_turn:
            self._go_on()

    def hear_now(self, session: Listener, event: EncodedEvent) -> None:
        """Pass an event to a session, after the events that are queued for it."""
        if session in self._behind:
            self.catch_up(session)
        try:
            session.hear(event)
        except Exception:  # the other sessions must still get it
            self.log.failure("an event could not be sent")
            session.close(Unavailable())

    def catch_up(self, session: Listener) -> None:
        """Pass the queued events to a session. Call this before sending it anything else, to keep the order."""
        self._far_behind.pop(session, None)
        for event in self._behind.pop(session, ()):
            self.hear_now(session, event)

    def forget(self, session: Listener) -> None:
        """Drop the events queued for a session that has logged out or ended."""
        self._behind.pop(session, None)
        self._far_behind.pop(session, None)

    def flush_soon(self, session: Listener) -> None:
        """Flush a session after the completions of a group, or else at the end of this turn."""
        self._unflushed[session] = None
        if not self._in_turn:
            self._go_on()

    def gone(self, session: Listener) -> None:
        """Forget a session."""
        self._unflushed.pop(session, None)

    def preauth(self, work: Call) -> None:
        """Do work for a connection before login: now, or in a later turn if this turn's share is used up."""
        if self._preauth or self._preauth_spent >= PREAUTH_SECONDS:
            self._preauth.append(work)
        else:
            self._do_preauth(work)
        self._go_on()

    # -- the turn

    def _go_on(self) -> None:
        if not self._due:
            self._due = True
            self.reactor.callLater(0, self._next)

    def _next(self) -> None:
        self._due, self._preauth_spent = False, 0.0
        while self._preauth and self._preauth_spent < PREAUTH_SECONDS:
            complete(partial(self._do_preauth, self._preauth.popleft()))
        self._turn()

    def _do_preauth(self, work: Call) -> None:
        begun = time.perf_counter()
        try:
            work()
        finally:
            self._preauth_spent += time.perf_counter() - begun

    def _turn(self) -> None:
        begun, self._in_turn = self.reactor.seconds(), True
        try:
            if self._complete(begun + TURN_SECONDS / 2):
                self._tell(begun + TURN_SECONDS)
                self._flush(begun + TURN_SECONDS)
        finally:
            self._in_turn = False
            if self._preauth or self._completions or self._behind or self._unflushed:
                self._go_on()

    def _complete(self, until: float) -> bool:
        """Call completions. True when events must go out next: a group is done, or too many events wait."""
        while self._completions and not (self._far_behind or self.told > MOST_TOLD):
            try:
                (self._completions.popleft() or _nothing)()
            except Exception:
                self.log.failure("a completion failed")
            if self._completions and self._completions[0] is None:
                self._completions.popleft()
                return True
            if self.reactor.seconds() > until:
                return False
        return True

    def _tell(self, until: float) -> None:
        while self._behind and len(self._unflushed) < MOST_UNFLUSHED:
            self.catch_up(next(iter(self._far_behind or self._behind)))
            if self.reactor.seconds() > until:
                break

    def _flush(self, until: float) -> None:
        self.told = 0
        while self._unflushed:
            session = next(iter(self._unflushed))
            del self._unflushed[session]
            lines, session.lines, session.size = session.lines, [], 0
            try:
                session.connection.write(lines)
            except Exception:  # the other connections must still be flushed
                self.log.failure("a connection could not be written to")
                session.connection.cut_off()
            if self.reactor.seconds() > until:
                break
