"""Search: what was said, where, and by whom. Newest first.

A query is words, all of which must be said, in any order and spelling: `creme` finds Crème, one Chinese character is a
word. `"a phrase"` is words in their order, `meet*` the beginning of a word, of two letters or more. And it narrows:

    from:bob   in:bob   in:#team   kind:sticker   after:2026-11-01   before:2026-12-01 (that day not any more; UTC)

-> SEARCH "at six" from:bob          <- - bob 2 2026-11-23 06:25Z bob: shall we meet at six?
                                     <- OK SEARCH more=false
-> SEARCH 会议 in:#team              <- - #team 12 2026-11-23 06:25Z 小明: 会议改到下午三点
                                     <- OK SEARCH more=true before=812
-> SEARCH before=812 会议 in:#team   <- OK SEARCH more=false
"""

from typing import Annotated

from msgspec import Meta

from imd.wire.base import Command, Reply, command
from imd.wire.fields import Seq
from imd.wire.messages import Message
from imd.wire.refusals import BadRequest, NoSuchConversation, NoSuchUser, NotAMember

Query = Annotated[str, Meta(min_length=1, max_length=256)]


class Found(Reply, frozen=True, kw_only=True, omit_defaults=True):
    """What was found, newest first. While there is `more`, go on with `before`; a page may be short all the same."""

    messages: list[Message]
    more: bool
    before: int | None = None

    def lines(self, language: str) -> list[str]:
        """Write what was found for a person: each message with where it was said."""
        return [f"{each.to} {each.text(language)}" for each in self.messages]


@command("search", "SEARCH query...")
class Search(Command, frozen=True, kw_only=True):
    """Search all that you may read, but what burns after reading."""

    query: Query
    before: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 20
    reply = Found
    refusals = (BadRequest, NoSuchUser, NoSuchConversation, NotAMember)
    example = 'SEARCH limit=10 "at six" from:bob'
