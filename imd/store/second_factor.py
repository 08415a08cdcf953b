"""Second factors in SQL: an account's secret and its unused recovery codes."""

from typing import NamedTuple

from imd.store.rows import Select
from imd.store.transaction import Tx


class Factor(NamedTuple):
    """An account's second factor. The secret is in base32, as its owner sees it."""

    secret: str
    since: int | None
    """When it was confirmed; until then no code is asked for."""

    last_step: int
    """The newest time step whose code was used."""


_FACTOR = Select(Factor, "FROM second_factor")


def get(tx: Tx, account: int) -> Factor | None:
    """Return an account's second factor, confirmed or not."""
    return _FACTOR.one(tx, "WHERE account = ?", (account,))


def begin(tx: Tx, account: int, secret: str) -> None:
    """Store a secret that is to be confirmed, in place of an earlier one."""
    tx.execute(
        "INSERT INTO second_factor (account, secret, last_step) VALUES (?, ?, 0)"
        " ON CONFLICT (account) DO UPDATE SET secret = excluded.secret",
        (account, secret),
    )


def confirm(tx: Tx, account: int, now: int) -> None:
    """Confirm the second factor: codes are asked for from now on."""
    tx.execute("UPDATE second_factor SET since = ? WHERE account = ?", (now, account))


def use_step(tx: Tx, account: int, step: int) -> None:
    """Record that a time step's code was used: neither it nor an older one works again."""
    tx.execute("UPDATE second_factor SET last_step = ? WHERE account = ?", (step, account))


def remove(tx: Tx, account: int) -> None:
    """Remove the second factor and its recovery codes."""
    tx.execute("DELETE FROM recovery_code WHERE account = ?", (account,))
    tx.execute("DELETE FROM second_factor WHERE account = ?", (account,))


def put_codes(tx: Tx, account: int, hashes: list[str]) -> None:
    """Store new recovery codes in place of the old ones."""
    tx.execute("DELETE FROM recovery_code WHERE account = ?", (account,))
    for code_hash in hashes:
        tx.execute("INSERT INTO recovery_code (account, code_hash) VALUES (?, ?)", (account, code_hash))


def use_code(tx: Tx, account: int, code_hash: str) -> bool:
    """Use a recovery code up. Return whether it was valid."""
    gone = tx.execute("DELETE FROM recovery_code WHERE account = ? AND code_hash = ?", (account, code_hash))
    return gone.rowcount > 0


def codes_left(tx: Tx, account: int) -> int:
    """Count the unused recovery codes."""
    return int(tx.execute("SELECT count(*) FROM recovery_code WHERE account = ?", (account,)).fetchone()[0])
