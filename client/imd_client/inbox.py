"""Receiving: every message is stored exactly once, whatever is lost on the way.

live        if rev is the next one, apply it; if it is further on, something is missing: SYNC from the cursor
connecting  CONVERSATIONS, then SYNC for each whose last_rev is beyond the cursor; live events may arrive in between
a conversation seen for the first time: fetch what is unread and set the cursor to last_rev; HISTORY has the rest
the account's log: ACCOUNT SYNC, in the same way. Messages hidden on another device are erased here, and
                        deleted accounts are renamed
"""

from collections.abc import Callable, Coroutine
from typing import Any, assert_never

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
    """Keeps the local copy of the conversations complete, and reports every message that is new or changed."""

    account: Account
    connection: Connection
    receipts: Receipts
    emit: Callable[[ClientEvent], None]
    spawn: Spawn
    clock: Any
    _live: list[Message] = attrs.Factory(list)
    _behind: dict[int, int] = attrs.Factory(dict)
    """Conversation -> a rev that was announced and has not been fetched."""

    _one_at_a_time: DeferredLock = attrs.Factory(DeferredLock)

    def receive(self, message: Message) -> None:
        """Take a live message. All messages of one read are applied in one transaction."""
        if not self._live:
            self.clock.callLater(0, self._apply)
        self._live.append(message)

    def _apply(self) -> None:
        live, self._live = self._live, []
        self.handle_applied(self.account.apply(live), {message.conversation for message in live})

    def handle_applied(self, applied: Applied, conversations: set[int]) -> None:
        """Report what was applied, acknowledge these conversations, and fetch what is missing."""
        self._emit_applied(applied)
        for conversation in conversations - applied.gaps.keys():
            self._acknowledge(conversation)
        for conversation, rev in applied.gaps.items():
            self.revision_seen(conversation, rev)

    def revision_seen(self, conversation: int, rev: int) -> None:
        """Fetch a conversation up to a rev, if the copy is behind."""
        if rev > (self.account.cursor(conversation) or 0):
            self._behind[conversation] = rev
            self.spawn(self.fill_gaps())

    def _emit_applied(self, applied: Applied) -> None:
        for message in applied.fresh:
            self.emit(Arrived(message))
        for change in applied.changed:
            self.emit(Changed(change.message, change.before))

    def account_changed(self, change: AccountChange) -> None:
        """Take a live entry of the account's log."""
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
                pass  # the listing and the messages themselves have it
            case "profile" | "relation" | "friend_note" | "declined":
                pass  # not kept here
            case _:
                assert_never(change.what)

    def reset(self) -> None:
        """Forget announced revs: the server's data is not what it was."""
        self._live.clear()
        self._behind.clear()

    async def _sync_log(self) -> None:
        async with self._one_at_a_time:
            await self._fetch_log()

    async def _fetch_log(self) -> None:
        """Fetch the account's log from the cursor on; the first time, only its end."""
        more = True
        while more:
            known = self.account.log()
            page = await self.connection.ask_with_retry(AccountSync(after=BIGGEST if known is None else known))
            self._apply_changes(page.changes, page.n)
            more = page.more

    async def catch_up(self) -> None:
        """Fetch everything missed while offline, and delete the copies of conversations the account is no longer in."""
        async with self._one_at_a_time:
            before = self.account.cursors()  # before asking: live events move the cursors ahead of the answer
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
        """Fetch what is missing in conversations that are behind."""
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
        """Bring a copy up to a rev, page by page; each page is one transaction."""
        while (cursor := self.account.cursor(conversation) or 0) < rev:
            page = await self._ask_as_member(Sync(conversation=conversation, after_rev=cursor, limit=500))
            if page is None or page.rev <= cursor:
                return
            self._emit_applied(self.account.merge(conversation, page.messages, page.rev))
        self._acknowledge(conversation)

    async def _ask_as_member(self, command: Command) -> Any:
        """Ask about a conversation; None if the account is no longer in it."""
        try:
            return await self.connection.ask_with_retry(command)
        except Refused as refused:
            if refused.code not in {"no_such_conversation", "not_a_member"}:
                raise
            return None

    def _acknowledge(self, conversation: int) -> None:
        if top := self.account.last_seq(conversation):
            self.receipts.send(Ack(conversation=conversation, seq=top))
