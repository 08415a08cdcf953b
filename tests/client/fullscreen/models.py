"""Conversations to look at: ann's screen, and what bob and others said."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from imd_client import Arrived, CaughtUp, State
from imd_client.fullscreen.model import Model
from imd_client.fullscreen.timeline import Line, Timeline
from imd_client.fullscreen.widths import Fragments

from imd.wire.conversations import Conversation
from imd.wire.messages import Message

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def said(seq: int, content: str = "hi", **fields: Any) -> Message:
    """Make a message, by bob if nobody is named, one minute after the one before it."""
    usual = {"conversation": 1, "rev": seq, "sender": "bob", "to": "bob", "kind": "text"}
    time = f"2026-11-24T{6 + seq // 60:02d}:{seq % 60:02d}:18.123Z"
    return Message(**(usual | {"time": time} | fields), seq=seq, content=content)  # type: ignore[arg-type]


def row(conversation: int = 1, to: str = "bob", **fields: Any) -> Conversation:
    """Make a conversation as the server lists it."""
    usual: dict[str, Any] = {"kind": "direct", "title": "", "last_seq": 0, "last_rev": 0, "read_seq": 0, "last": None}
    usual |= {"delivered_seq": 0, "unread": 0, "mentions": 0, "role": "", "muted": False, "archived": False}
    return Conversation(**(usual | {"pinned": False} | fields), conversation=conversation, to=to)


def screen(*messages: Message, listing: Iterable[Conversation] = (), language: str = "en") -> Model:
    """Give ann's screen, with bob's conversation open if there are messages in it."""
    model = Model(State().account("localhost:7373", "ann"), language)
    model.on_event(CaughtUp(list(listing)), 0)
    arrive(model, *messages)
    if messages:
        model.open(messages[0].to, None)
    return model


def arrive(model: Model, *messages: Message, now: float = 0) -> None:
    """Let messages come in, as the client does it."""
    for message in messages:
        for fresh in model.account.apply([message]).fresh:
            model.on_event(Arrived(fresh), now)


def text(fragments: Fragments) -> str:
    """Give the bare text of a line."""
    return "".join(piece for _, piece in fragments).rstrip()


def drawn(model: Model, width: int = 40) -> list[str]:
    """Draw the open conversation."""
    return [text(line.fragments) for line in lines(model, width)]


def lines(model: Model, width: int = 40) -> list[Line]:
    """Draw the open conversation, with its styles."""
    return Timeline(model, model.current, width, NOW).lines()


def styles(model: Model, word: str, width: int = 40) -> str:
    """Give the style in which a word is drawn."""
    found = [style for line in lines(model, width) for style, piece in line.fragments if word in piece]
    assert len(found) == 1, found
    return found[0]
