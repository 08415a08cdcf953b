"""The manual, in both languages: everything that stands in it is typed, and what it shows is heard."""

from pathlib import Path

import pytest

from imd.testing import MemoryServer
from tests.plays.manual import manual
from tests.plays.play import Performance
from tests.plays.test_plays import MemoryStage

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["manual.en.md", "manual.zh.md"])
def test_the_day_goes_as_the_manual_says(name: str) -> None:
    Performance(manual(DOCS / name), MemoryStage(MemoryServer())).run()
