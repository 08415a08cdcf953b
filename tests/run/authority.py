"""A small certificate authority that speaks ACME (RFC 8555), and proves names by tls-alpn-01 on a port of our choice.

It holds every request to its signature and its nonce, so that a client which cheats does not get through here either.
"""

import base64
import datetime
import hashlib
import json
import secrets
import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import NameOID

IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def thumbprint(key: dict[str, str]) -> str:
    """Give a key's thumbprint (RFC 7638)."""
    needed = json.dumps({name: key[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    return encoded(hashlib.sha256(needed.encode()).digest())


def check_signature(request: dict[str, str], key: dict[str, str]) -> None:
    """Raise where a request is not signed with this key (ES256)."""
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(decoded(key["x"])), int.from_bytes(decoded(key["y"])), ec.SECP256R1()
    )
    raw = decoded(request["signature"])
    signature = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    signed = f"{request['protected']}.{request['payload']}".encode()
    numbers.public_key().verify(signature, signed, ec.ECDSA(hashes.SHA256()))


class Authority(ThreadingHTTPServer):
    """The authority; `port` is where it looks for proofs."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = port
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.nonces: set[str] = set()
        self.accounts: dict[str, dict[str, str]] = {}
        self.orders: list[dict[str, Any]] = []
        self.refused: list[str] = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def nonce(self) -> str:
        made = secrets.token_urlsafe(12)
        self.nonces.add(made)
        return made

    def proven(self, name: str, authorization: str) -> bool:
        """Look on the port whether the name is proven."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["acme-tls/1"])
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=10) as raw,
            context.wrap_socket(raw, server_hostname=name) as line,
        ):
            if line.selected_alpn_protocol() != "acme-tls/1":
                return False
            shown = x509.load_der_x509_certificate(line.getpeercert(binary_form=True) or b"")
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        proof = shown.extensions.get_extension_for_oid(IDENTIFIER)
        assert isinstance(proof.value, x509.UnrecognizedExtension)
        digest = hashlib.sha256(authorization.encode()).digest()
        right = proof.critical and proof.value.value == b"\x04\x20" + digest
        return right and names.get_values_for_type(x509.DNSName) == [name]

    def issue(self, csr: x509.CertificateSigningRequest) -> str:
        now = datetime.datetime.now(datetime.UTC)
        ours = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a small authority")])
        names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(ours)
            .public_key(csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=90))
            .add_extension(names, critical=True)
            .sign(self.key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM).decode()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Authority

    def log_message(self, *arguments: Any) -> None:
        pass

    def answer(self, status: int, body: Any, **headers: str) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        kind = "application/pem-certificate-chain" if isinstance(body, str) else "application/json"
        kind = "application/problem+json" if status >= 400 else kind
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.send_header("Replay-Nonce", self.server.nonce())
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do_HEAD(self) -> None:
        self.answer(200, {})

    def do_GET(self) -> None:
        names = {"newNonce": "nonce", "newAccount": "account", "newOrder": "order"}
        self.answer(200, {name: f"{self.server.url}/{path}" for name, path in names.items()})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        head = json.loads(decoded(request["protected"]))
        assert head["url"] == f"{self.server.url}{self.path}"
        self.server.nonces.remove(head["nonce"])
        self.by = head.get("kid", "")
        self.jwk = head.get("jwk") or self.server.accounts[self.by]
        check_signature(request, self.jwk)
        payload = json.loads(decoded(request["payload"]) or b"{}")
        what, *number = self.path.strip("/").split("/")
        handle: Callable[..., None] = getattr(self, what)
        handle(payload, *map(int, number))

    def account(self, payload: dict[str, Any]) -> None:
        name = f"{self.server.url}/accounts/{thumbprint(self.jwk)}"
        status = 200 if name in self.server.accounts else 201
        self.server.accounts[name] = self.jwk
        self.answer(status, {"status": "valid", "contact": payload.get("contact", [])}, Location=name)

    def order(self, payload: dict[str, Any], number: int | None = None) -> None:
        if number is None:
            number = len(self.server.orders)
            names = [each["value"] for each in payload["identifiers"]]
            tokens = {name: encoded(secrets.token_bytes(24)) for name in names}
            self.server.orders.append({"names": names, "tokens": tokens, "proven": set(), "pem": "", "failed": False})
        order = self.server.orders[number]
        ready = order["proven"] == set(order["names"])
        status = "invalid" if order["failed"] else "valid" if order["pem"] else "ready" if ready else "pending"
        url = self.server.url
        body = {
            "status": status,
            "identifiers": [{"type": "dns", "value": name} for name in order["names"]],
            "authorizations": [f"{url}/authorization/{number}/{at}" for at in range(len(order["names"]))],
            "finalize": f"{url}/finalize/{number}",
        }
        if order["pem"]:
            body["certificate"] = f"{url}/certificate/{number}"
        self.answer(201, body, Location=f"{url}/order/{number}")

    def authorization(self, payload: dict[str, Any], number: int, at: int) -> None:
        order = self.server.orders[number]
        name = order["names"][at]
        status = "invalid" if order["failed"] else "valid" if name in order["proven"] else "pending"
        self.answer(
            200,
            {
                "status": status,
                "identifier": {"type": "dns", "value": name},
                "challenges": [
                    {"type": "http-01", "url": "http://x", "status": "pending", "token": order["tokens"][name]},
                    self._challenge(number, at, status),
                ],
            },
        )

    def _challenge(self, number: int, at: int, status: str) -> dict[str, Any]:
        order = self.server.orders[number]
        url = f"{self.server.url}/challenge/{number}/{at}"
        told = {"type": "tls-alpn-01", "url": url, "status": status, "token": order["tokens"][order["names"][at]]}
        error = {"type": "urn:ietf:params:acme:error:unauthorized", "detail": "not proven"}
        return told | ({"error": error} if status == "invalid" else {})

    def challenge(self, payload: dict[str, Any], number: int, at: int) -> None:
        order = self.server.orders[number]
        name = order["names"][at]
        try:
            proven = self.server.proven(name, f"{order['tokens'][name]}.{thumbprint(self.jwk)}")
        except (OSError, x509.ExtensionNotFound):
            proven = False
        if proven:
            order["proven"].add(name)
        else:
            order["failed"] = True
            self.server.refused.append(name)
        up = f'<{self.server.url}/authorization/{number}/{at}>;rel="up"'
        self.answer(200, self._challenge(number, at, "valid" if proven else "invalid"), Link=up)

    def finalize(self, payload: dict[str, Any], number: int) -> None:
        order = self.server.orders[number]
        csr = x509.load_der_x509_csr(decoded(payload["csr"]))
        assert order["proven"] == set(order["names"])
        assert csr.is_signature_valid
        order["pem"] = self.server.issue(csr)
        self.order({}, number)

    def certificate(self, payload: dict[str, Any], number: int) -> None:
        self.answer(200, self.server.orders[number]["pem"])
