"""The shapes that fields of commands and replies share: numbers, names, times."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, inspect

BIGGEST = 2**63 - 1
"""The largest number a field may hold: what SQLite and PostgreSQL keep in one integer."""

Conversation = Annotated[int, Meta(ge=1, le=BIGGEST)]
Seq = Annotated[int, Meta(ge=1, le=BIGGEST)]
Pointer = Annotated[int, Meta(ge=0, le=BIGGEST)]
"""A place in a conversation: a seq or a rev, or 0 for its beginning."""

Name = Annotated[str, Meta(max_length=256)]
"""A name as it was typed; `names.username` says whether it is one."""

Label = Annotated[str, Meta(max_length=64)]
Password = Annotated[str, Meta(max_length=1024)]
Token = Annotated[str, Meta(max_length=128)]
ClientId = Annotated[str, Meta(min_length=1, max_length=128)]
Language = Literal["en", "zh"]

_JSON_TYPES = {
    "int": "integer",
    "str": "string",
    "bool": "boolean",
    "float": "number",
    "list": "array",
    "dict": "object",
}


def json_type(name: str) -> str:
    """Give JSON's name of a type (`integer`) for Python's (`int`)."""
    return _JSON_TYPES.get(name, name)


def choices(annotation: Any) -> tuple[str, ...]:
    """List the words that a field of this type takes, where it takes only some."""
    kind = inspect.type_info(annotation)
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return tuple(str(value) for each in kinds if isinstance(each, inspect.LiteralType) for value in each.values)


def timestamp(milliseconds: int) -> str:
    """Write a time for the wire: RFC 3339, UTC, milliseconds. The argument counts from 1970."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def clock_face(time: str) -> str:
    """Write a wire time for a person at a terminal: `2026-11-23 06:25Z`."""
    return f"{time[:10]} {time[11:16]}Z"
