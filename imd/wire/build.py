"""Builds a command from its fields, or a refusal that tells which field does not fit, and why."""

from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from imd.wire.base import Command, Spec
from imd.wire.fields import choices, json_kind, json_type, kinds
from imd.wire.refusals import BadRequest

_PLAIN = {inspect.IntType: int, inspect.StrType: str}
"""What a bound is compared with, by the kind of its field."""


def build(spec: Spec, fields: dict[str, Any], *, strict: bool) -> Command:
    """Build the command from its fields, ignoring unknown ones. Refuses with `bad_request`.

    JSON is `strict`. In a typed line, "5" may be a number and "true" a boolean.
    """
    for alias, field in spec.shape.aliases.items():
        if fields.get(alias) is not None:
            if fields.get(field) is not None:
                raise BadRequest("both", field=field, other=alias)
            fields[field] = fields.pop(alias)
    try:
        return msgspec.convert(fields, spec.shape, strict=strict)
    except msgspec.ValidationError as wrong:
        if wrong.__cause__ is not None:  # the command's own check: these words are ours, not msgspec's
            raise BadRequest("shape", reason=str(wrong.__cause__)) from None
        raise _explained(spec.shape, fields, strict=strict) from None


@cache
def _declared(shape: type[Command]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.name: field for field in msgspec.structs.fields(shape)}


def _explained(shape: type[Command], fields: dict[str, Any], *, strict: bool) -> BadRequest:
    """Find the first field that does not fit, by trying each alone; msgspec's words for it change."""
    declared = _declared(shape)
    for name, value in fields.items():
        if name in declared and not _fits(value, declared[name].type, strict=strict):
            return _misfit(name, value, declared[name].type, strict=strict)
    missing = (name for name, field in declared.items() if field.required and name not in fields)
    return BadRequest("missing", field=next(missing))


def _fits(value: object, annotation: Any, *, strict: bool) -> bool:
    try:
        msgspec.convert(value, annotation, strict=strict)
    except msgspec.ValidationError:
        return False
    return True


def _misfit(field: str, value: object, annotation: Any, *, strict: bool) -> BadRequest:
    """Say why a value does not fit its field."""
    kind = kinds(annotation)[0]
    if isinstance(kind, inspect.LiteralType) and isinstance(value, str):
        return BadRequest("choice", field=field, choices=", ".join(choices(annotation)))
    plain = _PLAIN.get(type(kind))
    if plain is None or not _fits(value, plain, strict=strict):
        expected, got = json_kind(kind), json_type(type(value).__name__)
        if expected in (got, "any"):  # an item of a list, say: imd's own commands have none
            return BadRequest(field=field)
        return BadRequest("type", field=field, expected=expected, got=got)
    return _beyond(field, msgspec.convert(value, plain, strict=strict), kind)


def _beyond(field: str, value: Any, kind: Any) -> BadRequest:
    """Say which bound of its field a number or a text passes."""
    if isinstance(kind, inspect.StrType):
        bounds, size = (("short", kind.min_length), ("long", kind.max_length)), len(value)
    else:
        bounds, size = (("below", kind.ge), ("above", kind.le)), value
    for (case, limit), sign in zip(bounds, (1, -1), strict=True):
        if limit is not None and sign * size < sign * limit:
            return BadRequest(case, field=field, limit=limit)
    return BadRequest(field=field)


def refuse_nul(command: Command) -> None:
    """Refuse NUL, the one character that not every database can store."""
    for field in command.__struct_fields__:
        if "\0" in str(getattr(command, field)):
            raise BadRequest("nul", field=field)
