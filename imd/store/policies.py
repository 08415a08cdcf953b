"""Policies in SQL: settings by admins that override the configuration, and forbidden words."""

from imd.store.transaction import Tx


def values(tx: Tx) -> dict[str, str]:
    """Return the policies that are set: name -> value."""
    return {str(name): str(value) for name, value in tx.execute("SELECT name, value FROM policy").fetchall()}


def put(tx: Tx, name: str, value: str) -> None:
    """Set a policy."""
    tx.execute(
        "INSERT INTO policy (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def clear(tx: Tx) -> None:
    """Clear all policies."""
    tx.execute("DELETE FROM policy")


def words(tx: Tx) -> list[str]:
    """List the forbidden words, in order."""
    return [str(row[0]) for row in tx.execute("SELECT word FROM word ORDER BY word").fetchall()]


def add_word(tx: Tx, word: str) -> None:
    """Forbid a word."""
    tx.execute("INSERT INTO word (word) VALUES (?) ON CONFLICT (word) DO NOTHING", (word,))


def drop_word(tx: Tx, word: str) -> None:
    """Allow a word again."""
    tx.execute("DELETE FROM word WHERE word = ?", (word,))
