"""The self-made certificate: what it says, who may read its key, when it is made anew."""

import socket
import ssl
import stat
import subprocess
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from imd.net.tls import context
from imd.run import certificates

NOW = certificates.utc_now()


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificates.ensure(certificate, key, NOW)
    return certificate, key


def test_it_names_this_machine(pair: tuple[Path, Path]) -> None:
    made = certificates.load(pair[0])
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost", socket.gethostname()} <= set(names.get_values_for_type(x509.DNSName))
    addresses = names.get_values_for_type(x509.IPAddress)
    assert {ip_address("127.0.0.1"), ip_address("::1")} <= set(addresses)
    assert len(addresses) == len(set(addresses))


def test_it_is_a_p256_certificate_for_ten_years(pair: tuple[Path, Path]) -> None:
    made = certificates.load(pair[0])
    key = made.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert made.not_valid_before_utc < NOW
    assert timedelta(days=3650) < made.not_valid_after_utc - NOW < timedelta(days=3655)
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


def test_nobody_else_may_read_the_key(pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(certificate.stat().st_mode) == 0o644
    assert sorted(path.name for path in key.parent.iterdir()) == ["certificate.pem", "key.pem"], "no drafts are left"


def test_its_fingerprint_is_openssls(pair: tuple[Path, Path]) -> None:
    command = ["openssl", "x509", "-in", str(pair[0]), "-noout", "-fingerprint", "-sha256"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.strip().partition("=")[2] == certificates.fingerprint(certificates.load(pair[0]))


def test_a_client_can_trust_it_by_its_file(pair: tuple[Path, Path]) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*pair)
    client = ssl.create_default_context(cafile=str(pair[0]))
    inbox, outbox = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(inbox, outbox, server_hostname="localhost")
    there = server.wrap_bio(outbox, inbox, server_side=True)
    for side in (here, there, here, there):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert here.version() == "TLSv1.3"
    assert here.getpeercert()


def test_it_stays_as_it_is(pair: tuple[Path, Path]) -> None:
    before = [path.read_bytes() for path in pair]
    certificates.ensure(*pair, NOW + timedelta(days=3600))
    assert [path.read_bytes() for path in pair] == before


def test_near_its_end_it_is_renewed_with_the_same_key(pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    before, secret = certificates.load(certificate), key.read_bytes()
    later = NOW + timedelta(days=3640)
    certificates.ensure(certificate, key, later)
    renewed = certificates.load(certificate)
    assert renewed.not_valid_after_utc > later + timedelta(days=3600)
    assert renewed.public_key() == before.public_key()
    assert key.read_bytes() == secret


def test_a_lost_certificate_is_made_from_the_key(pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    before = certificates.load(certificate).public_key()
    certificate.unlink()
    certificates.ensure(certificate, key, NOW)
    assert certificates.load(certificate).public_key() == before


def test_a_lost_key_makes_both_anew(pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    before = certificates.load(certificate).public_key()
    key.unlink()
    certificates.ensure(certificate, key, NOW)
    assert certificates.load(certificate).public_key() != before
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)


def test_an_operators_certificate_is_never_touched(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = pair
    certificate.unlink()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chat.example")])
    with monkeypatch.context() as patch:
        patch.setattr(certificates, "NAME", name)
        certificates.ensure(certificate, key, NOW)
    theirs = certificate.read_bytes()
    key.unlink()
    certificates.ensure(certificate, key, NOW + timedelta(days=5000))
    assert certificate.read_bytes() == theirs
    assert not key.exists()


def test_what_is_no_pem_is_refused(pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    key.write_text("-----BEGIN NONSENSE-----")
    certificate.unlink()
    with pytest.raises(ValueError, match="PEM"):
        certificates.ensure(certificate, key, NOW)
    certificate.write_text("")
    with pytest.raises(ValueError, match="PEM"):
        certificates.ensure(certificate, key, NOW)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    (tmp_path / "file.new").write_text("left by a kill")
    certificates.write_atomically(path, b"new", 0o600)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_weak_key_is_refused(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = ["-x509", "-newkey", "rsa:1024", "-nodes", "-days", "2", "-subj", "/CN=chat.example"]
    subprocess.run(["openssl", "req", *made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    with pytest.raises(SSL.Error, match="too small"):
        context(certificate, key)
