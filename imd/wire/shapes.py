"""From loose fields to a command, and from what does not fit to a refusal that says which field and why."""

import re
from typing import Any

import msgspec

from imd.wire.base import Command, Spec
from imd.wire.refusals import BadRequest

_MISSING = re.compile(r"Object missing required field `(\w+)`")
_SHAPE = re.compile(
    r"(?:Expected `([^`]+)`(?: of)?( length)? ?([<>]=)? ?(-?\d+)?(?:, got `(\w+)`)?|Invalid enum value (.+?))"
    r" - at `\$\.(\w+)"
)
_BOTH = "Object has both"


def build(spec: Spec, fields: dict[str, Any], *, strict: bool) -> Command:
    """Make the command from its fields; unknown fields are ignored. Refuses with `bad_request`.

    `strict` is for JSON; without it "5" is a number and "true" a truth, as in a typed line.
    """
    for alias, field in spec.shape.aliases.items():
        if alias in fields and field not in fields:
            fields[field] = fields.pop(alias)
    try:
        return msgspec.convert(fields, spec.shape, strict=strict)
    except msgspec.ValidationError as wrong:
        raise _explained(str(wrong)) from None


def _explained(wrong: str) -> BadRequest:
    """Turn msgspec's English into a case of the catalog."""
    if missing := _MISSING.match(wrong):
        return BadRequest("missing", field=missing[1])
    if wrong.startswith(_BOTH):
        return BadRequest("both", field="to", other="conversation")
    if not (shape := _SHAPE.match(wrong)):
        return BadRequest("shape", reason=wrong)
    expected, length, comparison, bound, got, choice, field = shape.groups()
    if choice:
        return BadRequest("choice", field=field, got=choice)
    if comparison:
        case = ("long" if comparison == "<=" else "short") if length else ("above" if comparison == "<=" else "below")
        return BadRequest(case, field=field, limit=int(bound))
    return BadRequest("type", field=field, expected=expected, got=got or "str")


def refuse_nul(text: str, field: str) -> None:
    """Refuse the one character that not every database can hold."""
    if "\0" in text:
        raise BadRequest("nul", field=field)
