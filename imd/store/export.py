"""What is kept of one account, section by section, as plain records to hand out: no password, no token, no id.

Which columns of which tables is declared in `tables`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from imd.store import tables
from imd.store.transaction import Tx


class Section(NamedTuple):
    """One list of records. The query takes the account, how many at most, and how many to skip."""

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
"""What an archive says of a conversation, as its member sees it, and of each member: the fields with their kinds."""


def records(tx: Tx, section: Section, account: int, skip: int, limit: int) -> list[dict[str, Any]]:
    """Give a page of a section."""
    rows = tx.execute(section.query, (account, limit, skip)).fetchall()
    return [dict(zip(section.kinds, row, strict=True)) for row in rows]


def conversations(tx: Tx, account: int) -> list[int]:
    """List the conversations that an account is in."""
    rows = tx.execute(
        "SELECT conversation FROM member WHERE account = ? AND left_seq IS NULL ORDER BY conversation", (account,)
    )
    return [int(row[0]) for row in rows.fetchall()]
