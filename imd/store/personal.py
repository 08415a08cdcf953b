"""Stars and hidden messages in SQL: one row for each account and message."""

from imd.store.transaction import Tx


def set_star(tx: Tx, account: int, conversation: int, seq: int, time: int | None) -> bool:
    """Star a message at a time, or take the star off. Gives whether that changed anything."""
    if time is None:
        changed = tx.execute(
            "DELETE FROM star WHERE account = ? AND conversation = ? AND seq = ?", (account, conversation, seq)
        )
    else:
        changed = tx.execute(
            "INSERT INTO star (account, conversation, seq, time) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (account, conversation, seq, time),
        )
    return changed.rowcount > 0


def count_stars(tx: Tx, account: int) -> int:
    """Count an account's stars."""
    return int(tx.execute("SELECT count(*) FROM star WHERE account = ?", (account,)).fetchone()[0])


def stars(tx: Tx, account: int, skip: int, limit: int) -> list[tuple[int, int]]:
    """List what is starred in conversations the account is in: (conversation, seq), the one starred last first."""
    rows = tx.execute(
        "SELECT star.conversation, star.seq FROM star JOIN member ON member.conversation = star.conversation"
        " AND member.account = star.account WHERE star.account = ? AND member.left_seq IS NULL"
        " ORDER BY star.time DESC, star.conversation DESC, star.seq DESC LIMIT ? OFFSET ?",
        (account, limit, skip),
    )
    return [(int(row[0]), int(row[1])) for row in rows.fetchall()]


def hide(tx: Tx, account: int, conversation: int, seq: int) -> None:
    """Hide a message from one reader."""
    tx.execute(
        "INSERT INTO hidden (account, conversation, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (account, conversation, seq),
    )
