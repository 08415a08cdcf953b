"""Writes the reference from the declared commands: docs/protocol.md, docs/protocol.zh.md, docs/protocol.schema.json.

python -m tools.reference            writes them
python -m tools.reference --check    exits 1 when one of them is stale
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import attrs
import msgspec
from msgspec import inspect

from imd.chat.base.limits import Limits
from imd.wire import catalog, jsonline, messages, session, textline
from imd.wire.base import Command, Done, Event, Item, Reply, Request, Right, Spec, meaning, registry
from imd.wire.capabilities import MODULES
from imd.wire.fields import BIGGEST, json_kind, kinds
from imd.wire.refusals import CODES
from tools.samples import sample
from tools.schema import schema

DOCS = Path(__file__).parents[1] / "docs"
ANY_TIME = ["bad_request", "bad_encoding", "line_too_long", "rate_limited", "unavailable", "internal"]
OTHER_LANGUAGE = {"en": "[中文](protocol.zh.md)", "zh": "[English](protocol.md)"}
GAP = {"en": " ", "zh": ""}
"""The space between two sentences."""

COMMA = {"en": ", ", "zh": "、"}
FIRST_STEPS = ["register", "login", "send_message"]

SENTENCES = Path(__file__).with_name("reference.toml")
catalog.load(SENTENCES)

Say = Callable[..., str]
S = TypeVar("S", bound=msgspec.Struct)


def files() -> dict[str, str]:
    """Render everything: file name -> text."""
    return {
        "protocol.md": page("en"),
        "protocol.zh.md": page("zh"),
        "protocol.schema.json": msgspec.json.format(msgspec.json.encode(schema(_specs(), _events())), indent=1).decode()
        + "\n",
    }


def page(language: str) -> str:
    """Render the reference in one language."""

    def say(key: str, **params: object) -> str:
        return catalog.say(f"reference.{key}", language, **params).strip("\n")

    strangers = COMMA[language].join(f"`{spec.action}`" for spec in _specs() if spec.right is Right.ANYONE)
    blocks = [
        f"# {say('title')}",
        OTHER_LANGUAGE[language],
        say("intro"),
        *_minute(say, language),
        say("connecting", strangers=strangers),
        say("json"),
        say("text"),
        say("names"),
        say("promises"),
        say("recipe"),
        *_commands(say, language),
        *_things(say, language),
        *_errors(say),
        *_limits(say),
    ]
    return "\n\n".join(blocks) + "\n"


def _fence(text: str) -> str:
    return f"```\n{text}\n```"


def _table(*rows: list[str]) -> str:
    head, *others = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *others))


# -- examples: decoded and encoded by the dialects themselves


def _both_ways(spec: Spec, language: str, identity: int | None = None) -> tuple[str, str]:
    """Show a command's example and its reply in text and in JSON, with arrows."""
    typed = textline.decode(spec.shape.example.encode())
    assert typed is not None
    head = {"action": spec.action} if identity is None else {"action": spec.action, "id": identity}
    line = msgspec.json.encode(head | msgspec.json.decode(msgspec.json.encode(typed.command)))
    text = _exchange(spec.shape.example, typed, language)
    return text, _exchange(line.decode(), jsonline.decode(line), language)


def _exchange(sent: str, request: Request, language: str) -> str:
    answer = request.dialect.reply(request, _reply(request, language), language).decode()
    return "\n".join([f"-> {sent}", *(f"<- {line}" for line in answer.split("\r\n"))])


def _reply(request: Request, language: str) -> Reply:
    """Make up a reply of the server. The one of HELP is real."""
    assert request.spec is not None
    if isinstance(request.command, session.AskHelp):
        return session.Help(commands=[session.explained(registry.verbs[request.command.command], language)])
    return sample(request.spec.shape.reply)


