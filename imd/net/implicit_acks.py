"""What a person at a terminal does without saying so (PROTOCOL section 6.7).

What was shown counts as delivered when they type the next line; what they answer counts as read.
"""

import attrs

from imd.wire import textline
from imd.wire.announcements import AnnouncementSeen, NewAnnouncement
from imd.wire.base import Command, Event, Request, registry
from imd.wire.messages import NewMessage
from imd.wire.receipts import Ack, Read


@attrs.define
class ImplicitAcks:
    """Remembers what was shown, and makes the requests that nobody types."""

    _shown: dict[int, int] = attrs.field(factory=dict, init=False)
    """Conversation -> the latest seq shown since the last line that was typed."""

    _unanswered: set[int] = attrs.field(factory=set, init=False)

    _announced: int = attrs.field(default=0, init=False)
    """The latest announcement shown since then."""

    def show(self, event: Event) -> None:
        """Note what was shown."""
        if isinstance(event, NewMessage):
            self._shown[event.conversation] = event.seq
            self._unanswered.add(event.conversation)
        elif isinstance(event, NewAnnouncement):
            self._announced = event.number

    def typed(self) -> list[Request]:
        """Take a typed line as a sign that what was shown has arrived."""
        acks = [_silent("ack", Ack(conversation=conversation, seq=seq)) for conversation, seq in self._shown.items()]
        if self._announced:
            acks.append(_silent("announcement_seen", AnnouncementSeen(number=self._announced)))
        self._shown.clear()
        self._announced = 0
        return acks

    def answered(self, conversation: int) -> list[Request]:
        """Take an answer as a sign that what it answers was read."""
        if conversation not in self._unanswered:
            return []
        self._unanswered.discard(conversation)
        return [_silent("read", Read(conversation=conversation, seq=None))]


def _silent(action: str, command: Command) -> Request:
    """Make a request that nobody hears the answer of."""
    return Request(dialect=textline.DIALECT, spec=registry.actions[action], command=command, silent=True)
