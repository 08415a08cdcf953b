"""The JSON dialect: one object a line (PROTOCOL section 2)."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from imd.wire import build, catalog, malformed
from imd.wire.base import Event, Reply, Request, Spec, registry
from imd.wire.fields import json_type
from imd.wire.refusals import BadRequest, Refusal, UnknownCommand

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def decode(line: bytes) -> Request:
    """Decode a line. Never raises: a bad line gives a request with its refusal."""
    request = Request(dialect=DIALECT)
    try:
        fields = _fields(line)
        request.id = _identity(fields)
        request.name = _action(fields)
        request.spec = registry.actions.get(request.name)
        if request.spec is None:
            raise unknown(request.name, registry.actions)
        command = build.build(request.spec, fields, strict=True)
        if b"\\u0000" in line:
            build.refuse_nul(command)
        request.command = command
    except Refusal as refusal:
        request.refusal = refusal
    return request


def unknown(typed: str, names: Mapping[str, Spec] = registry.verbs) -> UnknownCommand:
    """Make the refusal of a command that does not exist, with the nearest name that does, in JSON or in text."""
    near = registry.suggestion(typed, names)
    return UnknownCommand("near", command=typed[:64], suggestion=near) if near else UnknownCommand(command=typed[:64])


def _fields(line: bytes) -> dict[str, Any]:
    """Read the object. Bad UTF-8, lone surrogates and numbers that nobody can hold are refused by the decoder."""
    if len(line) > malformed.DEEPEST and malformed.too_deep(line):
        raise BadRequest("nesting")
    try:
        fields = _decode(line)
        if isinstance(fields, dict) and not _clearly_single(line, len(fields)):
            _refuse_doubled(line)
    except RecursionError:  # the stack was half full already
        raise BadRequest("nesting") from None
    except (msgspec.MsgspecError, ValueError):
        raise malformed.explained(line) from None
    if not isinstance(fields, dict):
        raise BadRequest("object")
    return fields


def _clearly_single(line: bytes, fields: int) -> bool:
    """Count the colons, then those behind a quote: no more of them than fields means that no field comes twice."""
    return line.count(b":") == fields or line.translate(None, b" \t\r\n").count(b'":') == fields


def _refuse_doubled(line: bytes) -> None:
    """Refuse an object that names a field twice (RFC 7493 section 2.3): parsers disagree on which one counts."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise BadRequest("doubled")
        return fields

    json.loads(line, object_pairs_hook=once)


def _identity(fields: dict[str, Any]) -> str | int | None:
    identity = fields.get("id")
    if identity is None or isinstance(identity, str) or type(identity) is int:
        return identity
    raise BadRequest("id", field="id")


def _action(fields: dict[str, Any]) -> str:
    action = fields.get("action")
    if action is None:
        raise BadRequest("missing", field="action")
    if not isinstance(action, str):
        raise BadRequest("type", field="action", expected="string", got=json_type(type(action).__name__))
    return action


class JsonDialect:
    """How replies, refusals and events are written as JSON lines, without the line end."""

    name = "json"
    for_people = False

    def reply(self, request: Request, reply: Reply, language: str) -> bytes:
        """Write a success."""
        assert request.spec is not None
        action = request.spec.action
        head = {
            "status": "success",
            "action": action,
            "id": request.id,
            "message": catalog.say(f"reply.{action}", language),
        }
        if request.id is None:
            del head["id"]
        body = _encode(reply)
        return _encode(head) if body == b"{}" else b"%b,%b" % (_encode(head)[:-1], body[1:])

    def refusal(self, request: Request, refusal: Refusal, language: str) -> bytes:
        """Write a failure."""
        line = {
            "status": "fail",
            "action": request.spec.action if request.spec else request.name[:64],
            "id": request.id,
            "code": refusal.code,
            "message": sentence(refusal, language),
            "params": refusal.params,
        }
        if request.id is None:
            del line["id"]
        return _encode(line)

    def event(self, event: Event, language: str) -> bytes:
        """Write an event. It is the same in every language."""
        return _encode(event)


def sentence(refusal: Refusal, language: str) -> str:
    """Give the sentence of a refusal, for a person."""
    key = f"code.{refusal.code}.{refusal.case}" if refusal.case else f"code.{refusal.code}"
    params = dict(refusal.params)
    if refusal.case == "type":
        params |= {name: catalog.say(f"type.{params[name]}", language) for name in ("expected", "got")}
    return catalog.say(key, language, **params)


DIALECT = JsonDialect()
