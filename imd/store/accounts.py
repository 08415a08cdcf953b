"""Accounts and their devices in SQL. Times are milliseconds since 1970; the callers hash passwords and tokens."""

import unicodedata
from typing import NamedTuple

from imd.store.confusables import skeleton
from imd.store.rows import Select
from imd.store.tables.accounts import TOMBSTONE
from imd.store.transaction import Tx


class Account(NamedTuple):
    """One account."""

    id: int
    username: str
    display_name: str
    language: str
    password_hash: str
    admin: int
    disabled: int
    deleted: int | None
    """When it was deleted; its row stays as a tombstone."""


_ACCOUNT = Select(Account, "FROM account")


def by_name(tx: Tx, username: str) -> Account | None:
    """Find an account by its name in canonical form."""
    return _ACCOUNT.one(tx, "WHERE username = ?", (username,))


def by_id(tx: Tx, account: int) -> Account:
    """Return an account that is known to exist."""
    return _ACCOUNT.known(tx, "WHERE id = ?", (account,))


def add(tx: Tx, username: str, display_name: str, password_hash: str, admin: bool, now: int) -> int | None:
    """Create an account and return its id; None if the name is taken.

    Announcements made before count as seen.
    """
    if taken(tx, username):
        return None
    # The unique indexes on name and skeleton decide, should somebody else have taken the name since it was looked up.
    row = tx.execute(
        "INSERT INTO account (username, skeleton, display_name, display_key, password_hash, admin, disabled, created,"
        " announced) VALUES (?, ?, ?, ?, ?, ?, 0, ?, (SELECT coalesce(max(number), 0) FROM announcement))"
        " ON CONFLICT DO NOTHING RETURNING id",
        (username, skeleton(username), display_name, folded(display_name), password_hash, int(admin), now),
    ).fetchone()
    return int(row[0]) if row else None


def folded(text: str) -> str:
    """Return the key by which names are compared in a search for people: case and width do not matter."""
    return unicodedata.normalize("NFKC", text).casefold()


def taken(tx: Tx, username: str) -> bool:
    """Return whether nobody may take a name: it or a look-alike is in use, was given up, or begins like a tombstone."""
    looks = skeleton(username)
    held = tx.execute(
        "SELECT 1 FROM account WHERE username = ? OR skeleton = ?"
        " UNION ALL SELECT 1 FROM retired_name WHERE skeleton = ?",
        (username, looks, looks),
    )
    return looks.startswith(skeleton(TOMBSTONE)) or held.fetchone() is not None


def count(tx: Tx) -> int:
    """Count the accounts."""
    return int(tx.execute("SELECT count(*) FROM account").fetchone()[0])


def set_password(tx: Tx, account: int, password_hash: str) -> None:
    """Replace the password."""
    tx.execute("UPDATE account SET password_hash = ? WHERE id = ?", (password_hash, account))


def set_disabled(tx: Tx, account: int, disabled: bool) -> None:
    """Disable or enable an account."""
    tx.execute("UPDATE account SET disabled = ? WHERE id = ?", (int(disabled), account))


def set_admin(tx: Tx, account: int, admin: bool) -> None:
    """Make an account an admin, or an admin no longer."""
    tx.execute("UPDATE account SET admin = ? WHERE id = ?", (int(admin), account))


def admins(tx: Tx) -> tuple[int, ...]:
    """List the admins whose accounts are not disabled."""
    rows = tx.execute("SELECT id FROM account WHERE admin = 1 AND disabled = 0 ORDER BY id").fetchall()
    return tuple(int(row[0]) for row in rows)


class Listed(NamedTuple):
    """One account in the admin's list."""

    username: str
    display_name: str
    admin: int
    disabled: int
    created: int
    devices: int


_LISTED = Select(Listed, "FROM account", devices="(SELECT count(*) FROM device WHERE device.account = account.id)")


def listing(tx: Tx, after: str, limit: int) -> list[Listed]:
    """List accounts by name, starting after a name; tombstones are left out."""
    return _LISTED.all(tx, "WHERE username > ? AND deleted IS NULL ORDER BY username LIMIT ?", (after, limit))


class Device(NamedTuple):
    """One device that is logged in."""

    id: int
    account: int
    label: str
    created: int
    last_seen: int


_DEVICE = Select(Device, "FROM device")


def add_device(tx: Tx, account: int, label: str, token_hash: str, now: int) -> Device:
    """Log a device in under a label; if that is in use, under label-2, label-3 and so on."""
    rows = tx.execute("SELECT label FROM device WHERE account = ?", (account,)).fetchall()
    used = {row[0] for row in rows}
    free, number = label, 2
    while free in used:
        free, number = f"{label}-{number}", number + 1
    row = tx.execute(
        "INSERT INTO device (account, label, token_hash, created, last_seen) VALUES (?, ?, ?, ?, ?) RETURNING id",
        (account, free, token_hash, now, now),
    ).fetchone()
    return Device(id=int(row[0]), account=account, label=free, created=now, last_seen=now)


def devices(tx: Tx, account: int) -> list[Device]:
    """List an account's devices, the most recently seen first."""
    return _DEVICE.all(tx, "WHERE account = ? ORDER BY last_seen DESC, id DESC", (account,))


def by_token(tx: Tx, token_hash: str, seen_after: int) -> tuple[Device, Account] | None:
    """Find the device that a token belongs to, with its account, if it was seen since a time."""
    device = _DEVICE.one(tx, "WHERE token_hash = ? AND last_seen >= ?", (token_hash, seen_after))
    return (device, by_id(tx, device.account)) if device else None


def touch_device(tx: Tx, device: int, now: int) -> None:
    """Record that a device was seen."""
    tx.execute("UPDATE device SET last_seen = ? WHERE id = ?", (now, device))


def drop_devices(tx: Tx, account: int, devices: list[int]) -> None:
    """Log devices out by deleting their tokens."""
    for device in devices:
        tx.execute("DELETE FROM device WHERE account = ? AND id = ?", (account, device))
