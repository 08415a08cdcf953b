"""Colours for dark and for light terminals. The terminal's own foreground and background stay."""

import os
from collections.abc import Mapping

from prompt_toolkit.styles import Style

_LIGHT_COLOURS = frozenset({"7", *map(str, range(9, 16))})
"""The numbers of the light colours of a terminal."""

_COMMON = {
    "dim": "dim",
    "rule": "dim",
    "time": "dim",
    "quote": "dim",
    "gone": "dim italic",
    "notice": "dim italic",
    "waiting": "dim",
    "me": "bold",
    "key": "bold",
    "title": "reverse",
    "title.name": "bold",
    "footer": "reverse",
    "sidebar.muted": "dim",
    "sidebar.unread": "bold",
    "sidebar.open": "reverse",
    "tick.kept": "dim",
    "tick.delivered": "dim",
    "selected": "reverse",
    "note.mark": "dim",
    "results": "bold",
    "echo": "dim",
    "help": "",
    "completion-menu": "noreverse",
    "completion-menu.completion": "",
}

_DARK = {
    "rule.new": "ansibrightred",
    "presence.online": "ansibrightgreen",
    "presence.away": "ansibrightyellow",
    "presence.busy": "ansibrightred",
    "tick.read": "bold ansibrightcyan",
    "mention": "bold ansibrightyellow",
    "reaction.mine": "bold ansibrightcyan",
    "badge": "bold ansibrightgreen",
    "badge.mention": "bold ansibrightyellow",
    "banner": "bold bg:ansired ansiwhite",
    "hint": "ansicyan",
    "draft": "bold",
    "border": "ansibrightblack",
    "note": "ansibrightblue",
    "warning": "ansibrightred",
    "prompt": "ansibrightcyan",
    "completion-menu": "bg:#303030 #e0e0e0",
    "completion-menu.completion.current": "bg:#5f87af #ffffff",
    "completion-menu.meta.completion": "bg:#303030 #909090",
    "completion-menu.meta.completion.current": "bg:#5f87af #ffffff",
    "name0": "ansibrightgreen",
    "name1": "ansibrightyellow",
    "name2": "ansibrightblue",
    "name3": "ansibrightmagenta",
    "name4": "ansibrightcyan",
    "name5": "ansibrightred",
}

_LIGHT = {
    "rule.new": "ansired",
    "presence.online": "ansigreen",
    "presence.away": "#875f00",
    "presence.busy": "ansired",
    "tick.read": "bold ansiblue",
    "mention": "bold ansired",
    "reaction.mine": "bold ansiblue",
    "badge": "bold ansigreen",
    "badge.mention": "bold ansired",
    "banner": "bold bg:ansired ansiwhite",
    "hint": "ansiblue",
    "draft": "bold",
    "border": "ansibrightblack",
    "note": "ansiblue",
    "warning": "ansired",
    "prompt": "ansiblue",
    "completion-menu": "bg:#e4e4e4 #202020",
    "completion-menu.completion.current": "bg:#5f87af #ffffff",
    "completion-menu.meta.completion": "bg:#e4e4e4 #606060",
    "completion-menu.meta.completion.current": "bg:#5f87af #ffffff",
    "name0": "ansigreen",
    "name1": "ansimagenta",
    "name2": "ansiblue",
    "name3": "ansired",
    "name4": "ansicyan",
    "name5": "#875f00",
}


def theme_here(environment: Mapping[str, str] = os.environ) -> str:
    """Guess the theme: COLORFGBG, where it is set, ends with the background's colour; most terminals are dark."""
    return "light" if environment.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT_COLOURS else "dark"


def style(theme: str = "") -> Style:
    """Return the style of a theme; without a name, of the theme that the terminal seems to have."""
    return Style.from_dict(_COMMON | (_LIGHT if (theme or theme_here()) == "light" else _DARK))
