"""The full-screen console on a screen in memory: keys in, the rows of the screen out, a whole server behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import attrs
from imd_client import Account, Client, console
from imd_client.fullscreen.view import FullScreenView
from imd_client.view import OnLine
from prompt_toolkit.input import PipeInput, create_pipe_input

from imd.testing import PASSWORD
from tests.client.command_line import options
from tests.client.display import Display, drawn_rows
from tests.client.network import Network

ESCAPE, UP, DOWN, PAGE_UP, PAGE_DOWN, ENTER = "\x1b", "\x1b[A", "\x1b[B", "\x1b[5~", "\x1b[6~", "\r"
NEXT = "\x1b[1;5B"


@attrs.define
class Driver:
    """Somebody at the full-screen console."""

    network: Network
    keyboard: PipeInput
    view: FullScreenView
    code: list[int] = attrs.Factory(list)

    async def press(self, *keys: str) -> list[str]:
        """Press keys, or type texts, one after the other. Gives what the screen shows then."""
        for key in keys:
            self.keyboard.send_text(key)
            for _ in range(3 if key == ESCAPE else 0):  # its timers start one after another, on a busy machine too
                await asyncio.sleep(0.15)
            await self.settle()
        return await self.rows()

    async def types(self, *lines: str) -> list[str]:
        """Type lines."""
        for line in lines:
            await self.press(line, ENTER)
        return await self.rows()

    async def settle(self, pause: float = 0.0) -> None:
        """Let everything happen that is due."""
        await asyncio.sleep(pause)
        for _ in range(3):
            self.network.settle()
            await asyncio.sleep(0.002)

    async def pass_time(self, seconds: float) -> None:
        """Let time go by."""
        self.network.pass_time(seconds)
        await self.settle()

    async def rows(self) -> list[str]:
        """Read the screen; it is empty when they have left."""
        await self.settle()
        self.view.screen.application.invalidate()
        await asyncio.sleep(0.003)
        return drawn_rows(self.view.screen.application)

    async def leave(self) -> None:
        """Leave, if they are still there."""
        if not self.code:
            self.keyboard.send_text("\x03\x03")
            await self.settle()
            await self.pass_time(5)

    async def timeline(self) -> list[str]:
        """Read what is right of the conversations."""
        return [row.partition("│")[2].rstrip() for row in await self.rows() if "│" in row]

    async def line(self) -> str:
        """Read the first row of what is being typed."""
        return (await self.rows())[-2]


def run_console(
    story: Callable[[Driver], Awaitable[None]],
    network: Network,
    tmp_path: Path,
    *arguments: str,
    size: tuple[int, int] = (80, 24),
    user: str = "ann",
) -> Driver:
    """Let somebody run_console down at the full-screen console, and play a story; then they leave."""

    async def play(keyboard: PipeInput) -> Driver:
        views: list[FullScreenView] = []

        def open_view(typed: OnLine, reactor: Any, given: console.Options) -> FullScreenView:
            views.append(
                FullScreenView(
                    typed, given.server_name, given.language, "dark", keyboard=keyboard, display=Display(*size)
                )
            )
            return views[-1]

        with (
            patch.object(console, "open_view", open_view),
            patch.object(console, "Client", partial(Client, endpoint=network)),
            patch.object(Account, "lock", lambda account: True),
        ):
            given = options(console, "--state", str(tmp_path / user), "--lang", "en", *arguments)
            running = console.main(network.clock, given)
            driver = Driver(network, keyboard, views[-1])
            running.addCallback(driver.code.append)
            await driver.settle()
            try:
                await story(driver)
            finally:
                await driver.leave()
        assert driver.code, "the console did not end"
        return driver

    with create_pipe_input() as keyboard:
        return asyncio.run(play(keyboard))


def run_as_ann(
    network: Network, tmp_path: Path, story: Callable[[Driver], Awaitable[None]], *arguments: str, **more: Any
) -> Driver:
    """Sit down as ann, whose account is made at once."""
    with patch.dict("os.environ", {"IMD_PASSWORD": PASSWORD}):
        return run_console(story, network, tmp_path, "-u", "ann", "--register", *arguments, **more)
