"""Invites to this server, in SQL. Only the hash of a code is stored; a number identifies it to admins."""

from typing import NamedTuple

from imd.store.rows import Select
from imd.store.transaction import Tx


class Invite(NamedTuple):
    """One invite that still works."""

    number: int
    uses_left: int
    expires: int
    admin: int


_INVITE = Select(Invite, "FROM invite")


def add(tx: Tx, code_hash: str, uses: int, expires: int, admin: bool) -> int:
    """Store an invite and return its number."""
    row = tx.execute(
        "INSERT INTO invite (code_hash, uses_left, expires, admin) VALUES (?, ?, ?, ?) RETURNING number",
        (code_hash, uses, expires, int(admin)),
    ).fetchone()
    return int(row[0])


def use(tx: Tx, code_hash: str, now: int) -> bool | None:
    """Use an invite once. Return whether it makes an admin; None if it does not work."""
    row = tx.execute(
        "UPDATE invite SET uses_left = uses_left - 1"
        " WHERE code_hash = ? AND uses_left > 0 AND expires > ? RETURNING admin",
        (code_hash, now),
    ).fetchone()
    return bool(row[0]) if row else None


def working(tx: Tx, now: int) -> list[Invite]:
    """List the invites that still work, the oldest first."""
    return _INVITE.all(tx, "WHERE uses_left > 0 AND expires > ? ORDER BY number", (now,))


def revoke(tx: Tx, number: int) -> bool:
    """Revoke an invite. Return whether there is one of this number."""
    return tx.execute("UPDATE invite SET uses_left = 0 WHERE number = ?", (number,)).rowcount > 0
