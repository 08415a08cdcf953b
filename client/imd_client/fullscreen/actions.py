"""What can be done with the selected message: one key each. Most put a command on the input line, for Enter to run."""

import attrs

from imd.wire.base import registry
from imd.wire.messages import Message
from imd_client.fullscreen.conversation import ConversationState


@attrs.frozen
class Action:
    """One action. `command` names the command that it writes; reply and edit change the draft instead."""

    key: str
    name: str
    command: str = ""
    suffix: str = ""
    own: bool | None = None
    """Whether it is only for the person's own messages (True) or only for others' (False)."""

    def line(self, conversation: ConversationState) -> str:
        """Write the command for the selected message."""
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
    """Return the actions possible with the selected message."""
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
