"""The catalog and the source agree: every sentence is used, and is there in both languages with its placeholders."""

import re
import string
import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from imd.chat.base.limits import Limits
from imd.wire import catalog
from imd.wire.messages import AboutMessage, Addressed
from imd.wire.refusals import CODES
from tests.wire import source
from tests.wire.declared import EVENTS, ITEMS, REPLIES, SPECS
from tools import reference

CHINESE = re.compile(r"[\u3400-\u9fff]")
SAME_IN_CHINESE = {
    "type.null",
    "help_page.field",
    "help_page.chapter",
    "presence.words",
    "console.fullscreen.labels",
    "line.conversation",
    "line.conversation.empty",
}
BY_THE_NAME_OF_A_TYPE_OR_MODULE = ("error.kind.", "reference.part.")
"""Keys whose ends no string in the source spells."""


def placeholders(sentence: str) -> set[str]:
    """List the placeholders of a sentence."""
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(sentence) if name}


def keys(table: dict[str, Any], path: str = "") -> Iterator[str]:
    """List the keys of one file, as the catalog does."""
    for name, rest in table.items():
        here = f"{path}.{name}" if path else name
        if isinstance(rest, dict):
            if isinstance(rest.get("en"), str):
                yield here
            yield from keys({key: value for key, value in rest.items() if isinstance(value, dict)}, here)


PATHS = [*sorted((source.ROOT / "imd/wire/catalog").glob("*.toml")), reference.SENTENCES]
FILES = {path.name: path.read_text("utf-8") for path in PATHS}
KEYS = {name: list(keys(tomllib.loads(text))) for name, text in FILES.items()}
ALL = sorted(key for each in KEYS.values() for key in each)


def translations(key: str) -> dict[str, str]:
    return dict(catalog.sentences()[key])


def test_no_sentence_stands_twice() -> None:
    assert [key for key, times in Counter(ALL).items() if times > 1] == []
    assert set(ALL) <= set(catalog.sentences())


@pytest.mark.parametrize("name", FILES)
def test_every_sentence_is_there_in_both_languages(name: str) -> None:
    for key in KEYS[name]:
        assert set(translations(key)) == set(catalog.LANGUAGES), key
        assert all(sentence.strip() for sentence in translations(key).values()), key
        assert CHINESE.search(translations(key)["zh"]) or key in SAME_IN_CHINESE, key
        assert not CHINESE.search(translations(key)["en"]) or "lang=zh" in translations(key)["en"], key


@pytest.mark.parametrize("name", FILES)
def test_both_languages_have_the_same_placeholders(name: str) -> None:
    for key in KEYS[name]:
        assert placeholders(translations(key)["en"]) == placeholders(translations(key)["zh"]), key


def test_what_is_said_is_there_and_gets_its_params() -> None:
    assert source.said()
    for use in source.said():
        for short in use.keys:
            found = [key for start in ("", *source.prefixes()) if catalog.has(key := start + short)]
            assert found, f"{use.where}: no sentence {short}"
            fits = use.params is None or any(placeholders(translations(key)["en"]) <= use.params for key in found)
            assert fits, f"{use.where}: {found} has other placeholders than {sorted(use.params or ())}"


def test_every_refusal_made_has_its_sentence_and_its_params() -> None:
    assert source.refused()
    for use in source.refused():
        code = source.REFUSALS[use.refusal].code
        for case in use.keys:
            key = f"code.{code}.{case}" if case else f"code.{code}"
            assert catalog.has(key), f"{use.where}: no sentence {key}"
            assert use.params is None or placeholders(translations(key)["en"]) <= use.params, (
                f"{use.where}: {key} wants more params"
            )


def said_by_what_is_declared() -> set[str]:
    """List the keys that commands, replies, events, refusals, types and limits bring with them."""
    shapes = [*(spec.shape for spec in SPECS), Addressed, AboutMessage, *REPLIES, *EVENTS, *ITEMS]
    fields = {(name, shape.__name__) for shape in shapes for name in shape.__struct_fields__}
    return (
        {f"{kind}.{spec.action}" for spec in SPECS for kind in ("help", "reply")}
        | {f"field.{name}" for name, _ in fields}
        | {f"field.{name}.{shape}" for name, shape in fields}
        | {f"event.{shape.__struct_config__.tag}" for shape in EVENTS}
        | {f"code.{code}" for code in CODES}
        | {f"reference.limit.{limit.name}" for limit in attrs.fields(Limits)}
        | {f"type.{name}" for name in ("string", "integer", "number", "boolean", "array", "object", "null")}
    )


def test_no_sentence_is_left_over() -> None:
    strings, starts = source.strings(), source.prefixes()
    cases = {f"code.{code}.{case}" for code in CODES for case in strings}
    starts |= {first + second for first in starts for second in starts}
    left = [
        key
        for key in sorted(set(ALL) - said_by_what_is_declared() - cases - strings)
        if not any(key.startswith(start) and key[len(start) :] in strings for start in starts)
        and not key.startswith(BY_THE_NAME_OF_A_TYPE_OR_MODULE)
    ]
    assert left == []


@pytest.mark.parametrize("shape", EVENTS, ids=lambda shape: shape.__name__)
def test_an_event_of_the_catalog_has_its_placeholders(shape: Any) -> None:
    key = f"event.{shape.__struct_config__.tag}"
    assert catalog.has(key) or "text" in vars(shape)
    if "text" not in vars(shape):
        assert placeholders(translations(key)["en"]) <= set(shape.__struct_fields__)


def test_say_speaks_the_language_asked_or_english() -> None:
    assert catalog.say("reply.ping", "zh") == "在。"
    assert catalog.say("reply.ping", "xx") == "Here."
    assert catalog.say("code.too_large", "en", limit=5) == "That is too large: at most 5 bytes."
    assert catalog.say("reply.ping", "en", command="{limit}") == "Here."
    assert catalog.say("code.no_such_user", "en", username="{x}") == "There is nobody called {x} here."
    with pytest.raises(KeyError):
        catalog.say("no.such.key", "en")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh"}, "zh"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
    ],
)
def test_the_language_here_is_the_environments(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], language: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert catalog.language_here.__wrapped__() == language
