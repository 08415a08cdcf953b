"""Coming online and going offline: what an account then follows and shows itself as, and which friends are told."""

import attrs

from imd.chat.base.context import Caller
from imd.chat.base.effects import Delivery, Topic
from imd.chat.base.online import PresenceSetting, VisiblePresence
from imd.store import conversations
from imd.store import presence as sql
from imd.store.transaction import Tx
from imd.wire.presence import PresenceChanged


def topics(tx: Tx, account: int) -> dict[Topic, int]:
    """Give what an account follows while it is online: its groups, each from the first message it may see."""
    return {Topic.members(group): seen_from for group, seen_from in conversations.groups(tx, account)}


def arrival(tx: Tx, caller: Caller, account: int) -> tuple[PresenceSetting, tuple[Delivery, ...]]:
    """Give what an account that logs in shows itself as; tell its friends, unless it was online already."""
    row = sql.get(tx, account)
    sql.touch(tx, account, caller.now)
    chosen = PresenceSetting(row.presence, row.words)
    if chosen.invisible or account in caller.online:
        return chosen, ()
    return chosen, to_friends(tx, account, row.username, chosen.visible(caller.now))


def departure(tx: Tx, account: int, now: int) -> tuple[Delivery, ...]:
    """Record when an account went offline, and tell its friends, unless it was invisible to them."""
    row = sql.get(tx, account)
    sql.touch(tx, account, now)
    return () if row.presence == "invisible" else to_friends(tx, account, row.username, VisiblePresence.offline(now))


def still_online(tx: Tx, accounts: list[int], now: int) -> None:
    """Record that these accounts are online now, as the time at which they were last seen."""
    for account in accounts:
        sql.touch(tx, account, now)


def to_friends(tx: Tx, account: int, username: str, visible: VisiblePresence) -> tuple[Delivery, ...]:
    """Tell an account's friends how they see it now."""
    friends = sql.friends(tx, account)  # no topic: 200 friends in memory cost more than a connection
    return ((friends, PresenceChanged(username=username, **attrs.asdict(visible))),) if friends else ()
