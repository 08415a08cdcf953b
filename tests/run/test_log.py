"""The log: what is told and how, that no name can forge a line, and that it never grows beyond its bounds."""

import json
from pathlib import Path
from typing import Any

import pytest
from twisted.logger import Logger, LogPublisher

from imd.run import log
from imd.run.config import load
from imd.run.errors import OperatorError


def logger(namespace: str, **settings: Any) -> Logger:
    """Make a logger that only the configured log hears."""
    return Logger(namespace=namespace, observer=LogPublisher(log.observer(load(settings, {}))))


def fail(namespace: str, message: str = "the disk\nis gone", **settings: Any) -> None:
    try:
        raise OSError(message)
    except OSError:
        logger(namespace, **settings).failure("commit failed")


def test_what_imd_says_stands_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    logger("imd.run").info("{line}", line="imd listens")
    logger("imd.net.tls.ServerTLS").info("certificate reloaded")
    logger("imd.run").debug("detail")
    logger("twisted.internet").info("Main loop terminated.")
    assert capsys.readouterr().out == "imd listens\ncertificate reloaded\n"


def test_what_goes_wrong_anywhere_is_seen_whole(capsys: pytest.CaptureFixture[str]) -> None:
    logger("twisted.internet").warn("a warning")
    fail("imd.store", "the disk is gone")
    seen = capsys.readouterr().out
    assert "[twisted.internet#warn] a warning" in seen
    assert "[imd.store#critical] commit failed" in seen
    assert "OSError: the disk is gone" in seen


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logger("imd.engine", log_format="json").info("fault {reference} in {action}", reference="ab12", action="send")
    fail("imd.store", log_format="json")
    logger("twisted.internet", log_format="json").info("nothing an operator reads")
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "info",
        "namespace": "imd.engine",
        "message": "fault ab12 in send",
        "reference": "ab12",
        "action": "send",
    }
    assert second["level"] == "critical"
    assert second["traceback"][-2:] == ["builtins.OSError: the disk", "is gone"]


FORGED = "bob\n2026-01-01T00:00:00.000Z logged in as root\r\x1b[2J\u202e\u2028"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_name_forges_no_line(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    logger("imd.run", log_format=log_format).info("hello {name}", name=FORGED)
    fail("imd.run", FORGED, log_format=log_format)
    out = capsys.readouterr().out
    assert not set(out) & set("\r\x1b\u202e\u2028")
    at_the_margin = [line for line in out.split("\n") if line and not line.startswith(" ")]
    assert len(at_the_margin) == 2


def kept(directory: Path) -> list[Path]:
    return sorted(directory.glob("imd.log*"))


def test_files_never_grow_beyond_their_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "FILE_BYTES", 1000)
    monkeypatch.setattr(log, "FILES", 3)
    said = logger("imd.run", log_file=f"{tmp_path}/imd.log")
    for number in range(200):
        said.info("event {number}", number=number)
    assert [path.name for path in kept(tmp_path)] == ["imd.log", "imd.log.1", "imd.log.2"]
    assert all(path.stat().st_size <= 1100 for path in kept(tmp_path))
    assert {path.stat().st_mode & 0o777 for path in kept(tmp_path)} == {0o600}
    assert (tmp_path / "imd.log").read_text().endswith("event 199\n")
    assert (tmp_path / "imd.log").read_text().startswith("20")


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=f"cannot write the log {tmp_path}/none/imd.log: "):
        logger("imd.run", log_file=f"{tmp_path}/none/imd.log")


def test_twistd_finds_it_by_name(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(log, "_config", [])
    monkeypatch.setenv("IMD_LOG_FORMAT", "json")
    Logger(namespace="imd.run", observer=log.configured()).info("by the environment")
    assert json.loads(capsys.readouterr().out)["message"] == "by the environment"
    log.use_config(load({}, {}))
    Logger(namespace="imd.run", observer=log.configured()).info("as chosen")
    assert capsys.readouterr().out == "as chosen\n"
    monkeypatch.setattr(log, "_config", [])
    monkeypatch.setenv("IMD_LOG_FORMAT", "xml")
    with pytest.raises(SystemExit, match="IMD_LOG_FORMAT must be one of text, json"):
        log.configured()
