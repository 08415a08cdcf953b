"""A client: one account's connection, inbox and outbox, wired together as a Service."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure

from imd.wire import names
from imd.wire.base import Command, Reply
from imd.wire.messages import Message, MessageChanged, NewMessage, SendMessage, Sent
from imd.wire.personal import AccountChanged
from imd_client.address import Address
from imd_client.connection import Connection, Credentials
from imd_client.events import ClientEvent, Online, Restored
from imd_client.inbox import Inbox
from imd_client.outbox import Outbox
from imd_client.protocol import AnswerLost
from imd_client.reactor import current_reactor
from imd_client.receipts import Receipts
from imd_client.state import Account, State


class Client(Service):
    """Stays connected once started, sends what is queued, and calls `on_event` with every ClientEvent."""

    name: str | None = "imd client"
    _log = Logger()

    def __init__(
        self,
        account: Account,
        credentials: Credentials,
        on_event: Callable[[ClientEvent], None] = lambda event: None,
        *,
        reactor: Any = None,
        endpoint: IStreamClientEndpoint | None = None,
    ) -> None:
        reactor = current_reactor(reactor)
        self.account = account
        self.on_event = on_event
        self.connection = Connection(account, credentials, self._on_event, reactor=reactor, endpoint=endpoint)
        self.receipts = Receipts(self.connection, self.spawn, reactor)
        self.inbox = Inbox(account, self.connection, self.receipts, self._on_event, self.spawn, reactor)
        self.outbox = Outbox(account, self.connection, self.inbox, self._on_event, self.spawn)

    @classmethod
    def of(
        cls,
        username: str,
        password: str = "",  # nosec B107  # empty: the token is used
        *,
        server: str = "localhost",
        state: State | str | Path = ":memory:",
        register: bool = False,
        on_event: Callable[[ClientEvent], None] = lambda event: None,
    ) -> "Client":
        """Make a client from plain strings. Raises Refusal for a bad name and ValueError for a bad address."""
        kept = state if isinstance(state, State) else State(state)
        account = kept.account(Address.parse(server).name, names.username(username))
        return cls(account, Credentials(password=password, register=register), on_event)

    def startService(self) -> None:
        """Start connecting."""
        super().startService()
        self.connection.startService()

    async def _stop(self) -> None:
        await self.connection.stopService()

    def stopService(self) -> Deferred[None]:
        """Disconnect. Messages in the outbox stay there until the next start."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    def send(self, to: str, content: str, *, reply_to: int | None = None) -> Deferred[Sent]:
        """Send a message, now or after reconnecting. Fires when the server has stored it, or fails with Refused."""
        return self.outbox.send(SendMessage(to=to, content=content, reply_to=reply_to))

    async def ask(self, command: Command) -> Any:
        """Send any command. Returns its typed reply, or raises Refused or AnswerLost.

        The server does not tell a session about its own commands, so what this one changed is fetched.
        """
        reply = await self.connection.ask(command)
        match reply:
            case Reply(conversation=int(conversation), rev=int(rev)):  # type: ignore[misc]  # some replies have them
                self.inbox.revision_seen(conversation, rev)
        return reply

    def refresh(self) -> None:
        """Fetch whatever changed, after a command whose reply does not say."""
        self.spawn(self.inbox.catch_up())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the background. If it fails unexpectedly, the connection is dropped and made again."""
        Deferred.fromCoroutine(work).addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        if not failure.check(AnswerLost, CancelledError):
            self._log.failure("the client stumbled", failure=failure)
            self.connection.drop()

    def _on_event(self, event: ClientEvent) -> None:
        if isinstance(event, NewMessage | MessageChanged):
            self.inbox.receive(msgspec.convert(event, Message, from_attributes=True))
        elif isinstance(event, AccountChanged):
            self.inbox.account_changed(event)
        elif isinstance(event, Restored):
            self.inbox.reset()
            self.receipts.reset()
        elif isinstance(event, Online):
            self.spawn(self._begin())
        self.on_event(event)

    async def _begin(self) -> None:
        self.outbox.held = True
        await self.inbox.catch_up()
        self.outbox.held = False
        self.outbox.work()
