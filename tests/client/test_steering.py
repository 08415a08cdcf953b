"""Nothing that a server tells steers the terminal of our consoles, whatever it holds and whoever wrote the server.

Every event and every reply comes with harm in every text, to the plain console, the one with a line editor, and the
rich one. The same with `harmless` made useless must be seen, or this test would see nothing.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from imd_client import Arrived, CaughtUp, Changed, Client, NotSent, Offline, Online, Trusted
from imd_client.dialogue import Typed
from imd_client.options import complain
from imd_client.plain import PlainView
from imd_client.protocol import Refused
from imd_client.reasons import reason
from imd_client.screen import EditedScreen, Screen
from imd_client.state import Item
from msgspec import inspect
from twisted.python.failure import Failure

from imd.run.parser import echo
from imd.wire import terminal
from imd.wire.conversations import Conversation, Page
from imd.wire.messages import Message, SendMessage
from imd.wire.samples import _FIELDS
from tests.client.keyboard import FakeModes, connect, shown
from tests.client.rich.desk import Desk, known
from tests.client.wires import Wires, person
from tests.hostile import PIECES, example, steers
from tests.wire.declared import EVENTS, SPECS

HARM = "".join(PIECES)
NOW = "2026-11-23T06:25:18.123Z"
OWN = re.compile(r"\r\x1b\[K|\x1b\[\d*[GCDK]|\r\n|\r")
"""What the line editor itself writes."""


def spoilt(shape: type, piece: str) -> Any:
    """Make one of a shape with harm in every text; times and choices stay what they are."""
    described = inspect.type_info(shape)
    assert isinstance(described, inspect.StructType)
    made = {field.encode_name: _spoilt(field.type, field.name, piece) for field in described.fields}
    return msgspec.convert(made, shape)


def _spoilt(info: inspect.Type, name: str, piece: str) -> Any:
    match info:
        case inspect.StrType():
            return NOW if str(_FIELDS.get(name, "")).endswith("Z") else piece[: info.max_length]
        case inspect.LiteralType():
            return info.values[0]
        case inspect.UnionType():
            known = [each for each in info.types if not isinstance(each, inspect.NoneType)]
            return None if name in ("edited", "recalled", "burned", "notice") else _spoilt(known[0], name, piece)
        case inspect.ListType():
            return [_spoilt(info.item_type, name, piece)]
        case inspect.DictType():
            return {piece: _spoilt(info.value_type, name, piece)}
        case inspect.StructType():
            return msgspec.to_builtins(spoilt(info.cls, piece))
        case inspect.BoolType():
            return True
        case inspect.FloatType():
            return 1.0
        case inspect.NoneType():
            return None
    return 1


def happenings(piece: str) -> Iterator[Any]:
    """Give all that a client may be told."""
    message = spoilt(Message, piece)
    for kind in ("text", "markdown", "sticker", "location", "contact", piece):
        yield Arrived(msgspec.structs.replace(message, kind=kind))
    yield Changed(message, message)
    yield CaughtUp([msgspec.structs.replace(spoilt(Conversation, piece), unread=3)])
    yield from (spoilt(event, piece) for event in EVENTS)
    item = Item(1, SendMessage(to=piece, content=piece, client_id="x"))
    refused = Refused("forbidden", piece, {})
    yield NotSent(item, refused)
    yield Offline(Failure(refused))
    yield Offline(Failure(ValueError(piece)))
    yield Online(piece)
    yield Trusted(piece, piece)


def told(view: Any, piece: str) -> Iterator[str]:
    """Tell a view everything, and have it asked for everything; gives each time that something may be seen."""
    for happening in happenings(piece):
        view.happened(happening)
        yield type(happening).__name__
    for spec in SPECS:
        view.answered(spec, example(spec), spoilt(spec.shape.reply, piece))
        yield spec.action
    view.chosen(piece, Page(conversation=1, messages=[spoilt(Message, piece)], more=True))
    view.screen.echo(piece)
    view.screen.last_words(piece)
    yield "chosen"


def on_plain(screen: Screen, client: Client) -> list[str]:
    """Show everything on a plain screen. Gives what of it steers."""
    view = PlainView(screen, "memory:7373", "zh")
    view.begin(client)
    bad = []
    for piece in (*PIECES, HARM):
        for what in told(view, piece):
            written = shown(screen)
            written = OWN.sub("\n", written) if isinstance(screen, EditedScreen) else written
            bad += [f"{what}: {line!r}" for line in written.split("\n") if steers(line)]
    return bad


def ignore(typed: Any) -> None:
    """Nobody listens to what is typed."""


def bad_screens(wires: Wires, tmp_path: Path) -> dict[str, list[str]]:
    """Show everything on every screen."""
    client = person(wires, "ann").client
    typed: Typed = ignore
    bad = {each.__name__: on_plain(connect(each(typed, FakeModes())), client) for each in (Screen, EditedScreen)}
    rich: list[str] = []

    async def story(ann: Desk) -> None:
        for piece in (HARM, PIECES[3], PIECES[5]):
            for what in told(ann.view, piece):
                ann.view.screen.helping = False
                drawn = [text for line in _drawn(ann) for _, text in line]
                rich.extend(f"{what}: {text!r}" for text in drawn if steers(text))
            rich.extend(f"a row: {row!r}" for row in await ann.rows() if steers(row))
            ann.view.model.found = None

    known(wires, tmp_path, story)
    return bad | {"rich": rich}


def _drawn(desk: Desk) -> list[Any]:
    """Give what the screen's parts hand to prompt_toolkit."""
    from imd_client.rich.screen import Painted

    found = []
    for window in desk.view.screen.application.layout.find_all_windows():
        if isinstance(window.content, Painted):
            content = window.content.create_content(60, 20)
            found += [content.get_line(number) for number in range(content.line_count)]
    return found


def test_no_screen_is_steered(wires: Wires, tmp_path: Path) -> None:
    assert {name: bad[:5] for name, bad in bad_screens(wires, tmp_path).items() if bad} == {}


def test_without_harmless_each_would_be(wires: Wires, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_safe", lambda text: text)
    assert all(bad_screens(wires, tmp_path).values())


@pytest.mark.parametrize("say", [complain, echo, lambda text: echo(text, wrong=True)])
def test_nor_is_it_by_what_the_command_line_prints(say: Any, capsys: pytest.CaptureFixture[str]) -> None:
    say(f"imd: {HARM}")
    printed = "".join(capsys.readouterr())
    assert printed.startswith("imd: ")
    assert [line for line in printed.split("\n") if steers(line)] == []


def test_why_there_is_no_connection_is_one_line() -> None:
    for fault in (ValueError(HARM), Refused("forbidden", HARM, {})):
        text = reason(Failure(fault), "memory:7373", "en")
        assert not steers(text)
        assert "\n" not in text
