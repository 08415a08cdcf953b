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
from imd_client.events import Arrived, CaughtUp, Changed, ClientEvent, ContactDeleted
from imd_client.protocol import Refused
from imd_client.receipts import Receipts
from imd_client.state import Account

Spawn = Callable[[Coroutine[Any, Any, None]], None]


@attrs.define
class Inbox:
    """Keeps the account's copy of its conversations complete, and tells of each message that is new in it."""

    account: Account
    connection: Connection
    receipts: Receipts
    emit: Callable[[ClientEvent], None]
    spawn: Spawn
    clock: Any
    _live: list[Message] = attrs.Factory(list)
    _behind: dict[int, int] = attrs.Factory(dict)
    """Conversation -> a rev that was heard of and is not here yet."""

    _one_at_a_time: DeferredLock = attrs.Factory(DeferredLock)

    def receive(self, message: Message) -> None:
        """Take a live message. Those that came in one piece are applied in one transaction, when it was read."""
        if not self._live:
            self.clock.callLater(0, self._apply)
        self._live.append(message)

    def _apply(self) -> None:
        live, self._live = self._live, []
        self.handle_applied(self.account.apply(live), {message.conversation for message in live})

    def handle_applied(self, applied: Applied, conversations: set[int]) -> None:
        """Go on from what was applied: tell it, acknowledge these conversations, fetch what is missing before it."""
        self._emit_applied(applied)
        for conversation in conversations - applied.gaps.keys():
            self._acknowledge(conversation)
        for conversation, rev in applied.gaps.items():
            self.revision_seen(conversation, rev)

    def revision_seen(self, conversation: int, rev: int) -> None:
        """Fetch what a conversation has up to a rev, if it is not here."""
        if rev > (self.account.cursor(conversation) or 0):
            self._behind[conversation] = rev
            self.spawn(self.fill_gaps())

    def _emit_applied(self, applied: Applied) -> None:
        for message in applied.fresh:
            self.emit(Arrived(message))
        for change in applied.changed:
            self.emit(Changed(change.message, change.before))

    def account_changed(self, change: AccountChange) -> None:
        """Take a live change of the account's own affairs."""
        known = self.account.log()
        if known is not None and change.n > known + 1:
            self.spawn(self._sync_log())
        elif known is not None:
            self._apply_changes([change], change.n)
        if change.what == "joined":
            self.spawn(self.catch_up())

    def _apply_changes(self, changes: list[AccountChange], n: int) -> None:
        for change in changes:
            self._apply_change(change, change.conversation or 0)
        self.account.set_log(max(n, self.account.log() or 0))

    def _apply_change(self, change: AccountChange, conversation: int) -> None:
        match change.what:
            case "hidden":
                self.account.hide(conversation, change.seq or 0)
            case "cleared":
                self.account.clear(conversation, change.value if isinstance(change.value, int) else 0)
            case "left":
                self.account.forget(conversation)
            case "deleted":
                if isinstance(change.value, str) and (old_name := self.account.rename(conversation, change.value)):
                    self.emit(ContactDeleted(conversation, old_name, change.value))
            case "joined" | "muted" | "archived" | "pinned" | "starred":
                pass  # the list of conversations and the messages themselves say it
            case "profile" | "relation" | "friend_note" | "declined":
                pass  # nothing of it is kept here

    def reset(self) -> None:
        """Forget what was heard of conversations that are not what they were."""
        self._live.clear()
        self._behind.clear()

    async def _sync_log(self) -> None:
        async with self._one_at_a_time:
            await self._fetch_log()

    async def _fetch_log(self) -> None:
        """Fetch what changed in the account's own affairs; the first time, only how far they are."""
        more = True
        while more:
            known = self.account.log()
            page = await self.connection.ask_with_retry(AccountSync(after=BIGGEST if known is None else known))
            self._apply_changes(page.changes, page.n)
            more = page.more

    async def catch_up(self) -> None:
        """Fetch all that happened while nobody was connected, and let go of conversations that are ours no longer."""
        async with self._one_at_a_time:
            before = self.account.cursors()  # before asking: what comes live meanwhile is ahead of the answer
            listing = (await self.connection.ask_with_retry(ListConversations())).conversations
            set_back = {row.conversation for row in listing if before.get(row.conversation, 0) > row.last_rev}
            for number in set_back | (before.keys() - {row.conversation for row in listing}):
                self.account.forget(number)
            for conversation in listing:
                await self._fetch(conversation)
            await self._fetch_log()
        self.emit(CaughtUp(listing))
        await self.fill_gaps()

    async def fill_gaps(self) -> None:
        """Fetch what is missing in the conversations that are known to be behind."""
        async with self._one_at_a_time:
            while self._behind:
                conversation, rev = self._behind.popitem()
                if self.account.cursor(conversation) is None:
                    listing = (await self.connection.ask_with_retry(ListConversations())).conversations
                    for each in listing:
                        if each.conversation == conversation:
                            await self._fetch(each)
                await self._sync(conversation, rev)

    async def _fetch(self, conversation: Conversation) -> None:
        if self.account.cursor(conversation.conversation) is None:
            await self._fetch_first_time(conversation)
        else:
            await self._sync(conversation.conversation, conversation.last_rev)
        if self.account.last_seq(conversation.conversation) > conversation.delivered_seq:
            self._acknowledge(conversation.conversation)

    async def _fetch_first_time(self, conversation: Conversation) -> None:
        number, seq, more = conversation.conversation, conversation.read_seq, conversation.last_seq > 0
        unread: list[Message] = []
        while more and seq < conversation.last_seq:
            page = await self._ask_as_member(History(conversation=number, after=seq, limit=200))
            if page is None or not page.messages:
                break
            unread += page.messages
            seq, more = page.messages[-1].seq, page.more
        self._emit_applied(self.account.merge(number, unread, conversation.last_rev, since=conversation.read_seq))

    async def _sync(self, conversation: int, rev: int) -> None:
        """Bring the copy of a conversation up to a rev, page by page; each page is one transaction."""
        while (cursor := self.account.cursor(conversation) or 0) < rev:
            page = await self._ask_as_member(Sync(conversation=conversation, after_rev=cursor, limit=500))
            if page is None or page.rev <= cursor:
                return
            self._emit_applied(self.account.merge(conversation, page.messages, page.rev))
        self._acknowledge(conversation)

    async def _ask_as_member(self, command: Command) -> Any:
        """Ask about a conversation; None if it is ours no longer."""
        try:
            return await self.connection.ask_with_retry(command)
        except Refused as refused:
            if refused.code not in {"no_such_conversation", "not_a_member"}:
                raise
            return None

    def _acknowledge(self, conversation: int) -> None:
        if top := self.account.last_seq(conversation):
            self.receipts.send(Ack(conversation=conversation, seq=top))
