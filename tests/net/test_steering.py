"""Nothing that people write steers what others look at: a terminal, the operator's, a log, a browser (Unicode TR36).

Every text of every command carries harm; then everything is looked at that anybody can read. The same story is told
with `harmless` made useless, and then each of them must be found dirty: or this test would see nothing.
"""

import base64
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zipfile import ZipFile

import msgspec
import pytest
from twisted.logger import Logger, globalLogPublisher
from twisted.python.failure import Failure

from imd.chat.base.handlers import HANDLERS, Lane
from imd.run import log, operator
from imd.run.config import load
from imd.run.errors import OperatorError
from imd.wire import terminal
from imd.wire.base import Right, registry
from tests.conftest import LoggedFailures
from tests.hostile import PIECES, Story, forged, steers

STARTS = ("- ", "* ", "OK ", "ERR ", "@")


@contextmanager
def logs(directory: Path) -> Iterator[None]:
    """Keep logs in both formats."""
    observers = []
    for name in ("text", "json"):
        config = load({"log_format": name, "log_file": str(directory / f"{name}.log")}, {})
        with patch.object(log, "FILE_BYTES", 10**9):
            observers.append(log.observer(config))
        globalLogPublisher.addObserver(observers[-1])
    yield
    for observer in observers:
        globalLogPublisher.removeObserver(observer)


def log_harm() -> None:
    """Log what comes from outside: paths and names of the configuration, of certificates, of faults."""
    for piece in PIECES:
        Logger("imd.test").info("certificate reloaded: {path}", path=piece)
        Logger("imd.test").error("{line}", line=f"not reloaded: {piece}")
        try:
            raise ValueError(piece)
        except ValueError:
            Logger("imd.test").failure("a fault of {what}", Failure(), what=piece)


def operators(story: Story) -> list[str]:
    """Give what the operator's commands print."""
    printed = []
    for spec in registry:
        if spec.right is Right.ADMIN and HANDLERS[spec.shape].lane is Lane.READS:
            reply = story.hand.call(spec.action, **({"limit": 200} if "limit" in spec.shape.__struct_fields__ else {}))
            printed += operator.render_reply(spec, msgspec.convert(reply, spec.shape.reply))
    for piece in PIECES:
        fields = {name: piece for name in ("username", "invite", "expires") if name != "uses"}
        reply = msgspec.convert({**fields, "uses": 1, "number": 1}, registry.actions["invite_create"].shape.reply)
        printed += operator.render_reply(registry.actions["invite_create"], reply)
        printed.append(str(OperatorError("no_data_dir", path=piece)))
        printed.append(str(operator.CommandRefused(piece)))
    return printed


def archive(story: Story) -> dict[str, str]:
    """Have alice's archive made, and unpack it."""
    story.hand.call("export")
    first = story.hand.call("export_part", part=1)
    parts = [story.hand.call("export_part", part=part)["data"] for part in range(1, first["parts"] + 1)]
    with ZipFile(io.BytesIO(b"".join(base64.b64decode(part) for part in parts))) as files:
        return {name: files.read(name).decode() for name in files.namelist()}


class Tags(HTMLParser):
    """Notes the tags of a page, and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.found |= {tag, *(f"{tag}.{name}" for name, _ in attributes)}


def bad_pages(pages: dict[str, str]) -> list[str]:
    """List the lines of pages that steer, and the tags that are somebody's."""
    bad = [line for page in pages.values() for line in page.split("\n") if steers(line)]
    for page in pages.values():
        tags = Tags()
        tags.feed(page)
        bad += [tag for tag in tags.found if tag in ("script", "img") or ".on" in tag or tag.endswith(".src")]
    return bad


def told(directory: Path) -> dict[str, list[str]]:
    """Tell the story, and give what is bad by where it was found."""
    with logs(directory):
        log_harm()
        story = Story()
        story.harm()
        story.look()
        printed = operators(story)
        files = archive(story)
        story.server.stop()
    written = (directory / "text.log").read_text("utf-8").split("\n")
    objects = (directory / "json.log").read_text("utf-8").split("\n")
    assert len(story.read) > 5000
    assert {json.loads(line)["level"] for line in objects if line} >= {"info", "error", "critical"}
    return {
        "terminals": [line for line in story.read if steers(line) or forged(line) or not line.startswith(STARTS)],
        "operator": [line for text in printed for line in text.split("\n") if steers(line)],
        "log": [line for line in written if steers(line) or not (line[:4] == "    " or line[:1] in ("2", ""))],
        "archive": bad_pages({name: text for name, text in files.items() if name.endswith(".html")}),
        "json": [line for line in objects if line and not line.isascii()],
    }


def test_nothing_steers_what_others_look_at(tmp_path: Path, logged_failures: LoggedFailures) -> None:
    bad = told(tmp_path)
    logged_failures.clear()
    assert {place: lines[:5] for place, lines in bad.items() if lines} == {}


def test_without_harmless_everything_would_be_steered(
    tmp_path: Path, logged_failures: LoggedFailures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "_safe", lambda text: text)
    bad = told(tmp_path)
    logged_failures.clear()
    assert {place for place, lines in bad.items() if lines} == {"terminals", "operator", "log", "archive"}
