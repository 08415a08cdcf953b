"""Conversations: the list, the pages of one, and catching up.

-> CONVERSATIONS             <- - bob: 2 unread. Last, bob: hello
                             <- OK CONVERSATIONS
-> HISTORY bob limit=1       <- - 3 2026-11-23 06:25Z bob: hello
                             <- OK HISTORY conversation=1 more=true
"""

from typing import Annotated

from msgspec import Meta

from imd.wire import catalog
from imd.wire.base import Command, Item, Reply, command
from imd.wire.fields import Pointer, Seq
from imd.wire.messages import Addressed, Message
from imd.wire.refusals import NoSuchConversation, NoSuchUser, NotAMember


class Conversation(Item, frozen=True, kw_only=True):
    """A conversation as one of its members sees it. `unread` counts the messages by others after `read_seq`."""

    conversation: int
    kind: str
    to: str
    title: str
    last_seq: int
    last_rev: int
    read_seq: int
    delivered_seq: int
    unread: int
    mentions: int
    role: str
    muted: bool
    archived: bool
    pinned: bool
    last: Message | None

    def text(self, language: str) -> str:
        """Write the conversation's line in CONVERSATIONS."""
        said = self.last.said(language).splitlines() if self.last else []
        last = said[0] if said else ""
        marks = [catalog.say("line.conversation.mentions", language, count=self.mentions)] * bool(self.mentions)
        marks += [
            catalog.say(f"line.conversation.{each}", language)
            for each in ("muted", "archived", "pinned")
            if getattr(self, each)
        ]
        unread = catalog.say("line.conversation.unread", language, count=self.unread) + "".join(marks)
        if not self.last:
            return catalog.say("line.conversation.empty", language, to=self.to, unread=unread)
        if self.last.notice:
            return catalog.say("line.conversation.notice", language, to=self.to, unread=unread, last=last)
        return catalog.say("line.conversation", language, to=self.to, unread=unread, sender=self.last.sender, last=last)


class Conversations(Reply, frozen=True, kw_only=True):
    """The conversations, the one with the latest message first."""

    conversations: list[Conversation]


@command("conversations", "CONVERSATIONS")
class ListConversations(Command, frozen=True, kw_only=True):
    """List your conversations."""

    unread_only: bool = False
    reply = Conversations
    example = "CONVERSATIONS unread_only=true"


class Page(Reply, frozen=True, kw_only=True):
    """Messages, oldest first; `more` if the conversation goes on after them, or before them."""

    conversation: int
    messages: list[Message]
    more: bool


@command("history", "HISTORY to")
class History(Addressed, frozen=True, kw_only=True):
    """Read a conversation: its latest messages, or those before or after a seq."""

    before: Seq | None = None
    after: Pointer | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    reply = Page
    refusals = (NoSuchConversation, NoSuchUser, NotAMember)
    example = "HISTORY bob limit=20"


class Changes(Reply, frozen=True, kw_only=True):
    """Messages that are new or changed after a rev, by rev. Go on after `rev` while there is `more`."""

    conversation: int
    messages: list[Message]
    rev: int
    more: bool


@command("sync", "SYNC to after_rev")
class Sync(Addressed, frozen=True, kw_only=True):
    """Catch up with a conversation: get every message whose rev is greater, in its present state."""

    after_rev: Pointer
    limit: Annotated[int, Meta(ge=1, le=500)] = 200
    reply = Changes
    refusals = (NoSuchConversation, NoSuchUser, NotAMember)
    example = "SYNC bob 0"
