"""Certificates by ACME (RFC 8555), with the challenge tls-alpn-01 (RFC 8737).

    account, order  ->  for each name, serve a proof to clients that offer `acme-tls/1`  ->  fetch the certificate

The authority connects to port 443 of each name, so imd must listen there. An order blocks for seconds and runs in a
thread. This module needs the extra `acme`.
"""

import datetime
import hashlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import attrs
from acme import client, crypto_util, errors, messages
from acme.challenges import (
    Challenge,
    ChallengeResponse,
    KeyAuthorizationChallenge,
    KeyAuthorizationChallengeResponse,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.jwa import ES256
from josepy.jwk import JWK, JWKEC
from OpenSSL import SSL
from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.threads import blockingCallFromThread
from twisted.logger import Logger

import imd
from imd.net.tls import ServerTLS
from imd.run import certificates
from imd.run.directory import DataDirectory

RENEW_BEFORE = datetime.timedelta(days=30)
CHECK_EVERY_SECONDS = 12 * 3600
RETRY_SECONDS = 3600
ORDER_TIMEOUT = datetime.timedelta(seconds=90)
IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
"""The extension that holds the proof, a DER octet string (RFC 8737 section 3)."""

Prover = Callable[[str, x509.Certificate, ec.EllipticCurvePrivateKey], None]


@ChallengeResponse.register
class TLSALPN01Response(KeyAuthorizationChallengeResponse):
    """The response to tls-alpn-01: the proof is being served."""

    typ = "tls-alpn-01"


@Challenge.register
class TLSALPN01(KeyAuthorizationChallenge):
    """tls-alpn-01, which the package `acme` no longer supports."""

    response_cls = TLSALPN01Response
    typ = response_cls.typ

    def validation(self, account_key: JWK, **kwargs: Any) -> bytes:
        """Give the digest that the proving certificate must contain."""
        return hashlib.sha256(self.key_authorization(account_key).encode()).digest()


def proof(name: str, digest: bytes) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Make the certificate that proves control of a name."""
    key, now = ec.generate_private_key(ec.SECP256R1()), certificates.utc_now()
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        .add_extension(x509.UnrecognizedExtension(IDENTIFIER, b"\x04\x20" + digest), critical=True)
    )
    return builder.sign(key, hashes.SHA256()), key


def _lower(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.lower() for name in names))


@attrs.frozen
class AcmeClient:
    """Orders one certificate for these names from an authority."""

    names: tuple[str, ...] = attrs.field(converter=_lower)
    url: str
    account_key: Path

    def obtain(self, prove: Prover) -> tuple[bytes, bytes]:
        """Order the certificate; returns chain and key as PEM. Blocks, and raises what `acme` and `requests` raise."""
        net = client.ClientNetwork(self._key(), alg=ES256, user_agent=f"imd/{imd.__version__}")
        acme = client.ClientV2(client.ClientV2.get_directory(self.url, net), net)
        self._sign_up(acme)
        key = ec.generate_private_key(ec.SECP256R1())
        pem = _pem(key)
        order = acme.new_order(crypto_util.make_csr(pem, list(self.names)))
        for authorization in order.authorizations:
            if authorization.body.status != messages.STATUS_VALID:
                self._answer(acme, authorization.body, prove)
        done = acme.poll_and_finalize(
            order, datetime.datetime.now() + ORDER_TIMEOUT
        )  # naive local time: acme compares it with datetime.now()
        return done.fullchain_pem.encode(), pem

    def _key(self) -> JWK:
        if not self.account_key.exists():
            certificates.write_atomically(self.account_key, _pem(ec.generate_private_key(ec.SECP256R1())), 0o600)
        return JWKEC.load(self.account_key.read_bytes())

    def _sign_up(self, acme: client.ClientV2) -> None:
        wanted = messages.NewRegistration.from_data(terms_of_service_agreed=True)
        try:
            acme.new_account(wanted)
        except errors.ConflictError as known:
            acme.net.account = messages.RegistrationResource(uri=known.location, body=messages.Registration())

    def _answer(self, acme: client.ClientV2, asked: messages.Authorization, prove: Prover) -> None:
        for challenge in asked.challenges:
            if isinstance(challenge.chall, TLSALPN01):
                prove(asked.identifier.value, *proof(asked.identifier.value, challenge.validation(acme.net.key)))
                acme.answer_challenge(challenge, challenge.response(acme.net.key))
                return
        raise errors.Error(f"the authority does not offer {TLSALPN01.typ} for {asked.identifier.value}")


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Renewal(Service):
    """Obtains a certificate when there is none, and renews it in time."""

    log = Logger(namespace="imd.run")

    def __init__(self, acme: AcmeClient, directory: DataDirectory, tls: ServerTLS, reactor: Any) -> None:
        self._client = acme
        self._directory = directory
        self._tls = tls
        self._reactor = reactor
        self._timer: IDelayedCall | None = None

    def startService(self) -> None:
        """Check now, and twice a day, whether a certificate is needed."""
        super().startService()
        self._reactor.callWhenRunning(self._check)

    def stopService(self) -> None:
        """Stop checking. An order in progress ends with the process."""
        super().stopService()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        self._timer = None
        if not self.running:
            return
        if self.is_due():
            threading.Thread(target=self._work, name="acme", daemon=True).start()
        else:
            self._schedule(CHECK_EVERY_SECONDS)

    def is_due(self) -> bool:
        """Say whether the certificate is missing, has other names, or expires soon."""
        try:
            present = certificates.load(self._directory.acme_certificate)
        except (OSError, ValueError):
            return True
        names = present.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if set(_lower(names.get_values_for_type(x509.DNSName))) != set(self._client.names):
            return True
        return present.not_valid_after_utc - certificates.utc_now() < RENEW_BEFORE

    def _work(self) -> None:
        """Order the certificate, in the thread."""
        try:
            chain, key = self._client.obtain(self._prove)
        except Exception as error:
            self._reactor.callFromThread(self._failed, error)
        else:
            self._reactor.callFromThread(self._obtained, chain, key)

    def _prove(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        blockingCallFromThread(self._reactor, self._tls.prove, name, certificate, key)

    def _obtained(self, chain: bytes, key: bytes) -> None:
        path = self._directory.acme_certificate
        try:
            certificates.write_atomically(path, chain + key, 0o600)
            self._tls.use([(path, path)])
        except (OSError, ValueError, SSL.Error) as error:
            self._failed(error)
            return
        self._tls.proofs.clear()
        self.log.info("certificate obtained for {names}", names=", ".join(self._client.names))
        self._schedule(CHECK_EVERY_SECONDS)

    def _failed(self, error: Exception) -> None:
        self._tls.proofs.clear()
        self.log.error("no certificate for {names}: {error}", names=", ".join(self._client.names), error=error)
        self._schedule(RETRY_SECONDS)

    def _schedule(self, seconds: float) -> None:
        if self.running:
            self._timer = self._reactor.callLater(seconds, self._check)
