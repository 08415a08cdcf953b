"""The pointers on the server, moved without haste: however much arrives, a few ACK and READ a second are enough."""

from collections.abc import Callable, Coroutine
from typing import Any

import attrs
from twisted.internet.task import deferLater

from imd.wire.receipts import Ack, Read
from imd_client.connection import Connection
from imd_client.protocol import AnswerLost, Refused

PAUSE = 0.2
"""Seconds between two of them: a sixth of what a server allows by default."""


@attrs.define
class Receipts:
    """What is to be said about each conversation: only the furthest place counts. Lost ones are said again later."""

    connection: Connection
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    clock: Any
    _next: dict[tuple[type, int | None], Ack | Read] = attrs.Factory(dict)
    _busy: bool = False

    def send(self, receipt: Ack | Read) -> None:
        """Move a pointer of a conversation: soon, if a connection is there."""
        self._next[type(receipt), receipt.conversation] = receipt
        if not self._busy:
            self._busy = True
            self.spawn(self._work())

    def reset(self) -> None:
        """Forget what was to be said of conversations that are not what they were."""
        self._next.clear()

    async def _work(self) -> None:
        try:
            while self._next:
                await self.say_next()
                await deferLater(self.clock, PAUSE)
        finally:
            self._busy = False

    async def say_next(self) -> None:
        """Say one of them."""
        receipt = self._next.pop(next(iter(self._next)))
        try:
            await self.connection.ask_with_retry(receipt)
        except (AnswerLost, Refused):
            return  # the next connection finds the pointer where it is, and moves it again

    async def flush(self) -> None:
        """Say all of them, before leaving."""
        while self._next and self.connection.online:
            await self.say_next()
