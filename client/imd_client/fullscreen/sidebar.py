"""The conversations in lines: a mark at the open one, what is unread on the right."""

from imd.wire.presence import SeenAs
from imd.wire.terminal import harmless
from imd_client.fullscreen.conversation import Talk
from imd_client.fullscreen.model import Model
from imd_client.fullscreen.widths import Fragments, columns, pad

_MARKS: dict[SeenAs, str] = {"online": "●", "away": "○", "busy": "◆", "offline": " "}


def sidebar(model: Model, width: int, height: int) -> list[Fragments]:
    """List as many conversations as there are lines, the open one among them."""
    order = model.order()
    place = order.index(model.current) if model.current in order else 0
    start = max(0, min(place - height // 2, len(order) - height))
    return [_row(model, talk, width) for talk in order[start : start + height]]


def _row(model: Model, talk: Talk, width: int) -> Fragments:
    badge = _badge(talk)
    seen = model.people.get(talk.to)
    name = pad(harmless(talk.to), width - columns(badge) - 3)
    style = "class:sidebar"
    if talk is model.current:
        style += " class:sidebar.open"
    elif talk.muted:
        style += " class:sidebar.muted"
    elif talk.unread:
        style += " class:sidebar.unread"
    mark = " class:badge.mention" if talk.mentions else " class:badge.muted" if talk.muted else " class:badge"
    presence = (f"{style} class:presence.{seen.presence}", _MARKS[seen.presence]) if seen else (style, " ")
    return [presence, (style, f" {name}"), (style + mark, badge), (style, " ")]


def _badge(talk: Talk) -> str:
    if not talk.unread:
        return "✎" if talk.draft.text else ""
    mention = "@" if talk.mentions else ""
    return f" {mention}{talk.unread if talk.unread < 1000 else '999+'}"
