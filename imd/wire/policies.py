"""Policies: what admins set while the server runs, in place of what is configured; and forbidden words.

-> POLICY SET registration=invite    <- OK POLICY SET registration=invite requests_per_second=30 burst=100 …
-> WORD ADD casino                   <- OK WORD ADD
-> SEND bob shall we go to a casino  <- ERR forbidden …
"""

from typing import Annotated, Literal

from msgspec import Meta

from imd.wire.base import Command, Reply, Right, command
from imd.wire.refusals import BadRequest, QuotaExceeded

Registration = Literal["open", "invite", "closed"]
Rate = Annotated[int, Meta(ge=0, le=1_000_000)]
Word = Annotated[str, Meta(min_length=1, max_length=64)]


class Policies(Reply, frozen=True, kw_only=True):
    """The policies in force."""

    registration: str
    requests_per_second: int
    burst: int
    strangers_per_day: int


@command("policy_show", "POLICY SHOW", right=Right.ADMIN)
class PolicyShow(Command, frozen=True, kw_only=True):
    """Show who may register, how many requests a second are allowed, and how many strangers one may write to a day."""

    reply = Policies
    example = "POLICY SHOW"


@command("policy_set", "POLICY SET", right=Right.ADMIN)
class PolicySet(Command, frozen=True, kw_only=True):
    """Set policies, for everybody at once. They outlive a restart."""

    registration: Registration | None = None
    requests_per_second: Rate | None = None
    burst: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    strangers_per_day: Rate | None = None
    reply = Policies
    refusals = (BadRequest,)
    example = "POLICY SET registration=invite strangers_per_day=20"


@command("policy_reset", "POLICY RESET", right=Right.ADMIN)
class PolicyReset(Command, frozen=True, kw_only=True):
    """Go back to what is configured. Forbidden words stay."""

    example = "POLICY RESET"


@command("word_add", "WORD ADD word...", right=Right.ADMIN)
class WordAdd(Command, frozen=True, kw_only=True):
    """Forbid a word, in any case: what others would read is refused if it has it."""

    word: Word
    refusals = (BadRequest, QuotaExceeded)
    example = "WORD ADD casino"


class WordList(Reply, frozen=True, kw_only=True):
    """The forbidden words, in order."""

    words: list[str]

    def lines(self, language: str) -> list[str]:
        """Write each on a line of its own, since some are phrases."""
        return self.words


@command("word_list", "WORD LIST", right=Right.ADMIN)
class ListWords(Command, frozen=True, kw_only=True):
    """List the forbidden words."""

    reply = WordList
    example = "WORD LIST"


@command("word_remove", "WORD REMOVE word...", right=Right.ADMIN)
class WordRemove(Command, frozen=True, kw_only=True):
    """Allow a word again."""

    word: Word
    example = "WORD REMOVE casino"
