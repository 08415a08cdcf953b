"""Access: which conversation or message a command is about, and what the caller may do there. Decided here alone.

A conversation that is absent and one that is not the caller's are refused alike. Two things are no secret: a group that
anybody may ask to join, and a group that the caller has left.
"""

from collections.abc import Callable

import attrs

from imd.chat.base.context import Caller
from imd.chat.base.rate_limits import wait_seconds
from imd.chat.base.relations import refuse_unwelcome
from imd.store import accounts, friends, invitations, messages
from imd.store import conversations as sql
from imd.store.transaction import Tx
from imd.wire import names
from imd.wire.fields import BIGGEST
from imd.wire.messages import AboutMessage, Addressed
from imd.wire.refusals import BadName, Forbidden, NoSuchConversation, NoSuchMessage, NoSuchUser, NotAMember

RANKS = ("reader", "member", "admin", "owner")
"""The roles in a group. Each may do what those before it may."""

SMALL_GROUP = 50
"""In a group with more members, receipts and typing are not told as they come; WHO READ tells who has read."""


@attrs.frozen
class Conversation:
    """A conversation, as one of its members sees it: the viewer."""

    viewer: int
    row: sql.Membership
    to: str
    """What the viewer types to write here."""

    other: friends.Recipient | None = None
    """The other one in a direct conversation, which is the viewer in notes to themselves. None in a group."""

    @property
    def id(self) -> int:
        """Its number."""
        return self.row.conversation

    @property
    def role(self) -> str:
        """The viewer's role, in a group."""
        return self.row.role

    @property
    def seen(self) -> messages.Seen:
        """What the viewer may see of it."""
        return messages.Seen(self.viewer, self.row.conversation, self.row.seen_from)

    def at_least(self, rank: str) -> bool:
        """Say whether the viewer has this role in this group, or a higher one."""
        return self.other is None and RANKS.index(self.row.role) >= RANKS.index(rank)

    def require(self, rank: str) -> None:
        """Refuse a viewer of a lower role. In a direct conversation there are no roles, so anybody is refused."""
        if not self.at_least(rank):
            raise Forbidden("role")


def check_may_write(tx: Tx, caller: Caller, conversation: Conversation) -> None:
    """Refuse a caller who may not write here: declined or blocked by the other one, muted, or of too low a role."""
    row = conversation.row
    if conversation.other is not None:
        refuse_unwelcome(tx, caller, conversation.other)
        return
    if conversation.at_least("owner"):
        return
    if row.muted_until > caller.now:
        raise Forbidden("muted", retry_after=wait_seconds(row.muted_until - caller.now))
    if not conversation.at_least("admin") and (row.who_writes == "admins" or not conversation.at_least("member")):
        raise Forbidden("readers")


def account_named(tx: Tx, typed: str) -> accounts.Account:
    """Find the account of this name, or refuse `no_such_user`."""
    try:
        found = accounts.by_name(tx, names.username(typed))
    except BadName:
        found = None
    if found is None or found.deleted:
        raise NoSuchUser(username=typed[: names.LONGEST])
    return found


def recipient_named(tx: Tx, caller: Caller, typed: str, *, deleted: bool = False) -> friends.Recipient:
    """Find the account of this name, with what it and the caller are to each other; or refuse `no_such_user`.

    With `deleted` a deleted account is found as well, so that its old messages can be read.
    """
    try:
        found = friends.recipient(tx, caller.account, names.username(typed))
    except BadName:
        found = None
    if found is None or (found.deleted and not deleted):
        raise NoSuchUser(username=typed[: names.LONGEST])
    return found


def find(tx: Tx, caller: Caller, command: Addressed) -> Conversation:
    """Find the conversation that a command is about; refuses a caller who is not in it."""
    if command.to is None:
        return by_number(tx, caller, command.conversation or 0)
    if command.to.startswith("#"):
        return group(tx, caller, command.to)
    other = recipient_named(tx, caller, command.to, deleted=True)
    row = sql.direct(tx, caller.account, other.id)
    if row is None and other.deleted:
        raise NoSuchUser(username=other.username)
    if row is None:
        raise NoSuchConversation
    return as_member(tx, caller, sql.membership(tx, row, caller.account), other)


def by_number(tx: Tx, caller: Caller, conversation: int) -> Conversation:
    """Find a conversation of the caller's by its number."""
    return as_member(tx, caller, sql.membership(tx, conversation, caller.account))


def group(tx: Tx, caller: Caller, typed: str) -> Conversation:
    """Find a group of the caller's by its `#handle`."""
    return as_member(tx, caller, group_row(tx, caller, typed))


