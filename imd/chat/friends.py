"""The rules of friends: asking, accepting, parting; who may write to whom, and who is kept away.

Requests are kept by name. Asking somebody who is unknown, shut or blocks the asker looks the same, then and ever after;
who registers the name later finds the request. What one is to another is noted in the account's log as `relation`.
"""

from imd.chat.account_log import note
from imd.chat.lanes import Me, Outcome, Told, reads, writes
from imd.chat.places import recipient_named
from imd.chat.waiting import waits
from imd.store import accounts, invitations
from imd.store import friends as sql
from imd.store.transaction import Tx
from imd.wire import friends as wire
from imd.wire import names
from imd.wire.base import Done
from imd.wire.fields import timestamp
from imd.wire.profiles import Relation
from imd.wire.refusals import BadRequest, Blocked, Conflict, NoSuchUser, QuotaExceeded

INCOMING = 200
"""How many requests to oneself are shown: the latest."""

ASKED = ("pending", "declined")
"""The states of a request that its asker sees as made. Who declined one may still change their mind."""


def refuse_unwelcome(tx: Tx, me: Me, other: sql.Recipient) -> None:
    """Refuse `blocked` where somebody does not take my messages; whyever, it reads the same.

    Their policy does not shut out whom they have written to before, nor `friends` a friend.
    """
    if other.id == me.account:
        return
    if other.deleted:
        raise Blocked("deleted")
    if other.mine == "block":
        raise Blocked("mine", username=other.username)
    if other.theirs in ("block", "decline"):
        raise Blocked
    shut = other.writers == "nobody" or (other.writers == "friends" and other.theirs != "friend")
    if shut and not sql.has_written(tx, other.id, me.account):
        raise Blocked


def lift_decline(tx: Tx, me: Me, other: sql.Recipient) -> tuple[Told, ...]:
    """Take messages again from somebody whom I write to."""
    if other.mine != "decline":
        return ()
    sql.unrelate(tx, me.account, other.id, "decline")
    return (note(tx, me.account, "declined", username=other.username, value=False),)


def relation(tx: Tx, me: Me, account: int, username: str) -> tuple[Relation, str]:
    """Tell what somebody is to me, and my own name for them."""
    if account == me.account:
        return "self", ""
    if friend := sql.friend(tx, me.account, account):
        return "friend", friend.note
    if sql.recipient_by_id(tx, me.account, account).mine == "block":
        return "blocked", ""
    if sql.request_state(tx, account, me.username) == "pending":
        return "asking", ""
    return ("asked" if sql.request_state(tx, me.account, username) in ASKED else "none"), ""


def _known(tx: Tx, me: Me, typed: str) -> sql.Recipient | None:
    try:
        return recipient_named(tx, me, typed)
    except NoSuchUser:
        return None


def _somebody(tx: Tx, me: Me, typed: str) -> sql.Recipient:
    """Find somebody else, or refuse. Who is unknown and who is shut look alike."""
    other = recipient_named(tx, me, typed)
    if other.disabled:
        raise NoSuchUser(username=typed[: names.LONGEST])
    if other.id == me.account:
        raise BadRequest("oneself")
    return other


def _now(tx: Tx, account: int, username: str, value: Relation) -> Told:
    """Note what somebody is to an account now, and tell its devices."""
    return note(tx, account, "relation", username=username, value=value)


@writes(wire.FriendAdd)
def friend_add(tx: Tx, me: Me, command: wire.FriendAdd) -> Outcome[Done]:
    """Ask. Who asks somebody that asks them already is their friend at once."""
    name = names.username(command.username)
    if name == me.username:
        raise BadRequest("oneself")
    other = sql.recipient(tx, me.account, name)
    if other and other.mine == "friend":
        return Outcome(Done())
    if other and other.mine == "block":
        raise Blocked("mine", username=name)
    if other and not other.disabled and sql.request_state(tx, other.id, me.username) in ASKED:
        return _befriended(tx, me, other)
    state = sql.request_state(tx, me.account, name)
    if state in ASKED:
        return Outcome(Done())
    if sql.count_outgoing(tx, me.account) >= me.limits.friend_requests_per_account:
        raise QuotaExceeded("requests", limit=me.limits.friend_requests_per_account)
    me.words.check(command.note)
    sql.ask(tx, me.account, name, command.note.strip(), me.now)
    asked = (_now(tx, me.account, name, "asked"),)
    heard = other is not None and not other.disabled and other.theirs != "block" and not state
    return Outcome(Done(), told=asked + (_heard(tx, me, other, command.note.strip()) if other and heard else ()))


