"""The clock rig: the wall clock is stepped under a daemon that runs, by libfaketime; and a daemon that stands still.

python -m tests.rigs.clocks --only stopped --seconds 60

After each step connections are still there, tokens log in, messages keep their order, and a stranger's time to log in
is neither over nor begun anew. A daemon that was stopped answers everything it was asked, as soon as it goes on.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.live.daemon import Daemon
from tests.rigs import kill
from tests.rigs.disks import SETTINGS, Person, Report, afterwards, running
from tests.rigs.journal import Sent
from tests.rigs.people import PASSWORD

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
PATIENCE = 4
"""Seconds that a stranger has to log in: enough for a password on a busy machine."""

HOUR, TEN_YEARS = 3600, 3652 * 86_400
STEPS = {
    "an hour on": HOUR,
    "ten years on": TEN_YEARS,
    "ten years back": -TEN_YEARS,
    "right": 0,
    "an hour back": -HOUR,
    "right again": 0,
}


def stepped(directory: Path, seconds: float, program: tuple[str, ...]) -> Report:
    """Step the clock to and fro; in a short run by the two great steps alone."""
    report = Report("wall clock stepped")
    steps = {step: STEPS[step] for step in ("ten years on", "ten years back")} if seconds < 10 else STEPS
    (clock := directory / "clock").write_text("+0s\n")
    faked = ("env", f"LD_PRELOAD={LIBRARY}", f"FAKETIME_TIMESTAMP_FILE={clock}", "FAKETIME_NO_CACHE=1")
    faked += ("FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1")
    faked += ("FAKETIME_FORCE_MONOTONIC_FIX=0",)  # else threads that wait for each other sleep for seconds
    settings = SETTINGS | {"login_seconds": str(PATIENCE)}
    daemon = Daemon(directory, settings, program=(*faked, *program))
    with running(daemon) as person:
        token = _token(person)
        shown = []
        for step, offset in steps.items():
            stranger, since = daemon.connect(), time.monotonic()
            clock.write_text(f"{offset:+d}s\n")
            stranger.say("PING")
            heard = [line for line in iter(partial(stranger.next_line, 20), None) if not line.startswith("* Welcome")]
            report.expect(f"{step}: a stranger may speak, and then no more", heard[:1] == ["OK PING"] and heard[1:])
            report.expect(f"{step}: after its seconds", PATIENCE * 0.9 < time.monotonic() - since < PATIENCE + 2)
            try:
                shown.append(_look(report, step, daemon, person, token))
            except RuntimeError as error:
                report.expect(f"{step}: {error}", False)
                return report
        report.figures["years seen"] = ", ".join(time[:4] for time in shown)
        report.expect("the steps were real", len({time[:4] for time in shown}) > 1)
        report.expect("the token still logs in", _resumes(daemon, token))
        afterwards(report, daemon, person)
    return report


def _look(report: Report, step: str, daemon: Daemon, person: Person, token: str) -> str:
    """Look whether all goes on after a step, and give the time that the daemon shows."""
    report.expect(f"{step}: it takes messages", person.send() == "success")
    report.expect(f"{step}: what was kept is there, in order", person.reads())
    report.expect(f"{step}: a token logs in", _resumes(daemon, token))
    report.expect(f"{step}: a password logs in", Person.of(daemon))
    return str(person.ask("history", to="ann", limit=1)["messages"][-1]["time"])


def _token(person: Person) -> str:
    return str(person.ask("whoami") and _login(person)["token"])


def _login(person: Person) -> dict[str, Any]:
    person.ask("logout")
    return person.ask("login", username="ann", password=PASSWORD, replay=False)


def _resumes(daemon: Daemon, token: str) -> bool:
    other = Person(daemon.connect())
    said = other.ask("resume", token=token, replay=False)
    other.line.hang_up()
    return bool(said["status"] == "success")


def stopped(directory: Path, seconds: float, program: tuple[str, ...]) -> Report:
    """Stop the process by SIGSTOP for a while, with requests on their way."""
    report = Report(f"stopped for {seconds:g} s")
    daemon = Daemon(directory, SETTINGS, program=program)
    with running(daemon) as person:
        other = Person.of(daemon)
        token = _token(other)
        person.send()
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGSTOP)
        asked = [Sent("ann", f"ann-{number}", "ann", f"{number} while it stood") for number in range(1, 51)]
        for sent in asked:
            person.journal.sent.append(sent)
            line = f'{{"action":"send_message","to":"ann","content":"{sent.content}","client_id":"{sent.client_id}"}}'
            person.line.say(line)
        time.sleep(seconds)
        daemon.process.send_signal(signal.SIGCONT)
        since = time.monotonic()
        answers = [person.line.next_line(30) or "" for _ in asked]
        report.figures["seconds until all was answered"] = round(time.monotonic() - since, 2)
        report.expect("everything asked meanwhile is answered", all('"status":"success"' in each for each in answers))
        report.expect("the other connection is there", other.ask("whoami")["status"] == "success")
        report.expect("a token logs in", _resumes(daemon, token))
        afterwards(report, daemon, person)
    return report


SCENARIOS: dict[str, Callable[[Path, float, tuple[str, ...]], Report]] = {"stepped": stepped, "stopped": stopped}


def run(name: str, directory: Path, seconds: float, program: tuple[str, ...] = kill.SOUND) -> Report:
    """Do one of them."""
    return SCENARIOS[name](directory, seconds, program)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Step the clock, or stop the daemon.")
    parser.add_argument("--only", choices=SCENARIOS, action="append")
    parser.add_argument("--seconds", type=float, default=60, help="how long the daemon stands still")
    options = parser.parse_args()
    faults = []
    for name in options.only or SCENARIOS:
        with tempfile.TemporaryDirectory(prefix="imd-clock-") as place:
            report = run(name, Path(place), options.seconds)
        print(report.text(), flush=True)
        faults += report.faults()
    sys.exit(bool(faults))
