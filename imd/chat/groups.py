"""The rules of groups: creating, changing, finding and deleting them."""

import msgspec

from imd.chat.base import account_log
from imd.chat.base.access import known_group, my_group
from imd.chat.base.context import Caller
from imd.chat.base.effects import Outcome
from imd.chat.base.handlers import reads, writes
from imd.chat.base.jobs import JobResult, job
from imd.chat.base.membership import dissolve, let_in
from imd.chat.base.system_messages import notice, unchanged
from imd.store import conversations
from imd.store import groups as sql
from imd.store.transaction import Tx
from imd.wire import groups as wire
from imd.wire import names
from imd.wire.base import Done, registry
from imd.wire.fields import timestamp
from imd.wire.messages import Happened
from imd.wire.refusals import BadName, BadRequest, NameTaken, QuotaExceeded
from imd.wire.textline import quoted

AT_ONCE = 500
"""How many rows of a deleted group are destroyed at a time."""


@writes(wire.GroupCreate)
def group_create(tx: Tx, caller: Caller, command: wire.GroupCreate) -> Outcome[wire.Created]:
    """Create a group that I own."""
    if not command.handle.startswith("#"):
        raise BadName("group")
    handle = names.chosen(command.handle.removeprefix("#"))
    caller.word_filter.check(handle, command.title)
    if sql.owned(tx, caller.account) >= caller.limits.groups_owned:
        raise QuotaExceeded("groups", limit=caller.limits.groups_owned)
    conversation = sql.create(tx, handle, names.one_line(command.title), command.join_mode, caller.now)
    if conversation is None:
        raise NameTaken("group", to=f"#{handle}")
    group = conversations.membership(tx, conversation, caller.account)
    assert group is not None
    made = let_in(tx, caller, group, caller.account, "created")
    reply = wire.Created(conversation=conversation, seq=made.reply.seq, rev=made.reply.rev, to=f"#{handle}")
    return Outcome(reply, told=made.told, effects=made.effects)


@writes(wire.GroupSet)
def group_set(tx: Tx, caller: Caller, command: wire.GroupSet) -> Outcome[wire.Noticed]:
    """Change a group's name and settings. Members keep the right to read what they may read now."""
    conversation = my_group(tx, caller, command, "admin")
    given = {name: getattr(command, name) for name in _SETTINGS}
    wanted = {
        name: names.one_line(value) if name in _WORDS else value for name, value in given.items() if value is not None
    }
    if not wanted:
        raise BadRequest("nothing", usage=registry.actions["group_set"].usage())
    changed = {name: value for name, value in wanted.items() if value != getattr(conversation.row, name)}
    if not changed:
        return unchanged(conversation.row)
    caller.word_filter.check(*(str(changed[name]) for name in _WORDS if name in changed))
    sql.change(tx, conversation.id, changed)
    [first, *others] = changed
    if first in _WORDS and changed[first] and not others:
        return notice(tx, caller, conversation.row, _WORDS[first], value=changed[first])
    said = " ".join(f"{name}={quoted(value)}" for name, value in changed.items())
    return notice(tx, caller, conversation.row, "settings", value=said)


_SETTINGS = ("title", "topic", "join_mode", "who_writes", "who_invites", "history", "slow_mode", "retention")
_WORDS: dict[str, Happened] = {"title": "title", "topic": "topic"}
"""Changes that have a system message of their own."""


@reads(wire.AskGroup)
def group_info(tx: Tx, caller: Caller, command: wire.AskGroup) -> Outcome[wire.GroupInfo]:
    """Return a group's details: all of them to members, the public ones to others."""
    row = known_group(tx, caller, command)
    public = wire.GroupInfo(
        conversation=row.conversation,
        to=f"#{row.handle}",
        title=row.title or f"#{row.handle}",
        topic=row.topic,
        join_mode=row.join_mode,
        members=row.members,
        created=timestamp(row.created),
    )
    if not row.role:
        return Outcome(public)
    inside = ("role", "who_writes", "who_invites", "history", "slow_mode", "retention")
    return Outcome(msgspec.structs.replace(public, **{name: getattr(row, name) for name in inside}))


@reads(wire.ListGroups)
def group_list(tx: Tx, caller: Caller, command: wire.ListGroups) -> Outcome[wire.Groups]:
    """List the public groups."""
    rows = sql.public(tx, command.skip, command.limit + 1)
    listed = [
        wire.PublicGroup(
            to=f"#{row.handle}",
            title=row.title or f"#{row.handle}",
            topic=row.topic,
            join_mode=row.join_mode,
            members=row.members,
        )
        for row in rows[: command.limit]
    ]
    return Outcome(wire.Groups(groups=listed, more=len(rows) > command.limit))


@writes(wire.GroupDelete)
def group_delete(tx: Tx, caller: Caller, command: wire.GroupDelete) -> Outcome[Done]:
    """Delete a group of mine."""
    return dissolve(tx, my_group(tx, caller, command, "owner").row, caller.username, caller.now)


@job
def purge(tx: Tx, now: int) -> JobResult:
    """Destroy what is left of deleted groups, and log for each member that they are in it no longer."""
    conversation = sql.to_purge(tx)
    if conversation is None:
        return JobResult()
    former = sql.purge_members(tx, conversation, AT_ONCE)
    told = tuple(
        account_log.note(tx, each.account, "left", conversation=conversation) for each in former if each.to_the_end
    )
    gone = len(former) + sql.purge_messages(tx, conversation, AT_ONCE - len(former))
    if gone < AT_ONCE:
        sql.purged(tx, conversation)
    return JobResult(told, again=now)
