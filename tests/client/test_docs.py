"""The code in docs/client.md runs."""

import re
from pathlib import Path

import pytest
from imd_client import Bot
from twisted.application.service import MultiService

PAGE = Path(__file__).parents[2] / "docs" / "client.md"


def test_the_code_in_the_page_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ran: list[Bot] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(Bot, "run", lambda bot: ran.append(bot))
    application = MultiService()
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), {"application": application})
    assert len(blocks) == 2
    assert [bot.account.username for bot in ran] == ["echo"]
    assert len(list(application)) == 1
    for client in (*ran, *application):
        client.account.state.close()
