"""The commands of the connection itself: greeting, help and goodbye.

-> HELLO lang=en                      <- OK HELLO server="imd …" protocol=imd/1 epoch=…
-> HELP PING                          <- - PING
                                      <- -     Ask whether the server is there.
                                      <- -     For example: PING
                                      <- OK HELP
-> PING                               <- OK PING
-> QUIT                               <- OK QUIT
"""

from functools import cache
from typing import Any

import msgspec
from msgspec import structs

from imd.wire import catalog
from imd.wire.base import Command, Event, Item, Reply, Right, Spec, command, meaning, registry
from imd.wire.fields import Label, Language, json_kind, kinds
from imd.wire.refusals import UnknownCommand


class Greeting(Reply, frozen=True, kw_only=True):
    """The server introduces itself. `limits` and `features` are for programs.

    `epoch` changes when a backup is restored, since seqs and revs then start over from it. A device must drop its copy
    of the conversations and fetch them anew.
    """

    server: str
    protocol: str
    epoch: str
    limits: dict[str, int | float]
    features: list[str]

    def lines(self, language: str) -> list[str]:
        """Write nothing for a person, who types HELLO only to choose a language."""
        return []


@command("hello", "HELLO", right=Right.ANYONE)
class Hello(Command, frozen=True, kw_only=True):
    """Tell the server your client and your language; learn its limits."""

    client: Label = ""
    lang: Language | None = None
    reply = Greeting
    example = "HELLO lang=en"


class FieldHelp(Item, frozen=True, kw_only=True):
    """One field of a command."""

    name: str
    type: str
    required: bool
    help: str


class CommandHelp(Item, frozen=True, kw_only=True, rename={"syntax": "text"}):
    """One command. `syntax`, on the wire `text`, is its text syntax; `example` is a line that works."""

    action: str
    syntax: str
    help: str
    fields: list[FieldHelp]
    example: str

    def field_line(self, field: FieldHelp, language: str) -> str:
        """Write a field's line in HELP COMMAND. What may be left out at a terminal is what the syntax says."""
        need = catalog.say("help_page.optional" if f"[{field.name}" in self.syntax else "help_page.required", language)
        return catalog.say("help_page.field", language, name=field.name, help=field.help, type=field.type, need=need)


@cache
def explained(spec: Spec, language: str) -> CommandHelp:
    """Make the HELP page of a command from its declaration."""
    fields = [
        FieldHelp(
            name=field.name,
            type=json_kind(kinds(field.type)[0]),
            required=field.required,
            help=meaning(spec.shape, field.name, language),
        )
        for field in structs.fields(spec.shape)
    ]
    return CommandHelp(
        action=spec.action,
        syntax=spec.usage(),
        help=catalog.say(f"help.{spec.action}", language),
        fields=fields,
        example=spec.shape.example,
    )


class Help(Reply, frozen=True, kw_only=True):
    """The commands, or the one that was asked about."""

    commands: list[CommandHelp]

    def lines(self, language: str) -> list[str]:
        """Write the list, or the whole page of one command."""
        if len(self.commands) != 1:
            return [*self._contents(language), catalog.say("help_page.more", language)]
        (page,) = self.commands
        fields = [page.field_line(field, language) for field in page.fields]
        return [page.syntax, f"    {page.help}", *fields, catalog.say("help_page.example", language, line=page.example)]

    def _contents(self, language: str) -> list[str]:
        """Name the commands, one line for each chapter: there are too many to explain them all at once."""
        chapters: dict[str, list[str]] = {}
        for each in self.commands:
            if spec := registry.actions.get(each.action):
                part = f"reference.part.{spec.shape.__module__.rsplit('.', 1)[1]}"
                title = catalog.say(part if catalog.has(part) else "help_page.own", language)
                verbs = [verb for verb, meant in registry.verbs.items() if meant.action == spec.action]
                chapters.setdefault(title, []).extend(verbs)
        return [
            catalog.say("help_page.chapter", language, title=title, verbs=", ".join(verbs))
            for title, verbs in chapters.items()
        ]


@command("help", "HELP command...", right=Right.ANYONE)
class AskHelp(Command, frozen=True, kw_only=True):
    """List the commands, or explain one."""

    command: Label = ""
    reply = Help
    refusals = (UnknownCommand,)
    example = "HELP READ"


@command("ping", "PING", right=Right.ANYONE)
class Ping(Command, frozen=True, kw_only=True):
    """Ask whether the server is there."""

    example = "PING"


@command("quit", "QUIT", right=Right.ANYONE)
class Quit(Command, frozen=True, kw_only=True):
    """Say goodbye; the server closes the connection."""

    example = "QUIT"


class Welcome(Event, frozen=True, kw_only=True, tag="welcome"):
    """The greeting for a connection that is silent for half a second: a person is likely to read it."""

    server: str


class Closing(Event, frozen=True, kw_only=True, tag="closing"):
    """The server closes this connection. `code` tells programs why (PROTOCOL section 8), `message` tells people.

    `params` are those of a refusal. Only JSON has them.
    """

    code: str
    message: str
    params: dict[str, Any] = msgspec.field(default_factory=dict)

    def text(self, language: str) -> str:
        """Write the goodbye for a person."""
        return catalog.say("event.closing", language, code=self.code, message=self.message)
