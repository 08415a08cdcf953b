"""Deleting an account, in SQL: its row becomes a tombstone at once, and a job destroys the rest in pieces.

What becomes of which table is declared in `tables`.
"""

from typing import NamedTuple

from imd.store import forgetting, tables
from imd.store.confusables import skeleton
from imd.store.rows import Select
from imd.store.tables.accounts import TOMBSTONE
from imd.store.transaction import Tx

OWN = tuple(tables.OWN)
"""What belongs to an account alone and is destroyed in pieces, by its name in the receipt."""

_COUNT = "SELECT count(*) FROM {name} WHERE {by} = ?"
_COUNTS = {what: each.statement(_COUNT) for what, each in tables.OWN.items()}
_SOME = (
    "DELETE FROM {name} WHERE {by} = ? AND ({rest}) IN"
    " (SELECT {rest} FROM {name} WHERE {by} = ? ORDER BY {rest} LIMIT ?)"
)
_FORGETS = {what: each.statement(_SOME) for what, each in tables.OWN.items()}
_ALL = "DELETE FROM {name} WHERE {by} = ?"
_AT_ONCE = [each.statement(_ALL) for each in tables.gone_at_once(purge=False)]
_EMPTIED = "UPDATE {name} SET {emptied} WHERE {key} = ?"
_TOMBSTONE = tables.TABLES["account"].statement(_EMPTIED)


def count(tx: Tx, account: int, what: str) -> int:
    """Count the rows that an account has of one kind."""
    return int(tx.execute(_COUNTS[what], (account,)).fetchone()[0])


def forget(tx: Tx, account: int, what: str, most: int) -> bool:
    """Delete some rows that an account has of one kind. Return whether there were any."""
    return tx.execute(_FORGETS[what], (account, account, most)).rowcount > 0


def bury(tx: Tx, account: int, username: str, *, recall: bool, now: int) -> str:
    """Turn an account into a tombstone with nothing left to log in with, and queue the rest. Return its new name."""
    tx.execute(
        "INSERT INTO retired_name (username, skeleton, time) VALUES (?, ?, ?)", (username, skeleton(username), now)
    )
    for statement in _AT_ONCE:
        tx.execute(statement, (account,))
    tx.execute(_TOMBSTONE, (now, account))
    tx.execute(
        "INSERT INTO deletion (account, username, time, recall, blanked, conversation, seq)"
        " VALUES (?, ?, ?, ?, 0, 0, 0)",
        (account, username, now, int(recall)),
    )
    return f"{TOMBSTONE}{account}"


class Deletion(NamedTuple):
    """A deletion that is not finished."""

    account: int
    username: str
    """The name it had."""

    time: int
    recall: int
    blanked: int
    conversation: int
    seq: int


_DELETION = Select(Deletion, "FROM deletion")


def unfinished(tx: Tx) -> Deletion | None:
    """Return the oldest deletion that is not finished."""
    return _DELETION.one(tx, "ORDER BY time, account LIMIT 1")


def finish(tx: Tx, account: int) -> None:
    """End a deletion. What was destroyed must leave the files too."""
    forgetting.note(tx)
    tx.execute("UPDATE account SET log_n = 0 WHERE id = ?", (account,))
    tx.execute("DELETE FROM deletion WHERE account = ?", (account,))


def progress(tx: Tx, deletion: Deletion) -> None:
    """Record how far a deletion has come."""
    tx.execute(
        "UPDATE deletion SET blanked = ?, conversation = ?, seq = ? WHERE account = ?",
        (deletion.blanked, deletion.conversation, deletion.seq, deletion.account),
    )


class Part(NamedTuple):
    """An account's membership in a conversation, perhaps a former one: then it has a `left_seq`."""

    conversation: int
    direct_key: str | None
    last_seq: int
    left_seq: int | None
    read_seq: int


_PART = Select(
    Part,
    "FROM member m JOIN conversation c ON c.id = m.conversation",
    "m",
    direct_key="c.direct_key",
    last_seq="c.last_seq",
)


def parts(tx: Tx, account: int) -> list[Part]:
    """List the conversations that an account is or was in."""
    return _PART.all(tx, "WHERE m.account = ? ORDER BY m.conversation", (account,))


def next_part(tx: Tx, account: int, after: int) -> Part | None:
    """Return the first of them after a conversation."""
    return _PART.one(tx, "WHERE m.account = ? AND m.conversation > ? ORDER BY m.conversation LIMIT 1", (account, after))


def remove_member(tx: Tx, conversation: int, account: int) -> None:
    """Delete an account's row in a conversation."""
    was = tx.execute(
        "DELETE FROM member WHERE conversation = ? AND account = ? RETURNING left_seq", (conversation, account)
    ).fetchone()
    if was is not None and was[0] is None:
        tx.execute("UPDATE conversation SET members = members - 1 WHERE id = ?", (conversation,))


def alone(tx: Tx, conversation: int, account: int) -> bool:
    """Return whether nobody else is or was in a conversation."""
    other = tx.execute("SELECT 1 FROM member WHERE conversation = ? AND account <> ? LIMIT 1", (conversation, account))
    return other.fetchone() is None


_OLDEST = "DELETE FROM {name} WHERE conversation = ? AND seq < ?"
_EMPTY = [each.statement(_OLDEST) for each in tables.ON_MESSAGES]


def empty(tx: Tx, conversation: int, most: int) -> bool:
    """Delete some of a conversation's messages, the oldest first. Return whether there were any."""
    if forgetting.overwrite_some(tx, conversation, most):
        return True
    (first,) = tx.execute("SELECT min(seq) FROM message WHERE conversation = ?", (conversation,)).fetchone()
    if first is None:
        return False
    for statement in _EMPTY:
        tx.execute(statement, (conversation, first + most))
    return True


def written(tx: Tx, *, conversation: int, account: int, span: tuple[int, int]) -> int:
    """Count the messages of an account with a seq after the first of a span, up to the last."""
    row = tx.execute(
        "SELECT count(*) FROM message WHERE conversation = ? AND seq > ? AND seq <= ? AND sender = ?"
        " AND kind <> 'notice' AND recalled IS NULL AND burned IS NULL",
        (conversation, *span, account),
    ).fetchone()
    return int(row[0])
