"""What a daemon knows of its surroundings: disk, certificate and backups, for `SERVER STATUS`."""

import shutil
from contextlib import suppress

import attrs

from imd.chat.base.context import Health
from imd.net.tls import ServerTLS
from imd.run import certificates
from imd.run.directory import DataDirectory


@attrs.frozen
class Surroundings:
    """A daemon's directory and the certificate it shows."""

    directory: DataDirectory
    tls: ServerTLS

    def watched(self, health: Health) -> Health:
        """Add to the vitals how disk, certificate and backups are; what cannot be found out is left unknown."""
        with suppress(OSError):
            health = attrs.evolve(health, disk_free=shutil.disk_usage(self.directory.path).free)
        health = attrs.evolve(health, certificate_days=(self.tls.until - certificates.today()).days)
        if latest := self.directory.latest_backup():
            health = attrs.evolve(health, backup=latest.time * 1000)
        return health
