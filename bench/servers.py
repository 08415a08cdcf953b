"""The servers under load, each a process of its own on the server's core."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import attrs

from bench import archive
from bench.link import CONTEXT, ask
from bench.load import GROUP, RECEIVERS, SENDERS
from bench.machine import cores

CONFIG = """\
register = "open"
requests_per_second = 0
unauthenticated_per_address = 100000
"""
PASSWORD = "a password for the bench"
START_SECONDS = 20


@attrs.frozen
class Server:
    """A server that answers."""

    name: str
    port: int
    pid: int


Serve = Callable[[Path], AbstractContextManager[Server]]
"""`imd` or `relay`: runs a server on a directory."""


@attrs.frozen
class Ground:
    """What the measurements stand on: a directory on a real disk, accounts with tokens, a certificate."""

    directory: Path
    tokens: dict[str, str]

    def run(self, server: Server, section: str, **parameters: Any) -> dict[str, Any]:
        """Run a section of the generator in its own process, on its own core, and give its figures."""
        order = {
            "section": section,
            "core": cores()[1],
            "relay": server.name == "relay",
            "port": server.port,
            "tokens": self.tokens,
            "server": server.pid,
            **parameters,
        }
        command = [sys.executable, "-m", "bench.load", json.dumps(order)]
        figures: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        return figures


def prepare(directory: Path) -> Ground:
    """Register everybody and log them in, once, with the daemon itself."""
    (directory / "config.toml").write_text(CONFIG)
    tokens = {}
    with imd(directory) as server:
        for user in SENDERS + RECEIVERS:
            with socket.create_connection(("127.0.0.1", server.port)) as raw, CONTEXT.wrap_socket(raw) as link:
                account = {"username": user, "password": PASSWORD}
                ask(link, {"action": "register", **account})
                tokens[user] = ask(link, {"action": "login", "replay": False, **account})["token"]
                if user == SENDERS[0]:
                    ask(link, {"action": "group_create", "handle": f"#{GROUP}", "join_mode": "open"})
                else:
                    ask(link, {"action": "group_join", "to": f"#{GROUP}"})
    return Ground(directory, tokens)


def with_archive(ground: Ground, messages: int) -> Ground:
    """Give other ground, with the same people and so many messages."""
    directory = ground.directory / f"archive-{messages}"
    if not directory.exists():
        shutil.copytree(ground.directory / "data", directory / "data")
        shutil.copy(ground.directory / "config.toml", directory)
        archive.fill(directory / "data", messages)
    return attrs.evolve(ground, directory=directory)


@contextmanager
def imd(directory: Path) -> Iterator[Server]:
    """Run the daemon, with no limit that would stop one address from sending at full speed."""
    port = free_port()
    command = [
        str(Path(sys.executable).parent / "twistd"),
        "-n",
        "--pidfile=",
        "imd",
        "--data-dir",
        str(directory / "data"),
    ]
    command += ["--listen", f"imd:{port}:interface=127.0.0.1", "--config", str(directory / "config.toml")]
    with _running("imd", port, command, directory) as server:
        yield server


@contextmanager
def relay(directory: Path) -> Iterator[Server]:
    """Run the bare relay, with the daemon's certificate."""
    port, data = free_port(), directory / "data"
    command = [sys.executable, "-m", "bench.relay", str(port), str(data / "certificate.pem"), str(data / "key.pem")]
    with _running("relay", port, command, directory) as server:
        yield server


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _running(name: str, port: int, command: list[str], directory: Path) -> Iterator[Server]:
    log = directory / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, preexec_fn=_on_the_servers_core)
        try:
            _wait_until_it_answers(process, port, log)
            yield Server(name, port, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(START_SECONDS)


def _on_the_servers_core() -> None:
    os.sched_setaffinity(0, {cores()[0]})


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port)) as raw, CONTEXT.wrap_socket(raw):
                return
        except (ConnectionError, ssl.SSLError):
            time.sleep(0.05)
    raise RuntimeError(f"the server does not answer; its log ends: {log.read_text()[-1000:]}")
