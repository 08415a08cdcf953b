"""The rules of accounts: registering, logging in, devices."""

from imd.chat.base import passwords
from imd.chat.base.context import Caller, Services
from imd.chat.base.credentials import verified
from imd.chat.base.effects import Delivery, DropDevices, Outcome, SignIn, SignOut
from imd.chat.base.handlers import reads, slow, writes
from imd.chat.base.limits import DAY
from imd.chat.base.presence import arrival, topics
from imd.store import accounts as sql
from imd.store import invites
from imd.store.transaction import Tx
from imd.wire import accounts as wire
from imd.wire import names
from imd.wire.base import Done
from imd.wire.fields import timestamp
from imd.wire.refusals import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidCredentials,
    InviteInvalid,
    InviteRequired,
    NameTaken,
)

TOUCH_AFTER = 600_000
"""How old a device's last_seen may be, in milliseconds, before a resume writes it anew."""


@slow(wire.Register)
async def register(services: Services, caller: Caller, command: wire.Register) -> Outcome[wire.Registered]:
    """Make an account, if the server's registration and the name allow it."""
    if caller.registration == "closed":
        raise Forbidden("registration")
    if caller.registration == "invite" and not command.invite:
        raise InviteRequired
    username = names.chosen(command.username)
    caller.word_filter.check(username, command.display_name)
    passwords.check(command.password, username, caller.limits.password_characters)
    if await services.read(lambda tx: sql.taken(tx, username)):
        raise NameTaken(username=username)

    def add(tx: Tx) -> None:
        admin: bool | None = False
        if command.invite:
            admin = invites.use(tx, passwords.fingerprint(command.invite), caller.now)
            if admin is None:
                raise InviteInvalid
        display_name = names.one_line(command.display_name) or username
        if sql.add(tx, username, display_name, password_hash, bool(admin), caller.now) is None:
            raise NameTaken(username=username)

    most = 0 if command.invite else caller.limits.registrations_per_address  # an invite is limited by its uses
    with services.registrations.registering(caller.address, most, caller.now):
        password_hash = await services.hash_password(command.password, caller.address)
        await services.write(add)
    return Outcome(wire.Registered(username=username))


def _refuse_second_login(caller: Caller) -> None:
    if caller.account:
        raise Conflict("logged_in", username=caller.username)


@slow(wire.Login)
async def login(services: Services, caller: Caller, command: wire.Login) -> Outcome[wire.LoggedIn]:
    """Log a new device in by password."""
    _refuse_second_login(caller)
    token = passwords.secret()

    def add(tx: Tx) -> tuple[list[int], SignIn, tuple[Delivery, ...]]:
        verified_account.recheck(tx)
        account = verified_account.account
        kept = sql.devices(tx, account.id)
        stale = [each.id for each in kept if each.last_seen < _lapsed(caller)]
        crowding = [each.id for each in kept[caller.limits.devices_per_account - 1 :]]
        dropped = sorted({*stale, *crowding})
        sql.drop_devices(tx, account.id, dropped)
        label = command.device or "device"
        device = sql.add_device(tx, account.id, label, passwords.fingerprint(token), _seen_now(caller))
        return dropped, *_signed_in(tx, caller, account, device, command.replay)

    async with verified(services, caller, command.username, command.password, command.code) as verified_account:
        dropped, signed_in, told = await services.write(add)
    reply = wire.LoggedIn(username=signed_in.username, device=signed_in.label, token=token)
    return Outcome(reply, told=told, effects=(DropDevices(signed_in.account, dropped), signed_in))


def _lapsed(caller: Caller) -> int:
    """Give the time since which a token must have been used, by the clock that lets it live longer.

    Setting the wall clock while the server runs, rightly or by mistake, must not end everybody's tokens.
    """
    return min(caller.now, caller.steady) - caller.limits.token_days * DAY


def _seen_now(caller: Caller) -> int:
    """Give the present time for a device's last_seen, by the clock that is ahead."""
    return max(caller.now, caller.steady)


