"""Why there is no connection, said to a person."""

from OpenSSL import SSL
from twisted.internet import error as net_error
from twisted.python.failure import Failure

from imd.wire.catalog import say
from imd.wire.terminal import harmless
from imd_client.connection import ClosedByServer, CodeNeeded, LoginNeeded
from imd_client.protocol import Refused
from imd_client.trust import CertificateChanged

_KNOWN: tuple[tuple[type[BaseException], str], ...] = (
    (net_error.ConnectionRefusedError, "refused"),
    (net_error.DNSLookupError, "no_such_host"),
    (net_error.NoRouteError, "no_route"),
    (net_error.TimeoutError, "timeout"),
    (SSL.Error, "not_tls"),
    (net_error.ConnectionDone, "lost"),
    (net_error.ConnectionLost, "lost"),
)


def describe_failure(failure: Failure, server: str, language: str) -> str:
    """Give one sentence, or a few, without a line's end."""
    error = failure.value
    if isinstance(error, Refused | ClosedByServer):
        return harmless(str(error))
    if isinstance(error, LoginNeeded):
        return say("connection.login_needed", language)
    if isinstance(error, CodeNeeded):
        return say("connection.code_needed", language)
    if isinstance(error, CertificateChanged):
        return say(
            "connection.certificate",
            language,
            server=error.server,
            pinned=_bare(error.pinned),
            presented=_bare(error.presented),
        )
    for kind, key in _KNOWN:
        if isinstance(error, kind):
            return say(f"connection.{key}", language, server=server)
    return harmless(str(error))


def _bare(fingerprint: str) -> str:
    """Write a fingerprint without its colons: it fits on one row then, and `--fingerprint` takes it so."""
    return fingerprint.replace(":", "")
