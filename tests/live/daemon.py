"""A real daemon in a process of its own, and a blocking TLS connection to it."""

import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import attrs

TWISTD = Path(sys.executable).with_name("twistd")
START_SECONDS = 20


def free_port() -> int:
    """Find a port that nobody listens on, and that the system gives to no outgoing connection meanwhile."""
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(given.read_text().split()[0]) if given.exists() else 32_768
    while True:
        port = random.randrange(10_000, max(first, 20_000))
        with socket.socket() as finder, suppress(OSError):
            finder.bind(("", port))
            return port


def has_ipv6() -> bool:
    """Say whether this machine speaks IPv6 with itself."""
    with suppress(OSError), socket.socket(socket.AF_INET6) as tried:
        tried.bind(("::1", 0))
        return True
    return False


def trusting() -> ssl.SSLContext:
    """Make a client context that takes any certificate: the tests know whom they started."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@attrs.define
class Daemon:
    """`twistd -n imd` on a free port, with its data in a directory of the test's. Settings go in by the environment."""

    directory: Path
    settings: Mapping[str, str] = attrs.Factory(dict)
    options: tuple[str, ...] = ()
    port: int = attrs.Factory(free_port)
    program: tuple[str, ...] = (str(TWISTD),)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def log(self) -> str:
        """What the daemon printed so far."""
        return (self.directory / "log").read_text("utf-8", "replace")

    def start(self) -> "Daemon":
        """Start it, and wait until it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("IMD_")}
        environment |= {f"IMD_{key.upper()}": value for key, value in self.settings.items()}
        listen = f"imd:{self.port}:interface=127.0.0.1"
        command = [*self.program, "-n", "--pidfile=", "imd", "--data-dir", self.directory / "data", "--listen", listen]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.options], cwd=self.directory, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        self.wait()
        return self

    def wait(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                self.operator().hang_up()  # opened last
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"the daemon does not answer:\n{self.log}")

    def connect(self) -> "Line":
        """Connect by TLS."""
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return Line(trusting().wrap_socket(raw))

    def operator(self) -> "Line":
        """Connect to the operator's socket."""
        raw = socket.socket(socket.AF_UNIX)
        raw.connect(os.fspath(self.directory / "data" / "admin.sock"))
        return Line(raw)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it, and give its exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(timeout=20)

    def close(self) -> None:
        """Stop it, whatever its state."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@attrs.define
class Line:
    """A connection that sends bytes and reads lines."""

    socket: socket.socket
    buffer: bytes = b""
    ended: bool = False

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def say(self, line: str) -> None:
        """Send a line."""
        self.send(line.encode() + b"\n")

    def next_line(self, patience: float = 10) -> str | None:
        """Give the next line; None when the connection ends, or after so many seconds without one."""
        self.socket.settimeout(patience)
        while b"\r\n" not in self.buffer and not self.ended:
            try:
                data = self.socket.recv(65_536)
            except TimeoutError:
                return None
            except OSError:
                data = b""
            self.buffer += data
            self.ended = not data
        line, mark, rest = self.buffer.partition(b"\r\n")
        if not mark:
            return None
        self.buffer = rest
        return line.decode()

    def is_gone(self) -> bool:
        """Say whether the server closed the connection, with nothing left to read."""
        return self.next_line() is None and self.ended

    def hang_up(self) -> None:
        """Close the connection."""
        self.socket.close()
