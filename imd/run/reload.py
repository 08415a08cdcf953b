"""SIGHUP: reads the configuration again, and applies what can change in a running daemon.

Limits, registration, language and certificates apply at once, to the next request or connection. Other changed keys
are logged, and need a restart. A configuration with a mistake changes nothing.
"""

from collections.abc import Callable

import attrs
from OpenSSL import SSL
from twisted.logger import Logger

from imd.engine.server import Server
from imd.net.tls import ServerTLS
from imd.run import certificates, rlimits
from imd.run.banner import say
from imd.run.config import Config
from imd.run.directory import DataDirectory
from imd.run.errors import OperatorError

log = Logger(namespace="imd.run")

CERTIFICATE = {"certificate", "key"}
RELOADABLE = {"limits", "register", "language"} | CERTIFICATE


@attrs.define
class Reloader:
    """Applies a configuration that was read again."""

    config: Config
    directory: DataDirectory
    server: Server
    tls: ServerTLS

    def reload(self, read: Callable[[], Config]) -> None:
        """Read and apply the configuration. A mistake is logged and changes nothing."""
        try:
            config = read()
            if self._uses_acme(config):
                self.tls.look()
            else:
                self.tls.use([certificates.active_pair(self.directory, config)])
        except OperatorError as error:
            log.error("{line}", line=say("not_reloaded", reason=error))
        except (SSL.Error, OSError, ValueError) as error:
            log.error("{line}", line=say("not_reloaded", reason=error))
        else:
            self._apply(config)

    def _uses_acme(self, config: Config) -> bool:
        """Say whether ACME manages the certificate, now or after a restart; then a reload must not replace it."""
        return bool(self.config.acme or config.acme)

    def _apply(self, config: Config) -> None:
        self.server.configure(rlimits.fit(config.limits), config.registration, config.language)
        at_once = RELOADABLE - CERTIFICATE if self._uses_acme(config) else RELOADABLE
        later = [
            field.name
            for field in attrs.fields(Config)
            if field.name not in at_once and getattr(config, field.name) != getattr(self.config, field.name)
        ]
        log.info("{line}", line=say("reloaded"))
        if later:
            log.warn("{line}", line=say("restart", keys=", ".join(later)))
