"""Replay: after a login, push undelivered messages, then other reminders, then the live events that came meanwhile.

Live events are held until the replay is over. Held messages that a page already contained are dropped by their rev,
so nothing is missed and nothing is shown twice. The next page is fetched at once, and pushed when the peer has read
the one before it.
"""

from collections.abc import Iterator
from functools import partial

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from imd.chat.base.context import Caller
from imd.chat.base.handlers import reminders
from imd.chat.conversations import replay_page, undelivered
from imd.engine.encoded_event import EncodedEvent
from imd.engine.pacing import Listener
from imd.engine.server import Server
from imd.store.db import StoreUnavailable
from imd.store.transaction import Tx
from imd.wire.base import Event
from imd.wire.messages import MessageChanged, NewMessage
from imd.wire.receipts import Replayed
from imd.wire.refusals import SlowConsumer, Unavailable

PAGE = 100


@attrs.define(eq=False)
class Replay:
    """One session's replay."""

    log = Logger()

    server: Server
    session: Listener
    caller: Caller
    messages: bool = True
    """Whether messages are pushed: a client that syncs wants only the reminders."""

    _held: list[EncodedEvent] = attrs.field(factory=list, init=False)
    _held_bytes: int = attrs.field(default=0, init=False)
    _begun: dict[int, tuple[int, int]] = attrs.field(factory=dict, init=False)
    """Conversation -> (the seq it is replayed after, its rev then)."""

    _pushed: dict[tuple[int, int], int] = attrs.field(factory=dict, init=False)
    """(conversation, seq) -> the rev of a pushed message, if that is newer than the conversation's rev at the start."""

    _sent: set[tuple[int, int]] = attrs.field(factory=set, init=False)
    """(conversation, seq) of messages that the session itself sent meanwhile: it knows them from the replies."""

    _reminders: list[Event] = attrs.field(factory=list, init=False)

    _count: int = attrs.field(default=0, init=False)
    _waiting: "Deferred[None] | None" = attrs.field(default=None, init=False)
    _stopped: bool = attrs.field(default=False, init=False)

    def begin(self) -> None:
        """Start; `replay_over` is called at the end."""
        Deferred.fromCoroutine(self._run()).addErrback(self._failed)

    def hold(self, encoded: EncodedEvent) -> None:
        """Hold a live event until the end. Too many bytes end the session, as too long a queue does."""
        self._held.append(encoded)
        self._held_bytes += encoded.size
        if self._held_bytes > self.server.limits.queue_bytes:
            self.session.close(SlowConsumer())

    def sent(self, conversation: int, seq: int) -> None:
        """Leave out a message that the session itself sent during its replay."""
        self._sent.add((conversation, seq))

    def proceed(self) -> None:
        """Continue: the peer has read what it was sent."""
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting.callback(None)

    def stop(self) -> None:
        """Stop: the session ended or logged out."""
        self._stopped = True
        self.proceed()

    async def _run(self) -> None:
        conversations, self._reminders = await self.server.read(self._undelivered)
        self._begun = {conversation: (after, rev) for conversation, after, rev in conversations}
        for conversation, after, _ in conversations:
            await self._push(conversation, after)
        if self._begun or self._reminders:
            await self.server.database.settled()  # then the events of all that the pages showed are held
        await self._until_read()
        if not self._stopped:
            self.server.pacing.catch_up(self.session)
            self._finish()

    def _undelivered(self, tx: Tx) -> tuple[list[tuple[int, int, int]], list[Event]]:
        return undelivered(tx, self.caller) if self.messages else [], reminders(tx, self.caller)

    async def _push(self, conversation: int, after: int) -> None:
        """Push one conversation, page by page."""
        seq: int | None = after
        while seq is not None and not self._stopped:
            page, more = await self.server.read(
                partial(replay_page, caller=self.caller, number=conversation, after=seq, limit=PAGE)
            )
            await self._until_read()
            if self._stopped:
                return
            for event in page:
                if event.rev > self._begun[conversation][1]:
                    self._pushed[conversation, event.seq] = event.rev
                if (conversation, event.seq) not in self._sent:
                    self.session.tell(EncodedEvent((), event))
                    self._count += 1
            seq = page[-1].seq if more else None

    async def _until_read(self) -> None:
        while not self._stopped and not self.session.ready():
            self._waiting = Deferred()
            await self._waiting

    def _finish(self) -> None:
        for event in (*self._reminders, *[Replayed(count=self._count)] * self.messages):
            self.session.tell(EncodedEvent((), event))
        for encoded in self._fresh():
            self.session.tell(encoded)
        self.session.replay_over()

    def _fresh(self) -> Iterator[EncodedEvent]:
        for encoded in self._held:
            event = encoded.event
            shown = (
                self._has_shown(event) if isinstance(event, NewMessage | MessageChanged) else event in self._reminders
            )
            if not shown:
                yield encoded

    def _has_shown(self, event: NewMessage | MessageChanged) -> bool:
        """Say whether a page showed this message in the state that the event describes, or a newer one."""
        after, rev = self._begun.get(event.conversation, (event.seq, 0))
        if event.rev <= rev:
            return event.seq > after
        return event.rev <= self._pushed.get((event.conversation, event.seq), 0)

    def _failed(self, failure: Failure) -> None:
        if not failure.check(StoreUnavailable):
            self.log.failure("a replay failed", failure)
        self.session.close(Unavailable())
