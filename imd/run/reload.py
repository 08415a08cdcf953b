"""SIGHUP: the configuration is read again, and what can change under a running daemon does.

Limits, registration, language and certificates hold at once: for the next request, or the next connection. What would
need other ports or files is named, and waits for a restart. A configuration with a mistake in it changes nothing.
"""

from collections.abc import Callable

import attrs
from OpenSSL import SSL
from twisted.logger import Logger

from imd.engine.server import Server
from imd.net.tls import ServerTLS
from imd.run import certificates, descriptors
from imd.run.config import Config
from imd.run.directory import DataDirectory
from imd.run.greeting import say
from imd.run.problem import Problem

log = Logger(namespace="imd.run")

CERTIFICATE = {"certificate", "key"}
AT_ONCE = {"limits", "register", "language"} | CERTIFICATE


@attrs.define
class Reloader:
    """Applies a configuration that was read anew."""

    config: Config
    directory: DataDirectory
    server: Server
    tls: ServerTLS

    def reload(self, read: Callable[[], Config]) -> None:
        """Read and apply; whatever is wrong is logged, and everything stays as it is."""
        try:
            config = read()
            if self._by_acme(config):
                self.tls.look()
            else:
                self.tls.use([certificates.shown(self.directory, config)])
        except Problem as problem:
            log.error("{line}", line=say("not_reloaded", reason=problem))
        except (SSL.Error, OSError, ValueError) as error:
            log.error("{line}", line=say("not_reloaded", reason=error))
        else:
            self._apply(config)

    def _by_acme(self, config: Config) -> bool:
        """Say whether ACME sees to the certificate, or would after a restart: nobody else may change it meanwhile."""
        return bool(self.config.acme or config.acme)

    def _apply(self, config: Config) -> None:
        self.server.configure(descriptors.fitted(config.limits), config.registration, config.language)
        at_once = AT_ONCE - CERTIFICATE if self._by_acme(config) else AT_ONCE
        later = [
            field.name
            for field in attrs.fields(Config)
            if field.name not in at_once and getattr(config, field.name) != getattr(self.config, field.name)
        ]
        log.info("{line}", line=say("reloaded"))
        if later:
            log.warn("{line}", line=say("restart", keys=", ".join(later)))
