"""`systemctl` for one unit: reads it, runs what it says in the environment it says, and stops it as systemd would.

It lives in the directory SANDBOX, where the paths of the page lead. Readiness is what the daemon tells by sd_notify.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

SANDBOX = Path(os.environ["SANDBOX"])
UNIT = SANDBOX / "etc/systemd/system/imd.service"
PROCESS, JOURNAL = SANDBOX / "pid", SANDBOX / "journal"
PATIENCE = 30


def values(key: str) -> list[str]:
    """Give what the unit says of a key, with its paths in the sandbox."""
    lines = UNIT.read_text("utf-8").splitlines()
    found = [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]
    return [re.sub(r"(?<![\w/.])/(opt|var)/", rf"{SANDBOX}/\1/", value) for value in found]


def start() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IMD_")}
    for pair in shlex.split(" ".join(values("Environment"))):
        name, _, value = pair.partition("=")
        environment[name] = value.replace("/etc/", f"{SANDBOX}/etc/")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        path = SANDBOX / "notify"
        path.unlink(missing_ok=True)
        told.bind(str(path))
        told.settimeout(PATIENCE)
        environment["NOTIFY_SOCKET"] = str(path)
        with JOURNAL.open("ab") as journal:
            process = subprocess.Popen(
                shlex.split(values("ExecStart")[0]),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=journal,
                stderr=journal,
                start_new_session=True,
            )
        PROCESS.write_text(str(process.pid))
        while told.recv(1000) != b"READY=1":
            pass


def stop() -> None:
    number = int(PROCESS.read_text())
    os.kill(number, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while Path(f"/proc/{number}").exists() and "State:\tZ" not in Path(f"/proc/{number}/status").read_text():
        if time.monotonic() > until:
            sys.exit("it does not stop")
        time.sleep(0.02)
    PROCESS.unlink()


def reload() -> None:
    os.kill(int(PROCESS.read_text()), signal.SIGHUP)


def main(words: list[str]) -> None:
    """Do what was asked."""
    match [word for word in words if not word.startswith("--")]:
        case ["daemon-reload"]:
            values("ExecStart")
        case ["enable" | "start", "imd"]:
            start()
        case ["stop", "imd"]:
            stop()
        case ["restart", "imd"]:
            stop()
            start()
        case ["reload", "imd"]:
            reload()
        case _:
            sys.exit(f"systemctl {' '.join(words)} is not on the page")


if __name__ == "__main__":
    main(sys.argv[1:])
