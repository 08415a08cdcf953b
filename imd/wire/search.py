"""Search: messages by their words, their conversation, their sender and their day. Newest first.

A query is words. A message must have all of them, in any order; case and accents make no difference, so that `creme`
finds Crème. One Chinese character is a word. `"a phrase"` is words side by side, and `meet*` is the beginning of a
word, of two letters or more. Filters narrow a query:

    from:bob   in:bob   in:#team   kind:sticker   after:2026-11-01   before:2026-12-01 (days in UTC; `before` excludes)

-> SEARCH "at six" from:bob                 <- - bob 2 2026-11-23 06:25Z bob: shall we meet at six?
                                            <- OK SEARCH more=false
-> SEARCH limit=1 会议 in:#team             <- - #team 4 2026-11-23 06:25Z 小明: 会议改到下午三点
                                            <- OK SEARCH more=true before=6
-> SEARCH limit=1 before=6 会议 in:#team    <- - #team 3 2026-11-23 06:25Z 小明: 会议在三楼
                                            <- OK SEARCH more=false
"""

from typing import Annotated

from msgspec import Meta

from imd.wire.base import Command, Reply, command
from imd.wire.fields import Seq
from imd.wire.messages import Message
from imd.wire.refusals import BadRequest, NoSuchConversation, NoSuchUser, NotAMember

Query = Annotated[str, Meta(min_length=1, max_length=256)]


class Found(Reply, frozen=True, kw_only=True, omit_defaults=True):
    """What was found, newest first. While there is `more`, go on with `before`, even if the page is short."""

    messages: list[Message]
    more: bool
    before: int | None = None

    def lines(self, language: str) -> list[str]:
        """Write each message after its conversation."""
        return [f"{each.to} {each.text(language)}" for each in self.messages]


@command("search", "SEARCH query...")
class Search(Command, frozen=True, kw_only=True):
    """Search all messages that you may read, except those that burn after reading."""

    query: Query
    before: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 20
    reply = Found
    refusals = (BadRequest, NoSuchUser, NoSuchConversation, NotAMember)
    example = 'SEARCH limit=10 "at six" from:bob'
