"""The JSON Schema of everything that is said, from the declared classes."""

from typing import Any

import msgspec

from imd.wire.base import Event, Spec
from imd.wire.refusals import CODES

_REF = "#/$defs/{name}"


def schema(specs: list[Spec], events: list[type[Event]]) -> dict[str, Any]:
    """Describe a line of JSON in either direction (JSON Schema 2020-12).

    For requests it is stricter than the server, which also takes null for a field that may be left out.
    """
    replies = list(dict.fromkeys(spec.shape.reply for spec in specs))
    commands, kinds = [spec.shape for spec in specs], [*replies, *events]
    _, definitions = msgspec.json.schema_components([*commands, *kinds], ref_template=_REF)
    for definition in definitions.values():
        definition.pop("description", None)
    for spec in specs:
        _complete_request(definitions[spec.shape.__name__], spec)
    identity = {"type": ["string", "integer"]}
    definitions |= {
        "request": {"oneOf": [_ref(spec.shape) for spec in specs]},
        "success": {"oneOf": [_success(spec, identity) for spec in specs]},
        "failure": _failure(identity),
        "event": {"oneOf": [_ref(event) for event in events]},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "imd/1",
        "anyOf": [{"$ref": _REF.format(name=name)} for name in ("request", "success", "failure", "event")],
        "$defs": definitions,
    }


def _ref(shape: type) -> dict[str, str]:
    return {"$ref": _REF.format(name=shape.__name__)}


def _complete_request(definition: dict[str, Any], spec: Spec) -> None:
    """Add the fields that every request has, aliases of fields, and that a conversation is named in one way only."""
    fields = definition["properties"]
    for alias, field in spec.shape.aliases.items():
        fields[alias] = fields[field]
    for field, other in spec.shape.stand_ins.items():
        names = [field, other, *(alias for alias, meant in spec.shape.aliases.items() if meant == field)]
        definition["oneOf"] = [{"required": [name]} for name in names]
    definition["properties"] = {"action": {"const": spec.action}, "id": {"type": ["string", "integer"]}, **fields}
    definition["required"] = ["action", *definition.get("required", [])]


def _success(spec: Spec, identity: dict[str, Any]) -> dict[str, Any]:
    head = {
        "status": {"const": "success"},
        "action": {"const": spec.action},
        "id": identity,
        "message": {"type": "string"},
    }
    return {"allOf": [_ref(spec.shape.reply)], "properties": head, "required": ["status", "action", "message"]}


def _failure(identity: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "status": {"const": "fail"},
            "action": {"type": "string"},
            "id": identity,
            "code": {"enum": list(CODES)},
            "message": {"type": "string"},
            "params": {"type": "object"},
        },
        "required": ["status", "action", "code", "message", "params"],
    }
