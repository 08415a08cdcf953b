"""Dark or light: which of the two a terminal is."""

import os
from collections.abc import Mapping

THEMES = ("dark", "light")

_LIGHT = frozenset({"7", *map(str, range(9, 16))})
"""The numbers of the terminal colours that are light."""


def theme_here(environment: Mapping[str, str] = os.environ) -> str:
    """Guess: COLORFGBG, where a terminal sets it, ends in the background's colour; most others are dark."""
    return "light" if environment.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT else "dark"
