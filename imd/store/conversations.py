"""Conversations and their members in SQL. A direct one has two members, or one; a group has a handle and roles.

A member's `left_seq` is the message with which the membership ended; 0 in a row that only says that somebody is banned.
"""

from typing import NamedTuple

from imd.store.rows import Select
from imd.store.transaction import Tx, assigned


class Membership(NamedTuple):
    """A conversation as one account stands in it. `role` is empty if it is not a member."""

    conversation: int
    kind: str
    direct_key: str | None
    handle: str | None
    title: str
    topic: str
    join_mode: str
    who_writes: str
    who_invites: str
    history: str
    slow_mode: int
    retention: int
    members: int
    last_seq: int
    last_rev: int
    created: int
    role: str
    joined_seq: int
    left_seq: int | None
    banned: int
    hidden_seq: int
    muted_until: int
    spoke: int
    delivered_seq: int
    read_seq: int
    muted: int
    archived: int
    pinned: int

    @property
    def deleted(self) -> bool:
        """Whether this is what remains of a deleted group."""
        return self.kind == "group" and self.handle is None

    @property
    def seen_from(self) -> int:
        """The seq after which this member sees messages."""
        return max(self.joined_seq, self.hidden_seq)


_MEMBERSHIP = Select(
    Membership,
    "FROM conversation c LEFT JOIN member m ON m.conversation = c.id AND m.account = ?",
    "c",
    conversation="c.id",
    role="CASE WHEN m.left_seq IS NULL THEN coalesce(m.role, '') ELSE '' END",
    joined_seq="coalesce(m.joined_seq, 0)",
    left_seq="m.left_seq",
    banned="coalesce(m.banned, 0)",
    hidden_seq="coalesce(m.hidden_seq, 0)",
    muted_until="coalesce(m.muted_until, 0)",
    spoke="coalesce(m.spoke, 0)",
    delivered_seq="coalesce(m.delivered_seq, 0)",
    read_seq="coalesce(m.read_seq, 0)",
    muted="coalesce(m.muted, 0)",
    archived="coalesce(m.archived, 0)",
    pinned="coalesce(m.pinned, 0)",
)


def membership(tx: Tx, conversation: int, account: int) -> Membership | None:
    """Find a conversation as an account stands in it; None if there is no such conversation."""
    return _MEMBERSHIP.one(tx, "WHERE c.id = ?", (account, conversation))


def by_handle(tx: Tx, handle: str, account: int) -> Membership | None:
    """Find a group by its handle, as an account stands in it."""
    return _MEMBERSHIP.one(tx, "WHERE c.handle = ?", (account, handle))


def memberships(tx: Tx, account: int) -> list[Membership]:
    """List the conversations an account is in, in no particular order."""
    return _MEMBERSHIP.all(tx, "WHERE m.account = ? AND m.left_seq IS NULL", (account, account))


class Group(NamedTuple):
    """A group that an account is in, and the seq after which it sees messages."""

    conversation: int
    seen_from: int


_GROUP = Select(
    Group,
    "FROM member m JOIN conversation c ON c.id = m.conversation",
    "m",
    seen_from="CASE WHEN m.joined_seq < m.hidden_seq THEN m.hidden_seq ELSE m.joined_seq END",
)


def groups(tx: Tx, account: int) -> list[Group]:
    """List an account's groups."""
    return _GROUP.all(tx, "WHERE m.account = ? AND m.left_seq IS NULL AND c.direct_key IS NULL", (account,))


def direct(tx: Tx, one: int, other: int) -> int | None:
    """Find the conversation of two accounts."""
    row = tx.execute("SELECT id FROM conversation WHERE direct_key = ?", (_direct_key(one, other),)).fetchone()
    return int(row[0]) if row else None


def begin_direct(tx: Tx, one: int, other: int, now: int) -> int:
    """Create the conversation of two accounts, or of one with itself."""
    row = tx.execute(
        "INSERT INTO conversation (kind, direct_key, members, last_seq, last_rev, created)"
        " VALUES ('direct', ?, ?, 0, 0, ?) RETURNING id",
        (_direct_key(one, other), len({one, other}), now),
    ).fetchone()
    for account in {one, other}:
        tx.execute(
            "INSERT INTO member (conversation, account, joined, delivered_seq, read_seq) VALUES (?, ?, ?, 0, 0)",
            (row[0], account, now),
        )
    return int(row[0])


