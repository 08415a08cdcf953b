"""The port itself: TLS versions and ciphers, ALPN, HTTP, the greeting, certificates that change while it runs."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from imd.net.connection import FAREWELL_SECONDS
from imd.testing import PASSWORD
from tests.live.daemon import Daemon, Line, trusting

FORWARD_SECRET_AEAD = {
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
}


def shake_hands(daemon: Daemon, context: ssl.SSLContext, name: str | None = None) -> ssl.SSLSocket:
    raw = socket.create_connection(("127.0.0.1", daemon.port), timeout=10)
    return context.wrap_socket(raw, server_hostname=name)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_modern_tls_is_spoken(daemon: Daemon, version: ssl.TLSVersion) -> None:
    context = trusting()
    context.minimum_version = context.maximum_version = version
    with shake_hands(daemon, context) as connection:
        name, protocol, _ = connection.cipher() or ("", "", 0)
        assert connection.compression() is None
        assert protocol == "TLSv1.3" or name in FORWARD_SECRET_AEAD


def test_old_tls_and_weak_ciphers_are_refused(daemon: Daemon) -> None:
    for setting in (["-tls1_1"], ["-tls1_2", "-cipher", "AES128-SHA:ECDHE-ECDSA-AES128-SHA@SECLEVEL=0"]):
        tried = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{daemon.port}", *setting],
            input=b"",
            capture_output=True,
            timeout=10,
            check=False,
        )
        assert tried.returncode != 0
        assert b"Cipher is (NONE)" in tried.stdout


def test_alpn_decides(daemon: Daemon) -> None:
    for offered, chosen in ((["imd/1"], "imd/1"), (["h2", "http/1.1"], "http/1.1"), (["h2"], None)):
        context = trusting()
        context.set_alpn_protocols(offered)
        with shake_hands(daemon, context) as connection:
            assert connection.selected_alpn_protocol() == chosen


def test_a_program_that_offers_our_alpn_is_not_greeted(daemon: Daemon) -> None:
    context = trusting()
    context.set_alpn_protocols(["imd/1"])
    line = Line(shake_hands(daemon, context))
    assert line.next_line(1.0) is None
    line.say('{"action":"ping"}')
    assert json.loads(line.next_line() or "")["status"] == "success"


def test_whoever_stays_silent_is_greeted_after_half_a_second(daemon: Daemon) -> None:
    line = daemon.connect()
    assert line.next_line(0.3) is None
    assert (line.next_line() or "").startswith("* Welcome to imd")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_browser_gets_an_answer(daemon: Daemon, method: str) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", daemon.port, timeout=10, context=trusting())
    connection.request(method, "/", body=b"x" if method == "POST" else None)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == (405 if method == "POST" else 200)
    assert (b"imd" in body) == (method != "HEAD")


def test_a_connection_that_never_shakes_hands_goes(start_daemon: Callable[..., Daemon]) -> None:
    daemon = start_daemon(login_seconds="12")
    raw = socket.create_connection(("127.0.0.1", daemon.port), timeout=8)
    with raw, contextlib.suppress(ConnectionResetError):
        assert raw.recv(1) == b""


def fingerprint(daemon: Daemon, name: str | None = None) -> bytes:
    with shake_hands(daemon, trusting(), name) as connection:
        return connection.getpeercert(binary_form=True) or b""


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run(
        ["openssl", "req", *kind, *names, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return certificate, key


def test_a_changed_certificate_is_served_without_a_restart(start_daemon: Callable[..., Daemon], tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path / "one", "one.example")
    daemon = start_daemon("--certificate", os.fspath(certificate), "--key", os.fspath(key))
    talking = daemon.connect()
    talking.say("HELLO lang=en")
    before = fingerprint(daemon)
    (certificate).write_text("half a certificate")
    time.sleep(1.1)
    assert fingerprint(daemon) == before
    new_certificate, new_key = make_certificate(tmp_path / "two", "two.example")
    shutil.copy(new_key, key)
    shutil.copy(new_certificate, certificate)
    time.sleep(1.1)
    assert fingerprint(daemon) != before
    talking.say("PING")
    assert [talking.next_line() for _ in range(2)][-1] == "OK PING"


def test_the_self_made_certificate_names_this_machine(daemon: Daemon) -> None:
    context = ssl.create_default_context(cafile=os.fspath(daemon.directory / "data" / "certificate.pem"))
    for name in ("localhost", "127.0.0.1", socket.gethostname()):
        shake_hands(daemon, context, name).close()
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(daemon, context, "elsewhere.example")
    assert (daemon.directory / "data" / "key.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("helps", [1, 2, 20])
@pytest.mark.parametrize("reads", [True, False])
def test_who_ends_tls_with_much_still_to_be_told_is_gone(
    start_daemon: Callable[..., Daemon], helps: int, reads: bool
) -> None:
    daemon = start_daemon(login_seconds="2")
    operator = daemon.operator()
    operator.say(f"USER ADD ann {PASSWORD}")
    assert (operator.next_line() or "").startswith("OK USER ADD")
    came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
    line = trusting().wrap_bio(came, goes)
    with socket.socket() as raw:
        raw.settimeout(10)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what is not read waits in the daemon
        raw.connect(("127.0.0.1", daemon.port))

        def until(step: Callable[[], bool]) -> None:
            while not step():
                raw.sendall(goes.read())
                came.write(raw.recv(65536))
            raw.sendall(goes.read())

        until(lambda: _done(line.do_handshake))
        line.write(f'{{"action":"login","username":"ann","password":"{PASSWORD}","replay":false}}\n'.encode())
        raw.sendall(goes.read())
        until(lambda: _done(lambda: line.read(65536)))
        assert _online(operator) == 1
        for _ in range(helps):
            line.write(b'{"action":"help"}\n')
            if not reads:
                raw.sendall(goes.read())
                time.sleep(0.1)
        _done(line.unwrap)
        raw.sendall(goes.read())  # the requests and the end of TLS at once
        while reads and raw.recv(65536):  # a daemon that does not close lets this time out
            pass
        give_up = time.monotonic() + 2 + FAREWELL_SECONDS + 4
        while _online(operator):
            assert time.monotonic() < give_up
            time.sleep(0.1)


def _online(operator: Line) -> int:
    operator.say('{"action":"server_status"}')
    while (line := operator.next_line()) is not None:
        if (reply := json.loads(line) if line.startswith("{") else {}).get("action") == "server_status":
            return int(reply["online"])
    raise AssertionError("the operator is not answered")


def _done(step: Callable[[], object]) -> bool:
    try:
        step()
    except ssl.SSLWantReadError:
        return False
    return True
