"""Commands, replies and events: the classes the dialects speak, and the registry that holds every command.

    @command("send_message", "SEND to content")
    class SendMessage(Command): ...

From such a class come its JSON fields, its text syntax, HELP, the reference in docs/protocol.md and the JSON Schema:
a command cannot exist in one dialect only.
"""

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from enum import Enum
from typing import ClassVar, Protocol, TypeVar

import attrs
import msgspec

from imd.wire import catalog
from imd.wire.refusals import Refusal


class Right(Enum):
    """The right that a command needs. The gate checks nothing else."""

    ANYONE = "anyone"
    USER = "user"
    ADMIN = "admin"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in a reply's list: a message, a device, a conversation."""

    def text(self, language: str) -> str:
        """Write it for a person, on one line or several. The default names every field."""
        pairs = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return " ".join(f"{name}={value}" for name, value in pairs if value is not None)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a command's success adds to its reply. In text, lists become `- ` lines and the rest `key=value`."""

    def lines(self, language: str) -> list[str]:
        """Write the `- ` lines of this reply for a person, without the mark; an item of several lines is one entry."""
        lines = []
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, dict):
                lines.append(f"{name}: " + " ".join(f"{key}={each}" for key, each in value.items()))
            elif isinstance(value, list):
                items = [each for each in value if isinstance(each, Item)]
                lines += [each.text(language) for each in items]
                if value and not items:
                    lines.append(f"{name}: " + " ".join(value))
        return lines


class Done(Reply, frozen=True, kw_only=True):
    """Success, with nothing to add."""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=True):
    """Something that is told without a request. A subclass gives its name as `tag=`."""

    def text(self, language: str) -> str:
        """Write it for a person. The default is its sentence in the catalog, `[event.NAME]`."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return catalog.say(f"event.{self.__struct_config__.tag}", language, **fields)


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request. In text, positional fields stand in the order of the declared syntax; the others are key=value."""

    reply: ClassVar[type[Reply]] = Done
    refusals: ClassVar[tuple[type[Refusal], ...]] = ()
    example: ClassVar[str] = ""
    """A text line that decodes to this command; a test runs it."""

    aliases: ClassVar[Mapping[str, str]] = {}
    """Other names of fields: alias -> field."""

    text_defaults: ClassVar[Mapping[str, object]] = {}
    """Fields that may be left out in the text dialect, with the values that they have then."""

    enters: ClassVar[bool] = False
    """Whether it logs in: such a command is refused while there is no room for another session."""

    grows: ClassVar[bool] = False
    """Whether it adds to what is stored: such a command is refused while the disk is nearly full."""

    stand_ins: ClassVar[Mapping[str, str]] = {}
    """Positional field -> the key=value field that may be given instead."""


@attrs.frozen
class Spec:
    """A declared command. `takes` are its positional fields in text; the one in `rest` takes the rest of the line."""

    action: str
    verb: str
    takes: tuple[str, ...]
    rest: str
    shape: type[Command]
    right: Right

    def usage(self) -> str:
        """Write the text syntax, optional parts in brackets: `SEND to content [reply_to=…]`."""
        fields = {field.name: field for field in msgspec.structs.fields(self.shape)}
        parts = [self.verb]
        for name in self.takes:
            left_out = self.shape.text_defaults.keys() & {name, self.shape.stand_ins.get(name)}
            needed = fields[name].required or name in self.shape.stand_ins
            part = f"{name}..." if name == self.rest else name
            parts.append(part if needed and not left_out else f"[{part}]")
        parts += [f"[{name}=…]" for name in fields if name not in (*self.takes, self.rest)]
        return " ".join(parts)


