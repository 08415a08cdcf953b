"""The machine under the measurement: cores, processor time, memory, disk. Linux's /proc and nothing else."""

import os
import platform
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import attrs

TICKS = os.sysconf("SC_CLK_TCK")
NOT_A_DISK = {"tmpfs", "ramfs"}

DISTURBED = 0.1
"""From so many cores on, what else runs on the machine is worth mentioning."""


def cores() -> tuple[int, int]:
    """Give the server's core and the generator's: two different ones where there are two."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def resident_kib(pid: int) -> int:
    """Give a process's resident memory in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def busy_seconds(pid: int) -> float:
    """Give the processor time that all threads of a process have used, in seconds."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / TICKS


def _machine_busy_seconds() -> float:
    """Give the processor time that everything on the machine has used, in seconds."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, _first_stat_line()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def _first_stat_line() -> list[str]:
    with open("/proc/stat") as stat:
        return stat.readline().split()


def wait_for_quiet(deadline: float) -> None:
    """Wait until the machine does next to nothing for a second, or the deadline (of time.monotonic) has passed."""
    while time.monotonic() < deadline:
        before = _machine_busy_seconds()
        time.sleep(1)
        if _machine_busy_seconds() - before < DISTURBED:
            return


@attrs.frozen
class Load:
    """How busy who was, in cores: 1.0 is one core all the time. `others` disturb the measurement."""

    server: float
    generator: float
    others: float


class Stopwatch:
    """Measures processor time of the server and of this process from its making on."""

    def __init__(self, server: int) -> None:
        self._pids = (server, os.getpid())
        self._begun = self._read()

    def _read(self) -> tuple[float, ...]:
        return (time.perf_counter(), *(busy_seconds(pid) for pid in self._pids), _machine_busy_seconds())

    def load(self) -> Load:
        """Give the load since the beginning."""
        seconds, server, generator, machine = (now - then for now, then in zip(self._read(), self._begun, strict=True))
        others = max(0.0, machine - server - generator)
        return Load(*(round(part / seconds, 2) for part in (server, generator, others)))


def filesystem(path: Path) -> str:
    """Name the file system that a directory lies on, such as ext4."""
    found = subprocess.run(["findmnt", "-no", "FSTYPE", "-T", path], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def sync_microseconds(directory: Path, times: int = 200) -> int:
    """Give the median time of writing 4 KiB and an fdatasync, in microseconds."""
    path = directory / "sync-probe"
    probe = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    taken = [_timed_sync(probe) for _ in range(times)]
    os.close(probe)
    path.unlink()
    return round(percentile(taken, 50) * 1e6)


def _timed_sync(probe: int) -> float:
    begun = time.perf_counter()
    os.write(probe, bytes(4096))
    os.fdatasync(probe)
    return time.perf_counter() - begun


def percentile(values: Iterable[float], percent: float) -> float:
    """Give the value that `percent` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def description(directory: Path) -> dict[str, str]:
    """Describe the machine as far as it explains the figures."""
    processor = next(
        (line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    return {
        "processor": f"{processor}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}, {filesystem(directory)}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "fdatasync": f"{sync_microseconds(directory)} us after 4 KiB",
    }
