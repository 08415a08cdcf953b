"""Profiles in SQL: what an account says of itself, its privacy settings, and finding people by name."""

import unicodedata
from typing import NamedTuple

from imd.store.accounts import folded
from imd.store.rows import Select
from imd.store.transaction import Tx

_END = "\U0010ffff"
"""Sorts after every text with the same beginning where texts are compared by code point: SQLite, PostgreSQL's "C"."""


class Profile(NamedTuple):
    """One account's profile with its settings."""

    id: int
    username: str
    display_name: str
    bio: str
    language: str
    created: int
    writers: str
    receipts: int
    forwards: int
    findable: int
    presence: str
    presence_text: str
    last_seen: int


_PROFILE = Select(Profile, "FROM account")


def by_name(tx: Tx, username: str) -> Profile | None:
    """Find a profile by the name in canonical form. A disabled account has none."""
    return _PROFILE.one(tx, "WHERE username = ? AND disabled = 0", (username,))


def change(
    tx: Tx,
    account: int,
    *,
    display_name: str | None,
    bio: str | None,
    language: str | None,
    writers: str | None,
    receipts: bool | None,
    forwards: bool | None,
    findable: bool | None,
) -> None:
    """Change what is not None."""
    display_key = None if display_name is None else folded(display_name)
    flags = (None if each is None else int(each) for each in (receipts, forwards, findable))
    tx.execute(
        "UPDATE account SET display_name = coalesce(?, display_name), display_key = coalesce(?, display_key),"
        " bio = coalesce(?, bio), language = coalesce(?, language), writers = coalesce(?, writers),"
        " receipts = coalesce(?, receipts), forwards = coalesce(?, forwards), findable = coalesce(?, findable)"
        " WHERE id = ?",
        (display_name, display_key, bio, language, writers, *flags, account),
    )


def keeps_name(tx: Tx, account: int) -> bool:
    """Return whether messages of an account keep its name when others forward them."""
    return bool(tx.execute("SELECT forwards FROM account WHERE id = ?", (account,)).fetchone()[0])


def shows_receipts(tx: Tx, account: int) -> bool:
    """Return whether others may see what was delivered to an account and what it has read."""
    return bool(tx.execute("SELECT receipts FROM account WHERE id = ?", (account,)).fetchone()[0])


class Found(NamedTuple):
    """Somebody who was found; `friend` is 1 if they are a friend of the account that searches."""

    username: str
    display_name: str
    bio: str
    friend: int


_FOUND = Select(
    Found,
    "FROM account",
    friend="EXISTS (SELECT 1 FROM relation WHERE account = ? AND other = account.id AND kind = 'friend')",
)
_BEGINS_LIKE = (
    "WHERE id IN (SELECT id FROM account WHERE username >= ? AND username < ?"
    " UNION SELECT id FROM account WHERE display_key >= ? AND display_key < ?)"
    " AND username > ? AND disabled = 0 AND (findable = 1 OR username = ?) ORDER BY username LIMIT ?"
)


def find(tx: Tx, account: int, start: str, after: str, limit: int) -> list[Found]:
    """List people whose name or display name begins with a text, by name, starting after a name.

    Those who do not want to be found are found by their whole name alone.
    """
    key = folded(start)
    name = unicodedata.normalize("NFKC", start).lower()
    return _FOUND.all(tx, _BEGINS_LIKE, (account, name, name + _END, key, key + _END, after, name, limit))
