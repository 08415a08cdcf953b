"""Why there is no connection, said to a person."""

from OpenSSL import SSL
from twisted.internet import error
from twisted.python.failure import Failure

from imd.wire.catalog import say
from imd.wire.terminal import harmless
from imd_client.connection import ClosedByServer, CodeNeeded, LoginNeeded
from imd_client.protocol import Refused
from imd_client.trust import CertificateChanged

_KNOWN: tuple[tuple[type[BaseException], str], ...] = (
    (error.ConnectionRefusedError, "refused"),
    (error.DNSLookupError, "no_such_host"),
    (error.NoRouteError, "no_route"),
    (error.TimeoutError, "timeout"),
    (SSL.Error, "not_tls"),
    (error.ConnectionDone, "lost"),
    (error.ConnectionLost, "lost"),
)


def reason(failure: Failure, server: str, language: str) -> str:
    """Give one sentence, or a few, without a line's end."""
    fault = failure.value
    if isinstance(fault, Refused | ClosedByServer):
        return harmless(str(fault))
    if isinstance(fault, LoginNeeded):
        return say("connection.login_needed", language)
    if isinstance(fault, CodeNeeded):
        return say("connection.code_needed", language)
    if isinstance(fault, CertificateChanged):
        return say(
            "connection.certificate", language, server=fault.server, known=_bare(fault.known), shown=_bare(fault.shown)
        )
    for kind, key in _KNOWN:
        if isinstance(fault, kind):
            return say(f"connection.{key}", language, server=server)
    return harmless(str(fault))


def _bare(fingerprint: str) -> str:
    """Write a fingerprint without its colons: it fits on one row then, and `--fingerprint` takes it so."""
    return fingerprint.replace(":", "")
