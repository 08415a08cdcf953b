"""deploy/: the unit is as tight as it says, the daemon lives with what it is denied, and what it all names is there."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from imd.run.cli import program as imd_program
from imd.run.config import KEYS, load
from tests.live.daemon import TWISTD, Daemon, has_ipv6

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MOST_EXPOSED = 2.0
MDWE = 65
"""PR_SET_MDWE of prctl(2): what MemoryDenyWriteExecute= does, since Linux 6.3."""

systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here (systemd)")


def unit(name: str) -> dict[str, dict[str, list[str]]]:
    """Read a unit: section -> key -> its values."""
    parsed: dict[str, dict[str, list[str]]] = {}
    for line in (DEPLOY / name).read_text("utf-8").splitlines():
        if line.startswith("["):
            section = parsed.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return parsed


@systemd
def test_the_unit_exposes_next_to_nothing() -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", DEPLOY / "imd.service"], capture_output=True, text=True
    )
    (level,) = re.findall(r"Overall exposure level for imd.service: ([\d.]+)", done.stdout)
    assert float(level) <= MOST_EXPOSED


@systemd
@pytest.mark.parametrize("name", ["imd.service", "imd.socket"])
def test_systemd_understands_the_units(name: str, tmp_path: Path) -> None:
    text = (DEPLOY / "imd.service").read_text("utf-8").replace("/opt/imd/bin/imd", f'"{sys.executable}"')
    (tmp_path / "imd.service").write_text(text)
    shutil.copy(DEPLOY / "imd.socket", tmp_path)
    done = subprocess.run(["systemd-analyze", "verify", tmp_path / name], capture_output=True, text=True)
    assert [line for line in done.stderr.splitlines() if "imd." in line] == []


def test_the_unit_runs_what_is_there() -> None:
    service = unit("imd.service")["Service"]
    program, *words = shlex.split(service["ExecStart"][0])
    assert Path(program).name == "imd"
    imd_program().parse(words)
    environment = dict(pair.split("=", 1) for pair in service["Environment"][0].split())
    directory = Path("/var/lib") / service["StateDirectory"][0]
    assert environment["IMD_DATA_DIR"] == str(directory)
    assert Path(environment["IMD_CONFIG"]).parent == Path("/etc") / service["ConfigurationDirectory"][0]
    assert service["ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def test_the_configuration_beside_it_is_understood() -> None:
    config = load({"config": str(DEPLOY / "imd.toml"), "data_dir": "/var/lib/imd"}, {})
    assert config.listen == (f"imd:{unit('imd.socket')['Socket']['ListenStream'][0]}",)
    told = re.findall(r'listen = "(.*?)"', (DEPLOY / "imd.socket").read_text("utf-8"))
    assert told == ["imd:systemd:domain=INET6:index=0"]


def start(directory: Path, before: str, *options: str, pass_fds: tuple[int, ...] = ()) -> "subprocess.Popen[bytes]":
    """Start a daemon in a process that does something first."""
    code = f"import ctypes, os, sys\n{before}\nos.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", code, TWISTD, "-n", "--pidfile=", "imd", "--data-dir", directory / "data"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IMD_")}
    kept["IMD_UNAUTHENTICATED_PER_ADDRESS"] = "1000"  # the wait below knocks on a port that is open before it is served
    with (directory / "log").open("wb") as log:
        return subprocess.Popen(
            [*command, *options], cwd=directory, env=kept, stdout=log, stderr=log, pass_fds=pass_fds
        )


def denies_writable_code() -> bool:
    """Try whether this kernel can deny memory that is both written and executed, across exec."""
    code = "import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)"
    before = f"import ctypes, os, sys; ctypes.CDLL(None).prctl({MDWE}, 1, 0, 0, 0)"
    command = [sys.executable, "-c", f"{before}; os.execv(sys.argv[1], sys.argv[1:])", sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True).returncode != 0


@pytest.mark.skipif(not denies_writable_code(), reason="needs Linux 6.3")
def test_memory_that_is_written_and_executed_is_denied_if_it_can_be(tmp_path: Path) -> None:
    """cffi's callbacks, through which OpenSSL calls pyOpenSSL, need it as they are built today."""
    daemon = Daemon(tmp_path)
    listen = f"imd:{daemon.port}:interface=127.0.0.1"
    daemon.process = start(tmp_path, f"ctypes.CDLL(None).prctl({MDWE}, 1, 0, 0, 0)", "--listen", listen)
    try:
        daemon.wait()
    except AssertionError as died:
        lives = "write+execute memory" not in str(died)
    else:
        lives = True
    finally:
        daemon.close()
    assert ("MemoryDenyWriteExecute" in unit("imd.service")["Service"]) is lives