def begun(tx: Tx, account: int, since: int, n: int) -> int | None:
    """Return when an account began the n-th latest of the direct conversations that it began after a time.

    It began those whose first message is its own.
    """
    row = tx.execute(
        "SELECT m.joined FROM member m JOIN conversation c ON c.id = m.conversation"
        " JOIN message f ON f.conversation = c.id AND f.seq = 1"
        " WHERE m.account = ? AND m.joined > ? AND c.members = 2 AND c.direct_key IS NOT NULL AND f.sender = m.account"
        " ORDER BY m.joined DESC LIMIT 1 OFFSET ?",
        (account, since, n - 1),
    ).fetchone()
    return row and int(row[0])


def _direct_key(one: int, other: int) -> str:
    return f"{min(one, other)}:{max(one, other)}"


def pair(direct_key: str) -> tuple[int, int]:
    """Return the two accounts of a direct conversation; for notes to oneself, the same one twice."""
    low, high = direct_key.split(":")
    return int(low), int(high)


class Counted(NamedTuple):
    """How many messages by others a member has not read, and how many of those mention the member."""

    unread: int
    mentions: int


def counted(tx: Tx, account: int, place: Membership) -> Counted:
    """Count what a member has not read. It is never stored, so it cannot drift and is the same on every device."""
    if place.last_seq <= place.read_seq:
        return Counted(0, 0)
    unread = (
        " FROM message WHERE message.conversation = ? AND message.seq > ? AND message.sender <> ?"
        " AND NOT EXISTS (SELECT 1 FROM hidden WHERE hidden.account = ?"
        " AND hidden.conversation = message.conversation AND hidden.seq = message.seq)"
    )
    after = max(place.read_seq, place.seen_from)
    parameters = (place.conversation, after, account, account)
    (messages,) = tx.execute("SELECT count(*)" + unread, parameters).fetchone()
    mentioned = " AND message.seq IN (SELECT seq FROM mention WHERE conversation = ? AND account IN (?, 0) AND seq > ?)"
    asked = (*parameters, place.conversation, account, after)
    (mentions,) = tx.execute("SELECT count(*)" + unread + mentioned, asked).fetchone()
    return Counted(int(messages), int(mentions))


def add_member(tx: Tx, place: Membership, account: int, role: str, joined_seq: int, now: int) -> None:
    """Make an account a member of a group, perhaps again; earlier messages count as read. A reader stays one."""
    tx.execute(
        "INSERT INTO member (conversation, account, name, role, joined, joined_seq, delivered_seq, read_seq)"
        " VALUES (?, ?, (SELECT username FROM account WHERE id = ?), ?, ?, ?, ?, ?)"
        " ON CONFLICT (conversation, account) DO UPDATE SET name = excluded.name, joined = excluded.joined,"
        " role = CASE WHEN member.role = 'reader' THEN member.role ELSE excluded.role END,"
        " joined_seq = excluded.joined_seq, left_seq = NULL, banned = 0,"
        " delivered_seq = excluded.delivered_seq, read_seq = excluded.read_seq",
        (place.conversation, account, account, role, now, joined_seq, place.last_seq, place.last_seq),
    )
    tx.execute("UPDATE conversation SET members = members + 1 WHERE id = ?", (place.conversation,))


def set_member(tx: Tx, conversation: int, account: int, **values: int | str | None) -> None:
    """Change columns of a member's row."""
    tx.execute(_SET_MEMBER.format(assigned(_OF_MEMBER, values)), (*values.values(), conversation, account))


_SET_MEMBER = "UPDATE member SET {} WHERE conversation = ? AND account = ?"
_OF_MEMBER = frozenset(
    {"role", "left_seq", "banned", "hidden_seq", "muted_until", "spoke", "muted", "archived", "pinned"}
)


class Last(NamedTuple):
    """The latest numbers of a conversation."""

    last_seq: int
    last_rev: int


_LAST = Select(Last, "FROM conversation")


def last(tx: Tx, conversation: int) -> Last:
    """Return a conversation's last seq and rev."""
    return _LAST.known(tx, "WHERE id = ?", (conversation,))
