"""Sending: a message is stored here before it is sent, and stays until the server has answered.

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
    """Sends queued messages in order, one at a time: of two in flight the first could be put off and come second."""

    account: Account
    connection: Connection
    inbox: Inbox
    emit: Callable[[ClientEvent], None]
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    held: bool = True
    """Whether to wait: new messages must be shown after what happened before them."""

    _answers: dict[int, Deferred[Sent]] = attrs.Factory(dict)
    _empty: list[Deferred[None]] = attrs.Factory(list)
    _busy: bool = False

    def send(self, message: SendMessage) -> Deferred[Sent]:
        """Queue a message; on return it is stored here. Fires with Sent when the server has it, or fails."""
        answer: Deferred[Sent] = Deferred()
        self._answers[self.account.queue(message).number] = answer
        self.work()
        return answer

    def queue(self, message: SendMessage) -> OutboxItem:
        """Queue a message without waiting for the answer; a refusal is reported as NotSent."""
        item = self.account.queue(message)
        self.work()
        return item

    def flushed(self) -> Deferred[None]:
        """Fire when the outbox is empty."""
        done: Deferred[None] = Deferred()
        self._empty.append(done)
        self.work()
        return done

    def work(self) -> None:
        """Start sending, if there is a connection and nothing is being sent."""
        if not self._busy and not self.held and self.connection.online:
            self._busy = True
            self.spawn(self._work())

    async def _work(self) -> None:
        try:
            while waiting := self.account.waiting():
                await self._send(waiting[0])
        except AnswerLost:
            return  # sent again on the next connection
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
                raise AnswerLost from None  # it says nothing about the message
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
