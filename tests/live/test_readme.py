"""What the READMEs show is what a person sees."""

import re
from pathlib import Path

import pytest

import imd.engine.server  # noqa: F401  # declares every command
from imd.wire.base import registry
from tests.live.daemon import Daemon

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"```console\n\$ openssl s_client -quiet -connect localhost:7373\n(.*?)```", re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def is_typed(line: str) -> bool:
    """Say whether a person types this line of the transcript."""
    words = line.split()
    return words[0] in registry.verbs or " ".join(words[:2]) in registry.verbs


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_transcript_is_what_a_person_sees(readme: str, daemon: Daemon) -> None:
    (transcript,) = _BLOCK.findall((ROOT / readme).read_text("utf-8"))
    terminal = daemon.connect()
    for line in transcript.splitlines():
        if is_typed(line):
            terminal.say(line)
        else:
            heard = terminal.next_line() or ""
            assert re.fullmatch(re.escape(line).replace("…", ".*"), heard), f"{line}\n{heard}"
    assert terminal.is_gone()


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_the_readme_fits_one_screen() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 50


def test_every_setting_is_documented() -> None:
    from imd.run.config import KEYS

    page = (ROOT / "docs" / "operate.md").read_text("utf-8")
    assert [key for key in KEYS if f"`{key}`" not in page] == []
