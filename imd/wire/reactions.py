"""Reactions: emoji on a message, from any number of people, each emoji once from each person.

-> REACT bob 2 👍            <- OK REACT conversation=1 seq=2 rev=3
                                (bob reads: * alice: alice 👍 to 2)
-> UNREACT bob 2 👍          <- OK UNREACT conversation=1 seq=2 rev=4
"""

from typing import Annotated

from msgspec import Meta

from imd.wire.base import command
from imd.wire.messages import AboutMessage, Changed
from imd.wire.refusals import BadRequest, Blocked, QuotaExceeded, RateLimited

Emoji = Annotated[str, Meta(min_length=1, max_length=32)]


@command("react", "REACT to seq emoji")
class React(AboutMessage, frozen=True, kw_only=True):
    """Put an emoji on a message."""

    emoji: Emoji
    reply = Changed
    refusals = (*AboutMessage.refusals, BadRequest, Blocked, QuotaExceeded, RateLimited)
    example = "REACT bob 2 👍"


@command("unreact", "UNREACT to seq emoji")
class Unreact(AboutMessage, frozen=True, kw_only=True):
    """Take your emoji off a message."""

    emoji: Emoji
    reply = Changed
    example = "UNREACT bob 2 👍"
