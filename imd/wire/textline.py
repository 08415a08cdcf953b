"""The text dialect: what a person types, and what a person reads (PROTOCOL section 3).

[@tag] COMMAND arguments [key=value ...] [rest of the line]
"""

import re
from typing import Any

from imd.wire import catalog, shapes
from imd.wire.base import Event, Reply, Request, Spec, registry
from imd.wire.jsonline import sentence, unknown
from imd.wire.refusals import BadEncoding, BadRequest, Refusal
from imd.wire.terminal import edited, lines, without_telnet

_TAG = re.compile(r"@(\S{1,64})(?:\s+|$)")
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"(?=\s|$)|([^\s"]\S*)|(")')
_PAIR = re.compile(r"([a-z_]+)=")
_ESCAPED = re.compile(r"\\(.)")
_BARE = re.compile(r'[^\s"=]+')


def clean(line: bytes) -> str:
    """Give the line as it was meant: without telnet's bytes, with its backspaces carried out; or refuse."""
    try:
        return edited(without_telnet(line).decode().replace("\0", ""))
    except UnicodeDecodeError:
        raise BadEncoding from None


def decode(line: bytes) -> Request | None:
    """Read a line. Never raises; an empty line is nothing."""
    request = Request(dialect=DIALECT)
    try:
        text = clean(line).strip(" \t\r")
        if tag := _TAG.match(text):
            request.id, text = tag[1], text[tag.end() :]
        if not text:
            return None if request.id is None else _refused(request, BadRequest("missing", field="command"))
        spec, rest = _command(request, text)
        request.spec = spec
        request.command = shapes.build(spec, _arguments(spec, rest), strict=False)
    except BadRequest as refusal:
        request.refusal = _with_usage(request, refusal)
    except Refusal as refusal:
        request.refusal = refusal
    return request


def _with_usage(request: Request, refusal: BadRequest) -> BadRequest:
    """Add the command's syntax to a complaint about a missing field: a person has no schema at hand."""
    if refusal.case != "missing" or request.spec is None:
        return refusal
    return BadRequest("usage", usage=request.spec.usage(), **refusal.params)


def _refused(request: Request, refusal: Refusal) -> Request:
    request.refusal = refusal
    return request


def _command(request: Request, text: str) -> tuple[Spec, str]:
    text = text.removeprefix("/")
    words = text.split(None, 2)
    for count in (2, 1):
        verb = " ".join(words[:count]).upper()
        if len(words) >= count and (spec := registry.verbs.get(verb)):
            return spec, "".join(text.split(None, count)[count:])
    request.name = (words or [""])[0].upper()[:64]
    both = " ".join(words[:2]).upper()
    raise unknown(both if registry.suggestion(both) and not registry.suggestion(request.name) else request.name)


def _arguments(spec: Spec, text: str) -> dict[str, Any]:
    """Take the line apart: positional words, key=value of known fields, and the rest for the field that wants it."""
    waiting = list(spec.takes)
    fields: dict[str, Any] = {}
    keys = set(spec.shape.__struct_fields__) - {spec.rest}
    while text := text.lstrip(" \t"):
        if (pair := _PAIR.match(text)) and pair[1] in keys:
            field = pair[1]
            if field in fields:
                raise BadRequest("doubled")
            fields[field], text = _word(text[pair.end() :])
            waiting = [name for name in waiting if field not in (name, spec.shape.stand_ins.get(name))]
        elif not waiting:
            raise BadRequest("words", usage=spec.usage())
        elif waiting[0] == spec.rest:
            fields[waiting.pop(0)] = text
            break
        else:
            fields[waiting.pop(0)], text = _word(text)
    spoken_for = {other for name, other in spec.shape.stand_ins.items() if name in fields}
    return {name: value for name, value in spec.shape.text_defaults.items() if name not in spoken_for} | fields


def _word(text: str) -> tuple[str, str]:
    """Take one argument off the front: a bare word, or several in quotes."""
    if not text or text[0] in " \t":
        return "", text
    word = _WORD.match(text)
    if word is None or word[3]:
        raise BadRequest("quote")
    value = word[2] if word[2] is not None else _ESCAPED.sub(r"\1", word[1])
    return value, text[word.end() :]


def quoted(value: object) -> str:
    """Write a value so that it reads back as one argument."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if _BARE.fullmatch(text) or not isinstance(value, str):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _marked(mark: str, text: str) -> list[str]:
    """Mark every line of a text: the first with `mark `, the ones it goes on with `mark | `."""
    first, *others = lines(text)
    return [f"{mark} {first}", *(f"{mark} | {other}" for other in others)]


def _tagged(request: Request, line: str) -> str:
    return line if request.id is None else f"@{request.id} {line}"


class TextDialect:
    """How replies, refusals and events are written for a person; several lines are joined by CRLF."""

    name = "text"

    def reply(self, request: Request, reply: Reply, language: str) -> bytes:
        """Write a success: its `- ` lines, then OK."""
        assert request.spec is not None
        shown = [line for text in reply.lines(language) for line in _marked("-", text)]
        pairs = [
            f"{name}={quoted(value)}"
            for name in reply.__struct_fields__
            if (value := getattr(reply, name)) is not None and isinstance(value, str | int | float)
        ]
        shown.append(_tagged(request, " ".join(["OK", request.spec.verb, *pairs])))
        return "\r\n".join(shown).encode()

    def refusal(self, request: Request, refusal: Refusal, language: str) -> bytes:
        """Write a failure, with its code for programs and its sentence for people."""
        return _tagged(request, f"ERR {refusal.code} {lines(sentence(refusal, language))[0]}").encode()

    def event(self, event: Event, language: str) -> bytes:
        """Write an event."""
        return "\r\n".join(_marked("*", event.text(language))).encode()

    def notice(self, key: str, language: str) -> bytes:
        """Write a hint that belongs to a request still being typed."""
        return f"- {catalog.say(key, language)}".encode()


DIALECT = TextDialect()
