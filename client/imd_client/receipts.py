"""Receipts: ACK and READ move the account's pointers on the server, a few times a second at most."""

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
    """The receipts to send: for each conversation only the furthest counts. Lost ones are sent again later."""

    connection: Connection
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    clock: Any
    _next: dict[tuple[type, int | None], Ack | Read] = attrs.Factory(dict)
    _busy: bool = False

    def send(self, receipt: Ack | Read) -> None:
        """Send a receipt soon, if there is a connection."""
        self._next[type(receipt), receipt.conversation] = receipt
        if not self._busy:
            self._busy = True
            self.spawn(self._work())

    def reset(self) -> None:
        """Forget what was to be sent: the server's conversations are not what they were."""
        self._next.clear()

    async def _work(self) -> None:
        try:
            while self._next:
                await self.say_next()
                await deferLater(self.clock, PAUSE)
        finally:
            self._busy = False

    async def say_next(self) -> None:
        """Send one of them."""
        receipt = self._next.pop(next(iter(self._next)))
        try:
            await self.connection.ask_with_retry(receipt)
        except (AnswerLost, Refused):
            return  # the next connection finds the pointer where it was, and moves it again

    async def flush(self) -> None:
        """Send all of them, before leaving."""
        while self._next and self.connection.online:
            await self.say_next()
