"""Friends, requests, blocks and declines in SQL; and the recipient of a message, with all that decides on it.

`kind` is what one account is to another: 'friend', 'block', 'decline', or '' for a stranger.
"""

from typing import NamedTuple

from imd.store.rows import Select
from imd.store.transaction import Tx


class Recipient(NamedTuple):
    """The recipient of something. `mine` is what they are to me, `theirs` what I am to them."""

    id: int
    username: str
    display_name: str
    last_seen: int
    disabled: int
    deleted: int | None
    writers: str
    mine: str
    theirs: str


_RECIPIENT = Select(
    Recipient,
    "FROM account a LEFT JOIN relation mine ON mine.account = ? AND mine.other = a.id"
    " LEFT JOIN relation theirs ON theirs.account = a.id AND theirs.other = ?",
    "a",
    mine="coalesce(mine.kind, '')",
    theirs="coalesce(theirs.kind, '')",
)


def recipient(tx: Tx, me: int, username: str) -> Recipient | None:
    """Find an account by its name in canonical form, with what we are to each other, in one statement."""
    return _RECIPIENT.one(tx, "WHERE a.username = ?", (me, me, username))


def recipient_by_id(tx: Tx, me: int, account: int) -> Recipient:
    """Return an account that is known to exist, with what we are to each other, in one statement."""
    return _RECIPIENT.known(tx, "WHERE a.id = ?", (me, me, account))


def has_written(tx: Tx, writer: int, reader: int) -> bool:
    """Return whether one account has written to another in their direct conversation."""
    row = tx.execute(
        "SELECT 1 FROM message WHERE sender = ? AND conversation ="
        " (SELECT id FROM conversation WHERE direct_key = ?) LIMIT 1",
        (writer, f"{min(writer, reader)}:{max(writer, reader)}"),
    ).fetchone()
    return row is not None


def relate(tx: Tx, account: int, other: int, kind: str, now: int) -> None:
    """Set what one account is to another, in place of what it was."""
    tx.execute(
        "INSERT INTO relation (account, other, kind, note, since) VALUES (?, ?, ?, '', ?)"
        " ON CONFLICT (account, other) DO UPDATE SET kind = excluded.kind, note = '', since = excluded.since",
        (account, other, kind, now),
    )


def unrelate(tx: Tx, account: int, other: int, kind: str) -> bool:
    """Make one account a stranger to another if it was of this kind. Return whether it was."""
    gone = tx.execute("DELETE FROM relation WHERE account = ? AND other = ? AND kind = ?", (account, other, kind))
    return gone.rowcount > 0


class Related(NamedTuple):
    """One account in another's list. `note` is the name that the other has given it."""

    id: int
    username: str
    display_name: str
    note: str
    since: int
    last_seen: int


_RELATED = Select(Related, "FROM relation r JOIN account a ON a.id = r.other", "a", note="r.note", since="r.since")


def related(tx: Tx, account: int, kind: str) -> list[Related]:
    """List an account's friends, or those it blocks, by name."""
    return _RELATED.all(tx, "WHERE r.account = ? AND r.kind = ? ORDER BY a.username", (account, kind))


def friend(tx: Tx, account: int, other: int) -> Related | None:
    """Return one friend of an account."""
    return _RELATED.one(tx, "WHERE r.account = ? AND r.kind = 'friend' AND r.other = ?", (account, other))


def count(tx: Tx, account: int) -> int:
    """Count an account's friends."""
    return int(
        tx.execute("SELECT count(*) FROM relation WHERE account = ? AND kind = 'friend'", (account,)).fetchone()[0]
    )


def set_note(tx: Tx, account: int, other: int, note: str) -> None:
    """Set the name that an account has for a friend."""
    tx.execute("UPDATE relation SET note = ? WHERE account = ? AND other = ?", (note, account, other))


class Request(NamedTuple):
    """One friend request. In an incoming one `username` is the asker; in an outgoing one, the one asked."""

    username: str
    display_name: str
    note: str
    time: int


_INCOMING = Select(
    Request,
    "FROM friend_request r JOIN account a ON a.id = r.asker AND a.disabled = 0"
    " LEFT JOIN relation mine ON mine.account = ? AND mine.other = r.asker",
    "r",
    username="a.username",
    display_name="a.display_name",
)
_OUTGOING = Select(Request, "FROM friend_request", display_name="''")


def incoming(tx: Tx, account: int, username: str, limit: int) -> list[Request]:
    """List the requests that an account sees, latest first: none by blocked or disabled accounts."""
    return _INCOMING.all(
        tx,
        "WHERE r.username = ? AND r.state = 'pending' AND (mine.kind IS NULL OR mine.kind <> 'block')"
        " ORDER BY r.time DESC, r.asker DESC LIMIT ?",
        (account, username, limit),
    )


def outgoing(tx: Tx, asker: int) -> list[Request]:
    """List the requests an account has made, by name. A declined one looks like one that waits."""
    return _OUTGOING.all(tx, "WHERE asker = ? AND state <> 'withdrawn' ORDER BY username", (asker,))


def count_outgoing(tx: Tx, asker: int) -> int:
    """Count the requests an account has made, as it sees them."""
    return int(
        tx.execute("SELECT count(*) FROM friend_request WHERE asker = ? AND state <> 'withdrawn'", (asker,)).fetchone()[
            0
        ]
    )


def request_state(tx: Tx, asker: int, username: str) -> str:
    """Return the state of a request: 'pending', 'declined', 'withdrawn', or '' if there is none."""
    row = tx.execute("SELECT state FROM friend_request WHERE asker = ? AND username = ?", (asker, username)).fetchone()
    return str(row[0]) if row else ""


def ask(tx: Tx, asker: int, username: str, note: str, now: int) -> None:
    """Store a request. One that was declined before, even if it was withdrawn since, stays declined."""
    tx.execute(
        "INSERT INTO friend_request (asker, username, note, time, state) VALUES (?, ?, ?, ?, 'pending')"
        " ON CONFLICT (asker, username) DO UPDATE SET note = excluded.note, time = excluded.time, state = 'declined'",
        (asker, username, note, now),
    )


def decline(tx: Tx, asker: int, username: str) -> None:
    """Decline a request."""
    tx.execute(
        "UPDATE friend_request SET state = 'declined' WHERE asker = ? AND username = ? AND state = 'pending'",
        (asker, username),
    )


def withdraw(tx: Tx, asker: int, username: str) -> None:
    """Withdraw a request. It is remembered if it was declined."""
    tx.execute("DELETE FROM friend_request WHERE asker = ? AND username = ? AND state = 'pending'", (asker, username))
    tx.execute("UPDATE friend_request SET state = 'withdrawn' WHERE asker = ? AND username = ?", (asker, username))


def forget_request(tx: Tx, asker: int, username: str) -> None:
    """Delete a request altogether: the two are friends now."""
    tx.execute("DELETE FROM friend_request WHERE asker = ? AND username = ?", (asker, username))
