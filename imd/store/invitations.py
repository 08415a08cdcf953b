"""Invitations in SQL: invitations into groups, requests to join them, and links that admit people."""

from typing import NamedTuple

from imd.store.rows import Select
from imd.store.transaction import Tx


class Pending(NamedTuple):
    """An open invitation into a group; or, if `invited_by` is None, a request to join."""

    invited_by: int | None


_PENDING = Select(Pending, "FROM pending")


def pending(tx: Tx, conversation: int, account: int) -> Pending | None:
    """Find an account's open invitation into a group, or its request."""
    return _PENDING.one(tx, "WHERE conversation = ? AND account = ?", (conversation, account))


def add(tx: Tx, conversation: int, account: int, invited_by: int | None, now: int) -> None:
    """Store an invitation or a request."""
    tx.execute(
        "INSERT INTO pending (conversation, account, invited_by, time) VALUES (?, ?, ?, ?)",
        (conversation, account, invited_by, now),
    )


def drop(tx: Tx, conversation: int, account: int) -> bool:
    """Delete an invitation or a request. Return whether there was one."""
    dropped = tx.execute("DELETE FROM pending WHERE conversation = ? AND account = ?", (conversation, account))
    return dropped.rowcount > 0


def drop_by(tx: Tx, account: int, invited_by: int) -> None:
    """Delete all invitations of one account by another."""
    tx.execute("DELETE FROM pending WHERE account = ? AND invited_by = ?", (account, invited_by))


def count_invited(tx: Tx, conversation: int) -> int:
    """Count the open invitations into a group."""
    row = tx.execute(
        "SELECT count(*) FROM pending WHERE conversation = ? AND invited_by IS NOT NULL", (conversation,)
    ).fetchone()
    return int(row[0])


class Invited(NamedTuple):
    """An open invitation."""

    conversation: int
    handle: str
    title: str
    by: str


_INVITED = Select(
    Invited,
    "FROM pending JOIN conversation c ON c.id = pending.conversation JOIN account ON account.id = invited_by",
    "c",
    conversation="c.id",
    by="username",
)


def invitations(tx: Tx, account: int, limit: int) -> list[Invited]:
    """List an account's open invitations, latest first."""
    return _INVITED.all(tx, "WHERE pending.account = ? ORDER BY time DESC, c.id LIMIT ?", (account, limit))


class Asking(NamedTuple):
    """An open request to join a group."""

    conversation: int
    handle: str
    username: str


_ASKING = Select(
    Asking,
    "FROM member m JOIN pending p ON p.conversation = m.conversation"
    " JOIN conversation c ON c.id = m.conversation JOIN account ON account.id = p.account",
    conversation="c.id",
    handle="c.handle",
)


def requests(tx: Tx, admin: int, limit: int) -> list[Asking]:
    """List the open requests to join the groups that an account administers, oldest first."""
    return _ASKING.all(
        tx,
        "WHERE m.account = ? AND m.role IN ('owner', 'admin') AND m.left_seq IS NULL AND p.invited_by IS NULL"
        " ORDER BY p.time, c.id, username LIMIT ?",
        (admin, limit),
    )


def add_link(tx: Tx, code_hash: str, conversation: int, made_by: int, uses: int, expires: int) -> None:
    """Store a link."""
    tx.execute(
        "INSERT INTO group_link (code_hash, conversation, made_by, uses_left, expires) VALUES (?, ?, ?, ?, ?)",
        (code_hash, conversation, made_by, uses, expires),
    )


def use_link(tx: Tx, code_hash: str, conversation: int, now: int) -> bool:
    """Use a link once. Return whether it admits anybody into this group."""
    used = tx.execute(
        "UPDATE group_link SET uses_left = uses_left - 1"
        " WHERE code_hash = ? AND conversation = ? AND uses_left > 0 AND expires > ?",
        (code_hash, conversation, now),
    )
    return used.rowcount > 0


class Link(NamedTuple):
    """A link that still works."""

    code_hash: str
    by: str
    uses_left: int
    expires: int


_LINK = Select(Link, "FROM group_link JOIN account ON account.id = made_by", by="username")


def links(tx: Tx, conversation: int, now: int) -> list[Link]:
    """List the links into a group that still work, by when they expire."""
    return _LINK.all(
        tx, "WHERE conversation = ? AND uses_left > 0 AND expires > ? ORDER BY expires, code_hash", (conversation, now)
    )


def drop_stale_links(tx: Tx, conversation: int, now: int) -> None:
    """Delete the links of a group that no longer work."""
    tx.execute(
        "DELETE FROM group_link WHERE conversation = ? AND (uses_left <= 0 OR expires <= ?)", (conversation, now)
    )


def drop_link(tx: Tx, code_hash: str) -> None:
    """Revoke a link."""
    tx.execute("DELETE FROM group_link WHERE code_hash = ?", (code_hash,))
