"""What the screen asks the server for: earlier messages, pages of the past, receipts, presence."""

from collections.abc import Callable
from typing import Any

import attrs
from twisted.internet.defer import CancelledError

from imd.wire.base import Command
from imd.wire.conversations import History
from imd.wire.friends import FriendList
from imd.wire.members import ListMembers
from imd.wire.presence import Typing
from imd.wire.receipts import WhoRead
from imd_client.cache import Pointers
from imd_client.client import Client
from imd_client.fullscreen.conversation import ConversationState, Tick
from imd_client.fullscreen.model import TYPING, Model, Presence
from imd_client.protocol import AnswerLost, Refused

PAGE = 50
"""How many messages are fetched at once."""


@attrs.define
class Fetcher:
    """Fetches into the model. Offline it does nothing, and the screen shows what is stored here."""

    client: Client
    model: Model
    refresh: Callable[[], None]
    _typed_at: float = float("-inf")

    async def _ask(self, command: Command) -> Any:
        try:
            return await self.client.ask(command)
        except (Refused, AnswerLost, CancelledError):
            return None

    def complete(self, conversation: ConversationState) -> None:
        """Fetch what is missing of a conversation that was opened."""
        if self.client.connection.online and conversation.id:
            self.client.spawn(self._complete(conversation))

    async def _complete(self, conversation: ConversationState) -> None:
        if len(conversation.messages) < PAGE and conversation.more:
            await self._fetch_earlier(conversation)
        if conversation.group and not conversation.members:
            members = await self._ask(ListMembers(conversation=conversation.id))
            conversation.members = [each.username for each in members.members] if members else []
        own = [seq for seq, message in conversation.messages.items() if message.sender == self.model.me]
        if own and conversation.tick(own[-1]) is not Tick.READ:
            await self._ticks(conversation, own[-1])
        self.refresh()

    async def _ticks(self, conversation: ConversationState, seq: int) -> None:
        reply = await self._ask(WhoRead(conversation=conversation.id, seq=seq))
        for each in reply.readers if reply else ():
            conversation.advance_pointers(each.username, Pointers(seq * each.delivered, seq * each.read))

    def fetch_presence(self) -> None:
        """Fetch the friends' presence."""
        self.client.spawn(self._fetch_presence())

    async def _fetch_presence(self) -> None:
        friends = await self._ask(FriendList())
        for each in friends.friends if friends else ():
            self.model.presence[each.username] = Presence(each.presence, each.presence_text, each.last_seen)
        self.refresh()

    def send_typing(self, conversation: ConversationState, now: float) -> None:
        """Tell the others that the person types, every few seconds."""
        if conversation.id and self.client.connection.online and now - self._typed_at > TYPING - 2:
            self._typed_at = now
            self.client.spawn(self._send_typing(conversation))

    async def _send_typing(self, conversation: ConversationState) -> None:
        await self._ask(Typing(conversation=conversation.id))

    def fetch_earlier(self, conversation: ConversationState) -> None:
        """Load earlier messages, from the local copy if they are there."""
        if (
            conversation.more
            and not conversation.fetching
            and not self.model.load_earlier(conversation)
            and self.client.connection.online
        ):
            self.client.spawn(self._fetch_earlier(conversation))

    async def _fetch_earlier(self, conversation: ConversationState) -> None:
        first, conversation.fetching = conversation.first_seq, True
        page = await self._ask(History(conversation=conversation.id, before=first or None, limit=PAGE))
        conversation.fetching = False
        if page is not None and conversation.first_seq == first:
            self.model.account.add_history(page.messages)
            conversation.prepend(page)
        self.refresh()

    def fetch_later(self, conversation: ConversationState) -> None:
        """Fetch what follows a page of the past."""
        if conversation.detached and not conversation.fetching and self.client.connection.online:
            self.client.spawn(self._fetch_later(conversation))

    async def _fetch_later(self, conversation: ConversationState) -> None:
        last, conversation.fetching = conversation.last_seq, True
        page = await self._ask(History(conversation=conversation.id, after=last, limit=PAGE))
        conversation.fetching = False
        if page is not None and conversation.detached and conversation.last_seq == last:
            conversation.append(page)
        self.refresh()

    def fetch_around(self, conversation: ConversationState, seq: int, then: Callable[[], None]) -> None:
        """Fetch a message of the past, with those before and after it."""
        if self.client.connection.online:
            self.client.spawn(self._fetch_around(conversation, seq, then))

    async def _fetch_around(self, conversation: ConversationState, seq: int, then: Callable[[], None]) -> None:
        half = PAGE // 2
        page = await self._ask(History(conversation=conversation.id, before=seq + half, limit=PAGE))
        if page is not None:
            conversation.show_past(page)
            conversation.detached = conversation.last_seq < self.model.account.last_seq(conversation.id)
            then()