def _minute(say: Say, language: str) -> list[str]:
    """Show a short conversation in both dialects."""
    examples = [_both_ways(registry.actions[action], language, number) for number, action in enumerate(FIRST_STEPS, 1)]
    text, json = zip(*examples, strict=True)
    told = sample(messages.NewMessage)
    heard = [f"<- {dialect.event(told, language).decode()}" for dialect in (textline.DIALECT, jsonline.DIALECT)]
    return [
        f"## {say('minute')}",
        say("minute_text"),
        _fence("\n".join(["$ openssl s_client -quiet -connect localhost:7373", *text, heard[0]])),
        say("minute_json"),
        _fence("\n".join([*json, heard[1]])),
    ]


# -- commands


def _commands(say: Say, language: str) -> list[str]:
    blocks = [f"## {say('commands')}", _contents(say, language)]
    blocks.append(say("refusals_any", codes=_codes(ANY_TIME, language)) + GAP[language] + say("characters"))
    for part in MODULES:
        blocks += [f"### {say(_part(part))}", _fence(_conversation(part))]
        for spec in _of(part):
            blocks += _command(spec, say, language)
    return blocks


def _specs() -> list[Spec]:
    return [spec for part in MODULES for spec in _of(part)]


def _of(part: ModuleType) -> list[Spec]:
    return [spec for spec in registry if spec.shape.__module__ == part.__name__]


def _declared(base: type[S]) -> list[type[S]]:
    """List the classes of a kind, in the order of their declaration."""
    ours = [(part.__name__, each) for part in MODULES for each in vars(part).values() if isinstance(each, type)]
    return [each for name, each in ours if each.__module__ == name and issubclass(each, base)]


def _events() -> list[type[Event]]:
    return _declared(Event)


def _objects() -> list[type[Item]]:
    return [shape for shape in _declared(Item) if not issubclass(shape, Event)]


def _part(part: ModuleType) -> str:
    return f"part.{part.__name__.rsplit('.', 1)[1]}"


def _conversation(part: ModuleType) -> str:
    """Give the conversation in a module's docstring."""
    text = part.__doc__ or ""
    return text[text.index("->") :].rstrip()


def _contents(say: Say, language: str) -> str:
    rows = [["JSON", say("text_name"), say("column.meaning")]]
    for part in MODULES:
        rows.append([f"**{say(_part(part))}**", "", ""])
        rows += [
            [f"[`{spec.action}`](#command-{spec.action})", _verbs(spec), catalog.say(f"help.{spec.action}", language)]
            for spec in _of(part)
        ]
    return _table(*rows)


def _verbs(spec: Spec) -> str:
    return ", ".join(f"`{verb}`" for verb, each in registry.verbs.items() if each.action == spec.action)


def _codes(codes: list[str], language: str) -> str:
    return COMMA[language].join(f"[`{code}`](#code-{code})" for code in codes)


def _command(spec: Spec, say: Say, language: str) -> list[str]:
    """Render one command: its purpose, syntax, fields, reply and refusals."""
    shape = spec.shape
    blocks = [
        f'#### <a id="command-{spec.action}"></a>`{spec.action}`',
        GAP[language].join([catalog.say(f"help.{spec.action}", language), say(f"right.{spec.right.value}")]),
        say("syntax", syntax=f"`{spec.usage()}`"),
    ]
    if shape.__struct_fields__:
        blocks.append(_request_table(shape, say, language))
    if shape.reply is Done:
        blocks.append(say("reply_nothing"))
    else:
        blocks += [say("reply"), _reply_table(shape.reply, say, language)]
    if shape.refusals:
        blocks.append(say("refusals", codes=_codes([each.code for each in shape.refusals], language)))
    return [*blocks, _fence("\n".join(_both_ways(spec, language)))]


def _request_table(shape: type[Command], say: Say, language: str) -> str:
    head = [say(f"column.{name}") for name in ("field", "type", "required", "default", "meaning")]
    pairs = {*shape.stand_ins, *shape.stand_ins.values()}
    rows = []
    for field in _struct(shape).fields:
        aliases = ", ".join(f"`{alias}`" for alias, name in shape.aliases.items() if name == field.name)
        said = meaning(shape, field.name, language)
        required = say("one_of_two") if field.name in pairs else say("yes") if field.required else ""
        rows.append(
            [
                f"`{field.encode_name}`",
                _type(field.type, optional=not field.required),
                required,
                "" if field.required or field.default is None else f"`{msgspec.json.encode(field.default).decode()}`",
                say("alias", meaning=said, aliases=aliases) if aliases else said,
            ]
        )
    return _table(head, *rows)