def group_row(tx: Tx, caller: Caller, typed: str) -> sql.Membership | None:
    """Find a group by its `#handle`, whether or not the caller is in it."""
    try:
        return sql.by_handle(tx, names.username(typed.removeprefix("#")), caller.account)
    except BadName:
        return None


def as_member(
    tx: Tx, caller: Caller, row: sql.Membership | None, other: friends.Recipient | None = None
) -> Conversation:
    """Give a conversation to a caller who is in it; refuse everybody else."""
    if row is None or row.deleted or (not (row.role or row.left_seq) and not _public(row)):
        raise NoSuchConversation
    if not row.role:
        raise NotAMember
    return conversation_of(tx, caller, row, other)


def _public(row: sql.Membership) -> bool:
    return row.handle is not None and row.join_mode != "invite"


def conversation_of(
    tx: Tx, caller: Caller, row: sql.Membership, other: friends.Recipient | None = None
) -> Conversation:
    """Give a conversation that the caller is known to be in."""
    if row.direct_key is None:
        return Conversation(caller.account, row, f"#{row.handle}")
    low, high = sql.pair(row.direct_key)
    other = other or friends.recipient_by_id(tx, caller.account, high if caller.account == low else low)
    return Conversation(caller.account, row, other.username, other)


def group_at_hand(tx: Tx, caller: Caller, command: Addressed) -> sql.Membership | None:
    """Find the group that a command is about, whether or not the caller may know of it."""
    if command.to is None:
        row = sql.membership(tx, command.conversation or 0, caller.account)
        return row if row and row.handle is not None else None
    _check_mark(command.to)
    return group_row(tx, caller, command.to)


def known_group(tx: Tx, caller: Caller, command: Addressed) -> sql.Membership:
    """Find a group that the caller may know of: it is public, or they are in it or invited to it."""
    row = group_at_hand(tx, caller, command)
    if row is not None and not row.role and not _public(row):
        waiting = invitations.pending(tx, row.conversation, caller.account)
        row = row if waiting and waiting.invited_by is not None else None
    if row is None:
        raise NoSuchConversation
    return row


def my_group(tx: Tx, caller: Caller, command: Addressed, rank: str = "reader") -> Conversation:
    """Find a group in which the caller has at least this role."""
    if command.to is not None:
        _check_mark(command.to)
    conversation = find(tx, caller, command)
    if conversation.other is not None:
        raise NoSuchConversation
    conversation.require(rank)
    return conversation


def _check_mark(typed: str) -> None:
    """Refuse a group's name without its `#`: it would name a person."""
    if not typed.startswith("#"):
        raise BadName("group")


@attrs.frozen
class Member:
    """An account as it stands to a group, whether or not it is in it."""

    account: accounts.Account
    row: sql.Membership


def account_in_group(tx: Tx, conversation: Conversation, typed: str) -> Member:
    """Find an account of this name, and what it is in a group."""
    account = account_named(tx, typed)
    row = sql.membership(tx, conversation.id, account.id)
    assert row is not None
    return Member(account, row)


def member_named(tx: Tx, conversation: Conversation, typed: str) -> Member:
    """Find a member of a group by name. Other accounts are refused as if they did not exist."""
    found = account_in_group(tx, conversation, typed)
    if not found.row.role:
        raise NoSuchUser(username=typed[: names.LONGEST])
    return found


def outranked(conversation: Conversation, found: Member) -> Member:
    """Give the member back, or refuse if their role is not lower than the viewer's."""
    if RANKS.index(found.row.role) >= RANKS.index(conversation.role):
        raise Forbidden("role")
    return found


def message(tx: Tx, caller: Caller, command: AboutMessage) -> tuple[Conversation, messages.Message]:
    """Find the message that a command is about, if the caller may see it. Seq 0 is the latest one."""
    conversation = find(tx, caller, command)
    return conversation, _picked(
        tx, conversation, command.seq, lambda: next(iter(messages.latest(tx, conversation.seen, BIGGEST, 1)), None)
    )


def own_message(tx: Tx, caller: Caller, command: AboutMessage) -> tuple[Conversation, messages.Message]:
    """Find the message that a command is about. Seq 0 is the caller's own latest one."""
    conversation = find(tx, caller, command)
    return conversation, _picked(
        tx, conversation, command.seq, lambda: messages.last_by(tx, conversation.seen, caller.account)
    )


def _picked(
    tx: Tx, conversation: Conversation, seq: int, latest: Callable[[], messages.Message | None]
) -> messages.Message:
    found = messages.visible(tx, conversation.seen, seq) if seq else latest()
    if found is None:
        raise NoSuchMessage(seq=seq)
    return found
