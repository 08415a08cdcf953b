"""Forgetting: destroyed text must leave the database's files too. Only this module knows what that takes.

SQLite's `secure_delete` (see sqlite.py) clears what is deleted, but not the copy that stays behind when a row moves to
another page, which happens when a neighbouring row grows, shrinks or goes. So text is first overwritten in place, at
the same length, which moves nothing. Messages that burn keep their text in a table of its own, to which rows are only
ever appended.

Older versions of pages also remain in the write-ahead log. A transaction that has destroyed something says so (`note`),
and the database empties the log once no reader needs it (`due`, `cleaned`).
"""

from imd.store import search
from imd.store.transaction import Tx

PIECE = 50
"""How many rows of overwritten text are deleted at a time."""


def keep(tx: Tx, text: str) -> int:
    """Store the text of a message that burns, and return where."""
    row = tx.execute("INSERT INTO burning_words (words) VALUES (?) RETURNING id", (text,)).fetchone()
    return int(row[0])


def overwrite(tx: Tx, kept: int, text: str) -> None:
    """Overwrite a stored text in place."""
    tx.execute("UPDATE burning_words SET words = ? WHERE id = ?", (blank(text), kept))


def blank(text: str) -> str:
    """Return spaces that take as many bytes as a text."""
    return " " * len(text.encode())


def overwrite_some(tx: Tx, conversation: int, most: int) -> int:
    """Overwrite the text of some burning messages of a conversation, before their rows go. Return of how many."""
    found = tx.execute(
        "SELECT burning_words.id, words FROM message JOIN burning_words ON burning_words.id = message.burning"
        " WHERE conversation = ? AND burning IS NOT NULL LIMIT ?",
        (conversation, most),
    ).fetchall()
    for kept, text in found:
        overwrite(tx, kept, text)
        tx.execute("UPDATE message SET burning = NULL WHERE conversation = ? AND burning = ?", (conversation, kept))
    return len(found)


def note(tx: Tx) -> None:
    """Record that something was destroyed that must leave the files."""
    tx.execute("UPDATE forgetting SET noted = noted + 1")


def due(tx: Tx) -> int:
    """Return 0 if the files hold nothing that must leave them, else what to pass to `cleaned` afterwards."""
    row = tx.execute("SELECT noted FROM forgetting WHERE noted > cleaned").fetchone()
    return int(row[0]) if row else 0


def cleaned(tx: Tx, upto: int) -> None:
    """Record that what was due has left the files. What was noted in the meantime stays due."""
    tx.execute("UPDATE forgetting SET cleaned = ? WHERE cleaned < ?", (upto, upto))


def proceed(tx: Tx, now: int) -> int | None:
    """Do the next piece of cleaning up after destroyed text. Return when to go on, in milliseconds since 1970."""
    more = _give_back(tx)
    tidied = search.tidy(tx, now)
    if tidied.done:
        note(tx)
    return now if more else tidied.again


def _give_back(tx: Tx) -> bool:
    """Delete some rows of overwritten text. Return whether there may be more."""
    # Deleted rows make others move, so no row may go while another still holds text: while any message is to burn.
    gone = tx.execute(
        "DELETE FROM burning_words WHERE id IN (SELECT id FROM burning_words ORDER BY id LIMIT ?)"
        " AND NOT EXISTS (SELECT 1 FROM message WHERE burning IS NOT NULL)",
        (PIECE,),
    )
    return gone.rowcount == PIECE
