"""Places: which conversation a command is about, and what the asker is in it. The one place where that is decided.

Absent and not mine look alike. A group that anybody may ask to join is public knowledge, and so is one's own past.
"""

from collections.abc import Callable

import attrs

from imd.chat.lanes import Me
from imd.store import accounts, friends, invitations, messages
from imd.store import conversations as sql
from imd.store.transaction import Tx
from imd.wire import names
from imd.wire.fields import BIGGEST
from imd.wire.messages import AboutMessage, Addressed
from imd.wire.refusals import BadName, Forbidden, NoSuchConversation, NoSuchMessage, NoSuchUser, NotAMember

RANKS = ("reader", "member", "admin", "owner")
"""Roles in a group; each may do what those before it may."""


@attrs.frozen
class Place:
    """One conversation, as somebody in it sees it."""

    me: int
    row: sql.Membership
    to: str
    """What I would type to say something here."""

    other: friends.Recipient | None = None
    """The other one in a direct conversation: oneself, for notes to oneself. None in a group."""

    @property
    def conversation(self) -> int:
        """Its number."""
        return self.row.conversation

    @property
    def role(self) -> str:
        """What I am in a group."""
        return self.row.role

    @property
    def seen(self) -> messages.Seen:
        """What I may see of it."""
        return messages.Seen(self.me, self.row.conversation, self.row.seen_from)

    def at_least(self, rank: str) -> bool:
        """Say whether my role in this group is this one or a higher one."""
        return self.other is None and RANKS.index(self.row.role) >= RANKS.index(rank)

    def require(self, rank: str) -> None:
        """Refuse who has not at least this role here; in a direct conversation there are no roles."""
        if not self.at_least(rank):
            raise Forbidden("role")


def account_named(tx: Tx, typed: str) -> accounts.Account:
    """Find the account that somebody typed the name of, or refuse `no_such_user`."""
    try:
        found = accounts.by_name(tx, names.username(typed))
    except BadName:
        found = None
    if found is None or found.deleted:
        raise NoSuchUser(username=typed[: names.LONGEST])
    return found


def recipient_named(tx: Tx, me: Me, typed: str, *, deleted: bool = False) -> friends.Recipient:
    """Find the account that somebody typed the name of, with what we are to each other; or refuse `no_such_user`.

    `deleted`: a tombstone will do, to read what it once said.
    """
    try:
        found = friends.recipient(tx, me.account, names.username(typed))
    except BadName:
        found = None
    if found is None or (found.deleted and not deleted):
        raise NoSuchUser(username=typed[: names.LONGEST])
    return found


def find(tx: Tx, me: Me, command: Addressed) -> Place:
    """Find the conversation a command is about; refuses who has no part in it."""
    if command.to is None:
        return by_number(tx, me, command.conversation or 0)
    if command.to.startswith("#"):
        return group(tx, me, command.to)
    other = recipient_named(tx, me, command.to, deleted=True)
    row = sql.direct(tx, me.account, other.id)
    if row is None and other.deleted:
        raise NoSuchUser(username=other.username)
    if row is None:
        raise NoSuchConversation
    return entered(tx, me, sql.membership(tx, row, me.account), other)


def by_number(tx: Tx, me: Me, conversation: int) -> Place:
    """Find a conversation of mine by its number."""
    return entered(tx, me, sql.membership(tx, conversation, me.account))


def group(tx: Tx, me: Me, typed: str) -> Place:
    """Find a group of mine by its `#handle`."""
    return entered(tx, me, group_row(tx, me, typed))


def group_row(tx: Tx, me: Me, typed: str) -> sql.Membership | None:
    """Find a group by its `#handle`, whether or not I am in it."""
    try:
        return sql.by_handle(tx, names.username(typed.removeprefix("#")), me.account)
    except BadName:
        return None


