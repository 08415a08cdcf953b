"""Nothing that a server tells steers the terminal of our consoles, whatever it holds and whoever wrote the server.

Every event and every reply comes with harm in every text, to the plain console on both its screens and to the full
screen. The same with `harmless` made useless must be seen, or this test would see nothing.
"""

import asyncio
import io
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import msgspec
import pytest
from imd_client import Arrived, CaughtUp, Changed, Client, NotSent, Offline, Online, Trusted
from imd_client.errors import describe_failure
from imd_client.options import print_error
from imd_client.plain import PlainView
from imd_client.prompt import PromptScreen
from imd_client.protocol import Refused
from imd_client.screen import LineScreen
from imd_client.state import OutboxItem
from msgspec import inspect
from prompt_toolkit.input import create_pipe_input
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from imd.run.parser import echo
from imd.wire import terminal
from imd.wire.conversations import Conversation, Page
from imd.wire.messages import Message, SendMessage
from tests.client.display import Display, drawn_rows
from tests.client.fullscreen.driver import Driver, run_as_ann
from tests.client.line_screen import FakeModes, connect, written
from tests.client.network import Network, person
from tests.hostile import PIECES, example, steers
from tests.wire.declared import EVENTS, SPECS
from tools.samples import _FIELDS

HARM = "".join(PIECES)
NOW = "2026-11-23T06:25:18.123Z"


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


def events(piece: str) -> Iterator[Any]:
    """Give all that a client may be told."""
    message = spoilt(Message, piece)
    for kind in ("text", "markdown", "sticker", "location", "contact", piece):
        yield Arrived(msgspec.structs.replace(message, kind=kind))
    yield Changed(message, message)
    yield CaughtUp([msgspec.structs.replace(spoilt(Conversation, piece), unread=3)])
    yield from (spoilt(event, piece) for event in EVENTS)
    item = OutboxItem(1, SendMessage(to=piece, content=piece, client_id="x"))
    refused = Refused("forbidden", piece, {})
    yield NotSent(item, refused)
    yield Offline(Failure(refused))
    yield Offline(Failure(ValueError(piece)))
    yield Online(piece)
    yield Trusted(piece, piece)


def told(view: Any, piece: str) -> Iterator[str]:
    """Tell a view everything, and have it asked for everything; gives each time that something may be seen."""
    for event in events(piece):
        view.on_event(event)
        yield type(event).__name__
    for spec in SPECS:
        view.answered(spec, example(spec), spoilt(spec.shape.reply, piece))
        yield spec.action
    view.chosen(piece, Page(conversation=1, messages=[spoilt(Message, piece)], more=True))
    view.screen.echo(piece)
    view.screen.show_after_exit(piece)
    yield "chosen"


def on_plain(screen: Any, client: Client, written: Callable[[], str]) -> list[str]:
    """Show everything on a plain screen. Gives what of it steers."""
    view = PlainView(screen, "memory:7373", "zh")
    view.begin(client)
    bad = []
    for piece in (*PIECES, HARM):
        for what in told(view, piece):
            bad += [f"{what}: {line!r}" for line in written().split("\n") if steers(line)]
    return bad


def on_lines(client: Client) -> list[str]:
    screen = connect(LineScreen(ignore, FakeModes()))
    return on_plain(screen, client, lambda: written(screen))


async def on_prompt(client: Client) -> list[str]:
    display = Display()
    with create_pipe_input() as keyboard, redirect_stdout(io.StringIO()) as after_exit:
        screen = PromptScreen(ignore, keyboard=keyboard, display=display)
        await asyncio.sleep(0)

        def written() -> str:
            screen.application._redraw()
            prompt = drawn_rows(screen.application)[0]
            return f"{display.take()}\r\n{prompt}".replace("\r\n", "\n")

        bad = on_plain(screen, client, written)
        await Deferred.fromCoroutine(screen.close()).asFuture(asyncio.get_running_loop())
    return bad + [f"after exit: {line!r}" for line in after_exit.getvalue().split("\n") if steers(line)]


def ignore(line: Any) -> None:
    """Nobody listens to what is typed."""


def bad_screens(network: Network, tmp_path: Path) -> dict[str, list[str]]:
    """Show everything on every screen."""
    client = person(network, "ann").client
    bad = {"lines": on_lines(client), "prompt": asyncio.run(on_prompt(client))}
    full_screen: list[str] = []

    async def story(ann: Driver) -> None:
        for piece in (HARM, PIECES[3], PIECES[5]):
            for what in told(ann.view, piece):
                ann.view.screen.helping = False
                drawn = [text for line in _drawn(ann) for _, text in line]
                full_screen.extend(f"{what}: {text!r}" for text in drawn if steers(text))
            full_screen.extend(f"a row: {row!r}" for row in await ann.rows() if steers(row))
            ann.view.model.results = None

    run_as_ann(network, tmp_path, story)
    return bad | {"full_screen": full_screen}


def _drawn(driver: Driver) -> list[Any]:
    """Give what the screen's parts hand to prompt_toolkit."""
    from imd_client.fullscreen.screen import LinesControl

    found = []
    for window in driver.view.screen.application.layout.find_all_windows():
        if isinstance(window.content, LinesControl):
            content = window.content.create_content(60, 20)
            found += [content.get_line(number) for number in range(content.line_count)]
    return found


def test_no_screen_is_steered(network: Network, tmp_path: Path) -> None:
    assert {name: bad[:5] for name, bad in bad_screens(network, tmp_path).items() if bad} == {}


def test_without_harmless_each_would_be(network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_safe", lambda text: text)
    assert all(bad_screens(network, tmp_path).values())


@pytest.mark.parametrize("say", [print_error, echo, lambda text: echo(text, wrong=True)])
def test_nor_is_it_by_what_the_command_line_prints(say: Any, capsys: pytest.CaptureFixture[str]) -> None:
    say(f"imd: {HARM}")
    printed = "".join(capsys.readouterr())
    assert printed.startswith("imd: ")
    assert [line for line in printed.split("\n") if steers(line)] == []


def test_why_there_is_no_connection_is_one_line() -> None:
    for fault in (ValueError(HARM), Refused("forbidden", HARM, {})):
        text = describe_failure(Failure(fault), "memory:7373", "en")
        assert not steers(text)
        assert "\n" not in text
