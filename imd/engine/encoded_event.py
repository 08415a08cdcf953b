"""An event for many sessions, encoded once for each dialect and language that is needed."""

import attrs

from imd.chat.base.effects import Addressee, Delivery
from imd.wire import jsonline
from imd.wire.base import Dialect, Event


@attrs.define
class EncodedEvent:
    """One event and its addressees. The JSON is made first: an event that cannot be encoded must not be stored."""

    to: Addressee
    event: Event
    size: int = attrs.field(init=False)
    """Its length as JSON, in bytes."""

    _lines: dict[tuple[str, str], bytes] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.size = len(self.line(jsonline.DIALECT, ""))

    @classmethod
    def all(cls, deliveries: tuple[Delivery, ...]) -> "list[EncodedEvent]":
        """Encode the deliveries of a handler."""
        return [cls(to, event) for to, event in deliveries]

    def line(self, dialect: Dialect, language: str) -> bytes:
        """Return the line; empty if the dialect does not show this event. JSON is the same in every language."""
        key = dialect.name, language if dialect.for_people else ""
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = dialect.event(self.event, language)
        return line
