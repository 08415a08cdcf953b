"""Which key does what. `?` shows the list to a person; its words are `console.fullscreen.keys` in the catalog.

What a key does to the line is done here; whatever concerns a conversation is left to the KeyHandler.
"""

from typing import Protocol

from prompt_toolkit.application.current import get_app
from prompt_toolkit.filters import Condition, Filter, has_completions
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent

from imd_client.fullscreen.actions import ACTIONS, Action, available
from imd_client.fullscreen.conversation import ConversationState
from imd_client.fullscreen.screen import FullScreen


class KeyHandler(Protocol):
    """What the keys set in motion."""

    def submit(self, text: str) -> None:
        """Send what is typed, or do what it says."""

    def open(self, conversation: ConversationState | None) -> None:
        """Open a conversation, if there is one."""

    def page_up(self) -> None:
        """Scroll a page up, and fetch what was said before."""

    def page_down(self) -> None:
        """Scroll a page down, and fetch what was said after."""

    def go_to_end(self) -> None:
        """Go back to the end of the conversation."""

    def open_result(self) -> None:
        """Open the message that was chosen from those found."""

    def act(self, action: Action) -> None:
        """Do something with the marked message."""


def bindings(screen: FullScreen, handler: KeyHandler) -> KeyBindings:
    """Bind all keys."""
    keys = KeyBindings()
    chatting = Condition(lambda: not screen.asking)
    marking = Condition(lambda: bool(screen.model.current.selected)) & chatting
    helping = Condition(lambda: screen.helping)
    empty = Condition(lambda: not screen.buffer.text) & chatting & ~marking
    _line(keys, screen, handler, chatting)
    _conversations(keys, screen, handler, chatting, empty)
    _marking(keys, screen, handler, marking, empty)
    _results(keys, screen, handler)
    _help(keys, screen, helping, empty)
    return keys


def _line(keys: KeyBindings, screen: FullScreen, handler: KeyHandler, chatting: Filter) -> None:
    chosen = Condition(
        lambda: screen.buffer.complete_state is not None and screen.buffer.complete_state.current_completion is not None
    )

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        """Send."""
        if (text := screen.take_line()) is not None:
            handler.submit(text)

    @keys.add("enter", filter=chosen, eager=True)
    def _(event: KeyPressEvent) -> None:
        """Take the completion that is marked, and type on."""
        screen.buffer.complete_state = None

    @keys.add("escape", "enter", filter=chatting)
    @keys.add("c-j", filter=chatting)
    def _(event: KeyPressEvent) -> None:
        """Begin a new line."""
        screen.buffer.insert_text("\n")

    @keys.add("tab", filter=~has_completions)
    def _(event: KeyPressEvent) -> None:
        """Offer completions."""
        screen.buffer.start_completion(insert_common_part=True)

    @keys.add("tab", filter=has_completions)
    def _(event: KeyPressEvent) -> None:
        """Mark the next completion."""
        screen.buffer.complete_next()

    @keys.add("s-tab", filter=has_completions)
    def _(event: KeyPressEvent) -> None:
        """Mark the one before."""
        screen.buffer.complete_previous()

    @keys.add("c-c")
    def _(event: KeyPressEvent) -> None:
        """Clear the line, or leave."""
        if screen.buffer.text and not screen.asking:
            screen.buffer.reset()
        else:
            screen.end()

    @keys.add("c-d", filter=Condition(lambda: not screen.buffer.text))
    def _(event: KeyPressEvent) -> None:
        """Leave."""
        screen.end()

    @keys.add("escape", filter=chatting)
    def _(event: KeyPressEvent) -> None:
        """Take back what was begun: completing, marking, answering, editing."""
        draft, conversation = screen.model.current.draft, screen.model.current
        if screen.buffer.complete_state is not None:
            screen.buffer.cancel_completion()
        elif conversation.selected:
            conversation.selected = 0
        else:
            if draft.editing:
                screen.buffer.reset()
            elif not draft.reply_to and screen.scroll.anchor is None:
                conversation.notes.clear()
            draft.editing = draft.reply_to = 0
            handler.go_to_end()


