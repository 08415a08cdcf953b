"""What a daemon knows of its surroundings: disk, certificate and backups, for `SERVER STATUS`."""

import shutil
from contextlib import suppress

import attrs

from imd.chat.lanes import Vitals
from imd.net.tls import ServerTLS
from imd.run import certificates
from imd.run.directory import DataDirectory


@attrs.frozen
class HealthProbe:
    """A daemon's directory and the certificate it shows."""

    directory: DataDirectory
    tls: ServerTLS

    def probe(self, vitals: Vitals) -> Vitals:
        """Add to the vitals how disk, certificate and backups are; what cannot be found out is left unknown."""
        with suppress(OSError):
            vitals = attrs.evolve(vitals, disk_free=shutil.disk_usage(self.directory.path).free)
        vitals = attrs.evolve(vitals, certificate_days=(self.tls.until - certificates.utc_now()).days)
        if latest := self.directory.latest_backup():
            vitals = attrs.evolve(vitals, backup=latest.time * 1000)
        return vitals
