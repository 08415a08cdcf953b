"""Which key does what. `?` shows the list, which is `console.fullscreen.keys` in the catalog.

Keys that edit the input line are handled here, all others by the KeyHandler.
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
    """What keys do beyond the input line."""

    def submit(self, text: str) -> None:
        """Send the text, or run it as a command."""

    def open(self, conversation: ConversationState | None) -> None:
        """Open a conversation, if there is one."""

    def page_up(self) -> None:
        """Scroll up a page, and load earlier messages."""

    def page_down(self) -> None:
        """Scroll down a page, and load later messages."""

    def go_to_end(self) -> None:
        """Go to the end of the conversation."""

    def open_result(self) -> None:
        """Open the message selected in the list of results."""

    def act(self, action: Action) -> None:
        """Do something with the selected message."""


def bindings(screen: FullScreen, handler: KeyHandler) -> KeyBindings:
    """Return all key bindings."""
    keys = KeyBindings()
    chatting = Condition(lambda: not screen.asking)
    selecting = Condition(lambda: bool(screen.model.current.selected)) & chatting
    helping = Condition(lambda: screen.helping)
    empty = Condition(lambda: not screen.buffer.text) & chatting & ~selecting
    _line(keys, screen, handler, chatting)
    _completion(keys, screen)
    _cancel(keys, screen, handler, chatting)
    _conversations(keys, screen, handler, chatting, empty)
    _scrolling(keys, handler, chatting, empty)
    _selection(keys, screen, handler, selecting, empty)
    _results(keys, screen, handler)
    _help(keys, screen, helping, empty)
    return keys


def _line(keys: KeyBindings, screen: FullScreen, handler: KeyHandler, chatting: Filter) -> None:
    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        """Send."""
        if (text := screen.take_line()) is not None:
            handler.submit(text)

    @keys.add("escape", "enter", filter=chatting)
    @keys.add("c-j", filter=chatting)
    def _(event: KeyPressEvent) -> None:
        """Start a new line."""
        screen.buffer.insert_text("\n")

    @keys.add("c-f", filter=chatting)
    def _(event: KeyPressEvent) -> None:
        """Search."""
        screen.buffer.text = "/search "
        screen.buffer.cursor_position = len(screen.buffer.text)

    @keys.add("c-l")
    def _(event: KeyPressEvent) -> None:
        """Redraw everything."""
        get_app().renderer.clear()


def _completion(keys: KeyBindings, screen: FullScreen) -> None:
    chosen = Condition(
        lambda: screen.buffer.complete_state is not None and screen.buffer.complete_state.current_completion is not None
    )

    @keys.add("enter", filter=chosen, eager=True)
    def _(event: KeyPressEvent) -> None:
        """Accept the selected completion, and type on."""
        screen.buffer.complete_state = None

    @keys.add("tab", filter=~has_completions)
    def _(event: KeyPressEvent) -> None:
        """Offer completions."""
        screen.buffer.start_completion(insert_common_part=True)

    @keys.add("tab", filter=has_completions)
    def _(event: KeyPressEvent) -> None:
        """Select the next completion."""
        screen.buffer.complete_next()

    @keys.add("s-tab", filter=has_completions)
    def _(event: KeyPressEvent) -> None:
        """Select the previous completion."""
        screen.buffer.complete_previous()


def _cancel(keys: KeyBindings, screen: FullScreen, handler: KeyHandler, chatting: Filter) -> None:
    @keys.add("c-c")
    def _(event: KeyPressEvent) -> None:
        """Clear the line, or leave if it is empty."""
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
        """Cancel what was begun: completion, selection, reply, edit."""
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
        """Open the next unread conversation."""
        handler.open(screen.model.next_unread())

    @keys.add("escape", "down", filter=chatting)
    @keys.add("c-down", filter=chatting)
    def _(event: KeyPressEvent) -> None:
        """Open the next conversation."""
        handler.open(screen.model.neighbour(1))

    @keys.add("escape", "up", filter=chatting)
    @keys.add("c-up", filter=chatting)
    def _(event: KeyPressEvent) -> None:
        """Open the previous conversation."""
        handler.open(screen.model.neighbour(-1))


def _scrolling(keys: KeyBindings, handler: KeyHandler, chatting: Filter, empty: Filter) -> None:
    @keys.add("pageup", filter=chatting)
    def _(event: KeyPressEvent) -> None:
        """Scroll up."""
        handler.page_up()

    @keys.add("pagedown", filter=chatting)
    def _(event: KeyPressEvent) -> None:
        """Scroll down."""
        handler.page_down()

    @keys.add("c-end", filter=chatting)
    @keys.add("end", filter=empty)
    def _(event: KeyPressEvent) -> None:
        """Go to the latest message."""
        handler.go_to_end()


def _selection(keys: KeyBindings, screen: FullScreen, handler: KeyHandler, selecting: Filter, empty: Filter) -> None:
    def move(step: int) -> None:
        conversation = screen.model.current
        conversation.select(step)
        if conversation.selected:
            screen.scroll.reveal(conversation.selected)

    @keys.add("up", filter=empty | selecting, eager=True)
    def _(event: KeyPressEvent) -> None:
        """Select a message, or the one above."""
        move(-1)

    @keys.add("down", filter=selecting, eager=True)
    def _(event: KeyPressEvent) -> None:
        """Select the one below."""
        move(1)

    def bind(action: Action) -> None:
        here = Condition(lambda: action in available(screen.model.current, screen.model.me))

        @keys.add(action.key, filter=selecting & here, eager=True)
        def _(event: KeyPressEvent) -> None:
            handler.act(action)

    for action in ACTIONS:
        bind(action)

    @keys.add("enter", filter=selecting, eager=True)
    def _(event: KeyPressEvent) -> None:
        """Reply to the selected message."""
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
        """Open the selected message."""
        handler.open_result()

    @keys.add("escape", filter=choosing, eager=True)
    @keys.add("<any>", filter=choosing)
    def _(event: KeyPressEvent) -> None:
        """Close the list."""
        screen.model.results = None


def _help(keys: KeyBindings, screen: FullScreen, helping: Filter, empty: Filter) -> None:
    @keys.add("?", filter=empty & ~helping)
    @keys.add("？", filter=empty & ~helping)
    def _(event: KeyPressEvent) -> None:
        """List the keys."""
        screen.helping = True

    @keys.add("<any>", filter=helping, eager=True)
    @keys.add("escape", filter=helping, eager=True)
    def _(event: KeyPressEvent) -> None:
        """Close the list of keys."""
        screen.helping = False