class Registry:
    """Every command by its action and by its verb."""

    def __init__(self) -> None:
        self.actions: dict[str, Spec] = {}
        self.verbs: dict[str, Spec] = {}

    def __iter__(self) -> Iterator[Spec]:
        return iter(self.actions.values())

    def add(self, spec: Spec) -> None:
        """Add a command. Two of one name are a fault in the program."""
        if spec.action in self.actions or spec.verb in self.verbs:
            raise ValueError(f"command {spec.action} ({spec.verb}) is declared twice")
        self.actions[spec.action] = spec
        self.verbs[spec.verb] = spec

    def suggestion(self, typed: str, names: Mapping[str, Spec]) -> str:
        """Give the name nearest to a mistyped one, or an empty string. `names` are the registry's actions or verbs."""
        in_text = names is self.verbs
        if meant := self.actions.get(typed.lower()) or self.verbs.get(typed.upper()):
            return meant.verb if in_text else meant.action
        return next(iter(get_close_matches(typed.upper() if in_text else typed.lower(), names, n=1)), "")

    def missing_sentences(self) -> list[str]:
        """List the sentences that declared commands need and the catalog lacks, each with its language."""
        keys = [f"help.{spec.action}" for spec in self] + [f"reply.{spec.action}" for spec in self]
        keys += [f"field.{field}" for spec in self for field in spec.shape.__struct_fields__]
        return sorted({f"{key} ({lang})" for key in keys for lang in catalog.LANGUAGES if not catalog.has(key, lang)})


registry = Registry()


def meaning(shape: type, field: str, language: str) -> str:
    """Say what a field means: `[field.NAME.CLASS]` of the catalog, for the class or a base, or else `[field.NAME]`."""
    own = (key for each in shape.__mro__ if catalog.has(key := f"field.{field}.{each.__name__}", language))
    return catalog.say(next(own, f"field.{field}"), language)


C = TypeVar("C", bound=Command)


def command(
    action: str, text: str, *, right: Right = Right.USER, sentences: Mapping[str, Mapping[str, str]] | None = None
) -> Callable[[type[C]], type[C]]:
    """Declare a command: its JSON action, and its text syntax as VERB in capitals, then its positional fields.

    A last field written `content...` takes the rest of the line as it is.

    `sentences` are those of a command that is not imd's own: `help`, `reply` and one a field, each by language.
    """
    parts = text.split()
    verb = " ".join(part for part in parts if part.isupper())
    takes = tuple(part.removesuffix("...") for part in parts if not part.isupper())
    rest = takes[-1] if text.endswith("...") else ""
    for name, sentence in (sentences or {}).items():
        key = f"{name}.{action}" if name in {"help", "reply"} else f"field.{name}"
        catalog.add(key, sentence)

    def declare(shape: type[C]) -> type[C]:
        registry.add(Spec(action=action, verb=verb, takes=takes, rest=rest, shape=shape, right=right))
        return shape

    return declare


class Dialect(Protocol):
    """How replies and events are written: bytes without the line end."""

    name: str
    for_people: bool
    """Whether a person reads it: then events read differently in another language."""

    def reply(self, request: "Request", reply: Reply, language: str) -> bytes:
        """Write a success."""

    def refusal(self, request: "Request", refusal: Refusal, language: str) -> bytes:
        """Write a failure."""

    def event(self, event: Event, language: str) -> bytes:
        """Write an event; no bytes, if it tells nothing in this dialect."""


@attrs.define
class Request:
    """A decoded line: a command, or the refusal of the line itself."""

    dialect: Dialect
    id: str | int | None = None
    spec: Spec | None = None
    command: Command | None = None
    refusal: Refusal | None = None
    name: str = ""
    """The command's name as it was given, for the reply if there is no such command."""

    notice: str = ""
    """A catalog key: the line begins a request of several lines, and is answered by this sentence."""

    silent: bool = False
    """Whether it is implied by what a person did, and gets no reply."""

    replied: "Callable[[Reply], list[Request]] | None" = None
    """What is to be told of its reply, and gives the requests that the reply implies."""

    charged: bool = False
    """Whether it was counted against the rate limit."""

    begun: float = 0.0
    """When it was started, if that is measured."""
