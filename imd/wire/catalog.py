"""The catalog: every sentence that a person may read, in English and Chinese, from the files in catalog/.

A key is a path such as `code.name_taken`. A sentence may have placeholders: `{name}`.
"""

import locale
import os
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

LANGUAGES = ("en", "zh")

_sentences: dict[str, dict[str, str]] = {}


def _collect(path: str, table: dict[str, Any]) -> None:
    if "en" in table and isinstance(table["en"], str):
        _sentences[path] = {language: table[language] for language in LANGUAGES if language in table}
        table = {name: rest for name, rest in table.items() if name not in LANGUAGES}
    for name, rest in table.items():
        _collect(f"{path}.{name}" if path else name, rest)


def load(file: Traversable) -> None:
    """Add the sentences of a TOML file."""
    _collect("", tomllib.loads(file.read_text("utf-8")))


_FILES = [file for file in (files("imd.wire") / "catalog").iterdir() if file.name.endswith(".toml")]
for _file in sorted(_FILES, key=lambda file: file.name):
    load(_file)


def sentences() -> Mapping[str, Mapping[str, str]]:
    """Give the whole catalog: key -> language -> sentence."""
    return _sentences


def add(key: str, sentence: Mapping[str, str]) -> None:
    """Add another application's sentence. A language that it lacks gets the English."""
    _sentences.setdefault(key, {language: sentence.get(language, sentence["en"]) for language in LANGUAGES})


def has(key: str, language: str = "en") -> bool:
    """Say whether the catalog holds this key in this language."""
    return language in _sentences.get(key, ())


def say(key: str, language: str, /, **params: object) -> str:
    """Give a sentence in a language, with its placeholders filled. An unknown key is a fault of ours: a KeyError."""
    translations = _sentences[key]
    sentence = translations.get(language) or translations["en"]
    return sentence.format_map(params) if "{" in sentence else sentence


@cache
def language_here() -> str:
    """Give the language of the person who started this process, from LC_ALL, LC_MESSAGES or LANG."""
    chosen = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    code = (locale.normalize(chosen) if chosen else "en")[:2].lower()
    return code if code in LANGUAGES else "en"
