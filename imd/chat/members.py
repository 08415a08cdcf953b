"""The rules of members: coming and going, and what those of a higher role may do about those of a lower one.

There is always one owner. Whoever was muted or made a reader is so again when they leave and come back.
"""

from imd.chat import passwords
from imd.chat.lanes import Me, Outcome, reads, writes
from imd.chat.membership import hand_over, leave, let_in, let_out
from imd.chat.notices import nothing, notice
from imd.chat.places import RANKS, anybody, entered, fellow, group_at_hand, lower, my_group
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
def group_join(tx: Tx, me: Me, command: wire.GroupJoin) -> Outcome[wire.Joined]:
    """Come into a group, or ask to."""
    row = group_at_hand(tx, me, command)
    if row is None:
        raise NoSuchConversation
    reply = wire.Joined(conversation=row.conversation, to=f"#{row.handle}", joined=True)
    if row.role:
        return Outcome(reply)
    if row.banned:
        raise NoSuchConversation if row.join_mode == "invite" else Forbidden("banned")
    waiting = invitations.pending(tx, row.conversation, me.account)
    invited = waiting is not None and waiting.invited_by is not None
    if invited or row.join_mode == "open" or _link_works(tx, me, row.conversation, command.code):
        entered = let_in(tx, me, row, me.account, "joined")
        return Outcome(reply, told=entered.told, effects=entered.effects)
    if row.join_mode == "invite":
        raise NoSuchConversation
    if command.code:
        raise InviteInvalid("link")
    reply = wire.Joined(conversation=row.conversation, to=f"#{row.handle}", joined=False)
    if waiting is not None:
        return Outcome(reply)
    invitations.add(tx, row.conversation, me.account, None, me.now)
    request = GroupRequest(conversation=row.conversation, to=reply.to, username=me.username)
    return Outcome(reply, told=((sql.admins(tx, row.conversation), request),))


def _link_works(tx: Tx, me: Me, conversation: int, code: str) -> bool:
    return bool(code) and invitations.use_link(tx, passwords.fingerprint(code), conversation, me.now)


@writes(wire.GroupLeave)
def group_leave(tx: Tx, me: Me, command: wire.GroupLeave) -> Outcome[Done]:
    """Leave a group, decline an invitation, or take a request back."""
    row = group_at_hand(tx, me, command)
    if row is not None and not row.role and invitations.drop(tx, row.conversation, me.account):
        return Outcome(Done())
    return leave(tx, me, entered(tx, me, row).row)


@reads(wire.ListMembers)
def group_members(tx: Tx, me: Me, command: wire.ListMembers) -> Outcome[wire.Members]:
    """List the members of a group of mine, by name."""
    place = my_group(tx, me, command)
    rows = sql.page(tx, place.conversation, me.account, command.after, command.limit + 1)
    listed = [_listed(me, row) for row in rows[: command.limit]]
    return Outcome(wire.Members(conversation=place.conversation, members=listed, more=len(rows) > command.limit))


def _listed(me: Me, row: sql.Listed) -> wire.Member:
    seen = None if row.hides else me.attendance.seen(row.account, row.last_seen)
    return wire.Member(
        username=row.username,
        role=row.role,
        joined=timestamp(row.joined),
        muted=row.muted_until > me.now,
        presence=seen.presence if seen else None,
        presence_text=seen.words if seen else None,
        last_seen=seen.last_seen if seen else None,
    )


@writes(wire.GroupRole)
def group_role(tx: Tx, me: Me, command: wire.GroupRole) -> Outcome[Noticed]:
    """Give somebody of a lower role another one that is lower than mine."""
    place = my_group(tx, me, command, "admin")
    found = lower(place, fellow(tx, place, command.username))
    if RANKS.index(command.role) >= RANKS.index(place.role):
        raise Forbidden("role")
    if found.row.role == command.role:
        return nothing(place.row)
    conversations.set_member(tx, place.conversation, found.account.id, role=command.role)
    return notice(tx, me, place.row, "role", who=found.account.username, role=command.role)


@writes(wire.GroupMute)
def group_mute(tx: Tx, me: Me, command: wire.GroupMute) -> Outcome[Noticed]:
    """Take the word away from somebody of a lower role, or give it back."""
    place = my_group(tx, me, command, "admin")
    found = lower(place, fellow(tx, place, command.username))
    until = me.now + command.seconds * 1000 if command.seconds else 0
    if until == found.row.muted_until or (not until and found.row.muted_until <= me.now):
        return nothing(place.row)
    conversations.set_member(tx, place.conversation, found.account.id, muted_until=until)
    if not until:
        return notice(tx, me, place.row, "unmuted", who=found.account.username)
    return notice(tx, me, place.row, "muted", who=found.account.username, value=str(command.seconds))


@writes(wire.GroupKick)
def group_kick(tx: Tx, me: Me, command: wire.GroupKick) -> Outcome[Noticed]:
    """Remove somebody of a lower role."""
    place = my_group(tx, me, command, "admin")
    found = lower(place, fellow(tx, place, command.username))
    return let_out(tx, me, found.row, found.account.id, "kicked", found.account.username)


@writes(wire.GroupBan)
def group_ban(tx: Tx, me: Me, command: wire.GroupBan) -> Outcome[Noticed]:
    """Keep somebody out, whether they are in it or at the door or have never been there."""
    place = my_group(tx, me, command, "admin")
    found = anybody(tx, place, command.username)
    name = found.account.username
    if found.row.role:
        done = let_out(tx, me, lower(place, found).row, found.account.id, "banned", name)
    elif found.row.banned:
        return nothing(place.row)
    else:
        done = notice(tx, me, place.row, "banned", who=name)
    sql.ban(tx, place.conversation, found.account.id)
    invitations.drop(tx, place.conversation, found.account.id)
    return done


@writes(wire.GroupUnban)
def group_unban(tx: Tx, me: Me, command: wire.GroupUnban) -> Outcome[Noticed]:
    """Lift a ban. It does not bring back who was in it."""
    place = my_group(tx, me, command, "admin")
    found = anybody(tx, place, command.username)
    if not found.row.banned:
        return nothing(place.row)
    conversations.set_member(tx, place.conversation, found.account.id, banned=0)
    return notice(tx, me, place.row, "unbanned", who=found.account.username)


@writes(wire.GroupTransfer)
def group_transfer(tx: Tx, me: Me, command: wire.GroupTransfer) -> Outcome[Noticed]:
    """Make another member the owner of my group."""
    place = my_group(tx, me, command, "owner")
    found = fellow(tx, place, command.username)
    if found.account.id == me.account:
        return nothing(place.row)
    return hand_over(tx, me, place.row, found.account.id, found.account.username)
