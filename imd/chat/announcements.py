"""The rules of announcements: told to everybody online, and at login to whoever has not seen them."""

from imd.chat.accounts import DAY
from imd.chat.lanes import Followers, Me, Outcome, Topic, reads, writes
from imd.chat.waiting import waits
from imd.store import announcements as sql
from imd.store.transaction import Tx
from imd.wire import announcements as wire
from imd.wire.base import Done
from imd.wire.fields import timestamp
from imd.wire.refusals import BadRequest


@writes(wire.AnnouncementAdd)
def announcement_add(tx: Tx, me: Me, command: wire.AnnouncementAdd) -> Outcome[wire.Announced]:
    """Tell everybody online, and keep it for the others."""
    if not command.content.strip():
        raise BadRequest("empty")
    expires = me.now + command.days * DAY
    number = sql.add(tx, me.now, expires, me.author, command.content)
    event = wire.NewAnnouncement(number=number, time=timestamp(me.now), content=command.content)
    reply = wire.Announced(number=number, expires=timestamp(expires))
    return Outcome(reply, told=((Followers(Topic.everyone()), event),))


@reads(wire.AnnouncementList)
def announcement_list(tx: Tx, me: Me, command: wire.AnnouncementList) -> Outcome[wire.Announcements]:
    """List those that have not expired."""
    listed = [
        wire.Announcement(
            number=row.number,
            time=timestamp(row.time),
            expires=timestamp(row.expires),
            by=row.author,
            content=row.content,
        )
        for row in sql.standing(tx, me.now)
    ]
    return Outcome(wire.Announcements(announcements=listed))


@writes(wire.AnnouncementRemove)
def announcement_remove(tx: Tx, me: Me, command: wire.AnnouncementRemove) -> Outcome[Done]:
    """Let one expire now."""
    if not sql.end(tx, command.number, me.now):
        raise BadRequest("announcement", number=command.number)
    return Outcome(Done())


@writes(wire.AnnouncementSeen)
def announcement_seen(tx: Tx, me: Me, command: wire.AnnouncementSeen) -> Outcome[Done]:
    """Move my pointer, never past the last one and never back."""
    if command.number > sql.last(tx):
        raise BadRequest("announcement", number=command.number)
    sql.saw(tx, me.account, command.number)
    return Outcome(Done())


@waits
def unseen(tx: Tx, me: Me) -> list[wire.NewAnnouncement]:
    """Give what I have yet to see, as the events that tell of it: for my login."""
    return [
        wire.NewAnnouncement(number=row.number, time=timestamp(row.time), content=row.content)
        for row in sql.unseen(tx, me.account, me.now)
    ]
