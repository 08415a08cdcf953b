"""Implicit acknowledgements by a person at a terminal (PROTOCOL section 6.7).

Messages shown so far count as delivered when the person types the next line, and as read when the person answers.
"""

import attrs

from imd.wire import textline
from imd.wire.announcements import AnnouncementSeen, NewAnnouncement
from imd.wire.base import Command, Event, Request, registry
from imd.wire.messages import NewMessage
from imd.wire.receipts import Ack, Read


@attrs.define
class ImplicitAcks:
    """Remembers what was shown, and makes the requests that the person implies by typing."""

    _shown: dict[int, int] = attrs.field(factory=dict, init=False)
    """Conversation -> the latest seq shown since the last typed line."""

    _unanswered: set[int] = attrs.field(factory=set, init=False)
    """Conversations of which messages were shown since the last answer."""

    _announcement: int = attrs.field(default=0, init=False)
    """The number of the latest announcement shown since the last typed line; 0 is none."""

    def show(self, event: Event) -> None:
        """Note an event that was shown."""
        if isinstance(event, NewMessage):
            self._shown[event.conversation] = event.seq
            self._unanswered.add(event.conversation)
        elif isinstance(event, NewAnnouncement):
            self._announcement = event.number

    def typed(self) -> list[Request]:
        """Return the requests that a typed line implies: acknowledgements of all that was shown."""
        acks = [_silent("ack", Ack(conversation=conversation, seq=seq)) for conversation, seq in self._shown.items()]
        if self._announcement:
            acks.append(_silent("announcement_seen", AnnouncementSeen(number=self._announcement)))
        self._shown.clear()
        self._announcement = 0
        return acks

    def answered(self, conversation: int) -> list[Request]:
        """Return the request that an answer implies: that the conversation was read."""
        if conversation not in self._unanswered:
            return []
        self._unanswered.discard(conversation)
        return [_silent("read", Read(conversation=conversation, seq=None))]


def _silent(action: str, command: Command) -> Request:
    """Make a request whose reply is not sent."""
    return Request(dialect=textline.DIALECT, spec=registry.actions[action], command=command, silent=True)
