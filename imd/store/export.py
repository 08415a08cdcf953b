"""What is kept of one account, section by section, as plain records to hand out: no password, no token, no id."""

from typing import Any, NamedTuple

from imd.store.transaction import Tx


class Section(NamedTuple):
    """One list of records. `columns` name them; the query takes the account, how many at most, and how many to skip."""

    name: str
    columns: tuple[str, ...]
    query: str


ACCOUNT = Section(
    "account",
    ("username", "display_name", "admin", "created"),
    "SELECT username, display_name, admin, created FROM account WHERE id = ? LIMIT ? OFFSET ?",
)

SECTIONS = (
    Section(
        "devices",
        ("device", "created", "last_seen"),
        "SELECT label, created, last_seen FROM device WHERE account = ? ORDER BY created, id LIMIT ? OFFSET ?",
    ),
    Section(
        "starred",
        ("conversation", "seq", "time"),
        "SELECT conversation, seq, time FROM star WHERE account = ? ORDER BY conversation, seq LIMIT ? OFFSET ?",
    ),
    Section(
        "hidden",
        ("conversation", "seq"),
        "SELECT conversation, seq FROM hidden WHERE account = ? ORDER BY conversation, seq LIMIT ? OFFSET ?",
    ),
)

TIMES = frozenset({"time", "created", "last_seen", "joined"})
"""Columns that hold milliseconds since 1970."""

FLAGS = frozenset({"admin", "muted", "archived", "pinned"})
"""Columns that hold 0 or 1."""


def records(tx: Tx, section: Section, account: int, skip: int, limit: int) -> list[dict[str, Any]]:
    """Give a page of a section."""
    rows = tx.execute(section.query, (account, limit, skip)).fetchall()
    return [dict(zip(section.columns, row, strict=True)) for row in rows]


def conversations(tx: Tx, account: int) -> list[int]:
    """List the conversations that an account is in."""
    rows = tx.execute(
        "SELECT conversation FROM member WHERE account = ? AND left_seq IS NULL ORDER BY conversation", (account,)
    )
    return [int(row[0]) for row in rows.fetchall()]


def members(tx: Tx, conversation: int, after: str, limit: int) -> list[dict[str, Any]]:
    """List the members of a conversation by name, after a name."""
    rows = tx.execute(
        "SELECT username, role, joined FROM member JOIN account ON account.id = member.account"
        " WHERE conversation = ? AND left_seq IS NULL AND username > ? ORDER BY username LIMIT ?",
        (conversation, after, limit),
    )
    return [dict(zip(("username", "role", "joined"), row, strict=True)) for row in rows.fetchall()]
