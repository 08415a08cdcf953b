"""Deletion: a person ends their account, and gets a receipt.

-> DELETE ACCOUNT correct horse battery
<- - destroyed: your password and profile
<- - destroyed: device logins (2)
<- - destroyed: notes to yourself (5)
<- …
<- - kept: messages to others, without your name (3)
<- …
<- OK DELETE ACCOUNT username=ann tombstone=deleted-… time=…
-> DELETE ACCOUNT messages=recall correct horse battery   <- …
<- OK DELETE ACCOUNT username=bob tombstone=deleted-… time=…
"""

from typing import Literal

from imd.wire import catalog
from imd.wire.base import Command, Item, Reply, command
from imd.wire.fields import Code, Password
from imd.wire.refusals import InvalidCredentials, RateLimited, Unavailable

What = Literal[
    "devices",
    "profile",
    "people",
    "requests",
    "invitations",
    "stars",
    "hidden",
    "log",
    "notes",
    "groups",
    "conversations",
    "messages",
    "recalled",
    "username",
]


class Counted(Item, frozen=True, kw_only=True):
    """How many things of one kind."""

    what: What
    count: int

    def text(self, language: str) -> str:
        """Write the line in the receipt."""
        return catalog.say(f"line.deletion.{self.what}", language, count=self.count)


class Deleted(Reply, frozen=True, kw_only=True):
    """The receipt. From now on others see `tombstone` in place of `username`, which nobody can get again."""

    username: str
    tombstone: str
    time: str
    destroyed: list[Counted]
    kept: list[Counted]


@command("delete_account", "DELETE ACCOUNT password...")
class DeleteAccount(Command, frozen=True, kw_only=True):
    """End your account, now and for good. `messages=recall` also recalls what you wrote to others."""

    password: Password
    messages: Literal["keep", "recall"] = "keep"
    code: Code = ""
    reply = Deleted
    refusals = (InvalidCredentials, RateLimited, Unavailable)
    example = "DELETE ACCOUNT messages=recall correct horse battery"
