"""Proof of who asks: the password and, where there is a second factor, a code. Trying them out takes ever longer.

    async with proven(desk, me, username, password, code) as proof:
        ...
        def change(tx):
            proof.hold(tx)      refuses, should the proof not hold any more, or lack the code

A password is tried for one account and one address. Who is logged in already tries it for the device: a stranger who
shares the address cannot keep them from changing it. A code is tried for the account alone, from wherever, since six
digits are few; only who knows the password gets that far, and a recovery code is never kept waiting for it.
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

    def hold(self, tx: Tx) -> None:
        """Refuse what changed while the password was checked, and who lacks the code. A code works once."""
        then, now = self.account, sql.by_id(tx, self.account.id)
        if (now.password_hash, now.admin, now.disabled) != (then.password_hash, then.admin, then.disabled):
            raise InvalidCredentials
        totp.use(tx, self.account.id, self.code, self.now)


@asynccontextmanager
async def verified(
    services: Services, caller: Caller, username: str, password: str, code: str
) -> AsyncIterator[VerifiedAccount]:
    """Find the account that a name and a password belong to. Who is unknown costs the same time as who is known.

    What is done within must succeed, and hold the proof, for the try to have succeeded.
    """
    name = _name(username)
    tried = (name, f"device {caller.device}" if caller.account else caller.address)
    account = None
    await services.logins.free(tried)
    with services.logins.trying(tried, caller.now):
        try:
            account = await services.read(lambda tx: sql.by_name(tx, name))
            known = (account.password_hash if account else None) or None  # a tombstone's is empty
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
    """Give the one spelling of a name, or what was typed instead of one."""
    try:
        return names.username(typed)
    except BadName:
        return typed
