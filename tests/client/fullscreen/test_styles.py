"""Styles: each class that is drawn has one, in both themes."""

import re
from pathlib import Path

import pytest
from imd_client import fullscreen
from imd_client.console import THEMES
from imd_client.fullscreen.conversation import Tick
from imd_client.fullscreen.styles import style

SOURCES = list(Path(fullscreen.__path__[0]).glob("*.py"))
DRAWN = {name for file in SOURCES for name in re.findall(r"class:([\w.-]+)(?![\w.{-])", file.read_text("utf-8"))}
DRAWN |= {f"tick.{tick.value}" for tick in Tick} | {f"name{number}" for number in range(6)}
DRAWN |= {f"presence.{seen}" for seen in ("online", "away", "busy")}
BARE = {"sidebar", "badge.muted", "reaction", "presence.offline"}
"""Drawn like all else."""


@pytest.mark.parametrize("theme", THEMES)
def test_each_class_has_a_style(theme: str) -> None:
    styled = {name for name, _ in style(theme).style_rules}
    assert len(SOURCES) > 10
    assert styled >= DRAWN - BARE
    assert not BARE & styled


def test_the_themes_differ() -> None:
    assert style("dark").style_rules != style("light").style_rules
