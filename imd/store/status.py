"""The database as a whole, in SQL: how much it holds, and its epoch, a random name that a restore changes."""

import secrets
from typing import NamedTuple

from imd.store.transaction import Tx


class Counts(NamedTuple):
    """How many accounts, conversations and messages there are, deleted and destroyed ones included."""

    accounts: int
    conversations: int
    messages: int


def counts(tx: Tx) -> Counts:
    """Count without reading a message: a conversation's last seq is how many messages it ever had."""
    (accounts,) = tx.execute("SELECT count(*) FROM account").fetchone()
    conversations, messages = tx.execute("SELECT count(*), coalesce(sum(last_seq), 0) FROM conversation").fetchone()
    return Counts(int(accounts), int(conversations), int(messages))


def epoch(tx: Tx) -> str:
    """Return the epoch; begin the first one in a new database."""
    row = tx.execute("SELECT epoch FROM life").fetchone()
    return str(row[0]) if row else begin_epoch(tx)


def begin_epoch(tx: Tx) -> str:
    """Begin another epoch, and return it."""
    made = secrets.token_hex(8)
    tx.execute(
        "INSERT INTO life (one, epoch) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch", (made,)
    )
    return made
