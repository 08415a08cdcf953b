"""The rules of letting people into a group: by name, on their request, by a link."""

from imd.chat.base import passwords
from imd.chat.base.access import account_in_group, my_group
from imd.chat.base.context import Caller
from imd.chat.base.effects import Outcome
from imd.chat.base.handlers import reads, reminder, writes
from imd.chat.base.limits import DAY
from imd.chat.base.membership import let_in
from imd.chat.base.relations import refuse_unwelcome
from imd.chat.base.system_messages import unchanged
from imd.store import invitations as sql
from imd.store.friends import recipient_by_id
from imd.store.transaction import Tx
from imd.wire import invitations as wire
from imd.wire.base import Done, Event
from imd.wire.fields import timestamp
from imd.wire.groups import Noticed
from imd.wire.refusals import BadRequest, Blocked, Forbidden, NoSuchUser, QuotaExceeded

MOST_INVITED = 1_000
"""How many people may be invited into one group without having answered."""

MOST_LINKS = 50
"""How many links one group may have."""

TOLD = 100
"""How many invitations, and how many requests, a login is reminded of."""


@writes(wire.GroupInvite)
def group_invite(tx: Tx, caller: Caller, command: wire.GroupInvite) -> Outcome[Noticed]:
    """Invite an account, or admit it if it asked. The reply is the same if it does not exist or blocks the caller."""
    conversation = my_group(tx, caller, command, "member")
    if conversation.row.who_invites == "admins":
        conversation.require("admin")
    try:
        found = account_in_group(tx, conversation, command.username)
    except NoSuchUser:
        return unchanged(conversation.row)
    account = found.account
    if found.row.banned:
        raise Forbidden("banned_there", username=account.username)
    pending = sql.pending(tx, conversation.id, account.id)
    if pending is not None and pending.invited_by is None:
        return let_in(tx, caller, found.row, account.id, "admitted", account.username)
    if found.row.role or pending is not None or not _welcome(tx, caller, account.id):
        return unchanged(conversation.row)
    if sql.count_invited(tx, conversation.id) >= MOST_INVITED:
        raise QuotaExceeded("invitations", limit=MOST_INVITED)
    sql.add(tx, conversation.id, account.id, caller.account, caller.now)
    invited = _invited(conversation.id, conversation.row.handle or "", conversation.row.title, caller.username)
    return Outcome(unchanged(conversation.row).reply, told=(((account.id,), invited),))


def _welcome(tx: Tx, caller: Caller, account: int) -> bool:
    """Say whether an account takes messages from the caller."""
    try:
        refuse_unwelcome(tx, caller, recipient_by_id(tx, caller.account, account))
    except Blocked:
        return False
    return True


def _invited(conversation: int, handle: str, title: str, by: str) -> wire.GroupInvited:
    return wire.GroupInvited(conversation=conversation, to=f"#{handle}", title=title or f"#{handle}", by=by)


@writes(wire.GroupApprove)
def group_approve(tx: Tx, caller: Caller, command: wire.GroupApprove) -> Outcome[Noticed]:
    """Admit an account that asked, or turn its request down."""
    conversation = my_group(tx, caller, command, "admin")
    found = account_in_group(tx, conversation, command.username)
    account = found.account
    pending = sql.pending(tx, conversation.id, account.id)
    if pending is None or pending.invited_by is not None:
        if found.row.role or not command.approve:
            return unchanged(conversation.row)
        raise BadRequest("no_request", username=account.username)
    if command.approve:
        return let_in(tx, caller, found.row, account.id, "admitted", account.username)
    sql.drop(tx, conversation.id, account.id)
    return unchanged(conversation.row)


@writes(wire.GroupLink)
def group_link(tx: Tx, caller: Caller, command: wire.GroupLink) -> Outcome[wire.Link]:
    """Make a link. Only the fingerprint of its code is stored; the link's name is the fingerprint's beginning."""
    conversation = my_group(tx, caller, command, "admin")
    sql.drop_stale_links(tx, conversation.id, caller.now)
    if len(sql.links(tx, conversation.id, caller.now)) >= MOST_LINKS:
        raise QuotaExceeded("links", limit=MOST_LINKS)
    code = passwords.secret()
    code_hash = passwords.fingerprint(code)
    expires = caller.now + command.days * DAY
    sql.add_link(tx, code_hash, conversation.id, caller.account, command.uses, expires)
    return Outcome(wire.Link(link=_name(code_hash), join_code=code, uses=command.uses, expires=timestamp(expires)))


def _name(code_hash: str) -> str:
    return code_hash[:8]


@reads(wire.ListLinks)
def group_links(tx: Tx, caller: Caller, command: wire.ListLinks) -> Outcome[wire.Links]:
    """List the links of a group."""
    conversation = my_group(tx, caller, command, "admin")
    listed = [
        wire.OpenLink(link=_name(row.code_hash), by=row.by, uses=row.uses_left, expires=timestamp(row.expires))
        for row in sql.links(tx, conversation.id, caller.now)
    ]
    return Outcome(wire.Links(links=listed))


@writes(wire.GroupUnlink)
def group_unlink(tx: Tx, caller: Caller, command: wire.GroupUnlink) -> Outcome[Done]:
    """Revoke a link."""
    conversation = my_group(tx, caller, command, "admin")
    for row in sql.links(tx, conversation.id, caller.now):
        if _name(row.code_hash) == command.link:
            sql.drop_link(tx, row.code_hash)
    return Outcome(Done())


@reminder
def waiting(tx: Tx, caller: Caller) -> list[Event]:
    """Give the invitations that wait for the caller, and the requests that wait for them as an admin."""
    invited = [_invited(*each) for each in sql.invitations(tx, caller.account, TOLD)]
    asking = [
        wire.GroupRequest(conversation=each.conversation, to=f"#{each.handle}", username=each.username)
        for each in sql.requests(tx, caller.account, TOLD)
    ]
    return [*invited, *asking]
