"""Checking credentials: a password and, if the account has a second factor, a code. A wrong guess delays the next.

    async with verified(services, caller, username, password, code) as verified_account:
        ...
        def change(tx):
            verified_account.recheck(tx)      refuses if the account has changed meanwhile, or the code is wrong

Wrong passwords are counted for an account and an address, so that no stranger can lock a person out. Those of a device
that is logged in are counted for the device, so that not even somebody at the same address can.

Wrong codes are counted for the account alone, whatever the address: six digits are few, and only somebody who knows the
password gets to them. Recovery codes are not counted, so that the owner always has another way in.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import attrs

from imd.chat.base import totp
from imd.chat.base.context import Caller, Services
from imd.store import accounts as sql
from imd.store.transaction import Tx
from imd.wire import names
from imd.wire.refusals import BadName, InvalidCredentials


@attrs.frozen
class VerifiedAccount:
    """An account whose password was right."""

    account: sql.Account
    code: str
    now: int

    def recheck(self, tx: Tx) -> None:
        """Use the code up; refuse a wrong one, and an account that changed while its password was checked.

        The write that the code allows calls this, so that a code is used up only if something is done with it.
        """
        then, now = self.account, sql.by_id(tx, self.account.id)
        if (now.password_hash, now.admin, now.disabled) != (then.password_hash, then.admin, then.disabled):
            raise InvalidCredentials
        totp.use(tx, self.account.id, self.code, self.now)


@asynccontextmanager
async def verified(
    services: Services, caller: Caller, username: str, password: str, code: str
) -> AsyncIterator[VerifiedAccount]:
    """Find the account of a name and a password. A refusal takes one read and one hash, whether the name exists or not.

    The attempt counts as failed if the body ends in `invalid_credentials`, as `recheck` does for a wrong code.
    """
    name = _name(username)
    tried = (name, f"device {caller.device}" if caller.account else caller.address)
    account = None
    await services.logins.free(tried)
    with services.logins.trying(tried, caller.now):
        try:
            account = await services.read(lambda tx: sql.by_name(tx, name))
            known = (account.password_hash if account else None) or None  # a deleted account's is empty
            matches = await services.password_matches(known, password, caller.address)
            if account is None or not matches or account.disabled:
                raise InvalidCredentials
            guess = services.logins.trying((f"code of {account.id}", "anywhere"), caller.now, "codes")
            with guess if totp.is_digits(code) else nullcontext():
                yield VerifiedAccount(account, code, caller.now)
        except InvalidCredentials as refusal:
            if refusal.case != "code":
                services.login_failed(account.id if account else 0, caller.address, refusal)
            raise


def _name(typed: str) -> str:
    """Give the canonical spelling of a name; of what is no name, the text as typed."""
    try:
        return names.username(typed)
    except BadName:
        return typed
