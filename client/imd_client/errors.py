"""Why there is no connection: the failures, and the sentence that tells a person."""

from OpenSSL import SSL
from twisted.internet import error as net_error
from twisted.python.failure import Failure

from imd.wire.catalog import say
from imd.wire.session import Closing
from imd.wire.terminal import harmless
from imd_client.protocol import Refused
from imd_client.trust import CertificateChanged


class LoginNeeded(Exception):
    """No token works, and no password was given."""


class CodeNeeded(Exception):
    """The account has a second factor, and no code was given."""


class ClosedByServer(Exception):
    """The server closed the connection and gave a reason: `closing.code`, `closing.message`."""

    def __init__(self, closing: Closing) -> None:
        super().__init__(closing.message)
        self.closing = closing


def wants_code(refused: Refused) -> bool:
    """Return whether the password was right and only the code was missing or wrong."""
    return refused.code == "invalid_credentials" and refused.params.get("field") == "code"


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
    """Return one or a few sentences, without a line break at the end."""
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
    """Write a fingerprint without colons: it fits on one row, and `--fingerprint` takes it in that form."""
    return fingerprint.replace(":", "")
