"""What is declared of a table: whose its rows are, and what export, deletion, purge and `imd verify` do with them.

All of it is literal text: no name of a table or column comes from anywhere else, so SQL may be written from it.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Literal

import attrs


class Untold(Enum):
    """Why an export leaves a column out."""

    CREDENTIAL = "it logs somebody in, or opens what is shut"
    DERIVED = "it is worked out from what is told"
    NUMBER = "a number of the database's own; a name or a place stands for it"
    OTHERS = "it is other people's"
    OURS = "it says how the server works, and nothing of a person"
    BURNS = "the text of a message that burns: an archive would outlive it"


@attrs.frozen
class Gone:
    """Rows are deleted: at once, in pieces by a job, with their conversation, or by a trigger of the schema."""

    how: Literal["at once", "in pieces", "with its conversation", "by a trigger", "at the end"]
    counted: str = ""
    """What the receipt of a deletion counts them as, where it does."""


@attrs.frozen
class Kept:
    """Rows stay."""

    why: str


Fate = Gone | Kept | None
"""None: rows of this table are never of the account, or of the conversation."""


@attrs.frozen
class Column:
    """One column. What it does not say, its table says for all its columns."""

    untold: Untold | None = None
    """Why no export has it. A column that one has needs no reason."""

    kind: Literal["", "time", "flag"] = ""
    """Milliseconds since 1970, or 0 and 1: an export writes them as the wire does."""

    refers: str = ""
    """The table whose `id` it holds; or 0, which is everybody where an account may be, and no conversation yet."""

    enforced: bool = False
    """Whether the schema itself refuses a row that refers to nothing."""

    within: tuple[str, str] | None = None
    """The bounds of a number: others, columns of the same row, or of its conversation's."""

    emptied: str = ""
    """In the row of an account that is deleted, or of a group: the SQL of what the column then holds."""

    stays: str = ""
    """In such a row: why the column holds what it held."""


@attrs.frozen
class Section:
    """One list in an export. Each of its `fields` is a column of the table or, with a dot, of a joined one."""

    name: str
    fields: Mapping[str, str]
    order: str
    where: str = ""
    """Which of the rows, where not all of the account's own; it is then to ask for the account `?` as well."""

    joined: str = ""
    """What else its fields are read from."""

    shown: bool = False
    """Whether the archive's first page shows it to a person. Programs read all of them."""


@attrs.frozen
class Record:
    """What an export says outside its lists, of a conversation, a member, a message or a change: field -> column."""

    of: Literal["conversation", "member", "message", "change"]
    fields: Mapping[str, str]


@attrs.frozen
class Table:
    """One table of the schema."""

    name: str
    columns: Mapping[str, Column]
    key: tuple[str, ...] = ()
    """Its primary key."""

    whose: Literal["account", "conversation", "message", "nobody"] = "nobody"
    by: tuple[str, ...] = ()
    """The columns that name whose a row is."""

    deletion: Fate = None
    """What happens to an account's rows when it is deleted."""

    purge: Fate = None
    """What happens to a conversation's rows when it is destroyed."""

    grows: bool = False
    """Whether people can add rows to it without end. Others are bounded by these tables, by a limit, or by admins."""

    sections: tuple[Section, ...] = ()
    records: tuple[Record, ...] = ()
    shadows: tuple[str, ...] = ()
    """Tables that SQLite keeps behind this one."""

    triggers: tuple[str, ...] = ()

    @property
    def told(self) -> set[str]:
        """The columns that an export has."""
        fields = [*(each.fields for each in self.sections), *(each.fields for each in self.records)]
        return {at for each in fields for at in each.values() if "." not in at}

    def kinds(self, of: Section | Record) -> dict[str, str]:
        """Give the fields of a section or a record, each with its kind."""
        return {name: "" if "." in at else self.columns[at].kind for name, at in of.fields.items()}

    def query(self, section: Section) -> str:
        """Write the SQL of a section. It takes the account, how many rows at most, and how many to skip."""
        listed = [at if "." in at else f"{self.name}.{at}" for at in section.fields.values()]
        where = section.where or f"{self.name}.{self.by[0]} = ?"
        return _SECTION.format(", ".join(listed), self.name, section.joined, where, section.order)

    def statement(self, template: str) -> str:
        """Fill a template's places: this table's name, whose its rows are by, its key, the rest of the key, what is
        emptied in a row that stays, and what goes beyond the bounds in a row joined with its conversation.
        """
        return template.format(
            name=self.name,
            by="".join(self.by[:1]),
            key=", ".join(self.key),
            rest=", ".join(column for column in self.key if column not in self.by),
            emptied=", ".join(f"{name} = {each.emptied}" for name, each in self.columns.items() if each.emptied),
            beyond=" OR ".join(
                f"{self.name}.{name} {comparison} {self._bound(bound)}"
                for name, each in self.columns.items()
                for comparison, bound in zip("<>", each.within or (), strict=False)
            ),
        )

    def _bound(self, bound: str) -> str:
        if bound.isdigit():
            return bound
        return f"{self.name if bound in self.columns else 'conversation'}.{bound}"


_SECTION = "SELECT {} FROM {} {} WHERE {} ORDER BY {} LIMIT ? OFFSET ?"


def named(*columns: str) -> dict[str, str]:
    """List fields that are called like their columns."""
    return {name: name for name in columns}


def plain(*names: str, untold: Untold | None = None) -> dict[str, Column]:
    """Declare columns of which there is nothing else to say."""
    return {name: Column(untold) for name in names}
