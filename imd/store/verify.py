"""The checks of `imd verify`, in SQL: each finds the conversations or rows that break a rule of the data."""

from collections.abc import Iterator
from typing import NamedTuple

from imd.store import conversations, tables
from imd.store.transaction import Tx


class Verdict(NamedTuple):
    """What a check found: how many break it, and the first of them or their tables."""

    check: str
    broken: int
    first: str = ""


_STRAYING = (
    "SELECT {name}.conversation FROM {name} LEFT JOIN conversation ON conversation.id = {name}.conversation"
    " WHERE conversation.id IS NULL OR {beyond}"
)
"""What points at a message that its conversation never had."""

CHECKS = {
    "dense": """
        SELECT c.id FROM conversation c LEFT JOIN
            (SELECT conversation, count(*) AS n, min(seq) AS low, max(seq) AS high FROM message GROUP BY conversation) m
            ON m.conversation = c.id
        WHERE (coalesce(m.n, 0) <> c.last_seq OR coalesce(m.high, 0) <> c.last_seq OR coalesce(m.low, 1) <> 1)
          AND c.members > 0""",
    "revs": """
        SELECT c.id FROM conversation c JOIN
            (SELECT conversation, count(*) AS n, count(DISTINCT rev) AS revs, min(rev) AS low, max(rev) AS high
             FROM message GROUP BY conversation) m ON m.conversation = c.id
        WHERE m.n <> m.revs OR m.low < 1 OR m.high > c.last_rev""",
    "homeless": "SELECT DISTINCT conversation FROM message WHERE conversation NOT IN (SELECT id FROM conversation)",
    "pointers": tables.TABLES["member"].statement(_STRAYING),
    "members": """
        SELECT c.id FROM conversation c LEFT JOIN
            (SELECT conversation, count(*) AS n FROM member WHERE left_seq IS NULL GROUP BY conversation) m
            ON m.conversation = c.id
        WHERE coalesce(m.n, 0) <> c.members""",
    "attached": " UNION ALL ".join(each.statement(_STRAYING) for each in tables.ATTACHED),
}
"""Name -> what lists the conversations that break it. Without members a conversation needs no messages."""

_STRANGERS = "SELECT count(*) FROM {0} WHERE {1} <> 0 AND {1} NOT IN (SELECT id FROM account)"  # 0: everybody
OWNED = {
    table: " UNION ALL ".join(_STRANGERS.format(table, column) for column in columns)
    for table, columns in tables.referring("account").items()
}
"""Table -> what counts its rows of accounts that do not exist, if the schema itself does not refuse them."""

_LOST = (
    "SELECT '{0} -> conversation' FROM {0}"
    " WHERE conversation <> 0 AND conversation NOT IN (SELECT id FROM conversation)"
)
LOST = " UNION ALL ".join(
    _LOST.format(table)
    for table in tables.referring("conversation")
    if table != "message" and tables.TABLES[table] not in tables.ATTACHED
)
"""What lists other rows of conversations that do not exist; messages, and what points at one, have their own checks."""

BURNING = {
    "burning_words": """
        SELECT count(*) FROM burning_words
        WHERE trim(words) <> '' AND id NOT IN (SELECT burning FROM message WHERE burning IS NOT NULL)""",
    "message": """
        SELECT count(*) FROM message
        WHERE burning IS NOT NULL AND burning NOT IN (SELECT id FROM burning_words)""",
}
"""Table -> what counts its rows without a counterpart. Text that was overwritten may stay for a while."""

_COUNT = "SELECT count(*) FROM {}"
COUNTED = ("account", "conversation", "member", "message")


def verdicts(tx: Tx) -> Iterator[Verdict]:
    """Run all checks, one after the other."""
    faults = [str(row[0]) for row in tx.execute("PRAGMA integrity_check(100)").fetchall()]
    yield _verdict("whole", [] if faults == ["ok"] else faults)
    strangers = [f"{table} -> {of}" for table, _, of, _ in tx.execute("PRAGMA foreign_key_check").fetchall()]
    strangers += [str(row[0]) for row in tx.execute(LOST).fetchall()]
    yield _verdict("references", strangers)
    for name, query in CHECKS.items():
        yield _verdict(name, [str(row[0]) for row in tx.execute(query).fetchall()])
    for name, queries in (("owners", OWNED), ("burning", BURNING)):
        found = {table: sum(row[0] for row in tx.execute(query).fetchall()) for table, query in queries.items()}
        yield Verdict(name, sum(found.values()), ", ".join(f"{table} {n}" for table, n in found.items() if n))
    yield _verdict("unread", list(_miscounted(tx)))


def _verdict(name: str, broken: list[str]) -> Verdict:
    return Verdict(name, len(broken), broken[0] if broken else "")


def _miscounted(tx: Tx) -> Iterator[str]:
    """Check unread counts: with the member's own and hidden messages they make all there are after the pointer."""
    accounts = tx.execute(
        "SELECT DISTINCT m.account FROM member m JOIN conversation c ON c.id = m.conversation"
        " WHERE m.left_seq IS NULL AND m.read_seq < c.last_seq ORDER BY m.account"
    )
    for (account,) in accounts.fetchall():
        for place in conversations.memberships(tx, account):
            after = max(place.read_seq, place.seen_from)
            others = (
                "SELECT count(*) FROM message m WHERE m.conversation = ? AND m.seq > ? AND (m.sender = ? OR EXISTS"
                " (SELECT 1 FROM hidden h WHERE h.account = ? AND h.conversation = m.conversation AND h.seq = m.seq))"
            )
            (own,) = tx.execute(others, (place.conversation, after, account, account)).fetchone()
            if conversations.counted(tx, account, place).unread + own != place.last_seq - after:
                yield str(place.conversation)


def counts(tx: Tx) -> dict[str, int]:
    """Count the rows of the main tables."""
    return {table: int(tx.execute(_COUNT.format(table)).fetchone()[0]) for table in COUNTED}
