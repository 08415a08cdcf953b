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
    (
        "username", "display_name", "bio", "language", "writers", "receipts", "forwards", "findable",
        "presence", "presence_text", "admin", "created", "last_seen",
    ),
    "SELECT username, display_name, bio, language, writers, receipts, forwards, findable, presence, presence_text,"
    " admin, created, last_seen FROM account WHERE id = ? LIMIT ? OFFSET ?",
)  # fmt: skip

_RELATED = (
    "SELECT {} FROM relation r JOIN account a ON a.id = r.other"
    " WHERE r.account = ? AND r.kind = '{}' ORDER BY a.username LIMIT ? OFFSET ?"
)

SECTIONS = (
    Section(
        "devices",
        ("device", "created", "last_seen"),
        "SELECT label, created, last_seen FROM device WHERE account = ? ORDER BY created, id LIMIT ? OFFSET ?",
    ),
    Section(
        "friends",
        ("username", "display_name", "note", "since"),
        _RELATED.format("a.username, a.display_name, r.note, r.since", "friend"),
    ),
    Section("blocked", ("username", "since"), _RELATED.format("a.username, r.since", "block")),
    Section("declined", ("username", "since"), _RELATED.format("a.username, r.since", "decline")),
    Section(
        "asked",
        ("username", "note", "time"),
        "SELECT username, note, time FROM friend_request WHERE asker = ? AND state <> 'withdrawn'"
        " ORDER BY username LIMIT ? OFFSET ?",
    ),
    Section(
        "asking",
        ("username", "note", "time"),
        "SELECT a.username, r.note, r.time FROM account me JOIN friend_request r ON r.username = me.username"
        " JOIN account a ON a.id = r.asker WHERE me.id = ? AND r.state <> 'withdrawn' AND a.disabled = 0"
        " ORDER BY a.username LIMIT ? OFFSET ?",
    ),
    Section(
        "invitations",
        ("group", "username", "time"),
        "SELECT c.handle, a.username, p.time FROM pending p JOIN conversation c ON c.id = p.conversation"
        " LEFT JOIN account a ON a.id = p.invited_by WHERE p.account = ? ORDER BY c.handle LIMIT ? OFFSET ?",
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
    Section(
        "reports",
        ("conversation", "seq", "reason", "time"),
        "SELECT conversation, seq, reason, time FROM report WHERE reporter = ?"
        " ORDER BY conversation, seq LIMIT ? OFFSET ?",
    ),
)

TIMES = frozenset({"time", "since", "created", "last_seen", "joined"})
"""Columns that hold milliseconds since 1970."""

FLAGS = frozenset({"admin", "receipts", "forwards", "findable", "muted", "archived", "pinned"})
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
