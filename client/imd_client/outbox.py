"""Sending: a message is kept here before it is sent, and until it is answered.

queue (one local transaction)  ->  SEND with its client_id  ->  success or refusal: out of the outbox
                                   lost answer: the same SEND again, which the server stores once
"""

from collections.abc import Callable, Coroutine
from typing import Any

import attrs
from twisted.internet.defer import Deferred

from imd.wire.messages import Message, SendMessage, Sent
from imd_client.connection import Connection
from imd_client.events import ClientEvent, NotSent
from imd_client.inbox import Inbox
from imd_client.protocol import AnswerLost, Refused
from imd_client.state import Account, OutboxItem


@attrs.define
class Outbox:
    """Sends what was queued, in order, one at a time: two in flight could change places if the first is put off."""

    account: Account
    connection: Connection
    inbox: Inbox
    emit: Callable[[ClientEvent], None]
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    held: bool = True
    """Whether to wait: what is new here is shown after what happened before it."""

    _answers: dict[int, Deferred[Sent]] = attrs.Factory(dict)
    _empty: list[Deferred[None]] = attrs.Factory(list)
    _busy: bool = False

    def send(self, message: SendMessage) -> Deferred[Sent]:
        """Queue a message; at return it is kept. Fires with Sent when it is stored, or fails with Refused."""
        answer: Deferred[Sent] = Deferred()
        self._answers[self.account.queue(message).number] = answer
        self.work()
        return answer

    def queue(self, message: SendMessage) -> OutboxItem:
        """Queue a message without waiting for its fate; a refusal is told as NotSent."""
        item = self.account.queue(message)
        self.work()
        return item

    def flushed(self) -> Deferred[None]:
        """Fire when nothing waits to be sent."""
        done: Deferred[None] = Deferred()
        self._empty.append(done)
        self.work()
        return done

    def work(self) -> None:
        """Send whatever waits, if a connection is there and this is not being done already."""
        if not self._busy and not self.held and self.connection.online:
            self._busy = True
            self.spawn(self._work())

    async def _work(self) -> None:
        try:
            while waiting := self.account.waiting():
                await self._send(waiting[0])
        except AnswerLost:
            return  # the next connection sends it again
        finally:
            self._busy = False
        done, self._empty = self._empty, []
        for each in done:
            each.callback(None)

    async def _send(self, item: OutboxItem) -> None:
        try:
            sent = await self.connection.ask_with_retry(item.message)
        except Refused as refused:
            if refused.code == "auth_required":
                self.connection.drop()
                raise AnswerLost from None  # not a word about the message
            self.account.answered(item)
            self._emit_refused(item, refused)
            return
        message = Message(
            conversation=sent.conversation,
            seq=sent.seq,
            rev=sent.rev,
            sender=self.account.username,
            to=item.to,
            kind=item.message.kind,
            content=item.content,
            time=sent.time,
            reply_to=item.message.reply_to,
            burn_after=item.message.burn_after,
            client_id=item.message.client_id,
        )
        self.inbox.handle_applied(self.account.stored(item, message), set())
        if answer := self._answers.pop(item.number, None):
            answer.callback(sent)

    def _emit_refused(self, item: OutboxItem, refused: Refused) -> None:
        if answer := self._answers.pop(item.number, None):
            answer.errback(refused)
        self.emit(NotSent(item, refused))
