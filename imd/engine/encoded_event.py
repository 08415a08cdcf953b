"""An event on its way to many sessions: encoded once for each dialect and language that somebody hears it in."""

import attrs

from imd.chat.base.effects import Addressee
from imd.wire import jsonline, textline
from imd.wire.base import Event


@attrs.define
class EncodedEvent:
    """One event and who is to hear it. Its JSON is made beforehand: what cannot be said is never stored."""

    to: Addressee
    event: Event
    json: bytes
    _text: dict[str, bytes] = attrs.field(factory=dict, init=False)

    @classmethod
    def of(cls, to: Addressee, event: Event) -> "EncodedEvent":
        """Encode an event."""
        return cls(to, event, jsonline.DIALECT.event(event, "en"))

    def text(self, language: str) -> bytes:
        """Give its text lines; nothing, where it tells a person nothing."""
        if language not in self._text:
            self._text[language] = textline.DIALECT.event(self.event, language)
        return self._text[language]
