"""SIGHUP: what changes under a running daemon, and what a mistake does not."""

import signal
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from imd.run import certificates
from tests.live.daemon import Daemon


@pytest.fixture
def daemon(start_daemon: Callable[..., Daemon], tmp_path: Path) -> Daemon:
    """A daemon with a configuration file and a certificate of the operator's own."""
    for name in ("old", "new"):
        certificates.ensure(tmp_path / f"{name}.pem", tmp_path / f"{name}.key", certificates.utc_now())
    configure(tmp_path, "old", register="open", content_bytes="50")
    return start_daemon("--config", str(tmp_path / "imd.toml"))


def configure(directory: Path, pair: str, **keys: str) -> None:
    keys |= {"certificate": f'"{pair}.pem"', "key": f'"{pair}.key"', "register": f'"{keys["register"]}"'}
    (directory / "imd.toml").write_text("".join(f"{key} = {value}\n" for key, value in keys.items()))


def reload(daemon: Daemon, until: str) -> None:
    """Send SIGHUP, and wait for what the log says of it."""
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    for _ in range(200):
        if until in daemon.log:
            return
        time.sleep(0.02)
    raise AssertionError(f"nobody said {until!r}:\n{daemon.log}")


def shown(daemon: Daemon) -> bytes:
    """Give the certificate that the daemon shows."""
    with daemon.connect().socket as line:
        assert isinstance(line, ssl.SSLSocket)
        return line.getpeercert(binary_form=True) or b""


def der(certificate: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(certificate.read_text())


def test_one_that_is_named_no_more_is_shown_no_more(daemon: Daemon, tmp_path: Path) -> None:
    own = daemon.directory / "data" / "certificate.pem"
    assert not own.exists()
    (tmp_path / "imd.toml").write_text("")
    reload(daemon, "were read again")
    assert shown(daemon) == der(own), "the self-made one takes its place"
    assert "need a restart" not in daemon.log


def test_between_ones_own_and_acme_lies_a_restart(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "imd.toml").write_text('acme = ["chat.example"]\n')
    reload(daemon, "these changed settings need a restart: certificate, key, acme")
    assert shown(daemon) == der(tmp_path / "old.pem")


def test_it_reads_configuration_and_certificates_again(daemon: Daemon, tmp_path: Path) -> None:
    assert shown(daemon) == der(tmp_path / "old.pem")
    line = daemon.connect()
    line.say("REGISTER alice correct horse battery")
    assert line.next_line() == "OK REGISTER username=alice"
    configure(tmp_path, "new", register="closed", content_bytes="20", language='"zh"', listen='["imd:1"]')
    reload(daemon, "were read again")
    line.say("REGISTER bob correct horse battery")
    assert (line.next_line() or "").startswith("ERR forbidden")
    line.say("LOGIN alice correct horse battery")
    assert (line.next_line() or "").startswith("OK LOGIN")
    assert line.next_line()
    line.say("SEND alice " + "x" * 21)
    assert (line.next_line() or "").startswith("ERR too_large")
    assert shown(daemon) == der(tmp_path / "new.pem")
    stranger = daemon.connect()
    stranger.say("PONG")
    assert "没有" in (stranger.next_line() or "")
    assert "need a restart" not in daemon.log, "--listen on the command line goes before the file"
    assert daemon.stop() == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('registr = "open"', "nothing was changed: "),
        (
            'certificate = "old.pem"\nkey = "old.key"\nacme = ["chat.example"]',
            "nothing was changed: certificate and acme",
        ),
        ('certificate = "none.pem"\nkey = "none.key"\nregister = "closed"', "nothing was changed: "),
        ('register = "open"\nlog_format = "json"\n', "these changed settings need a restart: log_format"),
    ],
)
def test_a_mistake_changes_nothing(daemon: Daemon, tmp_path: Path, wrong: str, said: str) -> None:
    (tmp_path / "imd.toml").write_text(wrong)
    reload(daemon, said)
    line = daemon.connect()
    line.say("REGISTER alice correct horse battery")
    assert line.next_line() == "OK REGISTER username=alice"
    assert "Traceback" not in daemon.log
