"""Completion of the input line: commands and their arguments, names, emoji."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import msgspec
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from imd.wire import catalog
from imd.wire.base import Right, Spec, registry
from imd.wire.fields import choices
from imd_client.fullscreen import emoji
from imd_client.fullscreen.frame import LOCAL_COMMANDS, find_command

MAX_COMPLETIONS = 100
"""How many completions are offered at once."""

MAX_EMOJI_NAME = 100
"""Characters that are searched for the name of an emoji: a long line is not read again at every key."""

NAMES = frozenset({"to", "username", "target", "who"})
"""Fields that take a name."""


class Completions(Completer):
    """Completes the input line. `names` returns the names at hand, the likeliest first."""

    def __init__(self, names: Callable[[], list[str]], language: str) -> None:
        self._names = names
        self._language = language

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Return what fits before the cursor."""
        return islice(self._fitting(document.text_before_cursor), MAX_COMPLETIONS)

    def _fitting(self, text: str) -> Iterator[Completion]:
        if typed := emoji.TYPED.search(text[-MAX_EMOJI_NAME:]):
            for sign, name in emoji.matching(typed[1] or typed[2]):
                yield Completion(sign, -len(typed[0]), display=f"{sign} {name}")
        elif text.startswith("/") and not text.startswith("//") and "\n" not in text:
            yield from self._command(text[1:])
        else:
            word = text[max(text.rfind(" "), text.rfind("\n")) + 1 :]
            if word.startswith("@"):
                people = (name for name in ["all", *self._names()] if not name.startswith("#"))
                yield from _matching(word, (f"@{name} " for name in people))

    def _command(self, typed: str) -> Iterator[Completion]:
        spec = find_command(typed)
        verb, _, rest = typed.partition(" ")
        if verb.lower() == "to" and " " in typed:
            yield from _matching(rest, (f"{name} " for name in self._names()))
        elif verb.lower() == "help" and " " in typed:
            yield from _matching(rest, (known.lower() for known in registry.verbs))
        elif spec is not None and typed.upper().startswith(f"{spec.verb} "):
            yield from self._argument(spec, typed[len(spec.verb) + 1 :])
        if " " not in typed or spec is None or " " in spec.verb:
            yield from self._verbs(typed)

    def _verbs(self, typed: str) -> Iterator[Completion]:
        local = ((word, catalog.say(f"console.fullscreen.about.{word}", self._language)) for word in LOCAL_COMMANDS)
        theirs = (
            (verb.lower(), catalog.say(f"help.{spec.action}", self._language))
            for verb, spec in registry.verbs.items()
            if spec.right is Right.USER and verb.lower() not in LOCAL_COMMANDS
        )
        for word, about in [*local, *sorted(theirs)]:
            if word.startswith(typed.lower()) and word != typed.lower():
                yield Completion(f"{word} ", -len(typed), display=f"/{word}", display_meta=about)

    def _argument(self, spec: Spec, rest: str) -> Iterator[Completion]:
        *done, word = rest.split(" ")
        index = sum(1 for each in done if each and "=" not in each)
        field = spec.takes[index] if index < len(spec.takes) else ""
        if field == "emoji":
            for sign, name in emoji.matching(word.lstrip(":：")):
                yield Completion(sign, -len(word), display=f"{sign} {name}")
        elif field in NAMES:
            yield from _matching(word, (f"{name} " for name in self._names()))
        key, equals, value = word.partition("=")
        for each in msgspec.structs.fields(spec.shape):
            if equals and each.name == key:
                options = ["true", "false"] if each.type is bool else choices(each.type)
                yield from _matching(value, (f"{option} " for option in options))
            elif not equals and word and each.name not in spec.takes:
                yield from _matching(word, [f"{each.name}="])


def _matching(typed: str, words: Iterable[str]) -> Iterator[Completion]:
    """Offer the words that begin like the typed one."""
    for word in words:
        if word.casefold().startswith(typed.casefold()) and word.strip() != typed:
            yield Completion(word, -len(typed), display=word.strip())
