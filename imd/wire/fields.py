"""The shapes that fields of commands and replies share: numbers, names, times."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple, get_args

from msgspec import Meta, inspect

BIGGEST = 2**63 - 1
"""The largest number a field may hold: what SQLite and PostgreSQL keep in one integer."""

Conversation = Annotated[int, Meta(ge=1, le=BIGGEST)]
Seq = Annotated[int, Meta(ge=1, le=BIGGEST)]
Pointer = Annotated[int, Meta(ge=0, le=BIGGEST)]
"""A position in a conversation: a seq or a rev, or 0 for its beginning."""

Number = Annotated[int, Meta(ge=1, le=BIGGEST)]
"""The number of an invite, an announcement or a report."""

Days = Annotated[int, Meta(ge=1, le=3650)]
PageSize = Annotated[int, Meta(ge=1, le=200)]

Name = Annotated[str, Meta(max_length=256)]
"""A name as it was typed; `names.username` says whether it is one."""

Label = Annotated[str, Meta(max_length=64)]
Password = Annotated[str, Meta(max_length=1024)]
Token = Annotated[str, Meta(max_length=128)]
Code = Annotated[str, Meta(max_length=64)]
"""Six digits of an authenticator, or a recovery code."""

SECRETS = frozenset({"code", "codes", "invite", "new", "old", "password", "secret", "token", "uri"})
"""Names of the fields that never reach a log."""


class Limit(NamedTuple):
    """The bound of a text that the server's configuration sets: the name of its limit."""

    name: str


Content = Annotated[str, Limit("content_bytes")]
"""What a message says. More than this server takes is `too_large`."""

ClientId = Annotated[str, Meta(min_length=1, max_length=128)]
Language = Literal["en", "zh"]

_JSON_TYPES = {
    "int": "integer",
    "str": "string",
    "bool": "boolean",
    "float": "number",
    "list": "array",
    "dict": "object",
    "NoneType": "null",
}
_JSON_KINDS: dict[type, str] = {
    inspect.AnyType: "any",
    inspect.StrType: "string",
    inspect.LiteralType: "string",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.NoneType: "null",
    inspect.ListType: "array",
    inspect.DictType: "object",
    inspect.StructType: "object",
}


def json_type(name: str) -> str:
    """Give JSON's name of a type (`integer`) for Python's (`int`)."""
    return _JSON_TYPES.get(name, name)


def json_kind(kind: inspect.Type) -> str:
    """Give JSON's name of a type that msgspec described."""
    return _JSON_KINDS.get(type(kind), "any")


def kinds(annotation: Any) -> list[inspect.Type]:
    """List what a field may be, besides null."""
    kind = annotation if isinstance(annotation, inspect.Type) else inspect.type_info(annotation)
    alternatives = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return [each for each in alternatives if not isinstance(each, inspect.NoneType)]


def limit_of(annotation: Any) -> str:
    """Give the name of the configured limit that bounds a text, or nothing."""
    return next((each.name for each in get_args(annotation) if isinstance(each, Limit)), "")


def choices(annotation: Any) -> list[str]:
    """List the values that a field of this type takes, if it takes only some."""
    return [str(word) for kind in kinds(annotation) if isinstance(kind, inspect.LiteralType) for word in kind.values]


@lru_cache(maxsize=64)
def timestamp(milliseconds: int) -> str:
    """Write a time for the wire: RFC 3339, UTC, milliseconds. The argument counts from 1970.

    It is cached: a reply and its events have the same time, and times of one second share most of their text.
    """
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=512)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def clock_face(time: str) -> str:
    """Write a wire time for a person at a terminal: `2026-11-23 06:25Z`."""
    return f"{time[:10]} {time[11:16]}Z"
