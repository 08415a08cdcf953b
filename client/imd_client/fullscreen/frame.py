"""What stands round the conversation: its title, the banner without a connection, the line of hints, the foot."""

from imd.wire.base import Spec, registry
from imd.wire.catalog import say
from imd.wire.presence import described
from imd.wire.terminal import harmless
from imd_client.fullscreen.actions import offered
from imd_client.fullscreen.model import Model
from imd_client.fullscreen.widths import Fragments, columns, cut, pad, wrap_hanging

LOCAL = ("to", "help", "quit")
"""The console's own commands; all others are the server's."""


def _say(model: Model, key: str, **params: object) -> str:
    return say(f"console.fullscreen.{key}", model.language, **params)


def title(model: Model, width: int) -> Fragments:
    """Name the open conversation."""
    talk = model.current
    if talk is model.home:
        return [("class:title", pad(f" {_say(model, 'home', server=model.account.server)}", width))]
    about = [harmless(talk.title)] if talk.title not in ("", talk.to) else []
    about += [_say(model, key) for key in ("muted", "archived") if getattr(talk, key)]
    name = talk.to
    if seen := model.people.get(talk.to):
        name = described(model.language, talk.to, seen.presence, seen.words, seen.last_seen)
    name = cut(f" {harmless(name)}", width)
    return [
        ("class:title class:title.name", name),
        ("class:title", pad(f"  {'  '.join(about)}", width - columns(name))),
    ]


def banner(model: Model, width: int) -> Fragments:
    """Say that there is no connection, why, and how much waits; nothing while there is one."""
    if model.online or not model.offline_because:
        return []
    text = _say(model, "offline", reason=model.offline_because.partition("\n")[0])
    waiting = f" {_say(model, 'queued', count=len(model.waiting))} " if model.waiting else ""
    return [("class:banner", pad(f" {text}", width - columns(waiting)) + waiting)]


def hint(model: Model, width: int, typed: str, below: int, now: float) -> Fragments:
    """Say what can be done now: with the marked message, the draft, the command that is being typed."""
    talk = model.current
    actions = offered(talk, model.me)
    if model.found is not None:
        return [("class:hint", cut(f" {_say(model, 'found.keys')}", width))]
    if talk.selected:
        fragments: Fragments = [("class:hint", " ")]
        for action in actions:
            word = _say(model, f"action.{action.word}")
            fragments += [("class:hint class:key", action.key), ("class:hint", f" {word}  ")]
        return [*fragments, ("class:hint class:key", "Esc"), ("class:hint", f" {_say(model, 'action.back')}")]
    if talk.draft.editing or talk.draft.reply_to:
        return [("class:hint class:draft", cut(f" {_draft(model)}", width))]
    if typed.startswith("/") and (usage := usage_of(typed, model.language)):
        return [("class:hint", cut(f" {usage}", width))]
    if typing := model.typing(now):
        text = "  ".join(say("event.typing", model.language, username=harmless(name)) for name in typing)
        return [("class:hint", cut(f" {text}", width))]
    if below:
        return [("class:hint class:draft", cut(f" {_say(model, 'below', count=below)}", width))]
    return []


def _draft(model: Model) -> str:
    draft = model.current.draft
    message = model.current.messages.get(draft.editing or draft.reply_to)
    first = message.content.partition("\n")[0][:200] if message else ""
    if draft.editing:
        return _say(model, "editing", content=harmless(first))
    return _say(model, "replying", sender=message.sender if message else "", content=harmless(first))


def meant(typed: str) -> Spec | None:
    """Give the command of the server's that a line begins with, as far as it is clear."""
    words = typed.removeprefix("/").upper().split(" ")
    return registry.verbs.get(" ".join(words[:2])) or registry.verbs.get(words[0])


def usage_of(typed: str, language: str) -> str:
    """Give the syntax of the command being typed, and what it does."""
    word = typed.removeprefix("/").split(" ")[0].lower()
    if word in LOCAL:
        return say(f"console.fullscreen.usage.{word}", language)
    spec = meant(typed)
    if spec is None:
        return ""
    usage = " ".join([f"/{spec.verb.lower()}", *(field.upper() for field in spec.takes)])
    return f"{usage}   {say(f'help.{spec.action}', language)}"


def keys(language: str, width: int) -> list[Fragments]:
    """List the keys."""
    text = say("console.fullscreen.keys", language).strip("\n").split("\n")
    return [[("class:help", f" {piece}")] for line in text for piece in wrap_hanging(line, width - 1)]


def foot(model: Model, width: int) -> Fragments:
    """Name the keys, and who is where."""
    who = f" {model.me}@{model.account.server} "
    keys = _say(model, "foot.unread" if model.unread() else "foot")
    return [("class:foot", pad(f" {keys}", width - columns(who))), ("class:foot", who)]
