"""Bots: programs that answer messages. A handler's answer is sent exactly once, even if the bot is killed meanwhile.

bot = Bot("echo", password="a secret of its own")

@bot.hears
def echo(message):
    return message.content

bot.run()
"""

import os
import sys
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import react
from twisted.logger import Logger, globalLogBeginner, textFileLogObserver

from imd.wire import names
from imd.wire.catalog import language_here
from imd.wire.messages import Message
from imd.wire.receipts import Read
from imd.wire.terminal import harmless
from imd_client.address import Address
from imd_client.client import Client
from imd_client.connection import Credentials
from imd_client.database import default_state_file
from imd_client.errors import describe_failure
from imd_client.events import Arrived, CaughtUp, ClientEvent, GaveUp, NotSent, Offline, Online
from imd_client.state import State

Answer = str | None
Handler = Callable[[Message], Answer | Awaitable[Answer]]


class Bot(Client):
    """A client with a message handler. It registers its account on the first start, if the server allows that.

    `password` defaults to IMD_PASSWORD; `server` to IMD_SERVER, or else to localhost:7373.
    It is a Service: give it a parent, or call `run`.
    """

    _log = Logger()

    def __init__(
        self,
        username: str,
        password: str = "",  # nosec B107  # empty: IMD_PASSWORD
        *,
        server: str = "",
        state: State | str | Path = "",
        reactor: Any = None,
        endpoint: IStreamClientEndpoint | None = None,
    ) -> None:
        address = Address.parse(server or os.environ.get("IMD_SERVER", "localhost"))
        kept = state if isinstance(state, State) else State(state or default_state_file())
        account = kept.account(address.name, names.username(username))
        secret = password or os.environ.get("IMD_PASSWORD", "")
        credentials = Credentials(password=secret, register=True, device="bot")
        super().__init__(account, credentials, self._hear, reactor=reactor, endpoint=endpoint)
        self._ended: Deferred[GaveUp] = Deferred()
        self._handler: Handler = lambda message: None
        self._busy = False

    def hears(self, handler: Handler) -> Handler:
        """Set the function, plain or async, that handles every message by others. It returns the answer, or None."""
        self._handler = handler
        return handler

    def run(self) -> None:
        """Start, log to standard output, and run until stopped. Exits with code 1 if the server refuses the login."""
        globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)], redirectStandardIO=False)
        react(self._main)

    def _main(self, reactor: Any) -> Deferred[None]:
        reactor.seconds = time.monotonic  # otherwise timers follow the wall clock
        return Deferred.fromCoroutine(self._stay())

    async def _stay(self) -> None:
        self.startService()
        gave_up = await self._ended
        raise SystemExit(describe_failure(gave_up.reason, self.account.server, language_here()).strip())

    def _hear(self, event: ClientEvent) -> None:
        match event:
            case Arrived() | CaughtUp() if not self._busy:
                self._busy = True
                self.spawn(self._work())
            case Online(username):
                self._log.info("{username} is on {server}", username=username, server=self.account.server)
            case Offline(why):
                self._log.info("offline: {why}", why=describe_failure(why, self.account.server, "en"))
            case NotSent(item, refused):
                self._log.warn("not sent to {to}: {refused}", to=item.to, refused=harmless(str(refused)))
            case GaveUp() if not self._ended.called:
                self._ended.callback(event)

    async def _work(self) -> None:
        try:
            while messages := self.account.unhandled():
                for message in messages:
                    self.account.handled(message, await self._answer(message))
                    self.outbox.work()
                    self.receipts.send(Read(conversation=message.conversation, seq=message.seq))
        finally:
            self._busy = False

    async def _answer(self, message: Message) -> Answer:
        """Call the handler. If it raises, the failure is logged and only this answer is lost."""
        try:
            answer = self._handler(message)
            return await answer if isawaitable(answer) else answer
        except Exception:
            self._log.failure("the handler failed on message {seq} of {sender}", seq=message.seq, sender=message.sender)
            return None
