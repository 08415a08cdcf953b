"""What a scanner finds on the port: sslyze, in an environment of its own, since it wants an older `cryptography`."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live.daemon import Daemon

ROOT = Path(__file__).parents[2]
SSLYZE = Path(sys.prefix) / "scan" / "bin" / "sslyze"

OLD = ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1")
FORWARD_SECRET_AEAD = {
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_{}_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_{}_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_{}_WITH_CHACHA20_POLY1305_SHA256",
}
NO_FINDING = {
    "tls_compression": {"supports_compression": False},
    "tls_1_3_early_data": {"supports_early_data": False},
    "openssl_ccs_injection": {"is_vulnerable_to_ccs_injection": False},
    "heartbleed": {"is_vulnerable_to_heartbleed": False},
    "robot": {"robot_result": "NOT_VULNERABLE_RSA_NOT_SUPPORTED"},
    "tls_fallback_scsv": {"supports_fallback_scsv": True},
    "tls_extended_master_secret": {"supports_ems_extension": True},
    "session_renegotiation": {
        "supports_secure_renegotiation": True,
        "is_vulnerable_to_client_renegotiation_dos": False,
        "client_renegotiations_success_count": 0,
    },
}
COMMANDS = (
    "sslv2", "sslv3", "tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3", "certinfo", "elliptic_curves", "compression",
    "reneg", "early_data", "heartbleed", "openssl_ccs", "robot", "ems", "fallback",
)  # fmt: skip


def scan(daemon: Daemon) -> dict[str, Any]:
    """Scan a daemon's port: what was asked, with its result."""
    assert SSLYZE.exists(), "no sslyze: `make test` installs it"
    report = daemon.directory / "scan.json"
    target = f"127.0.0.1:{daemon.port}"
    asked = [f"--{name}" for name in COMMANDS]
    subprocess.run([SSLYZE, "--quiet", f"--json_out={report}", *asked, target], check=True, timeout=50)
    (found,) = json.loads(report.read_text())["server_scan_results"]
    return {name: scanned["result"] for name, scanned in found["scan_result"].items() if scanned["result"]}


def accepted(found: dict[str, Any], version: str) -> list[dict[str, Any]]:
    suites: list[dict[str, Any]] = found[f"{version}_cipher_suites"]["accepted_cipher_suites"]
    return suites


def check(found: dict[str, Any], key: str) -> None:
    """Hold a scan against what imd says of itself."""
    assert len(found) == len(COMMANDS)
    assert all(not accepted(found, version) for version in OLD)
    for version in ("tls_1_2", "tls_1_3"):
        suites = accepted(found, version)
        assert len(suites) == 3
        assert {suite["cipher_suite"]["name"] for suite in suites} <= {name.format(key) for name in FORWARD_SECRET_AEAD}
        assert all(suite["ephemeral_key"]["type_name"] == "ECDH" for suite in suites)
    for name, result in NO_FINDING.items():
        assert found[name] == result
    described = (ROOT / "docs" / "security.md").read_text("utf-8")
    curves = {curve["name"] for curve in found["elliptic_curves"]["supported_curves"]}
    assert "X25519" in curves
    assert not {curve for curve in curves if f"`{curve}`" not in described}


def answers(port: int) -> None:
    """Wait until somebody listens."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.05)


def served(found: dict[str, Any]) -> dict[str, Any]:
    """Give the certificate that was shown."""
    (deployment,) = found["certificate_info"]["certificate_deployments"]
    certificate: dict[str, Any] = deployment["received_certificate_chain"][0]
    return certificate


def test_a_scanner_finds_nothing(daemon: Daemon) -> None:
    found = scan(daemon)
    check(found, "ECDSA")
    certificate = served(found)
    key = certificate["public_key"]
    assert (key["algorithm"], key["ec_curve_name"]) == ("ECPublicKey", "secp256r1")
    assert certificate["signature_hash_algorithm"]["name"] == "sha256"


def test_nor_with_an_rsa_certificate(start_daemon: Callable[..., Daemon], tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    asked = ["-x509", "-newkey", "rsa:3072", "-nodes", "-days", "30", "-subj", "/CN=chat.example"]
    subprocess.run(
        ["openssl", "req", *asked, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=30
    )
    found = scan(start_daemon("--certificate", os.fspath(certificate), "--key", os.fspath(key)))
    check(found, "RSA")
    assert served(found)["public_key"]["key_size"] == 3072


@pytest.mark.parametrize(
    ("option", "finding"),
    [(["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], "tls_1_1"), (["-tls1_2", "-cipher", "AES128-SHA"], "tls_1_2")],
)
def test_the_scanner_finds_what_is_wrong(tmp_path: Path, option: list[str], finding: str) -> None:
    """A control: OpenSSL's own server, set up badly."""
    daemon = Daemon(tmp_path)
    made = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=bad.example"]
    files = ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "certificate.pem"]
    subprocess.run(["openssl", "req", *made, *files], check=True, capture_output=True, timeout=30)
    serve = ["openssl", "s_server", "-quiet", "-accept", str(daemon.port), *option]
    files = ["-key", tmp_path / "key.pem", "-cert", tmp_path / "certificate.pem"]
    with subprocess.Popen([*serve, *files], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as server:
        try:
            answers(daemon.port)
            found = scan(daemon)
        finally:
            server.kill()
    assert accepted(found, finding)
    with pytest.raises(AssertionError):
        check(found, "RSA")
