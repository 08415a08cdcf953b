"""Groups in SQL: creating, changing, listing and deleting them, and purging deleted ones in pieces."""

from typing import Literal, NamedTuple

from imd.store import forgetting, tables
from imd.store.confusables import skeleton
from imd.store.rows import Select
from imd.store.transaction import Tx, assigned


def create(tx: Tx, handle: str, title: str, join_mode: str, now: int) -> int | None:
    """Create a group without members and return its number; None if the handle or a look-alike is taken."""
    row = tx.execute(
        "INSERT INTO conversation (kind, handle, skeleton, title, join_mode, last_seq, last_rev, created)"
        " VALUES ('group', ?, ?, ?, ?, 0, 0, ?) ON CONFLICT DO NOTHING RETURNING id",
        (handle, skeleton(handle), title, join_mode, now),
    ).fetchone()
    return int(row[0]) if row else None


def change(tx: Tx, conversation: int, values: dict[str, str | int]) -> None:
    """Change what a group is called and how it works."""
    tx.execute(_CHANGE.format(assigned(_SETTINGS, values)), (*values.values(), conversation))


_CHANGE = "UPDATE conversation SET {} WHERE id = ?"
_SETTINGS = frozenset({"title", "topic", "join_mode", "who_writes", "who_invites", "history", "slow_mode", "retention"})


def owned(tx: Tx, account: int) -> int:
    """Count the groups that an account owns."""
    row = tx.execute(
        "SELECT count(*) FROM member WHERE account = ? AND role = 'owner' AND left_seq IS NULL", (account,)
    ).fetchone()
    return int(row[0])


class Public(NamedTuple):
    """One public group."""

    handle: str
    title: str
    topic: str
    join_mode: Literal["open", "request"]
    members: int


_PUBLIC = Select(Public, "FROM conversation")


def public(tx: Tx, skip: int, limit: int) -> list[Public]:
    """List the groups that anybody may join or ask to join, the largest first."""
    return _PUBLIC.all(
        tx,
        "WHERE handle IS NOT NULL AND join_mode <> 'invite' ORDER BY members DESC, handle LIMIT ? OFFSET ?",
        (limit, skip),
    )


class Owned(NamedTuple):
    """One group in the admins' list, with its owner's name."""

    handle: str
    title: str
    join_mode: str
    members: int
    created: int
    owner: str


_OWNED = Select(
    Owned,
    "FROM conversation c",
    "c",
    owner="coalesce((SELECT a.username FROM member m JOIN account a ON a.id = m.account"
    " WHERE m.conversation = c.id AND m.role = 'owner' AND m.left_seq IS NULL LIMIT 1), '')",
)


def every(tx: Tx, after: str, limit: int) -> list[Owned]:
    """List all groups by name, starting after a name."""
    return _OWNED.all(tx, "WHERE c.handle > ? ORDER BY c.handle LIMIT ?", (after, limit))


def delete(tx: Tx, conversation: int) -> None:
    """End a group: it has no members and no name any more, and its messages are queued for destruction."""
    tx.execute(
        "UPDATE member SET left_seq = (SELECT last_seq + 1 FROM conversation WHERE id = ?)"
        " WHERE conversation = ? AND left_seq IS NULL",
        (conversation, conversation),
    )
    tx.execute(_EMPTIED, (conversation,))
    for statement in _AT_ONCE:
        tx.execute(statement, (conversation,))
    tx.execute("INSERT INTO purge (conversation) VALUES (?)", (conversation,))


_EMPTIED = tables.TABLES["conversation"].statement("UPDATE {name} SET {emptied} WHERE {key} = ?")
_ALL = "DELETE FROM {name} WHERE conversation = ?"
_AT_ONCE = [each.statement(_ALL) for each in tables.gone_at_once(purge=True)]


def to_purge(tx: Tx) -> int | None:
    """Find a deleted group that is not purged yet."""
    row = tx.execute("SELECT min(conversation) FROM purge").fetchone()
    return None if row[0] is None else int(row[0])


def purged(tx: Tx, conversation: int) -> None:
    """End the purge of a group. Its text must leave the files too."""
    forgetting.note(tx)
    tx.execute("DELETE FROM purge WHERE conversation = ?", (conversation,))


class Former(NamedTuple):
    """A member of a deleted group. `to_the_end` is 1 for those who had not left before."""

    account: int
    to_the_end: int


_FORMER = Select(
    Former, "FROM member JOIN conversation ON id = conversation", "member", to_the_end="left_seq > last_seq"
)


def purge_members(tx: Tx, conversation: int, limit: int) -> list[Former]:
    """Delete the rows of some members of a deleted group, and return them."""
    former = _FORMER.all(tx, "WHERE conversation = ? ORDER BY account LIMIT ?", (conversation, limit))
    if former:
        tx.execute("DELETE FROM member WHERE conversation = ? AND account <= ?", (conversation, former[-1].account))
    return former


_SOME = "DELETE FROM {name} WHERE ({key}) IN (SELECT {key} FROM {name} WHERE conversation = ? LIMIT ?)"
_PIECES = [each.statement(_SOME) for each in tables.PURGED]


def purge_messages(tx: Tx, conversation: int, limit: int) -> int:
    """Delete some messages of a group. Return how many rows went; if fewer than the limit, none are left."""
    gone = forgetting.overwrite_some(tx, conversation, limit)
    for purge in _PIECES:
        if gone < limit:
            gone += tx.execute(purge, (conversation, limit - gone)).rowcount
    return gone
