"""The health of the daemon's environment for `SERVER STATUS`: disk, certificate, backups."""

import shutil
from contextlib import suppress

import attrs

from imd.chat.base.context import Health
from imd.net.tls import ServerTLS
from imd.run import certificates
from imd.run.directory import DataDirectory


@attrs.frozen
class HealthProbe:
    """Looks at a data directory and the certificate that is served."""

    directory: DataDirectory
    tls: ServerTLS

    def probe(self, health: Health) -> Health:
        """Add free disk space, the certificate's days and the latest backup; what is unknown stays None."""
        with suppress(OSError):
            health = attrs.evolve(health, disk_free=shutil.disk_usage(self.directory.path).free)
        health = attrs.evolve(health, certificate_days=(self.tls.until - certificates.utc_now()).days)
        if latest := self.directory.latest_backup():
            health = attrs.evolve(health, backup=latest.time * 1000)
        return health
