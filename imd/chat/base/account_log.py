"""The account log, by which all devices of an account learn of changes in its own affairs."""

from typing import cast

import msgspec

from imd.chat.base.effects import Delivery
from imd.store import personal as sql
from imd.store.transaction import Tx
from imd.wire.personal import AccountChange, AccountChanged, What


def note(
    tx: Tx,
    account: int,
    what: What,
    *,
    conversation: int | None = None,
    seq: int | None = None,
    username: str | None = None,
    value: str | bool | int | None = None,
) -> Delivery:
    """Store a change in place of an earlier one of the same thing, and return the event for the account's devices."""
    thing = " ".join(str(part) for part in (what, conversation, seq, username) if part is not None)
    data = {"conversation": conversation, "seq": seq, "username": username, "value": value}
    kept = {name: each for name, each in data.items() if each is not None}
    n = sql.note_change(tx, account, thing, what, msgspec.json.encode(kept).decode())
    return (account,), AccountChanged(n=n, what=what, **data)  # type: ignore[arg-type]  # as they came


def changes(tx: Tx, account: int, after: int, limit: int) -> list[AccountChange]:
    """List the changes after an n, in order."""
    return [
        AccountChange(n=entry.n, what=cast("What", entry.what), **msgspec.json.decode(entry.data))  # as `note` kept it
        for entry in sql.changes_after(tx, account, after, limit)
    ]
