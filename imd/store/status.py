"""How much there is, in SQL that reads no message."""

from typing import NamedTuple

from imd.store.transaction import Tx


class Counts(NamedTuple):
    """How much there is."""

    accounts: int
    conversations: int
    messages: int


def counts(tx: Tx) -> Counts:
    """Count. A conversation's seq is dense, so its last one is how many messages it has."""
    (accounts,) = tx.execute("SELECT count(*) FROM account").fetchone()
    conversations, messages = tx.execute("SELECT count(*), coalesce(sum(last_seq), 0) FROM conversation").fetchone()
    return Counts(int(accounts), int(conversations), int(messages))
