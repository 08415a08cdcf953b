"""The banner that a start prints: where the daemon listens, where its data is, and how to connect."""

import os
import shutil
import sys
from pathlib import Path

import imd
from imd.run.config import Config
from imd.run.endpoints import tcp_address
from imd.wire import catalog


def say(key: str, **params: object) -> str:
    """Give a sentence of the banner, in the language of this process's environment."""
    return catalog.say(f"start.{key}", catalog.language_here(), **params)


def lines(config: Config, registration: str, fingerprint: str) -> list[str]:
    """Write the banner, as lines."""
    report = [
        say("listening", server=f"imd {imd.__version__}", listen=" ".join(config.listen)),
        say("kept", data_dir=config.data_dir, registration=registration),
        say("fingerprint", fingerprint=fingerprint),
    ]
    if address := reachable(config.listen):
        server = "" if address == "localhost:7373" else f" {address}"
        report.append(say("terminal", address=address))
        report.append(say("console", command=command(), server=server))
    return report


_HERE = ("", "0.0.0.0", "127.0.0.1", "::", "::1")  # noqa: S104  # nosec B104  # compared, not listened on


def reachable(listen: tuple[str, ...]) -> str:
    """Give an address that reaches one of the ports from this machine, or nothing."""
    for at in filter(None, map(tcp_address, listen)):
        host = "localhost" if at.host in _HERE else at.host
        return f"[{host}]:{at.port}" if ":" in host else f"{host}:{at.port}"
    return ""


def command() -> str:
    """Give the `imd` command as it can be typed here."""
    return "imd" if shutil.which("imd") else os.path.relpath(Path(sys.executable).with_name("imd"))
