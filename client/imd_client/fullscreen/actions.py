"""What may be done with the message that is marked: a key each. Most write the command, for Enter to give."""

import attrs

from imd.wire.base import registry
from imd.wire.messages import Message
from imd_client.fullscreen.conversation import ConversationState


@attrs.frozen
class Action:
    """One of them. `command` is the action of the command that it writes; reply and edit are drafts instead."""

    key: str
    name: str
    command: str = ""
    suffix: str = ""
    own: bool | None = None
    """Whether it is for one's own messages alone, or for those of others alone."""

    def line(self, conversation: ConversationState) -> str:
        """Write the command about the marked message."""
        return f"/{registry.actions[self.command].verb.lower()} {conversation.to} {conversation.selected}{self.suffix}"


ACTIONS = (
    Action("r", "reply"),
    Action("e", "edit", own=True),
    Action("x", "recall", "recall_message", own=True),
    Action("+", "react", "react", " "),
    Action("f", "forward", "forward", " "),
    Action("p", "pin", "pin"),
    Action("s", "star", "star"),
    Action("d", "delete", "delete_for_me", own=False),
    Action("i", "who", "who_read", own=True),
)


def available(conversation: ConversationState, me: str) -> list[Action]:
    """List what may be done with the marked message."""
    message = conversation.messages.get(conversation.selected)
    if message is None:
        return []
    return [action for action in ACTIONS if _fits(action, message, conversation, me)]


def _fits(action: Action, message: Message, conversation: ConversationState, me: str) -> bool:
    if message.recalled or message.burned or message.notice is not None:
        return action.name == "delete"
    if action.name == "edit":
        return message.sender == me and message.kind in {"text", "markdown"} and message.forwarded is None
    if action.name == "recall":
        return message.sender == me or conversation.role in {"owner", "admin"}
    return action.own is None or action.own == (message.sender == me)
