"""Certificates by ACME: got from a small authority of our own, which looks for the proof on a real daemon's port."""

import errno
import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from cryptography import x509
from twisted.internet.task import Clock

from imd.net.tls import ServerTLS
from imd.run import certificates
from imd.run.acme import CHECK_EVERY_SECONDS, IDENTIFIER, RETRY_SECONDS, AcmeClient, Renewal, proof
from imd.run.directory import DataDirectory
from tests.live.daemon import Daemon, free_port, trusting
from tests.run.authority import Authority

NAMES = ("chat.example", "im.example")


@pytest.fixture
def authority() -> Iterator[Authority]:
    one = Authority(free_port())
    yield one
    one.shutdown()
    one.server_close()


def shown(port: int, name: str = "", *alpn: str) -> x509.Certificate:
    """Give the certificate that a port shows to who names a host."""
    context = trusting()
    if alpn:
        context.set_alpn_protocols(alpn)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname=name or None) as line,
    ):
        return x509.load_der_x509_certificate(line.getpeercert(binary_form=True) or b"")


def wait_for(daemon: Daemon, part: str) -> None:
    until = time.monotonic() + 60
    while part not in daemon.log:
        assert time.monotonic() < until, daemon.log
        time.sleep(0.05)


def test_a_daemon_gets_its_certificate_by_itself(
    authority: Authority, start_daemon: Callable[..., Daemon], tmp_path: Path
) -> None:
    settings = {"acme": " ".join(NAMES), "acme_url": authority.url}
    daemon = start_daemon("--listen", f"imd:{authority.port}:interface=127.0.0.1", **settings)
    wait_for(daemon, "certificate obtained for chat.example, im.example")
    got = shown(authority.port, "chat.example")
    names = got.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == set(NAMES)
    data = daemon.directory / "data"
    assert (data / "acme.pem").stat().st_mode & 0o777 == 0o600
    assert (data / "acme-account.pem").stat().st_mode & 0o777 == 0o600
    assert shown(authority.port, "chat.example", "acme-tls/1") == got, "the proof is shown no longer than it is needed"
    assert daemon.stop() == 0
    daemon.start()
    assert shown(authority.port, "im.example") == got, "kept, and used from the start"
    time.sleep(0.5)
    assert len(authority.orders) == 1, "no other is asked for while this one is good"
    assert "Traceback" not in daemon.log


def test_a_name_that_is_not_proven_gives_none(authority: Authority, start_daemon: Callable[..., Daemon]) -> None:
    daemon = start_daemon(acme="chat.example", acme_url=authority.url)
    wait_for(daemon, "no certificate for chat.example: ")
    assert authority.refused == ["chat.example"], "nobody listens where the authority looks"
    assert shown(daemon.port).subject == certificates.NAME, "the self-made one goes on"
    assert daemon.stop() == 0


@pytest.mark.parametrize(
    "spoil", [lambda pem: b"", lambda pem: pem.replace(b"PRIVATE KEY-----\nM", b"PRIVATE KEY-----\nN")]
)
def test_a_damaged_one_is_no_obstacle(
    authority: Authority, start_daemon: Callable[..., Daemon], spoil: Callable[[bytes], bytes]
) -> None:
    settings = {"acme": "chat.example", "acme_url": authority.url}
    daemon = start_daemon("--listen", f"imd:{authority.port}:interface=127.0.0.1", **settings)
    wait_for(daemon, "certificate obtained")
    assert daemon.stop() == 0
    kept = daemon.directory / "data" / "acme.pem"
    kept.write_bytes(damaged := spoil(kept.read_bytes()))
    (daemon.directory / "log").unlink()
    daemon.start()
    assert f"{kept} cannot be used (" in daemon.log
    wait_for(daemon, "certificate obtained")
    assert shown(authority.port, "chat.example") == certificates.load(kept)
    assert kept.with_name("acme.pem.damaged").read_bytes() == damaged
    assert "Traceback" not in daemon.log


def test_a_known_account_is_used_again(authority: Authority, tmp_path: Path) -> None:
    client = AcmeClient(("chat.example",), authority.url, tmp_path / "account.pem")
    for _ in range(2):
        with pytest.raises(Exception, match=r".*"):
            client.obtain(lambda name, certificate, key: None)
    assert len(authority.accounts) == 1
    assert len(authority.orders) == 2


def test_the_proof_is_as_rfc_8737_says() -> None:
    digest = hashlib.sha256(b"token.thumbprint").digest()
    made, _ = proof("chat.example", digest)
    held = made.extensions.get_extension_for_oid(IDENTIFIER)
    assert held.critical
    assert isinstance(held.value, x509.UnrecognizedExtension)
    assert held.value.value == b"\x04\x20" + digest


def test_one_that_cannot_be_stored_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory, clock = DataDirectory(tmp_path), Clock()
    certificates.ensure(directory.certificate, directory.key, certificates.utc_now())
    tls = ServerTLS([(directory.certificate, directory.key)])
    renewal = Renewal(AcmeClient(("Chat.Example",), "", directory.acme_account), directory, tls, clock)
    assert renewal._client.names == ("chat.example",), "as authorities write it"
    renewal.running = True
    with monkeypatch.context() as full:
        full.setattr(certificates, "write_atomically", Mock(side_effect=OSError(errno.ENOSPC, "no space")))
        renewal._obtained(b"chain", b"key")
    assert not directory.acme_certificate.exists()
    assert [call.getTime() for call in clock.getDelayedCalls()] == [RETRY_SECONDS]
    renewal._obtained(directory.certificate.read_bytes(), directory.key.read_bytes())
    assert CHECK_EVERY_SECONDS in [call.getTime() for call in clock.getDelayedCalls()]


def test_it_is_renewed_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory, now = DataDirectory(tmp_path), certificates.utc_now()
    certificates.ensure(directory.certificate, directory.key, now)
    tls = ServerTLS([(directory.certificate, directory.key)])
    names = certificates.load(directory.certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    hosts = tuple(names.value.get_values_for_type(x509.DNSName))
    renewal = Renewal(AcmeClient(hosts, "", directory.acme_account), directory, tls, Clock())
    assert renewal.is_due(), "there is none"
    directory.acme_certificate.write_bytes(directory.certificate.read_bytes())
    assert not renewal.is_due()
    other = Renewal(AcmeClient(("other.example",), "", directory.acme_account), directory, tls, Clock())
    assert other.is_due(), "it is of other names"
    end = certificates.load(directory.certificate).not_valid_after_utc
    monkeypatch.setattr(certificates, "utc_now", lambda: end - timedelta(days=31))
    assert not renewal.is_due()
    monkeypatch.setattr(certificates, "utc_now", lambda: end - timedelta(days=29))
    assert renewal.is_due()
