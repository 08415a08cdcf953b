"""The search index in SQL, on SQLite's FTS5: keeping it up to date, and finding what somebody may see.

A message's row in the index has its id, its words, and in `place` what a search can be narrowed by:

    c7        its conversation                     s5        its sender
    p5 p9     both people of a direct conversation sticker   its kind, unless that is text

So a word that others use all day costs nothing: it is looked up only where the searcher is. Whether they may see a
message is decided by its own row, each time. Messages that are not indexed yet are scanned one by one.
"""

from typing import NamedTuple

from imd.store import conversations
from imd.store.rows import Select
from imd.store.transaction import Tx, marks
from imd.store.words import words

DAY = 86_400_000

PIECE = 200
"""How many messages are indexed at a time, at most."""

PIECE_CHARACTERS = 30_000
"""And how many characters, about."""

MERGED_PAGES = 64
"""How many pages of the index are merged after each piece. Left alone, FTS5 merges rarely, and then for long."""

RECENT = 1_000
"""How many of the newest messages that are not indexed yet a search scans."""

NARROWED_BY = 128
"""For somebody in more groups than these a search is not narrowed by group: that would cost more than it saves."""

EXAMINED = 5_000
"""How many messages with the right words a search examines."""


class Phrase(NamedTuple):
    """Words that follow one another; the last one may be the beginning of a longer one."""

    words: tuple[str, ...]
    beginning: bool = False


class Asked(NamedTuple):
    """A search: messages with all the phrases, and with everything that is not None."""

    account: int
    phrases: tuple[Phrase, ...] = ()
    conversation: int | None = None
    sender: int | None = None
    kind: str | None = None
    since: int | None = None
    until: int | None = None


class Hit(NamedTuple):
    """A message that was found."""

    message: int
    conversation: int
    seq: int


class Found(NamedTuple):
    """A page of messages, newest first, and the id before which to go on if there may be more."""

    hits: list[Hit]
    before: int | None


def find(tx: Tx, asked: Asked, before: int, limit: int) -> Found:
    """Find the newest messages before an id."""
    indexed, examined = _indexed(tx, asked, before, limit + 1)
    recent = [hit for hit in _recent(tx, asked, before) if hit.message >= examined]
    hits = sorted([*indexed, *recent], reverse=True)
    if len(hits) > limit:
        return Found(hits[:limit], hits[limit - 1].message)
    return Found(hits, examined or None)


# -- whether somebody may see a message is decided here, in its row


class Candidate(NamedTuple):
    """A message that the searcher may see, with its text."""

    message: int
    conversation: int
    seq: int
    content: str

    @property
    def hit(self) -> Hit:
        """The message without its text."""
        return Hit(self.message, self.conversation, self.seq)


# CROSS JOIN makes SQLite begin with the few messages found, not with all memberships of the searcher.
_CANDIDATE = Select(Candidate, "FROM message CROSS JOIN member", "message", message="message.id")
_MINE = (
    "WHERE message.id IN ({}) AND member.conversation = message.conversation"
    " AND member.account = ? AND member.left_seq IS NULL"
    " AND message.seq > member.joined_seq AND message.seq > member.hidden_seq"
    " AND NOT EXISTS (SELECT 1 FROM hidden WHERE hidden.account = member.account"
    " AND hidden.conversation = message.conversation AND hidden.seq = message.seq)"
    " AND message.content <> '' AND message.kind <> 'notice' AND message.burn_after IS NULL"
)
_NARROWED = (
    ("conversation", " AND message.conversation = ?"),
    ("sender", " AND message.sender = ?"),
    ("kind", " AND message.kind = ?"),
    ("since", " AND message.time >= ?"),
    ("until", " AND message.time < ?"),
)


def _mine(tx: Tx, asked: Asked, ids: list[int]) -> list[Candidate]:
    """Return those of some messages that the searcher may see and that fit the search, words aside."""
    if not ids:
        return []
    query, values = _MINE.format(marks(len(ids))), [*ids, asked.account]
    for name, condition in _NARROWED:
        if (value := getattr(asked, name)) is not None:
            query += condition
            values.append(value)
    return _CANDIDATE.all(tx, query, values)


