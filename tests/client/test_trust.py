"""Whom the client believes: authorities for a host's name, else the fingerprint it has seen; over real TLS."""

import datetime
import ipaddress
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from imd_client import CertificateChanged, Credentials, GaveUp, LoginNeeded, Offline, State, Trusted
from imd_client.connection import Connection
from imd_client.trust import fingerprint
from twisted.internet import reactor, ssl
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import SSL4ServerEndpoint
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver

pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL")  # Twisted does

Key = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certificate(name: str, by: Key | None = None, address: str = "127.0.0.1") -> Key:
    """Make a certificate for a host name and an address, by an authority or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address(address))]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by[0].subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .sign(by[1] if by else key, hashes.SHA256())
    )
    return made, key


def pem(key: Key) -> bytes:
    private = key[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key[0].public_bytes(serialization.Encoding.PEM) + private


def shown(key: Key) -> str:
    return fingerprint(key[0].fingerprint(hashes.SHA256()).hex())


class Greeted(LineReceiver):
    """A server that notes what it is asked, and answers `hello` alone."""

    delimiter = b"\n"

    def lineReceived(self, line: bytes) -> None:
        self.factory.lines.append(line)  # type: ignore[attr-defined]
        if b'"hello"' in line:
            limits = '"server": "imd", "protocol": "imd/1", "limits": {}, "features": [], "epoch": "1"'
            self.sendLine(f'{{"status": "success", "action": "hello", "id": 1, {limits}}}'.encode())


@pytest_twisted.async_yield_fixture
async def serve() -> AsyncIterator[Callable[[Key], Any]]:
    """Serve with a certificate on a free port; gives the port and the lines that were said."""
    ports: list[Any] = []

    async def start(key: Key, port: int = 0) -> tuple[int, list[bytes]]:
        options = ssl.PrivateCertificate.loadPEM(pem(key)).options()
        factory = Factory.forProtocol(Greeted)
        factory.lines = []  # type: ignore[attr-defined]
        ports.append(await SSL4ServerEndpoint(reactor, port, options, interface="127.0.0.1").listen(factory))
        return ports[-1].getHost().port, factory.lines  # type: ignore[attr-defined]

    async def again(key: Key) -> tuple[int, list[bytes]]:
        port = ports[-1].getHost().port
        await ports.pop().stopListening()
        return await start(key, port)

    start.again = again  # type: ignore[attr-defined]
    yield start
    for each in ports:
        await each.stopListening()


async def knock(server: str, state: State) -> list[Any]:
    """Connect until there is an outcome; nobody can log in, as there is no password. Gives what was told."""
    told: list[Any] = []
    ended: Deferred[None] = Deferred()

    def tell(event: Any) -> None:
        told.append(event)
        if isinstance(event, GaveUp | Offline) and not ended.called:
            ended.callback(None)

    connection = Connection(state.account(server, "ann"), Credentials(), tell)
    connection.startService()
    await ended.addTimeout(10, reactor)
    await connection.stopService()
    return told


def outcome(told: list[Any]) -> type:
    return told[-1].reason.type


async def test_a_self_made_certificate_is_pinned_at_first_sight(serve: Any) -> None:
    mine, state = certificate("localhost"), State()
    port, lines = await serve(mine)
    server = f"localhost:{port}"
    told = await knock(server, state)
    assert told[0] == Trusted(server, shown(mine))
    assert outcome(told) is LoginNeeded
    assert b'"hello"' in lines[0]
    assert state.pin(server) == shown(mine)
    assert [type(each) for each in await knock(server, state)] == [GaveUp]


async def test_another_certificate_is_refused_and_told_nothing(serve: Any) -> None:
    mine, other, state = certificate("localhost"), certificate("localhost"), State()
    port, _ = await serve(mine)
    server = f"localhost:{port}"
    await knock(server, state)
    _, lines = await serve.again(other)
    told = await knock(server, state)
    assert outcome(told) is CertificateChanged
    fault = told[-1].reason.value
    assert (fault.server, fault.pinned, fault.presented) == (server, shown(mine), shown(other))
    assert lines == []
    state.set_pin(server, shown(other))
    assert outcome(await knock(server, state)) is LoginNeeded


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Key:
    """An authority that this machine believes."""
    authority = certificate("our authority")
    (tmp_path / "ca.pem").write_bytes(authority[0].public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_vouched_for_certificate_needs_no_pin(serve: Any, authority: Key, host: str) -> None:
    state = State()
    port, _ = await serve(certificate("localhost", authority))
    for _ in range(2):
        assert [type(each) for each in await knock(f"{host}:{port}", state)] == [GaveUp]
        assert state.pin(f"{host}:{port}") is None
        await serve.again(certificate("localhost", authority))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_one_for_another_name_is_only_as_good_as_a_self_made_one(serve: Any, authority: Key, host: str) -> None:
    state = State()
    port, _ = await serve(certificate("elsewhere.example", authority, "10.0.0.1"))
    told = await knock(f"{host}:{port}", state)
    assert isinstance(told[0], Trusted)


async def test_an_endpoint_string_is_wrapped_in_tls(serve: Any, authority: Key) -> None:
    state = State()
    port, lines = await serve(certificate("localhost", authority))
    told = await knock(f"tcp:127.0.0.1:{port}", state)
    assert isinstance(told[0], Trusted), "no name is known, so nobody can vouch for it"
    assert lines


def test_spellings_of_a_fingerprint() -> None:
    spelled = ":".join(["AB"] * 32)
    assert fingerprint("ab" * 32) == fingerprint(spelled) == fingerprint("AB " * 32) == spelled
    for wrong in ("ab" * 31, "xy" * 32, ""):
        with pytest.raises(ValueError):  # noqa: PT011  # bytes.fromhex has its own words
            fingerprint(wrong)
