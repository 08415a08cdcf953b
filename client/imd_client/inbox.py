"""Receiving: each message is taken in once, whatever is lost on the way.

live        rev is the next one: apply it        rev is further on: something is missing, sync from the cursor
connecting  CONVERSATIONS, then SYNC of each whose last_rev is beyond the cursor; live events may come in between
first sight of a conversation: what is unread, and the cursor at its last_rev; the rest is HISTORY's
the account's own log: ACCOUNT SYNC in the same way; what I hid on another device is let go of here,
            and who deleted their account is called what the server calls them now
"""

from collections.abc import Callable, Coroutine
from typing import Any

import attrs
from twisted.internet.defer import DeferredLock

from imd.wire.base import Command
from imd.wire.conversations import Conversation, History, ListConversations, Sync
from imd.wire.fields import BIGGEST
from imd.wire.messages import Message
from imd.wire.personal import AccountChange, AccountSync
from imd.wire.receipts import Ack
from imd_client.cache import Applied
from imd_client.connection import Connection
from imd_client.events import Arrived, CaughtUp, Changed, Departed, Happening
from imd_client.protocol import Refused
from imd_client.receipts import Marks
from imd_client.state import Account

Spawn = Callable[[Coroutine[Any, Any, None]], None]


@attrs.define
class Inbox:
    """Keeps the account's copy of its conversations complete, and tells of each message that is new in it."""

    account: Account
    connection: Connection
    marks: Marks
    tell: Callable[[Happening], None]
    spawn: Spawn
    clock: Any
    _live: list[Message] = attrs.Factory(list)
    _behind: dict[int, int] = attrs.Factory(dict)
    """Conversation -> a rev that was heard of and is not here yet."""

    _one_at_a_time: DeferredLock = attrs.Factory(DeferredLock)

    def heard(self, message: Message) -> None:
        """Take a live message. Those that came in one piece are applied in one transaction, when it was read."""
        if not self._live:
            self.clock.callLater(0, self._apply)
        self._live.append(message)

    def _apply(self) -> None:
        live, self._live = self._live, []
        self.took(self.account.apply(live), {message.conversation for message in live})

    def took(self, applied: Applied, conversations: set[int]) -> None:
        """Go on from what was applied: tell it, acknowledge these conversations, fetch what is missing before it."""
        self._told(applied)
        for conversation in conversations - applied.gaps.keys():
            self._acknowledge(conversation)
        for conversation, rev in applied.gaps.items():
            self.heard_of(conversation, rev)

    def heard_of(self, conversation: int, rev: int) -> None:
        """Fetch what a conversation has up to a rev, if it is not here."""
        if rev > (self.account.cursor(conversation) or 0):
            self._behind[conversation] = rev
            self.spawn(self.mend())

    def _told(self, applied: Applied) -> None:
        for message in applied.fresh:
            self.tell(Arrived(message))
        for change in applied.changed:
            self.tell(Changed(change.message, change.before))

    def noted(self, change: AccountChange) -> None:
        """Take a live change of the account's own affairs."""
        known = self.account.log()
        if known is not None and change.n > known + 1:
            self.spawn(self._mend_log())
        elif known is not None:
            self._obey([change], change.n)
        if change.what == "joined":
            self.spawn(self.catch_up())

    def _obey(self, changes: list[AccountChange], n: int) -> None:
        for change in changes:
            match change:
                case AccountChange(what="hidden", conversation=int(conversation), seq=int(seq)):
                    self.account.hide(conversation, seq)
                case AccountChange(what="cleared", conversation=int(conversation), value=int(upto)):
                    self.account.clear(conversation, upto)
                case AccountChange(what="left", conversation=int(conversation)):
                    self.account.forget(conversation)
                case AccountChange(what="deleted", conversation=int(conversation), value=str(to)):
                    if was := self.account.rename(conversation, to):
                        self.tell(Departed(conversation, was, to))
        self.account.set_log(max(n, self.account.log() or 0))

    def begin_anew(self) -> None:
        """Forget what was heard of conversations that are not what they were."""
        self._live.clear()
        self._behind.clear()

    async def _mend_log(self) -> None:
        async with self._one_at_a_time:
            await self._follow_log()

    async def _follow_log(self) -> None:
        """Fetch what changed in the account's own affairs; the first time, only how far they are."""
        more = True
        while more:
            known = self.account.log()
            page = await self.connection.insist(AccountSync(after=BIGGEST if known is None else known))
            self._obey(page.changes, page.n)
            more = page.more

    async def catch_up(self) -> None:
        """Fetch all that happened while nobody was connected, and let go of conversations that are ours no longer."""
        async with self._one_at_a_time:
            before = self.account.cursors()  # before asking: what comes live meanwhile is ahead of the answer
            listing = (await self.connection.insist(ListConversations())).conversations
            set_back = {row.conversation for row in listing if before.get(row.conversation, 0) > row.last_rev}
            for number in set_back | (before.keys() - {row.conversation for row in listing}):
                self.account.forget(number)
            for conversation in listing:
                await self._fetch(conversation)
            await self._follow_log()
        self.tell(CaughtUp(listing))
        await self.mend()

    async def mend(self) -> None:
        """Fetch what is missing in the conversations that are known to be behind."""
        async with self._one_at_a_time:
            while self._behind:
                conversation, rev = self._behind.popitem()
                if self.account.cursor(conversation) is None:
                    listing = (await self.connection.insist(ListConversations())).conversations
                    for each in listing:
                        if each.conversation == conversation:
                            await self._fetch(each)
                await self._sync(conversation, rev)

    async def _fetch(self, conversation: Conversation) -> None:
        if self.account.cursor(conversation.conversation) is None:
            await self._first_sight(conversation)
        else:
            await self._sync(conversation.conversation, conversation.last_rev)
        if self.account.top(conversation.conversation) > conversation.delivered_seq:
            self._acknowledge(conversation.conversation)

    async def _first_sight(self, conversation: Conversation) -> None:
        number, seq, more = conversation.conversation, conversation.read_seq, conversation.last_seq > 0
        unread: list[Message] = []
        while more and seq < conversation.last_seq:
            page = await self._permitted(History(conversation=number, after=seq, limit=200))
            if page is None or not page.messages:
                break
            unread += page.messages
            seq, more = page.messages[-1].seq, page.more
        self._told(self.account.merge(number, unread, conversation.last_rev, since=conversation.read_seq))

    async def _sync(self, conversation: int, rev: int) -> None:
        """Bring the copy of a conversation up to a rev, page by page; each page is one transaction."""
        while (cursor := self.account.cursor(conversation) or 0) < rev:
            page = await self._permitted(Sync(conversation=conversation, after_rev=cursor, limit=500))
            if page is None or page.rev <= cursor:
                return
            self._told(self.account.merge(conversation, page.messages, page.rev))
        self._acknowledge(conversation)

    async def _permitted(self, command: Command) -> Any:
        """Ask about a conversation; None if it is ours no longer."""
        try:
            return await self.connection.insist(command)
        except Refused as refused:
            if refused.code not in {"no_such_conversation", "not_a_member"}:
                raise
            return None

    def _acknowledge(self, conversation: int) -> None:
        if top := self.account.top(conversation):
            self.marks.move(Ack(conversation=conversation, seq=top))
