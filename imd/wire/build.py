"""Builds a command from its fields, or a refusal that tells which field does not fit, and why."""

import re
from typing import Any

import msgspec

from imd.wire.base import Command, Spec
from imd.wire.fields import choices, json_type
from imd.wire.refusals import BadRequest

_MISSING = re.compile(r"Object missing required field `(\w+)`")
_BOTH = re.compile(r"Object has both `(\w+)` and `(\w+)`")
_TYPE = re.compile(r"Expected `(\w+)[^`]*`, got `(\w+)` - at `\$\.(\w+)")
_BOUND = re.compile(r"Expected `\w+`( of length)? ([<>])= (-?\d+) - at `\$\.(\w+)")
_CHOICE = re.compile(r"Invalid enum value .* - at `\$\.(\w+)", re.DOTALL)
_BOUNDS = {(True, "<"): "long", (True, ">"): "short", (False, "<"): "above", (False, ">"): "below"}


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
        raise _explained(spec.shape, str(wrong)) from None


def _explained(shape: type[Command], wrong: str) -> BadRequest:
    """Turn msgspec's English into a case of the catalog. What it does not know by heart it passes on."""
    if found := _MISSING.match(wrong):
        return BadRequest("missing", field=found[1])
    if found := _BOTH.match(wrong):
        return BadRequest("both", field=found[1], other=found[2])
    if found := _TYPE.match(wrong):
        expected, got, field = found.groups()
        return BadRequest("type", field=field, expected=json_type(expected), got=json_type(got))
    if found := _BOUND.match(wrong):
        length, comparison, limit, field = found.groups()
        return BadRequest(_BOUNDS[bool(length), comparison], field=field, limit=int(limit))
    if found := _CHOICE.match(wrong):
        annotations = {field.name: field.type for field in msgspec.structs.fields(shape)}
        return BadRequest("choice", field=found[1], choices=", ".join(choices(annotations[found[1]])))
    return BadRequest("shape", reason=wrong)


def refuse_nul(command: Command) -> None:
    """Refuse NUL, the one character that not every database can store."""
    for field in command.__struct_fields__:
        if "\0" in str(getattr(command, field)):
            raise BadRequest("nul", field=field)
