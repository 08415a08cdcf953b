"""Mentions in SQL: one row for each one called in a message; account 0 is everybody."""

from typing import NamedTuple

from imd.store.transaction import Tx, marks


class Member(NamedTuple):
    """One member of a conversation."""

    account: int
    username: str


_MEMBER = (
    "SELECT account.id, username FROM member JOIN account ON account.id = member.account"
    " WHERE conversation = ? AND account IN (SELECT id FROM account WHERE username IN ({})) AND left_seq IS NULL"
    " ORDER BY length(username) DESC LIMIT 1"
)


def longest_member(tx: Tx, conversation: int, names: list[str]) -> Member | None:
    """Find the member with the longest of these names."""
    if not names:
        return None
    query = _MEMBER.format(marks(len(names)))
    row = tx.execute(query, (conversation, *names)).fetchone()
    return Member(*row) if row else None


def replace(tx: Tx, conversation: int, seq: int, accounts: list[int]) -> None:
    """Keep who is called in a message that was changed, in place of who was."""
    tx.execute("DELETE FROM mention WHERE conversation = ? AND seq = ?", (conversation, seq))
    add(tx, conversation, seq, accounts)


def add(tx: Tx, conversation: int, seq: int, accounts: list[int]) -> None:
    """Keep who is called in a message."""
    for account in accounts:
        tx.execute("INSERT INTO mention (conversation, account, seq) VALUES (?, ?, ?)", (conversation, account, seq))