def _conversations(keys: KeyBindings, screen: FullScreen, handler: KeyHandler, chatting: Filter, empty: Filter) -> None:
    @keys.add("tab", filter=empty)
    def _(event: KeyPressEvent) -> None:
        """Open the next conversation with something unread."""
        handler.open(screen.model.next_unread())

    @keys.add("escape", "down", filter=chatting)
    @keys.add("c-down", filter=chatting)
    def _(event: KeyPressEvent) -> None:
        """Open the next conversation."""
        handler.open(screen.model.neighbour(1))

    @keys.add("escape", "up", filter=chatting)
    @keys.add("c-up", filter=chatting)
    def _(event: KeyPressEvent) -> None:
        """Open the one before."""
        handler.open(screen.model.neighbour(-1))

    @keys.add("pageup", filter=chatting)
    def _(event: KeyPressEvent) -> None:
        """See what was said before."""
        handler.page_up()

    @keys.add("pagedown", filter=chatting)
    def _(event: KeyPressEvent) -> None:
        """See what was said after it."""
        handler.page_down()

    @keys.add("c-end", filter=chatting)
    @keys.add("end", filter=empty)
    def _(event: KeyPressEvent) -> None:
        """See the latest."""
        handler.go_to_end()

    @keys.add("c-f", filter=chatting)
    def _(event: KeyPressEvent) -> None:
        """Search."""
        screen.buffer.text = "/search "
        screen.buffer.cursor_position = len(screen.buffer.text)

    @keys.add("c-l")
    def _(event: KeyPressEvent) -> None:
        """Draw everything anew."""
        get_app().renderer.clear()


def _marking(keys: KeyBindings, screen: FullScreen, handler: KeyHandler, marking: Filter, empty: Filter) -> None:
    def move(step: int) -> None:
        conversation = screen.model.current
        conversation.select(step)
        if conversation.selected:
            screen.scroll.reveal(conversation.selected)

    @keys.add("up", filter=empty | marking, eager=True)
    def _(event: KeyPressEvent) -> None:
        """Mark a message, or the one above it."""
        move(-1)

    @keys.add("down", filter=marking, eager=True)
    def _(event: KeyPressEvent) -> None:
        """Mark the one below."""
        move(1)

    def bind(action: Action) -> None:
        here = Condition(lambda: action in available(screen.model.current, screen.model.me))

        @keys.add(action.key, filter=marking & here, eager=True)
        def _(event: KeyPressEvent) -> None:
            handler.act(action)

    for action in ACTIONS:
        bind(action)

    @keys.add("enter", filter=marking, eager=True)
    def _(event: KeyPressEvent) -> None:
        """Answer the marked message."""
        handler.act(ACTIONS[0])


def _results(keys: KeyBindings, screen: FullScreen, handler: KeyHandler) -> None:
    choosing = Condition(lambda: screen.model.results is not None)

    def move(key: str, count: int) -> None:
        @keys.add(key, filter=choosing, eager=True)
        def _(event: KeyPressEvent) -> None:
            if screen.model.results is not None:
                screen.model.results.move(count)

    for key, count in (("up", -1), ("down", 1), ("pageup", -10), ("pagedown", 10)):
        move(key, count)

    @keys.add("enter", filter=choosing, eager=True)
    def _(event: KeyPressEvent) -> None:
        """Open it."""
        handler.open_result()

    @keys.add("escape", filter=choosing, eager=True)
    @keys.add("<any>", filter=choosing)
    def _(event: KeyPressEvent) -> None:
        """Go back."""
        screen.model.results = None


def _help(keys: KeyBindings, screen: FullScreen, helping: Filter, empty: Filter) -> None:
    @keys.add("?", filter=empty & ~helping)
    @keys.add("？", filter=empty & ~helping)
    def _(event: KeyPressEvent) -> None:
        """Show the keys."""
        screen.helping = True

    @keys.add("<any>", filter=helping, eager=True)
    @keys.add("escape", filter=helping, eager=True)
    def _(event: KeyPressEvent) -> None:
        """Go back from the keys."""
        screen.helping = False
