"""Every table of the schema, declared once: deletion, purge, export and `imd verify` are derived from this.

A new table or column is declared here, beside its migration. tests/store/test_tables.py holds the two together.
"""

from imd.store.tables import accounts, conversations, messages, server
from imd.store.tables.declared import Gone, Table

TABLES = {
    each.name: each
    for each in (*accounts.TABLES, *conversations.TABLES, *messages.TABLES, *accounts.AT_LAST, *server.TABLES)
}

OWN = {
    each.deletion.counted: each
    for each in TABLES.values()
    if isinstance(each.deletion, Gone) and each.deletion.how == "in pieces"
}
"""What is an account's alone and may be much, by what the receipt of a deletion calls it."""


def gone_at_once(*, purge: bool) -> list[Table]:
    """List the tables whose rows go when a deletion, or the purge of a group, begins."""
    fates = ((each, each.purge if purge else each.deletion) for each in TABLES.values())
    return [each for each, fate in fates if isinstance(fate, Gone) and fate.how == "at once"]


PURGED = [each for each in TABLES.values() if isinstance(each.purge, Gone) and each.purge.how == "in pieces"]
"""What belongs to a conversation's messages and is destroyed in pieces. The messages come last: at no moment is there
anything that points at a message that is gone.
"""

ON_MESSAGES = [each for each in TABLES.values() if each.whose == "message" and each.by == ("conversation", "seq")]
"""Messages, and what has no owner but the message it is part of."""

ATTACHED = [
    each for each in TABLES.values() if each.name != "message" and "seq" in each.columns and each.columns["seq"].within
]
"""What points at a message by its place in a conversation."""

SECTIONS = [(table, section) for table in TABLES.values() for section in table.sections]


def recorded(of: str) -> dict[str, str]:
    """Give the fields that an export says of a conversation, a member or a message, each with its kind."""
    found: dict[str, str] = {}
    for table in TABLES.values():
        for record in table.records:
            if record.of == of:
                found |= table.kinds(record)
    return found


def referring(to: str) -> dict[str, list[str]]:
    """List what refers to a table without the schema seeing to it: each table with its columns."""
    found: dict[str, list[str]] = {}
    for table in TABLES.values():
        for name, column in table.columns.items():
            if column.refers == to and not column.enforced:
                found.setdefault(table.name, []).append(name)
    return found
