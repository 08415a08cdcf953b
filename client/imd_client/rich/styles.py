"""Colours for a dark and for a light terminal. The terminal's own foreground and background stay as they are."""

from prompt_toolkit.styles import Style

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
    "foot": "reverse",
    "sidebar.muted": "dim",
    "sidebar.unread": "bold",
    "sidebar.open": "reverse",
    "tick.kept": "dim",
    "tick.delivered": "dim",
    "selected": "reverse",
    "note.mark": "dim",
    "found": "bold",
    "echo": "dim",
    "help": "",
    "completion-menu": "noreverse",
    "completion-menu.completion": "",
}

_DARK = {
    "rule.new": "ansibrightred",
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


def style(theme: str) -> Style:
    """Give the style of a theme."""
    return Style.from_dict(_COMMON | (_LIGHT if theme == "light" else _DARK))
