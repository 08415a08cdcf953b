"""The rules of second factors: adding one, confirming it, removing it. Codes themselves are in `codes`."""

from imd.chat import codes
from imd.chat.lanes import Desk, Me, Outcome, reads, slow, writes
from imd.chat.places import account_named
from imd.chat.proof import proven
from imd.store import second_factor as sql
from imd.store.transaction import Tx
from imd.wire import second_factor as wire
from imd.wire.base import Done
from imd.wire.fields import timestamp
from imd.wire.refusals import BadRequest, Conflict


@slow(wire.FactorAdd)
async def factor_add(desk: Desk, me: Me, command: wire.FactorAdd) -> Outcome[wire.FactorSecret]:
    """Make a secret, which is asked for once it is confirmed. It takes the password: a second factor can lock out."""
    secret = codes.new_secret()

    def add(tx: Tx) -> None:
        _refuse_another(tx, me.account)
        proof.hold(tx)
        sql.begin(tx, me.account, secret)

    async with proven(desk, me, me.username, command.password, "") as proof:
        await desk.write(add)
    uri = codes.totp(secret).get_provisioning_uri(me.username, "imd")
    return Outcome(wire.FactorSecret(secret=secret, uri=uri))


def _refuse_another(tx: Tx, account: int) -> sql.Factor | None:
    factor = sql.get(tx, account)
    if factor is not None and factor.since is not None:
        raise Conflict("second_factor")
    return factor


@writes(wire.FactorConfirm)
def factor_confirm(tx: Tx, me: Me, command: wire.FactorConfirm) -> Outcome[wire.RecoveryCodes]:
    """Ask for codes from now on, and give the recovery codes."""
    factor = _refuse_another(tx, me.account)
    if factor is None:
        raise BadRequest("no_factor")
    codes.use_digits(tx, me.account, factor, command.code, me.now)
    sql.confirm(tx, me.account, me.now)
    return Outcome(wire.RecoveryCodes(codes=codes.new_recovery_codes(tx, me.account)))


@slow(wire.FactorCodes)
async def factor_codes(desk: Desk, me: Me, command: wire.FactorCodes) -> Outcome[wire.RecoveryCodes]:
    """Make other recovery codes."""

    def change(tx: Tx) -> list[str]:
        proof.hold(tx)
        factor = sql.get(tx, me.account)
        if factor is None or factor.since is None:
            raise BadRequest("no_factor")
        return codes.new_recovery_codes(tx, me.account)

    async with proven(desk, me, me.username, command.password, command.code) as proof:
        made = await desk.write(change)
    return Outcome(wire.RecoveryCodes(codes=made))


@slow(wire.FactorRemove)
async def factor_remove(desk: Desk, me: Me, command: wire.FactorRemove) -> Outcome[Done]:
    """Ask for codes no more."""

    def remove(tx: Tx) -> None:
        proof.hold(tx)
        sql.remove(tx, me.account)

    async with proven(desk, me, me.username, command.password, command.code) as proof:
        await desk.write(remove)
    return Outcome(Done())


@reads(wire.FactorShow)
def factor_show(tx: Tx, me: Me, command: wire.FactorShow) -> Outcome[wire.FactorState]:
    """Tell whether codes are asked for."""
    factor = sql.get(tx, me.account)
    if factor is None or factor.since is None:
        return Outcome(wire.FactorState(enabled=False))
    left = sql.codes_left(tx, me.account)
    return Outcome(wire.FactorState(enabled=True, since=timestamp(factor.since), recovery_codes=left))


@writes(wire.UserUnfactor)
def user_unfactor(tx: Tx, me: Me, command: wire.UserUnfactor) -> Outcome[Done]:
    """Remove somebody's second factor; their password stays."""
    sql.remove(tx, account_named(tx, command.username).id)
    return Outcome(Done())