@pytest.mark.parametrize(("family", "domain"), [(socket.AF_INET, "INET"), (socket.AF_INET6, "INET6")])
def test_it_takes_over_the_port_that_systemd_opened(family: socket.AddressFamily, domain: str, tmp_path: Path) -> None:
    if domain == "INET6" and not has_ipv6():
        pytest.skip("no IPv6 here")
    daemon = Daemon(tmp_path)
    with socket.socket(family) as opened:
        opened.bind(("127.0.0.1" if domain == "INET" else "::", daemon.port))
        opened.listen()
        before = f"os.dup2({opened.fileno()}, 3)"
        before += "; os.environ.update(LISTEN_FDS='1', LISTEN_FDNAMES='imd.socket', LISTEN_PID=str(os.getpid()))"
        before += f"; {opened.fileno()} == 3 or os.close({opened.fileno()})"
        listen = f"imd:systemd:domain={domain}:index=0"
        daemon.process = start(tmp_path, before, "--listen", listen, pass_fds=(opened.fileno(),))
    try:
        daemon.wait()
        line = daemon.connect()
        line.say("PING")
        assert line.next_line() == "OK PING"
        assert daemon.stop() == 0
    finally:
        daemon.close()


def test_a_real_daemon_tells_systemd(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(20)
        before = f"os.environ.update(NOTIFY_SOCKET='{tmp_path}/notify', WATCHDOG_USEC='500000')"
        daemon.process = start(tmp_path, before, "--listen", f"imd:{daemon.port}:interface=127.0.0.1")
        try:
            told = {line.recv(1000).decode() for _ in range(2)}
            assert told == {"READY=1", "WATCHDOG=1"}
            daemon.connect().hang_up()
            daemon.process.send_signal(signal.SIGSTOP)
            time.sleep(0.6)
            line.setblocking(False)
            with suppress(BlockingIOError):
                while line.recv(1000):
                    pass
            time.sleep(0.6)
            with pytest.raises(BlockingIOError):
                line.recv(1000)
            daemon.process.send_signal(signal.SIGCONT)
            line.settimeout(20)
            assert daemon.stop() == 0
            told = set()
            while "STOPPING=1" not in told:
                told.add(line.recv(1000).decode())
        finally:
            daemon.close()


# -- the container, which cannot be built here


def test_the_container_copies_and_runs_what_is_there() -> None:
    lines = (DEPLOY / "Containerfile").read_text("utf-8").splitlines()
    copied = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    assert copied
    assert [path for path in copied if not (ROOT / path).exists()] == []
    packed = re.findall(r'packages = \["(.*)"\]', (ROOT / "pyproject.toml").read_text("utf-8"))[0].split('", "')
    assert {path.split("/")[0] for path in packed} <= set(copied)
    for line in lines:
        if words := re.findall(r'CMD \["imd", (.*)\]', line):
            imd_program().parse([word.strip('" ') for word in words[0].split(",")])
    settings = re.findall(r"IMD_(\w+)=", "\n".join(lines))
    assert {name.lower() for name in settings} <= KEYS.keys()
    assert "--uid 7373" in (DEPLOY / "Containerfile").read_text("utf-8"), "not root"


def test_the_compose_file_names_what_is_there() -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    (dockerfile,) = re.findall(r"dockerfile: (\S+)", text)
    assert (DEPLOY / ".." / dockerfile).exists()
    assert {name.lower() for name in re.findall(r"IMD_(\w+):", text)} <= KEYS.keys()
    (volume,) = re.findall(r'volumes: \["(\w+):', text)
    assert re.search(rf"^volumes:\n  {volume}:", text, re.MULTILINE)