def _signed_in(
    tx: Tx, caller: Caller, account: sql.Account, device: sql.Device, replay: bool
) -> tuple[SignIn, tuple[Delivery, ...]]:
    """Gather what a session needs to know of its account, and tell the friends that it is online."""
    chosen, told = arrival(tx, caller, account.id)
    signed_in = SignIn(
        account=account.id,
        username=account.username,
        language=account.language,
        admin=bool(account.admin),
        device=device.id,
        label=device.label,
        replay=replay,
        topics=topics(tx, account.id),
        chosen=chosen,
    )
    return signed_in, told


@slow(wire.Resume)
async def resume(services: Services, caller: Caller, command: wire.Resume) -> Outcome[wire.Resumed]:
    """Log a known device in by its token. Slow, like login: later requests wait until the session has its account."""
    _refuse_second_login(caller)

    def known(tx: Tx) -> tuple[SignIn, tuple[Delivery, ...]]:
        found = sql.by_token(tx, passwords.fingerprint(command.token), _lapsed(caller))
        if found is None or found[1].disabled:
            raise InvalidCredentials("token")
        device, account = found
        if device.last_seen < _seen_now(caller) - TOUCH_AFTER:
            sql.touch_device(tx, device.id, _seen_now(caller))
        return _signed_in(tx, caller, account, device, command.replay)

    signed_in, told = await services.write(known)
    reply = wire.Resumed(username=signed_in.username, device=signed_in.label)
    return Outcome(reply, told=told, effects=(signed_in,))


@slow(wire.Logout)
async def logout(services: Services, caller: Caller, command: wire.Logout) -> Outcome[Done]:
    """Forget the caller's device, and close the other connections that it has."""
    await services.write(lambda tx: sql.drop_devices(tx, caller.account, [caller.device]))
    return Outcome(Done(), effects=(SignOut(), DropDevices(caller.account, [caller.device])))


@slow(wire.ChangePassword)
async def change_password(services: Services, caller: Caller, command: wire.ChangePassword) -> Outcome[Done]:
    """Change the caller's password, and log the other devices out: one of them may be the reason."""

    def change(tx: Tx) -> list[int]:
        verified_account.recheck(tx)
        others = [each.id for each in sql.devices(tx, caller.account) if each.id != caller.device]
        sql.set_password(tx, caller.account, password_hash)
        sql.drop_devices(tx, caller.account, others)
        return others

    async with verified(services, caller, caller.username, command.old, command.code) as verified_account:
        passwords.check(command.new, caller.username, caller.limits.password_characters)
        password_hash = await services.hash_password(command.new, caller.address)
        dropped = await services.write(change)
    return Outcome(Done(), effects=(DropDevices(caller.account, dropped),))


@reads(wire.ListDevices)
def devices(tx: Tx, caller: Caller, command: wire.ListDevices) -> Outcome[wire.Devices]:
    """List the caller's devices."""
    listed = [
        wire.Device(
            device=each.label,
            created=timestamp(each.created),
            last_seen=timestamp(each.last_seen),
            current=each.id == caller.device,
        )
        for each in sql.devices(tx, caller.account)
    ]
    return Outcome(wire.Devices(devices=listed))


@writes(wire.RevokeDevice)
def revoke_device(tx: Tx, caller: Caller, command: wire.RevokeDevice) -> Outcome[Done]:
    """Log a device of the caller's out."""
    found = [each.id for each in sql.devices(tx, caller.account) if each.label == command.device]
    if not found:
        raise BadRequest("device", device=command.device)
    sql.drop_devices(tx, caller.account, found)
    return Outcome(Done(), effects=(DropDevices(caller.account, found),))


@reads(wire.WhoAmI)
def whoami(tx: Tx, caller: Caller, command: wire.WhoAmI) -> Outcome[wire.Identity]:
    """Give the caller's names and device."""
    account = sql.by_id(tx, caller.account)
    return Outcome(wire.Identity(username=caller.username, display_name=account.display_name, device=caller.label))