def _heard(tx: Tx, me: Me, other: sql.Recipient, words: str) -> tuple[Told, ...]:
    """Tell somebody that I ask them."""
    mine = accounts.by_id(tx, me.account)
    request = wire.FriendRequest(
        username=mine.username, display_name=mine.display_name, time=timestamp(me.now), note=words or None
    )
    return ((other.id,), request), _now(tx, other.id, me.username, "asking")


@waits
def requests_to(tx: Tx, me: Me) -> list[wire.FriendRequest]:
    """Give the requests that wait for my answer, the oldest first: what a login is told again."""
    rows = sql.incoming(tx, me.account, me.username, INCOMING)
    return [
        wire.FriendRequest(
            username=row.username, display_name=row.display_name, time=timestamp(row.time), note=row.note or None
        )
        for row in reversed(rows)
    ]


def _befriended(tx: Tx, me: Me, other: sql.Recipient) -> Outcome[Done]:
    """Make friends of two, and tell both."""
    limit = me.limits.friends_per_account
    if sql.count(tx, me.account) >= limit:
        raise QuotaExceeded("friends", limit=limit)
    if sql.count(tx, other.id) >= limit:
        raise QuotaExceeded("their_friends", username=other.username)
    told: list[Told] = []
    mine = sql.recipient_by_id(tx, me.account, me.account)
    for one, two in ((mine, other), (other, mine)):
        sql.relate(tx, one.id, two.id, "friend", me.now)
        sql.forget_request(tx, one.id, two.username)
        told += [((one.id,), _added(me, two)), _now(tx, one.id, two.username, "friend")]
    return Outcome(Done(), told=tuple(told))


def _added(me: Me, friend: sql.Recipient) -> wire.FriendAdded:
    seen = me.attendance.seen(friend.id, friend.last_seen)
    return wire.FriendAdded(
        username=friend.username,
        display_name=friend.display_name,
        presence=seen.presence,
        presence_text=seen.words,
        last_seen=seen.last_seen,
    )


def _asking(tx: Tx, me: Me, typed: str) -> tuple[sql.Recipient, str]:
    """Find who has asked me, with the request's state: nothing, for a friend. Refuse where there is no request."""
    other = _known(tx, me, typed)
    if other is not None and other.mine == "friend":
        return other, ""
    state = sql.request_state(tx, other.id, me.username) if other and not other.disabled else ""
    if other is None or other.mine == "block" or state not in ASKED:
        raise NoSuchUser("request", username=typed[: names.LONGEST])
    return other, state


@writes(wire.FriendAccept)
def friend_accept(tx: Tx, me: Me, command: wire.FriendAccept) -> Outcome[Done]:
    """Accept a request; one that was declined earlier, too."""
    other, state = _asking(tx, me, command.username)
    return _befriended(tx, me, other) if state else Outcome(Done())


@writes(wire.FriendDecline)
def friend_decline(tx: Tx, me: Me, command: wire.FriendDecline) -> Outcome[Done]:
    """Decline a request: to its asker it looks as before."""
    other, state = _asking(tx, me, command.username)
    if not state:
        raise NoSuchUser("request", username=other.username)
    if state == "declined":
        return Outcome(Done())
    sql.decline(tx, other.id, me.username)
    return Outcome(Done(), told=(_now(tx, me.account, other.username, "none"),))


@writes(wire.FriendRemove)
def friend_remove(tx: Tx, me: Me, command: wire.FriendRemove) -> Outcome[Done]:
    """Part, or take a request back. Where there is neither, there is nothing to do."""
    name = names.username(command.username)
    return Outcome(Done(), told=part(tx, me, name, sql.recipient(tx, me.account, name), "none"))


