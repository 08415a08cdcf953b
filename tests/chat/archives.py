"""An archive as its owner has it: fetched part by part, unpacked, and looked at as a browser would."""

import base64
import hashlib
import io
import json
from html.parser import HTMLParser
from typing import Any
from zipfile import ZipFile

import attrs

from imd.chat.base.context import Caller
from imd.wire.export import Export, ExportPart
from tests.chat.rules import Rules

VOID = {"meta"}


@attrs.define
class StoredExport:
    """What is in the archive: file name -> text."""

    files: dict[str, str]
    data: bytes

    def json(self, name: str) -> Any:
        return json.loads(self.files[name])

    def lines(self, name: str) -> list[Any]:
        return [json.loads(line) for line in self.files[f"conversations/{name}"].splitlines()]

    def page(self, name: str) -> "Page":
        return Page.of(self.files[name])

    @property
    def pages(self) -> list[str]:
        return [name for name in self.files if name.endswith(".html")]


def fetch(rules: Rules, caller: Caller) -> StoredExport:
    """Fetch the archive that was made; what it promises of itself must be true."""
    first = rules.asks(caller, ExportPart(part=1))
    parts = [rules.asks(caller, ExportPart(part=part)) for part in range(1, first.parts + 1)]
    data = b"".join(base64.b64decode(part.data, validate=True) for part in parts)
    assert {part.sha256 for part in parts} == {hashlib.sha256(data).hexdigest()}
    assert first.bytes == len(data)
    with ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert all(name.startswith("imd-export/") for name in archive.namelist())
        files = {name.removeprefix("imd-export/"): archive.read(name).decode() for name in archive.namelist()}
    return StoredExport(files, data)


def exported(rules: Rules, caller: Caller) -> StoredExport:
    """Have one made, and fetch it."""
    made = rules.asks(caller, Export())
    archive = fetch(rules, caller)
    assert (made.bytes, made.sha256) == (len(archive.data), hashlib.sha256(archive.data).hexdigest())
    return archive


class Page(HTMLParser):
    """One page: every tag must be closed in order, and is kept with its attributes; so is the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []

    @classmethod
    def of(cls, html: str) -> "Page":
        page = cls()
        page.feed(html)
        page.close()
        assert page.open == [], "not closed"
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.tags}

    @property
    def links(self) -> list[str]:
        return [str(attributes["href"]) for _, attributes in self.tags if "href" in attributes]

    @property
    def ids(self) -> set[str]:
        return {str(attributes["id"]) for _, attributes in self.tags if "id" in attributes}

    def says(self) -> str:
        return " ".join(text.strip() for text in self.texts if text.strip())
