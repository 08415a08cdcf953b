"""Members of groups in SQL: leaving, banning and listing. conversations.add_member lets them in."""

from typing import Literal, NamedTuple

from imd.store.rows import Select
from imd.store.transaction import Tx, marks


def end(tx: Tx, conversation: int, account: int, seq: int) -> None:
    """End a membership with a message. A reader who comes back is a reader again."""
    tx.execute(
        "UPDATE member SET left_seq = ?, role = CASE WHEN role = 'reader' THEN 'reader' ELSE 'member' END"
        " WHERE conversation = ? AND account = ?",
        (seq, conversation, account),
    )
    tx.execute("UPDATE conversation SET members = members - 1 WHERE id = ?", (conversation,))


def ban(tx: Tx, conversation: int, account: int) -> None:
    """Ban somebody who is not a member, or no longer one."""
    tx.execute(
        "INSERT INTO member (conversation, account, left_seq, banned, delivered_seq, read_seq)"
        " VALUES (?, ?, 0, 1, 0, 0) ON CONFLICT (conversation, account) DO UPDATE SET banned = 1",
        (conversation, account),
    )


def admins(tx: Tx, conversation: int) -> tuple[int, ...]:
    """List the accounts of a group's owner and admins."""
    rows = tx.execute(
        "SELECT account FROM member WHERE conversation = ? AND role IN ('owner', 'admin') AND left_seq IS NULL"
        " ORDER BY account",
        (conversation,),
    )
    return tuple(int(row[0]) for row in rows.fetchall())


class Named(NamedTuple):
    """One member of a conversation."""

    account: int
    username: str


_HEIR = Select(Named, "FROM member", username="name")


def heir(tx: Tx, conversation: int, owner: int) -> Named | None:
    """Find the owner's successor: the longest-standing admin, else member, else reader."""
    return _HEIR.one(
        tx,
        "WHERE conversation = ? AND left_seq IS NULL AND account <> ?"
        " ORDER BY CASE role WHEN 'admin' THEN 0 WHEN 'member' THEN 1 ELSE 2 END, joined, account LIMIT 1",
        (conversation, owner),
    )


class Listed(NamedTuple):
    """One member in the list. `hides` is 1 if they block the account that asks."""

    account: int
    username: str
    role: Literal["owner", "admin", "member", "reader"]
    joined: int
    muted_until: int
    last_seen: int
    hides: int


_LISTED = Select(
    Listed,
    "FROM member m JOIN account a ON a.id = m.account"
    " LEFT JOIN relation r ON r.account = m.account AND r.other = ? AND r.kind = 'block'",
    "m",
    username="m.name",
    last_seen="a.last_seen",
    hides="r.kind IS NOT NULL",
)


def page(tx: Tx, conversation: int, asker: int, after: str, limit: int) -> list[Listed]:
    """List members by name, starting after a name."""
    return _LISTED.all(
        tx,
        "WHERE m.conversation = ? AND m.left_seq IS NULL AND m.name <> '' AND m.name > ? ORDER BY m.name LIMIT ?",
        (asker, conversation, after, limit),
    )


_NAMED = Select(Named, "FROM member JOIN account ON account.id = member.account")
_BY_NAMES = (
    "WHERE conversation = ? AND account IN (SELECT id FROM account WHERE username IN ({})) AND left_seq IS NULL"
    " ORDER BY length(username) DESC LIMIT 1"
)


def longest_member(tx: Tx, conversation: int, names: list[str]) -> Named | None:
    """Find the member with the longest of these names."""
    if not names:
        return None
    return _NAMED.one(tx, _BY_NAMES.format(marks(len(names))), (conversation, *names))