def part(tx: Tx, me: Me, name: str, other: sql.Recipient | None, now: Relation) -> tuple[Told, ...]:
    """End a friendship and take my request back; what they are to me then is `now`.

    Both sides' devices are told, so that neither shows a friend who is none; people are not.
    """
    friends = other is not None and sql.unrelate(tx, me.account, other.id, "friend")
    state = sql.request_state(tx, me.account, name)
    sql.withdraw(tx, me.account, name)
    told: list[Told] = []
    if friends or state in ASKED or now == "blocked":
        told.append(_now(tx, me.account, name, now))
    if other and friends:
        sql.unrelate(tx, other.id, me.account, "friend")
        told.append(((me.account,), wire.FriendRemoved(username=name)))
        told.append(((other.id,), wire.FriendRemoved(username=me.username)))
    if other and (friends or (state == "pending" and other.theirs != "block")):
        told.append(_now(tx, other.id, me.username, "none"))
    return tuple(told)


@reads(wire.FriendList)
def friend_list(tx: Tx, me: Me, command: wire.FriendList) -> Outcome[wire.Friends]:
    """List friends and requests."""
    friends = [_friend(me, row) for row in sql.related(tx, me.account, "friend")]
    incoming = [
        wire.Asking(
            username=row.username, display_name=row.display_name, time=timestamp(row.time), note=row.note or None
        )
        for row in sql.incoming(tx, me.account, me.username, INCOMING)
    ]
    outgoing = [
        wire.Asked(username=row.username, time=timestamp(row.time), note=row.note or None)
        for row in sql.outgoing(tx, me.account)
    ]
    return Outcome(wire.Friends(friends=friends, incoming=incoming, outgoing=outgoing))


def _friend(me: Me, row: sql.Related) -> wire.Friend:
    seen = me.attendance.seen(row.id, row.last_seen)
    return wire.Friend(
        username=row.username,
        display_name=row.display_name,
        since=timestamp(row.since),
        note=row.note or None,
        presence=seen.presence,
        presence_text=seen.words,
        last_seen=seen.last_seen,
    )


@writes(wire.FriendNote)
def friend_note(tx: Tx, me: Me, command: wire.FriendNote) -> Outcome[Done]:
    """Give a friend a name of my own."""
    other = _known(tx, me, command.username)
    if other is None or other.mine != "friend":
        raise NoSuchUser("friend", username=command.username[: names.LONGEST])
    words = names.shown(command.note)
    sql.set_note(tx, me.account, other.id, words)
    return Outcome(Done(), told=(note(tx, me.account, "friend_note", username=other.username, value=words),))


@writes(wire.Decline)
def decline(tx: Tx, me: Me, command: wire.Decline) -> Outcome[Done]:
    """Take no more messages from a stranger. What they wrote stays; who is blocked stays blocked."""
    other = _somebody(tx, me, command.username)
    if other.mine == "friend":
        raise Conflict("friend", username=other.username)
    if other.mine:
        return Outcome(Done())
    sql.relate(tx, me.account, other.id, "decline", me.now)
    return Outcome(Done(), told=(note(tx, me.account, "declined", username=other.username, value=True),))


@writes(wire.Block)
def block(tx: Tx, me: Me, command: wire.Block) -> Outcome[Done]:
    """Keep somebody away, and decline their invitations. They see at most that a friendship ended, or a request."""
    other = _somebody(tx, me, command.username)
    if other.mine == "block":
        return Outcome(Done())
    told = part(tx, me, other.username, other, "blocked")
    sql.relate(tx, me.account, other.id, "block", me.now)
    invitations.drop_by(tx, me.account, other.id)
    return Outcome(Done(), told=told)


@writes(wire.Unblock)
def unblock(tx: Tx, me: Me, command: wire.Unblock) -> Outcome[Done]:
    """Block somebody no more; a request of theirs shows again. Where nobody was blocked, there is nothing to do."""
    other = sql.recipient(tx, me.account, names.username(command.username))
    if other is None or not sql.unrelate(tx, me.account, other.id, "block"):
        return Outcome(Done())
    now, _ = relation(tx, me, other.id, other.username)
    return Outcome(Done(), told=(_now(tx, me.account, other.username, now),))


@reads(wire.BlockList)
def block_list(tx: Tx, me: Me, command: wire.BlockList) -> Outcome[wire.BlockedPeople]:
    """List whom I block."""
    people = [
        wire.BlockedPerson(username=row.username, display_name=row.display_name, since=timestamp(row.since))
        for row in sql.related(tx, me.account, "block")
    ]
    return Outcome(wire.BlockedPeople(people=people))
