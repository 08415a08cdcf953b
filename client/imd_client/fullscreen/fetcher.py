"""What the screen has to ask the server for: earlier messages, a place in the past, how far others have come."""

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
from imd_client.fullscreen.conversation import Talk, Tick
from imd_client.fullscreen.model import TYPING, Model, Seen
from imd_client.protocol import AnswerLost, Refused

PAGE = 50
"""How many messages are asked for at once."""


@attrs.define
class Fetching:
    """Asks, and puts what comes into the model. Without a connection it does nothing: what is here has to do."""

    client: Client
    model: Model
    refresh: Callable[[], None]
    _typed_at: float = float("-inf")

    async def _asked(self, command: Command) -> Any:
        try:
            return await self.client.ask(command)
        except (Refused, AnswerLost, CancelledError):
            return None

    def complete(self, talk: Talk) -> None:
        """Complete what is known of a conversation that was opened."""
        if self.client.connection.online and talk.conversation:
            self.client.spawn(self._complete(talk))

    async def _complete(self, talk: Talk) -> None:
        if len(talk.messages) < PAGE and talk.more:
            await self._earlier(talk)
        if talk.group and not talk.members:
            members = await self._asked(ListMembers(conversation=talk.conversation))
            talk.members = [each.username for each in members.members] if members else []
        own = [seq for seq, message in talk.messages.items() if message.sender == self.model.me]
        if own and talk.tick(own[-1]) is not Tick.READ:
            await self._ticks(talk, own[-1])
        self.refresh()

    async def _ticks(self, talk: Talk, seq: int) -> None:
        readers = await self._asked(WhoRead(conversation=talk.conversation, seq=seq))
        for each in readers.readers if readers else ():
            talk.reached(each.username, Pointers(seq * each.delivered, seq * each.read))

    def people(self) -> None:
        """Learn what my friends are seen as."""
        self.client.spawn(self._people())

    async def _people(self) -> None:
        friends = await self._asked(FriendList())
        for each in friends.friends if friends else ():
            self.model.people[each.username] = Seen(each.presence, each.presence_text, each.last_seen)
        self.refresh()

    def types(self, talk: Talk, now: float) -> None:
        """Let the others know that I type, now and then."""
        if talk.conversation and self.client.connection.online and now - self._typed_at > TYPING - 2:
            self._typed_at = now
            self.client.spawn(self._types(talk))

    async def _types(self, talk: Talk) -> None:
        await self._asked(Typing(conversation=talk.conversation))

    def earlier(self, talk: Talk) -> None:
        """Get what was said before what is here, from the local copy if it has it."""
        if talk.more and not talk.fetching and not self.model.knew_earlier(talk) and self.client.connection.online:
            self.client.spawn(self._earlier(talk))

    async def _earlier(self, talk: Talk) -> None:
        first, talk.fetching = talk.first, True
        page = await self._asked(History(conversation=talk.conversation, before=first or None, limit=PAGE))
        talk.fetching = False
        if page is not None and talk.first == first:
            self.model.account.add_history(page.messages)
            talk.earlier(page)
        self.refresh()

    def later(self, talk: Talk) -> None:
        """Get what was said after a page from the past."""
        if talk.detached and not talk.fetching and self.client.connection.online:
            self.client.spawn(self._later(talk))

    async def _later(self, talk: Talk) -> None:
        top, talk.fetching = talk.top, True
        page = await self._asked(History(conversation=talk.conversation, after=top, limit=PAGE))
        talk.fetching = False
        if page is not None and talk.detached and talk.top == top:
            talk.later(page)
        self.refresh()

    def around(self, talk: Talk, seq: int, then: Callable[[], None]) -> None:
        """Get a message from the past with what was said before and after it."""
        if self.client.connection.online:
            self.client.spawn(self._around(talk, seq, then))

    async def _around(self, talk: Talk, seq: int, then: Callable[[], None]) -> None:
        half = PAGE // 2
        page = await self._asked(History(conversation=talk.conversation, before=seq + half, limit=PAGE))
        if page is not None:
            talk.go_back(page)
            talk.detached = talk.top < self.model.account.last_seq(talk.conversation)
            then()
