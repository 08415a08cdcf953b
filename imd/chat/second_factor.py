"""The rules of second factors: adding one, confirming it, removing it. Codes are checked in base/totp."""

from imd.chat.base import totp
from imd.chat.base.access import account_named
from imd.chat.base.context import Caller, Services
from imd.chat.base.credentials import verified
from imd.chat.base.effects import Outcome
from imd.chat.base.handlers import reads, slow, writes
from imd.store import second_factor as sql
from imd.store.transaction import Tx
from imd.wire import second_factor as wire
from imd.wire.base import Done
from imd.wire.fields import timestamp
from imd.wire.refusals import BadRequest, Conflict


@slow(wire.FactorAdd)
async def factor_add(services: Services, caller: Caller, command: wire.FactorAdd) -> Outcome[wire.FactorSecret]:
    """Make a secret, in use once it is confirmed. It takes the password: a second factor can lock the owner out."""
    secret = totp.new_secret()

    def add(tx: Tx) -> None:
        _refuse_another(tx, caller.account)
        verified_account.recheck(tx)
        sql.begin(tx, caller.account, secret)

    async with verified(services, caller, caller.username, command.password, "") as verified_account:
        await services.write(add)
    uri = totp.totp(secret).get_provisioning_uri(caller.username, "imd")
    return Outcome(wire.FactorSecret(secret=secret, uri=uri))


def _refuse_another(tx: Tx, account: int) -> sql.Factor | None:
    factor = sql.get(tx, account)
    if factor is not None and factor.since is not None:
        raise Conflict("second_factor")
    return factor


@writes(wire.FactorConfirm)
def factor_confirm(tx: Tx, caller: Caller, command: wire.FactorConfirm) -> Outcome[wire.RecoveryCodes]:
    """Ask for codes from now on, and give recovery codes."""
    factor = _refuse_another(tx, caller.account)
    if factor is None:
        raise BadRequest("no_factor")
    totp.use_digits(tx, caller.account, factor, command.code, caller.now)
    sql.confirm(tx, caller.account, caller.now)
    return Outcome(wire.RecoveryCodes(codes=totp.new_recovery_codes(tx, caller.account)))


@slow(wire.FactorCodes)
async def factor_codes(services: Services, caller: Caller, command: wire.FactorCodes) -> Outcome[wire.RecoveryCodes]:
    """Make new recovery codes."""

    def change(tx: Tx) -> list[str]:
        verified_account.recheck(tx)
        factor = sql.get(tx, caller.account)
        if factor is None or factor.since is None:
            raise BadRequest("no_factor")
        return totp.new_recovery_codes(tx, caller.account)

    async with verified(services, caller, caller.username, command.password, command.code) as verified_account:
        made = await services.write(change)
    return Outcome(wire.RecoveryCodes(codes=made))


@slow(wire.FactorRemove)
async def factor_remove(services: Services, caller: Caller, command: wire.FactorRemove) -> Outcome[Done]:
    """Stop asking for codes."""

    def remove(tx: Tx) -> None:
        verified_account.recheck(tx)
        sql.remove(tx, caller.account)

    async with verified(services, caller, caller.username, command.password, command.code) as verified_account:
        await services.write(remove)
    return Outcome(Done())


@reads(wire.FactorShow)
def factor_show(tx: Tx, caller: Caller, command: wire.FactorShow) -> Outcome[wire.FactorState]:
    """Say whether codes are asked for, and how many recovery codes are left."""
    factor = sql.get(tx, caller.account)
    if factor is None or factor.since is None:
        return Outcome(wire.FactorState(enabled=False))
    left = sql.codes_left(tx, caller.account)
    return Outcome(wire.FactorState(enabled=True, since=timestamp(factor.since), recovery_codes=left))


@writes(wire.UserUnfactor)
def user_unfactor(tx: Tx, caller: Caller, command: wire.UserUnfactor) -> Outcome[Done]:
    """Remove an account's second factor. Its password stays."""
    sql.remove(tx, account_named(tx, command.username).id)
    return Outcome(Done())
