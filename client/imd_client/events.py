"""What a client reports to its program: the server's events, and events about the connection and the messages."""

from typing import TypeAlias

import attrs
from twisted.python.failure import Failure

from imd.wire.conversations import Conversation
from imd.wire.messages import Message
from imd_client.protocol import Refused, ServerEvent
from imd_client.state import OutboxItem


@attrs.frozen
class Trusted:
    """A certificate that no authority signed was seen for the first time, and is pinned now."""

    server: str
    fingerprint: str


@attrs.frozen
class Online:
    """Logged in."""

    username: str


@attrs.frozen
class Offline:
    """Not connected; another attempt follows. `reason` says why the last one failed or ended."""

    reason: Failure


@attrs.frozen
class GaveUp:
    """No further attempt follows: the certificate changed, or the server refused the login."""

    reason: Failure


@attrs.frozen
class Restored:
    """The server was restored from a backup; its conversations are fetched again. The outbox stays."""


@attrs.frozen
class ContactDeleted:
    """The other member of a direct conversation deleted their account; the local copy has their new name."""

    conversation: int
    old_name: str
    to: str


@attrs.frozen
class Arrived:
    """A message that this device sees for the first time, already stored. Includes the account's own."""

    message: Message


@attrs.frozen
class Changed:
    """A message that was edited, recalled, reacted to or otherwise changed; its new state is stored."""

    message: Message
    before: Message | None
    """The state known here; None if the message is older than what this device has seen."""


@attrs.frozen
class CaughtUp:
    """Everything missed while offline has arrived. The conversations are as the server listed them."""

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
