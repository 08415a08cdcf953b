"""The rules of friends: requests, accepting and declining them, ending a friendship, declining messages, blocking.

A request is stored under the name it is made to. It succeeds in the same way whether the name is free, disabled or
blocks the caller, so that it tells nothing about them. If somebody registers the name later, the request is there.
"""

import attrs

from imd.chat.base import account_log
from imd.chat.base.access import recipient_named
from imd.chat.base.context import Caller
from imd.chat.base.effects import Delivery, Outcome
from imd.chat.base.handlers import reads, reminder, writes
from imd.chat.base.relations import ASKED, end_friendship, relation, relation_changed
from imd.store import accounts, invitations
from imd.store import friends as sql
from imd.store.transaction import Tx
from imd.wire import friends as wire
from imd.wire import names
from imd.wire.base import Done
from imd.wire.fields import timestamp
from imd.wire.refusals import BadRequest, Blocked, Conflict, NoSuchUser, QuotaExceeded

INCOMING = 200
"""How many incoming requests are shown: the latest ones."""


def _known(tx: Tx, caller: Caller, typed: str) -> sql.Recipient | None:
    try:
        return recipient_named(tx, caller, typed)
    except NoSuchUser:
        return None


def _somebody(tx: Tx, caller: Caller, typed: str) -> sql.Recipient:
    """Find another account, or refuse. A disabled account is refused as if it did not exist."""
    other = recipient_named(tx, caller, typed)
    if other.disabled:
        raise NoSuchUser(username=typed[: names.LONGEST])
    if other.id == caller.account:
        raise BadRequest("oneself")
    return other


@writes(wire.FriendAdd)
def friend_add(tx: Tx, caller: Caller, command: wire.FriendAdd) -> Outcome[Done]:
    """Ask for a friendship. If the other one has asked already, the two are friends at once."""
    name = names.username(command.username)
    if name == caller.username:
        raise BadRequest("oneself")
    other = sql.recipient(tx, caller.account, name)
    if other and other.mine == "friend":
        return Outcome(Done())
    if other and other.mine == "block":
        raise Blocked("mine", username=name)
    if other and not other.disabled and sql.request_state(tx, other.id, caller.username) in ASKED:
        return _befriended(tx, caller, other)
    state = sql.request_state(tx, caller.account, name)
    if state in ASKED:
        return Outcome(Done())
    if sql.count_outgoing(tx, caller.account) >= caller.limits.friend_requests_per_account:
        raise QuotaExceeded("requests", limit=caller.limits.friend_requests_per_account)
    caller.word_filter.check(command.note)
    sql.ask(tx, caller.account, name, command.note.strip(), caller.now)
    told: tuple[Delivery, ...] = (relation_changed(tx, caller.account, name, "asked"),)
    if other and not other.disabled and other.theirs != "block" and not state:
        told += _request_heard(tx, caller, other, command.note.strip())
    return Outcome(Done(), told=told)


def _request_heard(tx: Tx, caller: Caller, other: sql.Recipient, text: str) -> tuple[Delivery, ...]:
    """Tell the other one of the caller's request."""
    mine = accounts.by_id(tx, caller.account)
    request = wire.FriendRequest(
        username=mine.username, display_name=mine.display_name, time=timestamp(caller.now), note=text or None
    )
    return ((other.id,), request), relation_changed(tx, other.id, caller.username, "asking")


@reminder
def requests_to(tx: Tx, caller: Caller) -> list[wire.FriendRequest]:
    """Give the requests that wait for the caller's answer, the oldest first."""
    rows = sql.incoming(tx, caller.account, caller.username, INCOMING)
    return [
        wire.FriendRequest(
            username=row.username, display_name=row.display_name, time=timestamp(row.time), note=row.note or None
        )
        for row in reversed(rows)
    ]


def _befriended(tx: Tx, caller: Caller, other: sql.Recipient) -> Outcome[Done]:
    """Make two accounts friends, and tell both."""
    limit = caller.limits.friends_per_account
    if sql.count(tx, caller.account) >= limit:
        raise QuotaExceeded("friends", limit=limit)
    if sql.count(tx, other.id) >= limit:
        raise QuotaExceeded("their_friends", username=other.username)
    told: list[Delivery] = []
    mine = sql.recipient_by_id(tx, caller.account, caller.account)
    for one, two in ((mine, other), (other, mine)):
        sql.relate(tx, one.id, two.id, "friend", caller.now)
        sql.forget_request(tx, one.id, two.username)
        told += [((one.id,), _added(caller, two)), relation_changed(tx, one.id, two.username, "friend")]
    return Outcome(Done(), told=tuple(told))


def _added(caller: Caller, friend: sql.Recipient) -> wire.FriendAdded:
    visible = caller.online.visible(friend.id, friend.last_seen)
    return wire.FriendAdded(username=friend.username, display_name=friend.display_name, **attrs.asdict(visible))


def _asking(tx: Tx, caller: Caller, typed: str) -> tuple[sql.Recipient, str]:
    """Find the account that made a request to the caller, with its state, which is empty for a friend; or refuse."""
    other = _known(tx, caller, typed)
    if other is not None and other.mine == "friend":
        return other, ""
    state = sql.request_state(tx, other.id, caller.username) if other and not other.disabled else ""
    if other is None or other.mine == "block" or state not in ASKED:
        raise NoSuchUser("request", username=typed[: names.LONGEST])
    return other, state