def entered(tx: Tx, me: Me, row: sql.Membership | None, other: friends.Recipient | None = None) -> Place:
    """Make the place of somebody who is in it; refuse everybody else."""
    if row is None or row.deleted or (not (row.role or row.left_seq) and not _public(row)):
        raise NoSuchConversation
    if not row.role:
        raise NotAMember
    return place_of(tx, me, row, other)


def _public(row: sql.Membership) -> bool:
    return row.handle is not None and row.join_mode != "invite"


def place_of(tx: Tx, me: Me, row: sql.Membership, other: friends.Recipient | None = None) -> Place:
    """Make the place of a conversation that I am in."""
    if row.direct_key is None:
        return Place(me.account, row, f"#{row.handle}")
    low, high = sql.pair(row.direct_key)
    other = other or friends.recipient_by_id(tx, me.account, high if me.account == low else low)
    return Place(me.account, row, other.username, other)


def group_at_hand(tx: Tx, me: Me, command: Addressed) -> sql.Membership | None:
    """Find the group a command is about, whether or not I may know of it."""
    if command.to is None:
        row = sql.membership(tx, command.conversation or 0, me.account)
        return row if row and row.handle is not None else None
    _check_mark(command.to)
    return group_row(tx, me, command.to)


def known_group(tx: Tx, me: Me, command: Addressed) -> sql.Membership:
    """Find a group that I may know of: one that I am in or invited to, or that is public."""
    row = group_at_hand(tx, me, command)
    if row is not None and not row.role and not _public(row):
        waiting = invitations.pending(tx, row.conversation, me.account)
        row = row if waiting and waiting.invited_by is not None else None
    if row is None:
        raise NoSuchConversation
    return row


def my_group(tx: Tx, me: Me, command: Addressed, rank: str = "reader") -> Place:
    """Find a group that I am in, and have at least this role in."""
    if command.to is not None:
        _check_mark(command.to)
    place = find(tx, me, command)
    if place.other is not None:
        raise NoSuchConversation
    place.require(rank)
    return place


def _check_mark(typed: str) -> None:
    """Refuse a group's name that was typed without its mark: it would be a person's."""
    if not typed.startswith("#"):
        raise BadName("group")


@attrs.frozen
class Fellow:
    """Another one in a group of mine, or perhaps not in it."""

    account: accounts.Account
    row: sql.Membership


def anybody(tx: Tx, place: Place, typed: str) -> Fellow:
    """Find somebody, with their place in a group of mine, if any."""
    account = account_named(tx, typed)
    row = sql.membership(tx, place.conversation, account.id)
    assert row is not None
    return Fellow(account, row)


def fellow(tx: Tx, place: Place, typed: str) -> Fellow:
    """Find another member of a group of mine. Who is not one looks absent."""
    found = anybody(tx, place, typed)
    if not found.row.role:
        raise NoSuchUser(username=typed[: names.LONGEST])
    return found


def lower(place: Place, found: Fellow) -> Fellow:
    """Refuse unless somebody's role is lower than mine."""
    if RANKS.index(found.row.role) >= RANKS.index(place.role):
        raise Forbidden("role")
    return found


def message(tx: Tx, me: Me, command: AboutMessage) -> tuple[Place, messages.Message]:
    """Find the message a command is about, as far as I may see it. Seq 0 is the latest one."""
    place = find(tx, me, command)
    return place, _picked(tx, place, command.seq, lambda: next(iter(messages.latest(tx, place.seen, BIGGEST, 1)), None))


def own_message(tx: Tx, me: Me, command: AboutMessage) -> tuple[Place, messages.Message]:
    """Find the message a command is about; seq 0 is the latest one of mine."""
    place = find(tx, me, command)
    return place, _picked(tx, place, command.seq, lambda: messages.last_by(tx, place.seen, me.account))


def _picked(tx: Tx, place: Place, seq: int, latest: Callable[[], messages.Message | None]) -> messages.Message:
    found = messages.visible(tx, place.seen, seq) if seq else latest()
    if found is None:
        raise NoSuchMessage(seq=seq)
    return found
