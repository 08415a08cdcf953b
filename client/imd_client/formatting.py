"""How messages and replies are written on the screen: values in, text out."""

from datetime import datetime

from imd.wire.base import Command, Reply, Spec
from imd.wire.catalog import say
from imd.wire.conversations import Page
from imd.wire.messages import Addressed, Message, NewMessage
from imd.wire.presence import IsTyping
from imd.wire.receipts import Receipt, Replayed
from imd.wire.session import Closing, Welcome
from imd.wire.terminal import harmless, lines
from imd.wire.textline import quoted

HIDDEN_FIELDS = frozenset({"conversation", "seq", "rev", "delivered_seq", "read_seq", "duplicate", "time"})
"""Fields of a reply that only programs need."""


SECRET_COMMANDS = frozenset({"delete", "factor", "login", "password", "register"})
"""Commands that contain a secret: the line is neither shown again nor kept in the history."""

QUIET_EVENTS = (NewMessage, Receipt, IsTyping, Replayed, Welcome, Closing)
"""Events that the console shows in its own way or not at all; of all others it shows the text."""


def format_time(time: str, now: datetime) -> str:
    """Write a time of the wire as local time, with the date if it is not today's. `now` has a time zone."""
    local = datetime.fromisoformat(time).astimezone(now.tzinfo)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == now.year else f"{local:%Y-%m-%d %H:%M}"


def format_message(one: Message, me: str, now: datetime, language: str) -> str:
    """Write a message: `[06:25] bob: hi`; its further lines are indented."""
    if one.sender == me:
        who = say("console.own", language, to=one.to)
    else:
        who = f"{one.to} {one.sender}" if one.to.startswith("#") else one.sender
    first, *others = lines(one.said(language))
    return "\n".join(
        [harmless(f"[{format_time(one.time, now)}] {who}: {first}"), *(f"    {other}" for other in others)]
    )


def messages_in(one: Reply) -> list[Message] | None:
    """Return the messages in a reply; None if it has no such list."""
    return next((getattr(one, name) for name in one.__struct_fields__ if name == "messages"), None)


def has_more(one: Reply) -> bool:
    """Return whether the server has more than the reply lists."""
    return any(getattr(one, name) for name in one.__struct_fields__ if name == "more")


def is_listing(one: Reply) -> bool:
    """Return whether a reply is a list: such a command only asked and changed nothing."""
    return any(isinstance(getattr(one, name), list) for name in one.__struct_fields__)


def format_page(one: Page, to: str | None, me: str, language: str) -> list[str]:
    """Write a page of a conversation, and how to see the messages before it."""
    now = datetime.now().astimezone()
    earlier = []
    if one.more and to and one.messages:
        earlier = [say("console.more", language, to=to, seq=one.messages[0].seq)]
    return [*earlier, *(format_message(each, me, now, language) for each in one.messages)]


def format_answer(spec: Spec, command: Command, one: Reply, me: str, language: str) -> list[str]:
    """Write the reply to a command, as separate texts."""
    listed = messages_in(one)
    if isinstance(one, Page):
        return format_page(one, command.to if isinstance(command, Addressed) else None, me, language)
    if listed:
        now = datetime.now().astimezone()
        return [format_message(each, me, now, language) for each in listed]
    return [format_reply(spec, one, language)]


def format_reply(spec: Spec, one: Reply, language: str) -> str:
    """Write a reply: its lines, or a sentence followed by the fields a person may want to know."""
    texts = [line for text in one.lines(language) for line in lines(text)]
    pairs = [
        f"{name}={quoted(value)}"
        for name in one.__struct_fields__
        if name not in HIDDEN_FIELDS
        and (value := getattr(one, name)) is not None
        and isinstance(value, str | int | float)
    ]
    if not texts and is_listing(one):
        texts = [say("console.none", language)]
    if not texts:
        texts = [" ".join([say(f"reply.{spec.action}", language), *map(harmless, pairs)])]
    return "\n".join(texts)


def split_command(line: str) -> tuple[str, str]:
    """Split `/word rest` into the word, in lower case, and the rest."""
    word, _, rest = line.removeprefix("/").partition(" ")
    return word.lower(), rest.strip()
