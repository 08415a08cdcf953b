"""Policies in SQL: what admins set over what is configured, and the words that nothing may hold."""

from imd.store.transaction import Tx


def values(tx: Tx) -> dict[str, str]:
    """Give what was set, by name."""
    return {str(name): str(value) for name, value in tx.execute("SELECT name, value FROM policy").fetchall()}


def put(tx: Tx, name: str, value: str) -> None:
    """Set one."""
    tx.execute(
        "INSERT INTO policy (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def clear(tx: Tx) -> None:
    """Set none."""
    tx.execute("DELETE FROM policy")


def words(tx: Tx) -> list[str]:
    """List the words, in order."""
    return [str(row[0]) for row in tx.execute("SELECT word FROM word ORDER BY word").fetchall()]


def add_word(tx: Tx, word: str) -> None:
    """Add a word, unless it is there."""
    tx.execute("INSERT INTO word (word) VALUES (?) ON CONFLICT (word) DO NOTHING", (word,))


def drop_word(tx: Tx, word: str) -> None:
    """Take a word off."""
    tx.execute("DELETE FROM word WHERE word = ?", (word,))
