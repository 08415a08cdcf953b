"""Announcements: what an admin tells everybody, now or at their next login, until they have seen it.

-> ANNOUNCEMENT ADD Tonight at ten we are away for an hour.     <- OK ANNOUNCEMENT ADD number=1 expires=…
                                            (everybody reads: * Announcement: Tonight at ten we are away for an hour.)
-> ANNOUNCEMENT SEEN 1                                          <- OK ANNOUNCEMENT SEEN
-> ANNOUNCEMENT REMOVE 1                                        <- OK ANNOUNCEMENT REMOVE
"""

from typing import Annotated

from msgspec import Meta

from imd.wire.base import Command, Event, Item, Reply, Right, command
from imd.wire.fields import Days, Number, clock_face
from imd.wire.refusals import BadRequest

Text = Annotated[str, Meta(min_length=1, max_length=4096)]


class Announced(Reply, frozen=True, kw_only=True):
    """The announcement's number, and until when it is told at logins."""

    number: int
    expires: str


@command("announcement_add", "ANNOUNCEMENT ADD content...", right=Right.ADMIN)
class AnnouncementAdd(Command, frozen=True, kw_only=True):
    """Tell everybody something: those online now, the others when they log in."""

    content: Text
    days: Days = 30
    reply = Announced
    refusals = (BadRequest,)
    example = "ANNOUNCEMENT ADD Tonight at ten we are away for an hour."


class Announcement(Item, frozen=True, kw_only=True):
    """One announcement as an admin sees it."""

    number: int
    time: str
    expires: str
    by: str
    content: str

    def text(self, language: str) -> str:
        """Write the announcement's line in ANNOUNCEMENT LIST."""
        return f"{self.number} {clock_face(self.time)} {self.by}: {self.content}"


class Announcements(Reply, frozen=True, kw_only=True):
    """The announcements that have not expired, the oldest first."""

    announcements: list[Announcement]


@command("announcement_list", "ANNOUNCEMENT LIST", right=Right.ADMIN)
class AnnouncementList(Command, frozen=True, kw_only=True):
    """List the announcements that have not expired."""

    reply = Announcements
    example = "ANNOUNCEMENT LIST"


@command("announcement_remove", "ANNOUNCEMENT REMOVE number", right=Right.ADMIN)
class AnnouncementRemove(Command, frozen=True, kw_only=True):
    """Remove an announcement: it is not told any more."""

    number: Number
    refusals = (BadRequest,)
    example = "ANNOUNCEMENT REMOVE 1"


@command("announcement_seen", "ANNOUNCEMENT SEEN number")
class AnnouncementSeen(Command, frozen=True, kw_only=True):
    """Mark announcements up to a number as seen. They are not told again."""

    number: Number
    refusals = (BadRequest,)
    example = "ANNOUNCEMENT SEEN 1"


class NewAnnouncement(Event, frozen=True, kw_only=True, tag="announcement"):
    """An announcement by the admins. It is told again at each login until it is marked as seen."""

    number: int
    time: str
    content: str
