"""How messages and replies look on the screen: text in, text out."""

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

NUMBERS = frozenset({"conversation", "seq", "rev", "delivered_seq", "read_seq", "duplicate", "time"})
"""What a reply tells programs alone."""


SECRETIVE = frozenset({"delete", "factor", "login", "password", "register"})
"""Commands that hold a secret: the line is neither shown again nor kept for another time."""

QUIET = (NewMessage, Receipt, IsTyping, Replayed, Welcome, Closing)
"""Events that a console shows in its own way, or not at all; of all others it shows the text."""


def clock(time: str, now: datetime) -> str:
    """Write a wire time as a clock on the wall shows it, with the day if it is not today. `now` has a time zone."""
    local = datetime.fromisoformat(time).astimezone(now.tzinfo)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == now.year else f"{local:%Y-%m-%d %H:%M}"


def message(one: Message, me: str, now: datetime, language: str) -> str:
    """Write a message: `[06:25] bob: hi`; further lines of it are indented."""
    if one.sender == me:
        who = say("console.own", language, to=one.to)
    else:
        who = f"{one.to} {one.sender}" if one.to.startswith("#") else one.sender
    first, *others = lines(one.said(language))
    return "\n".join([harmless(f"[{clock(one.time, now)}] {who}: {first}"), *(f"    {other}" for other in others)])


def messages(one: Reply) -> list[Message] | None:
    """Give the messages that a command answered with; None where it answers with something else."""
    return next((getattr(one, name) for name in one.__struct_fields__ if name == "messages"), None)


def more(one: Reply) -> bool:
    """Say whether there is more than a reply lists."""
    return any(getattr(one, name) for name in one.__struct_fields__ if name == "more")


def lists(one: Reply) -> bool:
    """Say whether a reply lists something: then it was a question, and changed nothing."""
    return any(isinstance(getattr(one, name), list) for name in one.__struct_fields__)


def page(one: Page, to: str | None, me: str, language: str) -> list[str]:
    """Write a page of a conversation, and how to see what comes before it."""
    now = datetime.now().astimezone()
    earlier = []
    if one.more and to and one.messages:
        earlier = [say("console.more", language, to=to, seq=one.messages[0].seq)]
    return [*earlier, *(message(each, me, now, language) for each in one.messages)]


def answer(spec: Spec, command: Command, one: Reply, me: str, language: str) -> list[str]:
    """Write what a command answered, as texts of their own."""
    listed = messages(one)
    if isinstance(one, Page):
        return page(one, command.to if isinstance(command, Addressed) else None, me, language)
    if listed:
        now = datetime.now().astimezone()
        return [message(each, me, now, language) for each in listed]
    return [reply(spec, one, language)]


def reply(spec: Spec, one: Reply, language: str) -> str:
    """Write what a command answered: its lines, or its sentence with what a person may want to know."""
    shown = [line for text in one.lines(language) for line in lines(text)]
    pairs = [
        f"{name}={quoted(value)}"
        for name in one.__struct_fields__
        if name not in NUMBERS and (value := getattr(one, name)) is not None and isinstance(value, str | int | float)
    ]
    if not shown and lists(one):
        shown = [say("console.none", language)]
    if not shown:
        shown = [" ".join([say(f"reply.{spec.action}", language), *map(harmless, pairs)])]
    return "\n".join(shown)


def arguments(line: str) -> tuple[str, str]:
    """Split `/word rest` into the word, in small letters, and the rest."""
    word, _, rest = line.removeprefix("/").partition(" ")
    return word.lower(), rest.strip()