@writes(wire.FriendAccept)
def friend_accept(tx: Tx, caller: Caller, command: wire.FriendAccept) -> Outcome[Done]:
    """Accept a request, also one that the caller declined earlier."""
    other, state = _asking(tx, caller, command.username)
    return _befriended(tx, caller, other) if state else Outcome(Done())


@writes(wire.FriendDecline)
def friend_decline(tx: Tx, caller: Caller, command: wire.FriendDecline) -> Outcome[Done]:
    """Decline a request. To its sender it looks as before: a decline is not told, and asking again is not heard."""
    other, state = _asking(tx, caller, command.username)
    if not state:
        raise NoSuchUser("request", username=other.username)
    if state == "declined":
        return Outcome(Done())
    sql.decline(tx, other.id, caller.username)
    return Outcome(Done(), told=(relation_changed(tx, caller.account, other.username, "none"),))


@writes(wire.FriendRemove)
def friend_remove(tx: Tx, caller: Caller, command: wire.FriendRemove) -> Outcome[Done]:
    """End a friendship, or withdraw a request; do nothing if there is neither."""
    name = names.username(command.username)
    return Outcome(Done(), told=end_friendship(tx, caller, name, sql.recipient(tx, caller.account, name), "none"))


@reads(wire.FriendList)
def friend_list(tx: Tx, caller: Caller, command: wire.FriendList) -> Outcome[wire.Friends]:
    """List the caller's friends and requests."""
    friends = [_friend(caller, row) for row in sql.related(tx, caller.account, "friend")]
    incoming = [
        wire.Asking(
            username=row.username, display_name=row.display_name, time=timestamp(row.time), note=row.note or None
        )
        for row in sql.incoming(tx, caller.account, caller.username, INCOMING)
    ]
    outgoing = [
        wire.Asked(username=row.username, time=timestamp(row.time), note=row.note or None)
        for row in sql.outgoing(tx, caller.account)
    ]
    return Outcome(wire.Friends(friends=friends, incoming=incoming, outgoing=outgoing))


def _friend(caller: Caller, row: sql.Related) -> wire.Friend:
    visible = caller.online.visible(row.id, row.last_seen)
    return wire.Friend(
        username=row.username,
        display_name=row.display_name,
        since=timestamp(row.since),
        note=row.note or None,
        **attrs.asdict(visible),
    )


@writes(wire.FriendNote)
def friend_note(tx: Tx, caller: Caller, command: wire.FriendNote) -> Outcome[Done]:
    """Give a friend a name that only the caller sees."""
    other = _known(tx, caller, command.username)
    if other is None or other.mine != "friend":
        raise NoSuchUser("friend", username=command.username[: names.LONGEST])
    name = names.one_line(command.note)
    sql.set_note(tx, caller.account, other.id, name)
    logged = account_log.note(tx, caller.account, "friend_note", username=other.username, value=name)
    return Outcome(Done(), told=(logged,))


@writes(wire.Decline)
def decline(tx: Tx, caller: Caller, command: wire.Decline) -> Outcome[Done]:
    """Take no more messages from a stranger. Their messages stay, and a block stays a block."""
    other = _somebody(tx, caller, command.username)
    if other.mine == "friend":
        raise Conflict("friend", username=other.username)
    if other.mine:
        return Outcome(Done())
    sql.relate(tx, caller.account, other.id, "decline", caller.now)
    logged = account_log.note(tx, caller.account, "declined", username=other.username, value=True)
    return Outcome(Done(), told=(logged,))


@writes(wire.Block)
def block(tx: Tx, caller: Caller, command: wire.Block) -> Outcome[Done]:
    """Block an account, and drop its invitations. It learns at most that a friendship or a request has ended."""
    other = _somebody(tx, caller, command.username)
    if other.mine == "block":
        return Outcome(Done())
    told = end_friendship(tx, caller, other.username, other, "blocked")
    sql.relate(tx, caller.account, other.id, "block", caller.now)
    invitations.drop_by(tx, caller.account, other.id)
    return Outcome(Done(), told=told)


@writes(wire.Unblock)
def unblock(tx: Tx, caller: Caller, command: wire.Unblock) -> Outcome[Done]:
    """Lift a block; a request of theirs shows again. Do nothing if there is no block."""
    other = sql.recipient(tx, caller.account, names.username(command.username))
    if other is None or not sql.unrelate(tx, caller.account, other.id, "block"):
        return Outcome(Done())
    now, _ = relation(tx, caller, other.id, other.username)
    return Outcome(Done(), told=(relation_changed(tx, caller.account, other.username, now),))


@reads(wire.BlockList)
def block_list(tx: Tx, caller: Caller, command: wire.BlockList) -> Outcome[wire.BlockedPeople]:
    """List the accounts that the caller blocks."""
    people = [
        wire.BlockedPerson(username=row.username, display_name=row.display_name, since=timestamp(row.since))
        for row in sql.related(tx, caller.account, "block")
    ]
    return Outcome(wire.BlockedPeople(people=people))
