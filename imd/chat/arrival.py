"""What waits for somebody who logs in, besides messages."""

from imd.chat import announcements
from imd.chat.friends import requests_to
from imd.chat.lanes import Me
from imd.store.transaction import Tx
from imd.wire.base import Event


def waiting(tx: Tx, me: Me) -> list[Event]:
    """Give it as the events that tell of it."""
    return [*requests_to(tx, me), *announcements.unseen(tx, me)]
