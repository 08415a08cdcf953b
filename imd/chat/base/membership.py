"""Membership: how people join and leave a group, by whichever command, and how a group ends.

Joining and leaving are each a system message in the conversation, a change of the topics that the account follows, and
an entry in the account's log, for devices that are offline.
"""

import attrs

from imd.chat.base import account_log
from imd.chat.base.context import Caller
from imd.chat.base.effects import EVERYBODY, Delivery, Follow, Followers, Outcome, Schedule, Topic, Unfollow
from imd.chat.base.system_messages import notice
from imd.store import conversations, groups, invitations, members
from imd.store.transaction import Tx
from imd.wire.base import Done
from imd.wire.groups import GroupDeleted, Noticed
from imd.wire.messages import Happened


def let_in(
    tx: Tx, caller: Caller, their: conversations.Membership, account: int, what: Happened, who: str | None = None
) -> Outcome[Noticed]:
    """Add a member. `their` is the group as they stand in it; `who` is their name if it is not the caller."""
    joined_seq = their.last_seq if their.history == "joined" else 0
    role = "owner" if what == "created" else "member"
    conversations.add_member(tx, their, account, role, joined_seq, caller.now)
    invitations.drop(tx, their.conversation, account)
    noted = notice(tx, caller, their, what, who=who)
    follow = Follow(account, Topic.members(their.conversation), max(joined_seq, their.hidden_seq))
    logged = account_log.note(tx, account, "joined", conversation=their.conversation)
    return attrs.evolve(noted, told=(*noted.told, logged), effects=(follow,))


def let_out(
    tx: Tx, caller: Caller, group: conversations.Membership, account: int, what: Happened, who: str | None = None
) -> Outcome[Noticed]:
    """Remove a member, who is still told of it. `who` is their name if it is not the caller."""
    noted = notice(tx, caller, group, what, who=who)
    members.end(tx, group.conversation, account, noted.reply.seq)
    unfollow = Unfollow(account, Topic.members(group.conversation))
    logged = account_log.note(tx, account, "left", conversation=group.conversation)
    return attrs.evolve(noted, told=(*noted.told, logged), effects=(unfollow,))


def leave(tx: Tx, caller: Caller, group: conversations.Membership) -> Outcome[Done]:
    """Leave a group. If I own it, it passes to the next in line; without any other member it ends."""
    told: tuple[Delivery, ...] = ()
    if group.role == "owner":
        heir = members.heir(tx, group.conversation, caller.account)
        if heir is None:
            return dissolve(tx, group, caller.username, caller.now)
        told = hand_over(tx, caller, group, *heir).told
    left = let_out(tx, caller, group, caller.account, "left")
    return Outcome(Done(), told=(*told, *left.told), effects=left.effects)


def hand_over(tx: Tx, caller: Caller, group: conversations.Membership, heir: int, name: str) -> Outcome[Noticed]:
    """Make another member the owner of my group; I become an admin."""
    conversations.set_member(tx, group.conversation, caller.account, role="admin")
    conversations.set_member(tx, group.conversation, heir, role="owner")
    return notice(tx, caller, group, "transferred", who=name)


def dissolve(tx: Tx, group: conversations.Membership, by: str, now: int) -> Outcome[Done]:
    """End a group at once. A job destroys its messages afterwards, in pieces (groups.purge)."""
    groups.delete(tx, group.conversation)
    topic = Topic.members(group.conversation)
    gone = GroupDeleted(conversation=group.conversation, to=f"#{group.handle}", by=by)
    return Outcome(Done(), told=((Followers(topic), gone),), effects=(Unfollow(EVERYBODY, topic), Schedule(now)))
