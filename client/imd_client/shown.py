"""How messages and replies look on the screen: text in, text out."""

from datetime import datetime

from imd.wire.base import Reply, Spec
from imd.wire.catalog import say
from imd.wire.conversations import Changes, Page
from imd.wire.messages import Message
from imd.wire.terminal import harmless, lines
from imd.wire.textline import quoted


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


def page(one: Page | Changes, to: str | None, me: str, language: str) -> list[str]:
    """Write a page of a conversation, and how to see what comes before it."""
    now = datetime.now().astimezone()
    earlier = []
    if one.more and to and one.messages:
        earlier = [say("console.more", language, to=to, seq=one.messages[0].seq)]
    return [*earlier, *(message(each, me, now, language) for each in one.messages)]


def reply(spec: Spec, one: Reply, language: str) -> str:
    """Write what a command answered."""
    shown = [line for text in one.lines(language) for line in lines(text)]
    pairs = [
        f"{name}={quoted(value)}"
        for name in one.__struct_fields__
        if (value := getattr(one, name)) is not None and isinstance(value, str | int | float)
    ]
    if not shown and any(isinstance(getattr(one, name), list) for name in one.__struct_fields__):
        shown = [say("console.none", language)]
    if not shown:
        shown = [" ".join([say(f"reply.{spec.action}", language), *map(harmless, pairs)])]
    return "\n".join(shown)


def arguments(line: str) -> tuple[str, str]:
    """Split `/word rest` into the word, in small letters, and the rest."""
    word, _, rest = line.removeprefix("/").partition(" ")
    return word.lower(), rest.strip()