def _reply_table(shape: type, say: Say, language: str) -> str:
    head = [say(f"column.{name}") for name in ("field", "type", "meaning")]
    rows = [
        [
            f"`{field.encode_name}`" + ("" if field.required else "?"),
            _type(field.type, optional=not field.required),
            meaning(shape, field.name, language),
        ]
        for field in _struct(shape).fields
    ]
    return _table(head, *rows)


def _struct(shape: type) -> inspect.StructType:
    described = inspect.type_info(shape)
    assert isinstance(described, inspect.StructType)
    return described


def _type(kind: inspect.Type, *, optional: bool = False) -> str:
    """Name a type as JSON does, with its bounds. An optional field is not called nullable."""
    match kind:
        case inspect.UnionType():
            return " \\| ".join(_type(each) for each in (kinds(kind) if optional else kind.types))
        case inspect.StrType():
            return json_kind(kind) + _bounds(kind.min_length, kind.max_length)
        case inspect.IntType():
            return json_kind(kind) + _bounds(kind.ge, None if kind.le == BIGGEST else kind.le)
        case inspect.LiteralType():
            return " \\| ".join(f'`"{value}"`' for value in kind.values)
        case inspect.ListType():
            return f"{_type(kind.item_type)}[]"
        case inspect.StructType():
            return f"[{kind.cls.__name__}](#object-{kind.cls.__name__})"
        case inspect.DictType():
            return f"{{{_type(kind.key_type)}: {_type(kind.value_type)}}}"
    return json_kind(kind)


def _bounds(least: int | None, most: int | None) -> str:
    if least is None and most is None:
        return ""
    if most is None:
        return f" ≥ {least}"
    return f" ≤ {most}" if least is None else f" {least}…{most}"


# -- objects, events, errors, limits


def _things(say: Say, language: str) -> list[str]:
    blocks = [f"## {say('objects')}"]
    for shape in _objects():
        blocks += [f'#### <a id="object-{shape.__name__}"></a>{shape.__name__}', _reply_table(shape, say, language)]
    blocks.append(f"## {say('events')}")
    for event in _events():
        told = sample(event)
        lines = [dialect.event(told, language).decode() for dialect in (textline.DIALECT, jsonline.DIALECT)]
        blocks += [
            f"#### `{event.__struct_config__.tag}`",
            say(f"event.{event.__struct_config__.tag}"),
            _reply_table(event, say, language),
            _fence("\n".join(f"<- {line}" for line in lines)),
        ]
    return blocks


def _errors(say: Say) -> list[str]:
    """List the codes with their sentences, in both languages on either page."""
    rows = [[say("column.code"), "English", "中文"]]
    for code in CODES:
        start = f"code.{code}"
        cases = [key for key in catalog.sentences() if key == start or key.startswith(f"{start}.")]
        for key in cases:
            name = f'<a id="code-{code}"></a>`{code}`' if key == start else ""
            rows.append([name, *(catalog.sentences()[key][each].replace("|", "\\|") for each in catalog.LANGUAGES)])
    return [f"## {say('errors')}", say("errors_intro"), _table(*rows)]


def _limits(say: Say) -> list[str]:
    head = [say("column.limit"), say("column.default"), say("column.meaning")]
    rows = [[f"`{name}`", f"{value:,}", say(f"limit.{name}")] for name, value in attrs.asdict(Limits()).items()]
    return [f"## {say('limits')}", say("limits_intro"), _table(head, *rows)]


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` say which are stale. Gives the exit status."""
    stale = 0
    for name, text in files().items():
        path = DOCS / name
        if "--check" not in arguments:
            path.write_text(text, "utf-8")
        elif not path.exists() or path.read_text("utf-8") != text:
            print(catalog.say("reference.stale", catalog.language_here(), path=path), file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
