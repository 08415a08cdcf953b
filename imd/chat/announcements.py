"""The rules of announcements: told to everybody online, and at each login until the account has seen them.

What an account has seen is one number on its row: a new announcement writes nothing per reader, and a lost connection
loses none.
"""

from imd.chat.base.context import Caller
from imd.chat.base.effects import Followers, Outcome, Topic
from imd.chat.base.handlers import reads, reminder, writes
from imd.chat.base.limits import DAY
from imd.store import announcements as sql
from imd.store.transaction import Tx
from imd.wire import announcements as wire
from imd.wire.base import Done
from imd.wire.fields import timestamp
from imd.wire.refusals import BadRequest


@writes(wire.AnnouncementAdd)
def announcement_add(tx: Tx, caller: Caller, command: wire.AnnouncementAdd) -> Outcome[wire.Announced]:
    """Tell everybody online, and store it for the others."""
    if not command.content.strip():
        raise BadRequest("empty")
    expires = caller.now + command.days * DAY
    number = sql.add(tx, caller.now, expires, caller.author, command.content)
    event = wire.NewAnnouncement(number=number, time=timestamp(caller.now), content=command.content)
    reply = wire.Announced(number=number, expires=timestamp(expires))
    return Outcome(reply, told=((Followers(Topic.everyone()), event),))


@reads(wire.AnnouncementList)
def announcement_list(tx: Tx, caller: Caller, command: wire.AnnouncementList) -> Outcome[wire.Announcements]:
    """List those that have not expired."""
    listed = [
        wire.Announcement(
            number=row.number,
            time=timestamp(row.time),
            expires=timestamp(row.expires),
            by=row.author,
            content=row.content,
        )
        for row in sql.standing(tx, caller.now)
    ]
    return Outcome(wire.Announcements(announcements=listed))


@writes(wire.AnnouncementRemove)
def announcement_remove(tx: Tx, caller: Caller, command: wire.AnnouncementRemove) -> Outcome[Done]:
    """Let one expire now."""
    if not sql.end(tx, command.number, caller.now):
        raise BadRequest("announcement", number=command.number)
    return Outcome(Done())


@writes(wire.AnnouncementSeen)
def announcement_seen(tx: Tx, caller: Caller, command: wire.AnnouncementSeen) -> Outcome[Done]:
    """Move the caller's pointer forward, never past the last announcement."""
    if command.number > sql.last(tx):
        raise BadRequest("announcement", number=command.number)
    sql.saw(tx, caller.account, command.number)
    return Outcome(Done())


@reminder
def unseen(tx: Tx, caller: Caller) -> list[wire.NewAnnouncement]:
    """Give the announcements that the caller has not seen, as events."""
    return [
        wire.NewAnnouncement(number=row.number, time=timestamp(row.time), content=row.content)
        for row in sql.unseen(tx, caller.account, caller.now)
    ]
