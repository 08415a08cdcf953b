"""Everything around the messages: title, banner while offline, hints, footer, sidebar."""

from imd.wire.base import Spec, registry
from imd.wire.catalog import say
from imd.wire.presence import SeenAs, described
from imd.wire.terminal import harmless
from imd_client.fullscreen.actions import available
from imd_client.fullscreen.conversation import ConversationState
from imd_client.fullscreen.model import Model
from imd_client.fullscreen.widths import Fragments, columns, pad, truncate, wrap_hanging

_DOTS: dict[SeenAs, str] = {"online": "●", "away": "○", "busy": "◆", "offline": " "}

LOCAL_COMMANDS = ("to", "help", "quit")
"""The console's own commands; all others are the server's."""


def _say(model: Model, key: str, **params: object) -> str:
    return say(f"console.fullscreen.{key}", model.language, **params)


def title(model: Model, width: int) -> Fragments:
    """Draw the title of the open conversation."""
    conversation = model.current
    if conversation is model.home:
        return [("class:title", pad(f" {_say(model, 'home', server=model.account.server)}", width))]
    about = [harmless(conversation.title)] if conversation.title not in ("", conversation.to) else []
    about += [_say(model, key) for key in ("muted", "archived") if getattr(conversation, key)]
    name = conversation.to
    if known := model.presence.get(conversation.to):
        name = described(model.language, conversation.to, known.presence, known.text, known.last_seen)
    name = truncate(f" {harmless(name)}", width)
    return [
        ("class:title class:title.name", name),
        ("class:title", pad(f"  {'  '.join(about)}", width - columns(name))),
    ]


def banner(model: Model, width: int) -> Fragments:
    """While offline, say so, why, and how many messages wait."""
    if model.online or not model.offline_because:
        return []
    text = _say(model, "offline", reason=model.offline_because.partition("\n")[0])
    waiting = f" {_say(model, 'queued', count=len(model.waiting))} " if model.waiting else ""
    return [("class:banner", pad(f" {text}", width - columns(waiting)) + waiting)]


def hint(model: Model, width: int, typed: str, below: int, now: float) -> Fragments:
    """Say what can be done with the selected message, the draft, or the command being typed."""
    conversation = model.current
    actions = available(conversation, model.me)
    if model.results is not None:
        return [("class:hint", truncate(f" {_say(model, 'results.keys')}", width))]
    if conversation.selected:
        fragments: Fragments = [("class:hint", " ")]
        for action in actions:
            word = _say(model, f"action.{action.name}")
            fragments += [("class:hint class:key", action.key), ("class:hint", f" {word}  ")]
        return [*fragments, ("class:hint class:key", "Esc"), ("class:hint", f" {_say(model, 'action.back')}")]
    if conversation.draft.editing or conversation.draft.reply_to:
        return [("class:hint class:draft", truncate(f" {_draft(model)}", width))]
    if typed.startswith("/") and (usage := usage_of(typed, model.language)):
        return [("class:hint", truncate(f" {usage}", width))]
    if typing := model.typing(now):
        text = "  ".join(say("event.typing", model.language, username=harmless(name)) for name in typing)
        return [("class:hint", truncate(f" {text}", width))]
    if below:
        return [("class:hint class:draft", truncate(f" {_say(model, 'below', count=below)}", width))]
    return []


def _draft(model: Model) -> str:
    draft = model.current.draft
    message = model.current.messages.get(draft.editing or draft.reply_to)
    first = message.content.partition("\n")[0][:200] if message else ""
    if draft.editing:
        return _say(model, "editing", content=harmless(first))
    return _say(model, "replying", sender=message.sender if message else "", content=harmless(first))


def find_command(typed: str) -> Spec | None:
    """Return the server's command that a line begins with, if it is clear which."""
    words = typed.removeprefix("/").upper().split(" ")
    return registry.verbs.get(" ".join(words[:2])) or registry.verbs.get(words[0])


def usage_of(typed: str, language: str) -> str:
    """Return the syntax of the command being typed, and what it does."""
    word = typed.removeprefix("/").split(" ")[0].lower()
    if word in LOCAL_COMMANDS:
        return say(f"console.fullscreen.usage.{word}", language)
    spec = find_command(typed)
    if spec is None:
        return ""
    usage = " ".join([f"/{spec.verb.lower()}", *(field.upper() for field in spec.takes)])
    return f"{usage}   {say(f'help.{spec.action}', language)}"


def key_help(language: str, width: int) -> list[Fragments]:
    """List the keys."""
    text = say("console.fullscreen.keys", language).strip("\n").split("\n")
    return [[("class:help", f" {piece}")] for line in text for piece in wrap_hanging(line, width - 1)]


def footer(model: Model, width: int) -> Fragments:
    """Name the main keys, the person and the server."""
    who = f" {model.me}@{model.account.server} "
    keys = _say(model, "footer.unread" if model.unread() else "footer")
    return [("class:footer", pad(f" {keys}", width - columns(who))), ("class:footer", who)]


def sidebar(model: Model, width: int, height: int) -> list[Fragments]:
    """List as many conversations as there are rows, the open one among them."""
    order = model.order()
    index = order.index(model.current) if model.current in order else 0
    start = max(0, min(index - height // 2, len(order) - height))
    return [_sidebar_row(model, conversation, width) for conversation in order[start : start + height]]


def _sidebar_row(model: Model, conversation: ConversationState, width: int) -> Fragments:
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
    dot = (f"{style} class:presence.{presence.presence}", _DOTS[presence.presence]) if presence else (style, " ")
    return [dot, (style, f" {name}"), (style + mark, badge), (style, " ")]


def _badge(conversation: ConversationState) -> str:
    if not conversation.unread:
        return "✎" if conversation.draft.text else ""
    mention = "@" if conversation.mentions else ""
    return f" {mention}{conversation.unread if conversation.unread < 1000 else '999+'}"
