"""The JSON dialect: one object a line (PROTOCOL section 2)."""

import json
from typing import Any

import msgspec

from imd.wire import catalog, shapes
from imd.wire.base import Event, Reply, Request, registry
from imd.wire.refusals import BadEncoding, BadRequest, Refusal, UnknownCommand

name = "json"

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def decode(line: bytes) -> Request:
    """Read a line. Never raises: a line that is no good gives a request that holds its refusal."""
    request = Request(dialect=DIALECT)
    try:
        fields = _fields(line)
        request.id = _identity(fields)
        action = fields.get("action")
        if not isinstance(action, str):
            raise BadRequest("missing", field="action")
        request.name = action
        request.spec = registry.actions.get(action)
        if request.spec is None:
            raise unknown(action)
        request.command = shapes.build(request.spec, fields, strict=True)
    except Refusal as refusal:
        request.refusal = refusal
    return request


def unknown(action: str) -> UnknownCommand:
    """Refuse a command that does not exist, with the nearest that does."""
    near = registry.suggestion(action)
    return UnknownCommand("near", command=action[:64], suggestion=near) if near else UnknownCommand(command=action[:64])


def _fields(line: bytes) -> dict[str, Any]:
    try:
        fields = _decode(line)
        _encode(fields)  # a lone surrogate passes some decoders; nothing that cannot be said again is taken in
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise BadEncoding from None
    except RecursionError:
        raise BadRequest("nesting") from None
    except msgspec.MsgspecError as wrong:
        raise (BadEncoding() if b"\\ud" in line.lower() else BadRequest("json", reason=str(wrong))) from None
    if not isinstance(fields, dict):
        raise BadRequest("object")
    if line.count(b":") != len(fields):
        _refuse_doubled(line)
    for field, value in fields.items():
        if isinstance(value, str):
            shapes.refuse_nul(value, field)
    return fields


def _refuse_doubled(line: bytes) -> None:
    """Refuse an object that names a field twice (RFC 7493 section 2.3): parsers disagree on which one counts."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise BadRequest("doubled")
        return fields

    json.loads(line, object_pairs_hook=once)


def _identity(fields: dict[str, Any]) -> str | int | None:
    identity = fields.pop("id", None)
    if identity is None or isinstance(identity, str) or type(identity) is int:
        return identity
    raise BadRequest("type", field="id", expected="str | int", got=type(identity).__name__)


class JsonDialect:
    """How replies, refusals and events are written as JSON lines, without the line's end."""

    name = "json"

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
        """Write an event; it reads the same in every language."""
        return _encode(event)


def sentence(refusal: Refusal, language: str) -> str:
    """Say a refusal to a person."""
    key = f"code.{refusal.code}.{refusal.case}" if refusal.case else f"code.{refusal.code}"
    return catalog.say(key, language, **refusal.params)


DIALECT = JsonDialect()
