"""The rules of accounts: registering, logging in, devices."""

from imd.chat import passwords
from imd.chat.conversations import topics
from imd.chat.lanes import Cut, Desk, Me, Outcome, SignIn, SignOut, Told, reads, slow, writes
from imd.chat.presence import arrival
from imd.chat.proof import proven
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

DAY = 86_400_000
TOUCH_AFTER = 600_000
"""How old a device's last_seen grows before a resume writes it anew, in milliseconds."""


@slow(wire.Register)
async def register(desk: Desk, me: Me, command: wire.Register) -> Outcome[wire.Registered]:
    """Make an account, if this server's registration and the name allow it."""
    if me.registration == "closed":
        raise Forbidden("registration")
    if me.registration == "invite" and not command.invite:
        raise InviteRequired
    username = names.chosen(command.username)
    me.words.check(username, command.display_name)
    passwords.check(command.password, username, me.limits.password_characters)
    if await desk.read(lambda tx: sql.taken(tx, username)):
        raise NameTaken(username=username)

    def add(tx: Tx) -> None:
        admin: bool | None = False
        if command.invite:
            admin = invites.use(tx, passwords.fingerprint(command.invite), me.now)
            if admin is None:
                raise InviteInvalid
        display_name = names.shown(command.display_name) or username
        if sql.add(tx, username, display_name, password_hash, bool(admin), me.now) is None:
            raise NameTaken(username=username)

    most = 0 if command.invite else me.limits.registrations_per_address  # whoever made the invite has counted
    with desk.newcomers.registering(me.address, most, me.now):
        password_hash = await desk.hash_password(command.password, me.address)
        await desk.write(add)
    return Outcome(wire.Registered(username=username))


def _refuse_second_login(me: Me) -> None:
    if me.account:
        raise Conflict("logged_in", username=me.username)


@slow(wire.Login)
async def login(desk: Desk, me: Me, command: wire.Login) -> Outcome[wire.LoggedIn]:
    """Log a new device in by password."""
    _refuse_second_login(me)
    token = passwords.secret()

    def add(tx: Tx) -> tuple[list[int], SignIn, tuple[Told, ...]]:
        proof.hold(tx)
        account = proof.account
        kept = sql.devices(tx, account.id)
        stale = [each.id for each in kept if each.last_seen < _lapsed(me)]
        crowding = [each.id for each in kept[me.limits.devices_per_account - 1 :]]
        dropped = sorted({*stale, *crowding})
        sql.drop_devices(tx, account.id, dropped)
        label = command.device or "device"
        device = sql.add_device(tx, account.id, label, passwords.fingerprint(token), _seen(me))
        return dropped, *_signed_in(tx, me, account, device, command.replay)

    async with proven(desk, me, command.username, command.password, command.code) as proof:
        dropped, signed_in, told = await desk.write(add)
    reply = wire.LoggedIn(username=signed_in.username, device=signed_in.label, token=token)
    return Outcome(reply, told=told, effects=(Cut(signed_in.account, dropped), signed_in))


def _lapsed(me: Me) -> int:
    """Give since when an unused token must have been used. Where two clocks differ, the kinder counts.

    The wall clock may be set while the server runs, rightly or not: that must not log everybody out.
    """
    return min(me.now, me.steady) - me.limits.token_days * DAY


def _seen(me: Me) -> int:
    """Give when a device is seen: now, by the clock that is ahead."""
    return max(me.now, me.steady)


def _signed_in(
    tx: Tx, me: Me, account: sql.Account, device: sql.Device, replay: bool
) -> tuple[SignIn, tuple[Told, ...]]:
    """Gather what a session needs of the account that it speaks for, and whom to tell that it is here."""
    chosen, told = arrival(tx, me, account.id)
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
async def resume(desk: Desk, me: Me, command: wire.Resume) -> Outcome[wire.Resumed]:
    """Log a known device in by its token. Slow, like login: what follows it waits to know who asks."""
    _refuse_second_login(me)

    def known(tx: Tx) -> tuple[SignIn, tuple[Told, ...]]:
        found = sql.by_token(tx, passwords.fingerprint(command.token), _lapsed(me))
        if found is None or found[1].disabled:
            raise InvalidCredentials("token")
        device, account = found
        if device.last_seen < _seen(me) - TOUCH_AFTER:
            sql.touch_device(tx, device.id, _seen(me))
        return _signed_in(tx, me, account, device, command.replay)

    signed_in, told = await desk.write(known)
    reply = wire.Resumed(username=signed_in.username, device=signed_in.label)
    return Outcome(reply, told=told, effects=(signed_in,))


@slow(wire.Logout)
async def logout(desk: Desk, me: Me, command: wire.Logout) -> Outcome[Done]:
    """Forget the device that asks, and close what else is connected by its token."""
    await desk.write(lambda tx: sql.drop_devices(tx, me.account, [me.device]))
    return Outcome(Done(), effects=(SignOut(), Cut(me.account, [me.device])))


@slow(wire.ChangePassword)
async def change_password(desk: Desk, me: Me, command: wire.ChangePassword) -> Outcome[Done]:
    """Change one's own password, and log the other devices out: one of them may be why."""

    def change(tx: Tx) -> list[int]:
        proof.hold(tx)
        others = [each.id for each in sql.devices(tx, me.account) if each.id != me.device]
        sql.set_password(tx, me.account, password_hash)
        sql.drop_devices(tx, me.account, others)
        return others

    async with proven(desk, me, me.username, command.old, command.code) as proof:
        passwords.check(command.new, me.username, me.limits.password_characters)
        password_hash = await desk.hash_password(command.new, me.address)
        dropped = await desk.write(change)
    return Outcome(Done(), effects=(Cut(me.account, dropped),))


@reads(wire.ListDevices)
def devices(tx: Tx, me: Me, command: wire.ListDevices) -> Outcome[wire.Devices]:
    """List one's own devices."""
    listed = [
        wire.Device(
            device=each.label,
            created=timestamp(each.created),
            last_seen=timestamp(each.last_seen),
            current=each.id == me.device,
        )
        for each in sql.devices(tx, me.account)
    ]
    return Outcome(wire.Devices(devices=listed))


@writes(wire.RevokeDevice)
def revoke_device(tx: Tx, me: Me, command: wire.RevokeDevice) -> Outcome[Done]:
    """Log one of one's own devices out."""
    found = [each.id for each in sql.devices(tx, me.account) if each.label == command.device]
    if not found:
        raise BadRequest("device", device=command.device)
    sql.drop_devices(tx, me.account, found)
    return Outcome(Done(), effects=(Cut(me.account, found),))


@reads(wire.WhoAmI)
def whoami(tx: Tx, me: Me, command: wire.WhoAmI) -> Outcome[wire.Identity]:
    """Tell who asks."""
    account = sql.by_id(tx, me.account)
    return Outcome(wire.Identity(username=me.username, display_name=account.display_name, device=me.label))
