"""The rules of administration: accounts, invites, and anybody's groups."""

from imd.chat.base import passwords
from imd.chat.base.access import account_named, group_row
from imd.chat.base.context import Caller, Services
from imd.chat.base.effects import DropDevices, Outcome, SetAdmin
from imd.chat.base.handlers import reads, slow, writes
from imd.chat.base.limits import DAY
from imd.chat.base.membership import dissolve
from imd.store import accounts as sql
from imd.store import groups, invites
from imd.store.transaction import Tx
from imd.wire import admin as wire
from imd.wire import names
from imd.wire.base import Done
from imd.wire.fields import timestamp
from imd.wire.refusals import BadRequest, Conflict, NameTaken, NoSuchConversation


@slow(wire.UserAdd)
async def user_add(services: Services, caller: Caller, command: wire.UserAdd) -> Outcome[wire.Issued]:
    """Make an account, whatever the registration policy."""
    username = names.chosen(command.username)
    password = command.password or passwords.made_up()
    passwords.check(password, username, caller.limits.password_characters)
    password_hash = await services.hash_password(password, caller.address)
    display_name = names.one_line(command.display_name) or username

    def add(tx: Tx) -> None:
        if sql.add(tx, username, display_name, password_hash, command.admin, caller.now) is None:
            raise NameTaken(username=username)

    await services.write(add)
    return Outcome(wire.Issued(username=username, password=None if command.password else password))


@reads(wire.UserList)
def user_list(tx: Tx, caller: Caller, command: wire.UserList) -> Outcome[wire.Users]:
    """List accounts by name."""
    rows = sql.listing(tx, command.after, command.limit + 1)
    users = [
        wire.User(
            username=row.username,
            display_name=row.display_name,
            admin=bool(row.admin),
            disabled=bool(row.disabled),
            created=timestamp(row.created),
            devices=row.devices,
        )
        for row in rows[: command.limit]
    ]
    return Outcome(wire.Users(users=users, more=len(rows) > command.limit))


@slow(wire.UserPasswd)
async def user_passwd(services: Services, caller: Caller, command: wire.UserPasswd) -> Outcome[wire.Issued]:
    """Replace an account's password, and log all its devices out."""
    account = await services.read(lambda tx: account_named(tx, command.username))
    password = command.password or passwords.made_up()
    passwords.check(password, account.username, caller.limits.password_characters)
    password_hash = await services.hash_password(password, caller.address)

    def change(tx: Tx) -> list[int]:
        sql.set_password(tx, account.id, password_hash)
        return _log_out(tx, account.id)

    dropped = await services.write(change)
    reply = wire.Issued(username=account.username, password=None if command.password else password)
    return Outcome(reply, effects=(DropDevices(account.id, dropped),))


def _log_out(tx: Tx, account: int) -> list[int]:
    dropped = [device.id for device in sql.devices(tx, account)]
    sql.drop_devices(tx, account, dropped)
    return dropped


@writes(wire.UserDisable)
def user_disable(tx: Tx, caller: Caller, command: wire.UserDisable) -> Outcome[Done]:
    """Disable or enable an account. Its messages stay."""
    account = account_named(tx, command.username)
    if not command.enable:
        _refuse_last_admin(tx, caller, account)
    sql.set_disabled(tx, account.id, not command.enable)
    dropped = [] if command.enable else _log_out(tx, account.id)
    return Outcome(Done(), effects=(DropDevices(account.id, dropped),))


def _refuse_last_admin(tx: Tx, caller: Caller, account: sql.Account) -> None:
    """Refuse to take the last admin's rights. The operator may: the operator needs no account to make another admin."""
    if caller.account and sql.admins(tx) == (account.id,):
        raise Conflict("last_admin", username=account.username)


@writes(wire.UserRole)
def user_role(tx: Tx, caller: Caller, command: wire.UserRole) -> Outcome[Done]:
    """Give or take an admin's rights, also in sessions that are open."""
    account = account_named(tx, command.username)
    admin = command.role == "admin"
    if not admin:
        _refuse_last_admin(tx, caller, account)
    sql.set_admin(tx, account.id, admin)
    return Outcome(Done(), effects=(SetAdmin(account.id, admin),))


@writes(wire.UserSignout)
def user_signout(tx: Tx, caller: Caller, command: wire.UserSignout) -> Outcome[Done]:
    """Log all devices of an account out."""
    account = account_named(tx, command.username)
    return Outcome(Done(), effects=(DropDevices(account.id, _log_out(tx, account.id)),))


@writes(wire.InviteCreate)
def invite_create(tx: Tx, caller: Caller, command: wire.InviteCreate) -> Outcome[wire.Invite]:
    """Make an invite. Only its fingerprint is stored."""
    code = passwords.secret()
    expires = caller.now + command.days * DAY
    number = invites.add(tx, passwords.fingerprint(code), command.uses, expires, command.admin)
    return Outcome(wire.Invite(invite=code, uses=command.uses, expires=timestamp(expires), number=number))


@reads(wire.InviteList)
def invite_list(tx: Tx, caller: Caller, command: wire.InviteList) -> Outcome[wire.Invites]:
    """List the invites that still work."""
    listed = [
        wire.WorkingInvite(number=row.number, uses=row.uses_left, expires=timestamp(row.expires), admin=bool(row.admin))
        for row in invites.working(tx, caller.now)
    ]
    return Outcome(wire.Invites(invites=listed))


@writes(wire.InviteRevoke)
def invite_revoke(tx: Tx, caller: Caller, command: wire.InviteRevoke) -> Outcome[Done]:
    """Revoke an invite."""
    if not invites.revoke(tx, command.number):
        raise BadRequest("invite", number=command.number)
    return Outcome(Done())


@reads(wire.GroupsList)
def groups_list(tx: Tx, caller: Caller, command: wire.GroupsList) -> Outcome[wire.AllGroups]:
    """List groups by name."""
    rows = groups.every(tx, command.after.removeprefix("#"), command.limit + 1)
    listed = [
        wire.AnyGroup(
            to=f"#{row.handle}",
            title=row.title,
            join_mode=row.join_mode,
            members=row.members,
            owner=row.owner,
            created=timestamp(row.created),
        )
        for row in rows[: command.limit]
    ]
    return Outcome(wire.AllGroups(groups=listed, more=len(rows) > command.limit))


@writes(wire.GroupsDelete)
def groups_delete(tx: Tx, caller: Caller, command: wire.GroupsDelete) -> Outcome[Done]:
    """Delete a group, whoever owns it."""
    row = group_row(tx, caller, command.to)
    if row is None:
        raise NoSuchConversation
    return dissolve(tx, row, caller.username or "*", caller.now)
