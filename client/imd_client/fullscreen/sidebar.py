"""The conversations in lines: a mark at the open one, what is unread on the right."""

from imd.wire.presence import SeenAs
from imd.wire.terminal import harmless
from imd_client.fullscreen.conversation import ConversationState
from imd_client.fullscreen.model import Model
from imd_client.fullscreen.widths import Fragments, columns, pad

_MARKS: dict[SeenAs, str] = {"online": "●", "away": "○", "busy": "◆", "offline": " "}


def sidebar(model: Model, width: int, height: int) -> list[Fragments]:
    """List as many conversations as there are lines, the open one among them."""
    order = model.order()
    index = order.index(model.current) if model.current in order else 0
    start = max(0, min(index - height // 2, len(order) - height))
    return [_row(model, conversation, width) for conversation in order[start : start + height]]


def _row(model: Model, conversation: ConversationState, width: int) -> Fragments:
    badge = _badge(conversation)
    presence = model.presence.get(conversation.to)
    name = pad(harmless(conversation.to), width - columns(badge) - 3)
    style = "class:sidebar"
    if conversation is model.current:
        style += " class:sidebar.open"
    elif conversation.muted:
        style += " class:sidebar.muted"
    elif conversation.unread:
        style += " class:sidebar.unread"
    mark = " class:badge.muted" if conversation.muted else " class:badge"
    mark = " class:badge.mention" if conversation.mentions else mark
    dot = (f"{style} class:presence.{presence.presence}", _MARKS[presence.presence]) if presence else (style, " ")
    return [dot, (style, f" {name}"), (style + mark, badge), (style, " ")]


def _badge(conversation: ConversationState) -> str:
    if not conversation.unread:
        return "✎" if conversation.draft.text else ""
    mention = "@" if conversation.mentions else ""
    return f" {mention}{conversation.unread if conversation.unread < 1000 else '999+'}"
