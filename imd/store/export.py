"""What an account can export, as plain records: no password, no token, no id.

Which columns go into which list is declared in `tables`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from imd.store import tables
from imd.store.transaction import Tx


class Section(NamedTuple):
    """One list of records. The query takes the account, a limit and an offset."""

    name: str
    kinds: Mapping[str, str]
    """The fields, each with its kind: a time, a flag, or neither."""

    query: str
    shown: bool
    """Whether the archive's first page shows it, besides the account itself."""


SECTIONS = tuple(
    Section(each.name, table.kinds(each), table.query(each), each.shown) for table, each in tables.SECTIONS
)
CONVERSATION = tables.recorded("conversation")
MEMBER = tables.recorded("member")
"""The fields, with their kinds, that an archive has of a conversation as its member sees it, and of each member."""


def records(tx: Tx, section: Section, account: int, skip: int, limit: int) -> list[dict[str, Any]]:
    """Return a page of a section."""
    rows = tx.execute(section.query, (account, limit, skip)).fetchall()
    return [dict(zip(section.kinds, row, strict=True)) for row in rows]


def conversations(tx: Tx, account: int) -> list[int]:
    """List the conversations that an account is in."""
    rows = tx.execute(
        "SELECT conversation FROM member WHERE account = ? AND left_seq IS NULL ORDER BY conversation", (account,)
    )
    return [int(row[0]) for row in rows.fetchall()]