# -- what is indexed


def _indexed(tx: Tx, asked: Asked, before: int, wanted: int) -> tuple[list[Hit], int]:
    """Search the index. Return the hits, and the id down to which it was examined: 0 if it was to the end."""
    low, high = _days(tx, asked)
    before = min(before, high + 1)
    hits: list[Hit] = []
    match, size, left = _match(tx, asked), wanted, EXAMINED
    while left > 0:
        rows = tx.execute(
            "SELECT rowid FROM search_index WHERE search_index MATCH ? AND rowid < ? AND rowid >= ?"
            " ORDER BY rowid DESC LIMIT ?",
            (match, before, low, size),
        ).fetchall()
        ids = [int(row[0]) for row in rows]
        hits += [each.hit for each in _mine(tx, asked, ids)]
        if len(ids) < size or len(hits) >= wanted:
            return hits, 0
        before, left = ids[-1], left - size
        size = min(size * 4, left)
    return hits, before


def _days(tx: Tx, asked: Asked) -> tuple[int, int]:
    """Return the lowest and highest id that a message between the times can have."""
    low, high = 0, 2**62
    if asked.since is not None:
        row = tx.execute("SELECT min(lowest) FROM search_day WHERE day >= ?", (asked.since // DAY,)).fetchone()
        low = high if row[0] is None else int(row[0])
    if asked.until is not None:
        row = tx.execute("SELECT max(highest) FROM search_day WHERE day <= ?", ((asked.until - 1) // DAY,)).fetchone()
        high = 0 if row[0] is None else int(row[0])
    return low, high


def _match(tx: Tx, asked: Asked) -> str:
    """Write the search as an FTS5 query. Words contain only letters, digits and signs, so quoting is enough."""
    terms = [f'words:"{" ".join(each.words)}"{" *" if each.beginning else ""}' for each in asked.phrases]
    if asked.sender is not None:
        terms.append(f"place:s{asked.sender}")
    if asked.kind not in (None, "text"):
        terms.append(f"place:{asked.kind}")
    if asked.conversation is not None:
        terms.append(f"place:c{asked.conversation}")
    else:
        groups = [f"c{group}" for group, _ in conversations.groups(tx, asked.account)]
        if len(groups) <= NARROWED_BY or not terms:
            terms.append(f"place:({' OR '.join([f'p{asked.account}', *groups])})")
    return " AND ".join(terms)


# -- what is not indexed yet


def _recent(tx: Tx, asked: Asked, before: int) -> list[Hit]:
    """Scan the messages that came or were edited since the index was last updated."""
    ids = tx.execute(
        "SELECT id FROM message WHERE id > (SELECT indexed FROM search_state) AND id < ? ORDER BY id DESC LIMIT ?",
        (before, RECENT),
    ).fetchall()
    ids += tx.execute(
        "SELECT message FROM search_again WHERE message < ? ORDER BY message DESC LIMIT ?", (before, RECENT)
    ).fetchall()
    mine = _mine(tx, asked, [row[0] for row in ids])
    return [each.hit for each in mine if _says(each.content, asked.phrases)]


def _says(text: str, phrases: tuple[Phrase, ...]) -> bool:
    said = words(text)
    return all(any(_stands(said, at, phrase) for at in range(len(said))) for phrase in phrases)


def _stands(said: list[str], at: int, phrase: Phrase) -> bool:
    *first, last = phrase.words
    end = at + len(first)
    if end >= len(said) or said[at:end] != first:
        return False
    return said[end].startswith(last) if phrase.beginning else said[end] == last


# -- bringing the index up to date


class Unindexed(NamedTuple):
    """A message, as the index needs it."""

    id: int
    conversation: int
    direct_key: str | None
    sender: int
    time: int
    kind: str
    content: str
    burn_after: int | None


_UNINDEXED = Select(
    Unindexed,
    "FROM message LEFT JOIN conversation ON conversation.id = message.conversation",
    "message",
    direct_key="conversation.direct_key",
)


def index(tx: Tx) -> bool:
    """Index some messages that are new or were edited. Return whether there may be more."""
    edited = _some(tx, "WHERE message.id IN (SELECT message FROM search_again ORDER BY message LIMIT ?)", PIECE)
    for row in edited:
        _insert(tx, row)
        tx.execute("DELETE FROM search_again WHERE message = ?", (row.id,))
    new = _some(tx, "WHERE message.id > (SELECT indexed FROM search_state) ORDER BY message.id LIMIT ?", PIECE)
    for row in new:
        _insert(tx, row)
    if new:
        tx.execute("UPDATE search_state SET indexed = ?", (new[-1].id,))
        _note_days(tx, new)
    if edited or new:
        _merged(tx, MERGED_PAGES)
    return bool(edited or new)


class Tidied(NamedTuple):
    """When there is more to do, and whether the index has just been rewritten without what was deleted."""

    again: int | None
    done: bool = False


def tidy(tx: Tx, now: int) -> Tidied:
    """Rewrite the index without what was deleted, in pieces and once a day at most: FTS5 only marks it as deleted."""
    erased, tidying, tidied = tx.execute("SELECT erased, tidying, tidied FROM search_state").fetchone()
    if not tidying:
        if not erased or now < tidied + DAY:
            return Tidied(tidied + DAY if erased else None)
        tx.execute("UPDATE search_state SET erased = 0, tidying = 1, tidied = ?", (now,))
    if _merged(tx, MERGED_PAGES if tidying else -MERGED_PAGES):
        return Tidied(now)
    tx.execute("UPDATE search_state SET tidying = 0")
    return Tidied(tidied + DAY if tidying and erased else None, done=True)


def _merged(tx: Tx, pages: int) -> bool:
    """Merge some pages of the index; a negative number starts to merge all of it. Return whether there is more."""
    before = tx.execute("SELECT total_changes()").fetchone()[0]
    tx.execute("INSERT INTO search_index (search_index, rank) VALUES ('merge', ?)", (pages,))
    return int(tx.execute("SELECT total_changes()").fetchone()[0]) - int(before) >= 2


def _some(tx: Tx, which: str, limit: int) -> list[Unindexed]:
    """Return the first of some messages, until there is enough text for one piece."""
    taken, left = [], PIECE_CHARACTERS
    for row in _UNINDEXED.all(tx, which, (limit,)):
        if left <= 0:
            break
        taken.append(row)
        left -= len(row.content)
    return taken


def _insert(tx: Tx, row: Unindexed) -> None:
    # What burns after reading is never indexed: its words would stay in the index for up to a day after its end.
    if not row.content or row.kind == "notice" or row.burn_after is not None:
        return
    place = [f"c{row.conversation}", f"s{row.sender}"]
    if row.direct_key is not None:
        place += [f"p{account}" for account in conversations.pair(row.direct_key)]
    if row.kind != "text":
        place.append(row.kind)
    tx.execute(
        "INSERT INTO search_index (rowid, place, words) VALUES (?, ?, ?)",
        (row.id, " ".join(place), " ".join(words(row.content))),
    )


def _note_days(tx: Tx, rows: list[Unindexed]) -> None:
    """Record the lowest and highest id of each day's messages."""
    days: dict[int, list[int]] = {}
    for row in rows:
        days.setdefault(row.time // DAY, []).append(row.id)
    for day, ids in days.items():
        tx.execute(
            "INSERT INTO search_day (day, lowest, highest) VALUES (?, ?, ?) ON CONFLICT (day) DO UPDATE SET"
            " lowest = CASE WHEN excluded.lowest < lowest THEN excluded.lowest ELSE lowest END,"
            " highest = CASE WHEN excluded.highest > highest THEN excluded.highest ELSE highest END",
            (day, ids[0], ids[-1]),
        )
