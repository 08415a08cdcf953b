"""The words of messages that burn, in SQL: a table whose rows are added at its end and written over where they lie.

SQLite's `secure_delete` clears what is deleted, but not the copy left behind when a row moves to another page, as rows
do when a neighbour grows, shrinks or goes. Here none ever does.
"""

from imd.store.transaction import Tx


def keep(tx: Tx, words: str) -> int:
    """Keep a message's words; gives where."""
    row = tx.execute("INSERT INTO burning_words (words) VALUES (?) RETURNING id", (words,)).fetchone()
    return int(row[0])


def blank(tx: Tx, kept: int, words: str) -> None:
    """Write over kept words, at the same length: so the row stays where it is."""
    tx.execute("UPDATE burning_words SET words = ? WHERE id = ?", (" " * len(words.encode()), kept))


def forget(tx: Tx, conversation: int, most: int) -> int:
    """Write over the words of some of a conversation's messages, which are to be deleted. Gives of how many."""
    found = tx.execute(
        "SELECT burning_words.id, words FROM message JOIN burning_words ON burning_words.id = message.burning"
        " WHERE conversation = ? AND burning IS NOT NULL LIMIT ?",
        (conversation, most),
    ).fetchall()
    for kept, words in found:
        blank(tx, kept, words)
        tx.execute("UPDATE message SET burning = NULL WHERE conversation = ? AND burning = ?", (conversation, kept))
    return len(found)


def clear(tx: Tx, most: int) -> None:
    """Give some of the room back, if no words are left at all: rows that move then say nothing."""
    tx.execute(
        "DELETE FROM burning_words WHERE id IN (SELECT id FROM burning_words ORDER BY id LIMIT ?)"
        " AND NOT EXISTS (SELECT 1 FROM message WHERE burning IS NOT NULL)",
        (most,),
    )
