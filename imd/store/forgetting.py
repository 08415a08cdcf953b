"""Forgetting: text that is to be gone leaves the database, and its files too. What that takes is known here alone.

SQLite's `secure_delete` (see db.py) clears what is deleted, but not the copy that stays behind when a row moves to
another page, as rows do when a neighbour grows, shrinks or goes. So text is written over where it lies first, at the
same length, which moves nothing. What burns has a table to itself, in which rows are only added at the end.

Older states of pages lie in the write-ahead log, too. The transaction that destroys the last of something notes it,
and the database empties the log when no reader needs it: `due` and `cleaned` are for that.
"""

from imd.store import search
from imd.store.transaction import Tx

PIECE = 50
"""How many rows of burned text one piece of work gives back."""


def keep(tx: Tx, text: str) -> int:
    """Keep the text of a message that burns. Gives where."""
    row = tx.execute("INSERT INTO burning_words (words) VALUES (?) RETURNING id", (text,)).fetchone()
    return int(row[0])


def overwrite(tx: Tx, kept: int, text: str) -> None:
    """Write over kept text."""
    tx.execute("UPDATE burning_words SET words = ? WHERE id = ?", (blank(text), kept))


def blank(text: str) -> str:
    """Give what takes the same room and says nothing."""
    return " " * len(text.encode())


def overwrite_some(tx: Tx, conversation: int, most: int) -> int:
    """Write over the text of some messages of a conversation that burn and are to be deleted. Gives of how many."""
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
    """Note that something was destroyed which must leave the files."""
    tx.execute("UPDATE forgetting SET noted = noted + 1")


def due(tx: Tx) -> int:
    """Say whether the files hold what must leave them: 0, or what to tell `cleaned` once they do not."""
    row = tx.execute("SELECT noted FROM forgetting WHERE noted > cleaned").fetchone()
    return int(row[0]) if row else 0


def cleaned(tx: Tx, upto: int) -> None:
    """Note that the files are rid of what was due. What was noted meanwhile stays due."""
    tx.execute("UPDATE forgetting SET cleaned = ? WHERE cleaned < ?", (upto, upto))


def proceed(tx: Tx, now: int) -> int | None:
    """Do the next piece of what destroyed text leaves to do. Gives when there is more, in milliseconds since 1970."""
    more = _give_back(tx)
    tidied = search.tidy(tx, now)
    if tidied.done:
        note(tx)
    return now if more else tidied.again


def _give_back(tx: Tx) -> bool:
    """Give some of the room of burned text back. Gives whether there may be more.

    Rows that go make others move, so all of them must be blank by then: nothing is left that is to burn.
    """
    gone = tx.execute(
        "DELETE FROM burning_words WHERE id IN (SELECT id FROM burning_words ORDER BY id LIMIT ?)"
        " AND NOT EXISTS (SELECT 1 FROM message WHERE burning IS NOT NULL)",
        (PIECE,),
    )
    return gone.rowcount == PIECE
