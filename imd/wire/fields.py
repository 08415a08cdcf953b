"""The shapes that fields of commands and replies share: numbers, names, times."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

from msgspec import Meta, inspect

BIGGEST = 2**63 - 1
"""The largest number a field may hold: what SQLite and PostgreSQL keep in one integer."""

Conversation = Annotated[int, Meta(ge=1, le=BIGGEST)]
Seq = Annotated[int, Meta(ge=1, le=BIGGEST)]
Pointer = Annotated[int, Meta(ge=0, le=BIGGEST)]
"""A place in a conversation: a seq or a rev, or 0 for its beginning."""

Number = Annotated[int, Meta(ge=1, le=BIGGEST)]
"""What a list calls one of its things: an invite, an announcement, a report."""

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
"""Fields that never reach a log, by name."""

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
    return _JSON_KINDS[type(kind)]


def kinds(annotation: Any) -> list[inspect.Type]:
    """List what a field may be, besides null."""
    kind = annotation if isinstance(annotation, inspect.Type) else inspect.type_info(annotation)
    alternatives = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return [each for each in alternatives if not isinstance(each, inspect.NoneType)]


def choices(annotation: Any) -> list[str]:
    """List the words that a field of this type takes, where it takes only some."""
    return [str(word) for kind in kinds(annotation) if isinstance(kind, inspect.LiteralType) for word in kind.values]


@lru_cache(maxsize=64)
def timestamp(milliseconds: int) -> str:
    """Write a time for the wire: RFC 3339, UTC, milliseconds. The argument counts from 1970.

    The answer to a send and its events say the same time; messages of one second share most of it.
    """
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=512)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def wait_seconds(milliseconds: int) -> int:
    """Give how many whole seconds, at least one, `retry_after` names for a wait in milliseconds."""
    return max(1, -(-milliseconds // 1000))


def clock_face(time: str) -> str:
    """Write a wire time for a person at a terminal: `2026-11-23 06:25Z`."""
    return f"{time[:10]} {time[11:16]}Z"
