"""The epoch in SQL: the random name of this database's life. A restored backup begins another one."""

import secrets

from imd.store.transaction import Tx


def epoch(tx: Tx) -> str:
    """Give the epoch; begin a life where there is none yet."""
    row = tx.execute("SELECT epoch FROM life").fetchone()
    return str(row[0]) if row else begin(tx)


def begin(tx: Tx) -> str:
    """Begin another life, and give its epoch."""
    made = secrets.token_hex(8)
    tx.execute(
        "INSERT INTO life (one, epoch) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch", (made,)
    )
    return made
