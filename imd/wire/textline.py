"""The text dialect: what a person types, and what a person reads (PROTOCOL section 3).

[@tag] COMMAND arguments [key=value ...] [rest of the line]

A space, a tab or the full-width space of Chinese keyboards stands between two words.
"""

import re
from typing import Any

from imd.wire import build, catalog
from imd.wire.base import Event, Reply, Request, Spec, registry
from imd.wire.jsonline import sentence, unknown
from imd.wire.refusals import BadEncoding, BadRequest, Refusal
from imd.wire.terminal import edited, harmless, lines, without_telnet

_SPACE = " \t\u3000"
_GAP = re.compile(rf"[{_SPACE}]+")
_TAG = re.compile(rf"@([^{_SPACE}]{{1,64}})(?:[{_SPACE}]+|\Z)")
_WORD = re.compile(rf'"((?:[^"\\]|\\.)*)"(?=[{_SPACE}]|\Z)|([^"{_SPACE}][^{_SPACE}]*)', re.DOTALL)
_PAIR = re.compile(r"([a-z_]+)=")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_BARE = re.compile(r'[^\s"=]+')


def clean(line: bytes) -> str:
    """Give a line as it was meant: without telnet negotiation, with its backspaces applied; or refuse."""
    try:
        return edited(without_telnet(line).decode().replace("\0", ""))
    except UnicodeDecodeError:
        raise BadEncoding from None


def decode(line: bytes) -> Request | None:
    """Decode a line. Never raises; an empty line gives None."""
    taken = take_apart(line)
    return complete(*taken) if taken else None


def take_apart(line: bytes) -> tuple[Request, dict[str, Any]] | None:
    """Find the command and the fields of a line, without building the command. Never raises."""
    request = Request(dialect=DIALECT)
    fields: dict[str, Any] = {}
    try:
        text = clean(line).rstrip("\r").lstrip(_SPACE)
        if tag := _TAG.match(text):
            request.id, text = tag[1], text[tag.end() :]
        if not text:
            if request.id is None:
                return None
            raise BadRequest("missing", field="command")
        request.spec, rest = _command(request, text.removeprefix("/"))
        fields = _arguments(request.spec, rest)
    except Refusal as refusal:
        request.refusal = refusal
    return request, fields


def complete(request: Request, fields: dict[str, Any]) -> Request:
    """Build the command of a line that was taken apart. Never raises."""
    if request.refusal is None:
        assert request.spec is not None
        try:
            request.command = build.build(request.spec, fields, strict=False)
        except BadRequest as refusal:
            request.refusal = refusal
            if refusal.case == "missing":  # a person has no schema to look at
                request.refusal = BadRequest("usage", usage=request.spec.usage(), **refusal.params)
    return request


def _command(request: Request, text: str) -> tuple[Spec, str]:
    """Find the command that is named by one word or two, and the text after them."""
    first, *others = _GAP.split(text, maxsplit=2)
    second, last = (*others, "", "")[:2]
    both = f"{first} {second}".rstrip(" ").upper()
    if spec := registry.verbs.get(both):
        return spec, last
    request.name = first.upper()[:64]
    if spec := registry.verbs.get(first.upper()):
        return spec, text[len(first) :]
    raise unknown(both if " " in registry.suggestion(both, registry.verbs) else first.upper())


def _arguments(spec: Spec, text: str) -> dict[str, Any]:
    """Parse the arguments: positional ones, key=value of known fields, and the field that takes the rest."""
    waiting = list(spec.takes)
    fields: dict[str, Any] = {}
    keys = set(spec.shape.__struct_fields__) - {spec.rest}
    while text := text.lstrip(_SPACE):
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
    """Take one argument off the front: a bare word, or several words in quotes."""
    if not text or text[0] in _SPACE:
        return "", text
    if not (word := _WORD.match(text)):
        raise BadRequest("quote")
    quote, bare = word.groups()
    return bare or _ESCAPED.sub(_meant, quote), text[word.end() :]


def _meant(escaped: re.Match[str]) -> str:
    return "\n" if escaped[1] == "n" else escaped[1]


def quoted(value: object) -> str:
    """Write a value so that it reads back as one argument, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if _BARE.fullmatch(text) or not isinstance(value, str):
        return text
    return '"' + text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") + '"'


def _marked(mark: str, text: str) -> list[str]:
    """Mark the lines of a text: the first with `mark `, the others with `mark | `."""
    first, *others = lines(text)
    return [f"{mark} {first}", *(f"{mark} | {other}" for other in others)]


def _tagged(request: Request, line: str) -> str:
    return harmless(line if request.id is None else f"@{request.id} {line}")


class TextDialect:
    """How replies, refusals and events are written for a person; several lines are joined by CRLF."""

    name = "text"
    for_people = True

    def reply(self, request: Request, reply: Reply, language: str) -> bytes:
        """Write a success: the reply's `- ` lines, then OK."""
        assert request.spec is not None
        written = [line for text in reply.lines(language) for line in _marked("-", text)]
        pairs = [
            f"{name}={quoted(value)}"
            for name in reply.__struct_fields__
            if (value := getattr(reply, name)) is not None and isinstance(value, str | int | float)
        ]
        written.append(_tagged(request, " ".join(["OK", request.spec.verb, *pairs])))
        return "\r\n".join(written).encode()

    def refusal(self, request: Request, refusal: Refusal, language: str) -> bytes:
        """Write a failure, with its code for programs and its sentence for people."""
        return _tagged(request, f"ERR {refusal.code} {sentence(refusal, language)}").encode()

    def event(self, event: Event, language: str) -> bytes:
        """Write an event; no bytes, if it tells a person nothing."""
        text = event.text(language)
        return "\r\n".join(_marked("*", text)).encode() if text else b""

    def notice(self, key: str, language: str) -> bytes:
        """Write a hint for a request that is still being typed."""
        return f"- {catalog.say(key, language)}".encode()


DIALECT = TextDialect()
