"""Presence in SQL: what an account chose to appear as, when it was last seen, and who may see it."""

from typing import NamedTuple

from imd.store.rows import Select
from imd.store.transaction import Tx


class Presence(NamedTuple):
    """What an account chose to appear as, with its text, and when it was last seen; 0 is never."""

    username: str
    presence: str
    words: str
    last_seen: int


_PRESENCE = Select(Presence, "FROM account", words="presence_text")


def get(tx: Tx, account: int) -> Presence:
    """Return an account's presence."""
    return _PRESENCE.known(tx, "WHERE id = ?", (account,))


def choose(tx: Tx, account: int, presence: str, words: str, now: int) -> None:
    """Store what an account appears as. It counts as seen now, unless it was invisible and stays so."""
    tx.execute(
        "UPDATE account SET last_seen = CASE WHEN presence = 'invisible' AND ? = 'invisible' THEN last_seen ELSE ? END,"
        " presence = ?, presence_text = ? WHERE id = ?",
        (presence, now, presence, words, account),
    )


def touch(tx: Tx, account: int, now: int) -> None:
    """Record that an account was seen, unless it is invisible."""
    tx.execute("UPDATE account SET last_seen = ? WHERE id = ? AND presence <> 'invisible'", (now, account))


def friends(tx: Tx, account: int) -> tuple[int, ...]:
    """List an account's friends."""
    rows = tx.execute("SELECT other FROM relation WHERE account = ? AND kind = 'friend'", (account,))
    return tuple(int(row[0]) for row in rows.fetchall())


_FELLOWS = """
    SELECT 1 FROM member mine
    JOIN member theirs ON theirs.conversation = mine.conversation AND theirs.account = ? AND theirs.left_seq IS NULL
    JOIN conversation c ON c.id = mine.conversation AND c.direct_key IS NULL
    WHERE mine.account = ? AND mine.left_seq IS NULL
      AND NOT EXISTS (SELECT 1 FROM relation WHERE account = ? AND other = ? AND kind = 'block')
    LIMIT 1
"""


def may_see(tx: Tx, account: int, other: int) -> bool:
    """Return whether an account shares a group with another that does not block it."""
    return tx.execute(_FELLOWS, (other, account, other, account)).fetchone() is not None


_COMPANY = """
    SELECT m.account FROM member m
    LEFT JOIN relation mine ON mine.account = ? AND mine.other = m.account AND mine.kind = 'block'
    LEFT JOIN relation theirs ON theirs.account = m.account AND theirs.other = ? AND theirs.kind = 'block'
    WHERE m.conversation = ? AND m.left_seq IS NULL AND m.account <> ?
      AND mine.kind IS NULL AND theirs.kind IS NULL
    LIMIT ?
"""


def company(tx: Tx, conversation: int, account: int, limit: int) -> tuple[int, ...]:
    """List the other members of an account's conversation, except where one of the two blocks the other."""
    rows = tx.execute(_COMPANY, (account, account, conversation, account, limit))
    return tuple(int(row[0]) for row in rows.fetchall())
