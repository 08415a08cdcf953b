"""What one account is to another: friend, blocked, declined or stranger; and what follows for messages between them.

Every change is also an entry `relation` or `declined` in the account log, so that other devices learn of it.
"""

from imd.chat.base import account_log
from imd.chat.base.context import Caller
from imd.chat.base.effects import Delivery
from imd.store import friends as sql
from imd.store.transaction import Tx
from imd.wire import friends as wire
from imd.wire.profiles import Relation
from imd.wire.refusals import Blocked

ASKED = ("pending", "declined")
"""States in which the sender of a friend request sees it as open: a decline is not told, and may be reversed."""


def refuse_unwelcome(tx: Tx, caller: Caller, other: sql.Recipient) -> None:
    """Refuse `blocked` where the recipient does not take the caller's messages. It never tells a block from a policy.

    The recipient's policy never shuts out people they have written to, and `friends` never shuts out a friend.
    """
    if other.id == caller.account:
        return
    if other.deleted:
        raise Blocked("deleted")
    if other.mine == "block":
        raise Blocked("mine", username=other.username)
    if other.theirs in ("block", "decline"):
        raise Blocked
    shut = other.writers == "nobody" or (other.writers == "friends" and other.theirs != "friend")
    if shut and not sql.has_written(tx, other.id, caller.account):
        raise Blocked


def lift_decline(tx: Tx, caller: Caller, other: sql.Recipient) -> tuple[Delivery, ...]:
    """Take messages again from somebody the caller declined and now writes to."""
    if other.mine != "decline":
        return ()
    sql.unrelate(tx, caller.account, other.id, "decline")
    return (account_log.note(tx, caller.account, "declined", username=other.username, value=False),)


def relation(tx: Tx, caller: Caller, account: int, username: str) -> tuple[Relation, str]:
    """Give what an account is to the caller, and the caller's own name for a friend."""
    if account == caller.account:
        return "self", ""
    if friend := sql.friend(tx, caller.account, account):
        return "friend", friend.note
    if sql.recipient_by_id(tx, caller.account, account).mine == "block":
        return "blocked", ""
    if sql.request_state(tx, account, caller.username) == "pending":
        return "asking", ""
    return ("asked" if sql.request_state(tx, caller.account, username) in ASKED else "none"), ""


def relation_changed(tx: Tx, account: int, username: str, value: Relation) -> Delivery:
    """Log what somebody is to an account now, and tell its devices."""
    return account_log.note(tx, account, "relation", username=username, value=value)


def end_friendship(
    tx: Tx, caller: Caller, name: str, other: sql.Recipient | None, now: Relation
) -> tuple[Delivery, ...]:
    """End a friendship and withdraw the caller's request; `now` is what the other one is to the caller afterwards.

    The devices of both are told, so that no list shows a friend who is none; no sentence is shown to a person.
    """
    friends = other is not None and sql.unrelate(tx, caller.account, other.id, "friend")
    state = sql.request_state(tx, caller.account, name)
    sql.withdraw(tx, caller.account, name)
    told: list[Delivery] = []
    if friends or state in ASKED or now == "blocked":
        told.append(relation_changed(tx, caller.account, name, now))
    if other and friends:
        sql.unrelate(tx, other.id, caller.account, "friend")
        told.append(((caller.account,), wire.FriendRemoved(username=name)))
        told.append(((other.id,), wire.FriendRemoved(username=caller.username)))
    if other and (friends or (state == "pending" and other.theirs != "block")):
        told.append(relation_changed(tx, other.id, caller.username, "none"))
    return tuple(told)
