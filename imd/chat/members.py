"""The rules of members: joining, leaving, and what a higher role may do about a lower one.

A group always has one owner. A member who was muted or made a reader is so again after leaving and coming back.
"""

import attrs

from imd.chat.base import passwords
from imd.chat.base.access import RANKS, account_in_group, as_member, group_at_hand, member_named, my_group, outranked
from imd.chat.base.context import Caller
from imd.chat.base.effects import Outcome
from imd.chat.base.handlers import reads, writes
from imd.chat.base.membership import hand_over, leave, let_in, let_out
from imd.chat.base.system_messages import notice, unchanged
from imd.store import conversations, invitations
from imd.store import members as sql
from imd.store.transaction import Tx
from imd.wire import members as wire
from imd.wire.base import Done
from imd.wire.fields import timestamp
from imd.wire.groups import Noticed
from imd.wire.invitations import GroupRequest
from imd.wire.refusals import Forbidden, InviteInvalid, NoSuchConversation


@writes(wire.GroupJoin)
def group_join(tx: Tx, caller: Caller, command: wire.GroupJoin) -> Outcome[wire.Joined]:
    """Join a group, or ask to be admitted."""
    row = group_at_hand(tx, caller, command)
    if row is None:
        raise NoSuchConversation
    reply = wire.Joined(conversation=row.conversation, to=f"#{row.handle}", joined=True)
    if row.role:
        return Outcome(reply)
    if row.banned:
        raise NoSuchConversation if row.join_mode == "invite" else Forbidden("banned")
    pending = invitations.pending(tx, row.conversation, caller.account)
    invited = pending is not None and pending.invited_by is not None
    if invited or row.join_mode == "open" or _link_works(tx, caller, row.conversation, command.code):
        joined = let_in(tx, caller, row, caller.account, "joined")
        return Outcome(reply, told=joined.told, effects=joined.effects)
    if row.join_mode == "invite":
        raise NoSuchConversation
    if command.code:
        raise InviteInvalid("link")
    reply = wire.Joined(conversation=row.conversation, to=f"#{row.handle}", joined=False)
    if pending is not None:
        return Outcome(reply)
    invitations.add(tx, row.conversation, caller.account, None, caller.now)
    request = GroupRequest(conversation=row.conversation, to=reply.to, username=caller.username)
    return Outcome(reply, told=((sql.admins(tx, row.conversation), request),))


def _link_works(tx: Tx, caller: Caller, conversation: int, code: str) -> bool:
    return bool(code) and invitations.use_link(tx, passwords.fingerprint(code), conversation, caller.now)


@writes(wire.GroupLeave)
def group_leave(tx: Tx, caller: Caller, command: wire.GroupLeave) -> Outcome[Done]:
    """Leave a group, decline an invitation, or withdraw a request."""
    row = group_at_hand(tx, caller, command)
    if row is not None and not row.role and invitations.drop(tx, row.conversation, caller.account):
        return Outcome(Done())
    return leave(tx, caller, as_member(tx, caller, row).row)


@reads(wire.ListMembers)
def group_members(tx: Tx, caller: Caller, command: wire.ListMembers) -> Outcome[wire.Members]:
    """List the members of a group that the caller is in, by name."""
    conversation = my_group(tx, caller, command)
    rows = sql.page(tx, conversation.id, caller.account, command.after, command.limit + 1)
    listed = [_listed(caller, row) for row in rows[: command.limit]]
    return Outcome(wire.Members(conversation=conversation.id, members=listed, more=len(rows) > command.limit))


def _listed(caller: Caller, row: sql.Listed) -> wire.Member:
    visible = None if row.hides else caller.online.visible(row.account, row.last_seen)
    return wire.Member(
        username=row.username,
        role=row.role,
        joined=timestamp(row.joined),
        muted=row.muted_until > caller.now,
        **(attrs.asdict(visible) if visible else {}),
    )


@writes(wire.GroupRole)
def group_role(tx: Tx, caller: Caller, command: wire.GroupRole) -> Outcome[Noticed]:
    """Give a member of a lower role another role, also lower than the caller's."""
    conversation = my_group(tx, caller, command, "admin")
    found = outranked(conversation, member_named(tx, conversation, command.username))
    if RANKS.index(command.role) >= RANKS.index(conversation.role):
        raise Forbidden("role")
    if found.row.role == command.role:
        return unchanged(conversation.row)
    conversations.set_member(tx, conversation.id, found.account.id, role=command.role)
    return notice(tx, caller, conversation.row, "role", who=found.account.username, role=command.role)


@writes(wire.GroupMute)
def group_mute(tx: Tx, caller: Caller, command: wire.GroupMute) -> Outcome[Noticed]:
    """Mute a member of a lower role for a time, or lift it."""
    conversation = my_group(tx, caller, command, "admin")
    found = outranked(conversation, member_named(tx, conversation, command.username))
    until = caller.now + command.seconds * 1000 if command.seconds else 0
    if until == found.row.muted_until or (not until and found.row.muted_until <= caller.now):
        return unchanged(conversation.row)
    conversations.set_member(tx, conversation.id, found.account.id, muted_until=until)
    if not until:
        return notice(tx, caller, conversation.row, "unmuted", who=found.account.username)
    return notice(tx, caller, conversation.row, "muted", who=found.account.username, value=str(command.seconds))


@writes(wire.GroupKick)
def group_kick(tx: Tx, caller: Caller, command: wire.GroupKick) -> Outcome[Noticed]:
    """Remove a member of a lower role."""
    conversation = my_group(tx, caller, command, "admin")
    found = outranked(conversation, member_named(tx, conversation, command.username))
    return let_out(tx, caller, found.row, found.account.id, "kicked", found.account.username)


@writes(wire.GroupBan)
def group_ban(tx: Tx, caller: Caller, command: wire.GroupBan) -> Outcome[Noticed]:
    """Ban an account, whether it is a member, waits to be admitted, or has never been in the group."""
    conversation = my_group(tx, caller, command, "admin")
    found = account_in_group(tx, conversation, command.username)
    name = found.account.username
    if found.row.role:
        done = let_out(tx, caller, outranked(conversation, found).row, found.account.id, "banned", name)
    elif found.row.banned:
        return unchanged(conversation.row)
    else:
        done = notice(tx, caller, conversation.row, "banned", who=name)
    sql.ban(tx, conversation.id, found.account.id)
    invitations.drop(tx, conversation.id, found.account.id)
    return done


@writes(wire.GroupUnban)
def group_unban(tx: Tx, caller: Caller, command: wire.GroupUnban) -> Outcome[Noticed]:
    """Lift a ban. It does not make the account a member again."""
    conversation = my_group(tx, caller, command, "admin")
    found = account_in_group(tx, conversation, command.username)
    if not found.row.banned:
        return unchanged(conversation.row)
    conversations.set_member(tx, conversation.id, found.account.id, banned=0)
    return notice(tx, caller, conversation.row, "unbanned", who=found.account.username)


@writes(wire.GroupTransfer)
def group_transfer(tx: Tx, caller: Caller, command: wire.GroupTransfer) -> Outcome[Noticed]:
    """Make another member the owner of a group that the caller owns."""
    conversation = my_group(tx, caller, command, "owner")
    found = member_named(tx, conversation, command.username)
    if found.account.id == caller.account:
        return unchanged(conversation.row)
    return hand_over(tx, caller, conversation.row, found.account.id, found.account.username)
