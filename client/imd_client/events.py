"""What a client tells its program: the server's events as they are, and how connection and messages fare."""

from typing import TypeAlias

import attrs
from twisted.python.failure import Failure

from imd.wire.conversations import Conversation
from imd.wire.messages import Message
from imd_client.protocol import Refused, ServerEvent
from imd_client.state import OutboxItem


@attrs.frozen
class Trusted:
    """A certificate that nobody vouches for was seen for the first time, and is pinned now."""

    server: str
    fingerprint: str


@attrs.frozen
class Online:
    """Logged in."""

    username: str


@attrs.frozen
class Offline:
    """No connection; another attempt follows by itself. `reason` is why the last one failed or ended."""

    reason: Failure


@attrs.frozen
class GaveUp:
    """No further attempt is made: the certificate changed, or the server does not let us in."""

    reason: Failure


@attrs.frozen
class Restored:
    """The server was set back to a backup; the copy of its conversations is fetched anew. The outbox stays."""


@attrs.frozen
class ContactDeleted:
    """The other one of a conversation of two has deleted their account; the copy of it knows them by the new name."""

    conversation: int
    old_name: str
    to: str


@attrs.frozen
class Arrived:
    """A message never seen before on this device, stored in its state; one's own as well."""

    message: Message


@attrs.frozen
class Changed:
    """A message is in another state than before: edited, recalled, reacted to. Its state is stored."""

    message: Message
    before: Message | None
    """As it was known here; None where it lies before what this device has seen."""


@attrs.frozen
class CaughtUp:
    """All that happened while we were away has arrived. The conversations are as the server told them."""

    conversations: list[Conversation]


@attrs.frozen
class NotSent:
    """The server refused a message; it left the outbox."""

    item: OutboxItem
    refused: Refused


ClientEvent: TypeAlias = (
    ServerEvent
    | Trusted
    | Online
    | Offline
    | GaveUp
    | Restored
    | ContactDeleted
    | Arrived
    | Changed
    | CaughtUp
    | NotSent
)
