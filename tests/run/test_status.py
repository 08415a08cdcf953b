"""`imd status`: what a running daemon says of itself, and what one that does not run is taken for."""

import json
import time
from datetime import timedelta
from pathlib import Path

import pytest

from imd.chat.base.context import Health
from imd.net.tls import ServerTLS
from imd.run import certificates, cli
from imd.run.directory import DataDirectory
from imd.run.health import HealthProbe
from tests.live.daemon import Daemon


def test_the_surroundings_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = DataDirectory(tmp_path)
    now = certificates.utc_now()
    certificates.ensure(directory.certificate, directory.key, now)
    tls = ServerTLS([(directory.certificate, directory.key)])
    around = HealthProbe(directory, tls)
    bare = around.probe(Health(uptime=3))
    assert (bare.uptime, bare.certificate_days, bare.backup) == (3, 3651, None)
    assert bare.disk_free is not None
    directory.last_backup.write_text('{"time": 1790000000, "path": "/backup"}')
    monkeypatch.setattr(certificates, "utc_now", lambda: now + timedelta(days=3600))
    whole = around.probe(Health())
    assert (whole.certificate_days, whole.backup) == (51, 1_790_000_000_000)
    assert HealthProbe(DataDirectory(tmp_path / "gone"), tls).probe(Health()).disk_free is None


def test_the_days_are_those_of_the_certificate_that_is_shown(tmp_path: Path) -> None:
    directory, now = DataDirectory(tmp_path), certificates.utc_now()
    certificates.ensure(directory.certificate, directory.key, now)
    tls = ServerTLS([(directory.certificate, directory.key)])

    def days() -> int | None:
        return HealthProbe(directory, tls).probe(Health()).certificate_days

    assert days() == 3651
    directory.certificate.unlink()
    assert days() == 3651, "its file is gone, it is shown all the same"
    certificates.ensure(directory.certificate, directory.key, now - timedelta(days=100))
    assert days() == 3651, "its file was changed, and nobody looked"
    tls.look()
    assert days() == 3551


def ask(*words: str) -> None:
    cli.run_command(["status", *words])


def test_a_running_daemon_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    daemon = Daemon(tmp_path).start()
    try:
        data = str(tmp_path / "data")
        ask("-d", data)
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("imd 0.1.0, running for ")
        assert lines[-1] == "no backup yet: imd backup FILE"
        line = daemon.operator()
        line.say('{"action": "invite_create"}')
        line.next_line()
        deadline = time.monotonic() + 20
        while True:
            ask("--json", "-d", data)
            figures = json.loads(capsys.readouterr().out)
            if figures["commit_ms"] or time.monotonic() > deadline:
                break
        line.hang_up()
        assert figures["connections"] == 2
        assert figures["certificate_days"] > 3600
        assert figures["commit_ms"] > 0, "an invite was written"
    finally:
        daemon.close()


def test_no_daemon_runs(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        ask("-d", str(tmp_path))
    assert str(ended.value).startswith(f"imd: no daemon runs on {tmp_path}. Start it with `imd run`")
    (tmp_path / "admin.sock").mkdir()
    with pytest.raises(SystemExit) as ended:
        ask("-d", str(tmp_path))
    assert str(ended.value).startswith("imd: ")
