"""The rules of invitations: by name, on request, by link."""

from imd.chat import passwords
from imd.chat.friends import refuse_unwelcome
from imd.chat.lanes import Me, Outcome, reads, writes
from imd.chat.membership import let_in
from imd.chat.notices import nothing
from imd.chat.places import anybody, my_group
from imd.chat.waiting import waits
from imd.store import invitations as sql
from imd.store.friends import recipient_by_id
from imd.store.transaction import Tx
from imd.wire import invitations as wire
from imd.wire.base import Done, Event
from imd.wire.fields import timestamp
from imd.wire.groups import Noticed
from imd.wire.refusals import BadRequest, Blocked, Forbidden, NoSuchUser, QuotaExceeded

DAY = 86_400_000
MOST_INVITED = 1_000
"""How many people may be invited into one group and not have answered."""

MOST_LINKS = 50
"""How many links one group may have."""

TOLD = 100
"""How many invitations, and how many requests, are told again after a login."""


@writes(wire.GroupInvite)
def group_invite(tx: Tx, me: Me, command: wire.GroupInvite) -> Outcome[Noticed]:
    """Invite somebody. For who asked already that is the answer; who is not there or keeps me away hears nothing."""
    place = my_group(tx, me, command, "member")
    if place.row.who_invites == "admins":
        place.require("admin")
    try:
        found = anybody(tx, place, command.username)
    except NoSuchUser:
        return nothing(place.row)
    account = found.account
    if found.row.banned:
        raise Forbidden("banned_there", username=account.username)
    waiting = sql.pending(tx, place.conversation, account.id)
    if waiting is not None and waiting.invited_by is None:
        return let_in(tx, me, found.row, account.id, "admitted", account.username)
    if found.row.role or waiting is not None or not _welcome(tx, me, account.id):
        return nothing(place.row)
    if sql.count_invited(tx, place.conversation) >= MOST_INVITED:
        raise QuotaExceeded("invitations", limit=MOST_INVITED)
    sql.add(tx, place.conversation, account.id, me.account, me.now)
    invited = _invited(place.conversation, place.row.handle or "", place.row.title, me.username)
    return Outcome(nothing(place.row).reply, told=(((account.id,), invited),))


def _welcome(tx: Tx, me: Me, account: int) -> bool:
    """Say whether somebody takes messages from me."""
    try:
        refuse_unwelcome(tx, me, recipient_by_id(tx, me.account, account))
    except Blocked:
        return False
    return True


def _invited(conversation: int, handle: str, title: str, by: str) -> wire.GroupInvited:
    return wire.GroupInvited(conversation=conversation, to=f"#{handle}", title=title or f"#{handle}", by=by)


@writes(wire.GroupApprove)
def group_approve(tx: Tx, me: Me, command: wire.GroupApprove) -> Outcome[Noticed]:
    """Let somebody in who asked, or turn them down."""
    place = my_group(tx, me, command, "admin")
    found = anybody(tx, place, command.username)
    account = found.account
    waiting = sql.pending(tx, place.conversation, account.id)
    if waiting is None or waiting.invited_by is not None:
        if found.row.role or not command.approve:
            return nothing(place.row)
        raise BadRequest("no_request", username=account.username)
    if command.approve:
        return let_in(tx, me, found.row, account.id, "admitted", account.username)
    sql.drop(tx, place.conversation, account.id)
    return nothing(place.row)


@writes(wire.GroupLink)
def group_link(tx: Tx, me: Me, command: wire.GroupLink) -> Outcome[wire.Link]:
    """Make a link; only its code's fingerprint is kept, and the beginning of that is its name."""
    place = my_group(tx, me, command, "admin")
    sql.drop_stale_links(tx, place.conversation, me.now)
    if len(sql.links(tx, place.conversation, me.now)) >= MOST_LINKS:
        raise QuotaExceeded("links", limit=MOST_LINKS)
    code = passwords.secret()
    code_hash = passwords.fingerprint(code)
    expires = me.now + command.days * DAY
    sql.add_link(tx, code_hash, place.conversation, me.account, command.uses, expires)
    return Outcome(wire.Link(link=_name(code_hash), join_code=code, uses=command.uses, expires=timestamp(expires)))


def _name(code_hash: str) -> str:
    return code_hash[:8]


@reads(wire.ListLinks)
def group_links(tx: Tx, me: Me, command: wire.ListLinks) -> Outcome[wire.Links]:
    """List the links of a group."""
    place = my_group(tx, me, command, "admin")
    listed = [
        wire.OpenLink(link=_name(row.code_hash), by=row.by, uses=row.uses_left, expires=timestamp(row.expires))
        for row in sql.links(tx, place.conversation, me.now)
    ]
    return Outcome(wire.Links(links=listed))


@writes(wire.GroupUnlink)
def group_unlink(tx: Tx, me: Me, command: wire.GroupUnlink) -> Outcome[Done]:
    """Take a link back."""
    place = my_group(tx, me, command, "admin")
    for row in sql.links(tx, place.conversation, me.now):
        if _name(row.code_hash) == command.link:
            sql.drop_link(tx, row.code_hash)
    return Outcome(Done())


@waits
def at_the_door(tx: Tx, me: Me) -> list[Event]:
    """Give the invitations that wait for me, and the requests that wait for me as an admin."""
    invited = [_invited(*each) for each in sql.invitations(tx, me.account, TOLD)]
    asking = [
        wire.GroupRequest(conversation=each.conversation, to=f"#{each.handle}", username=each.username)
        for each in sql.requests(tx, me.account, TOLD)
    ]
    return [*invited, *asking]
