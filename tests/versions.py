"""The quick tests with other versions than the lock's: the lowest that pyproject.toml allows, and the newest.

    python -m tests.versions lowest     a bound that does not hold is ours to raise
    python -m tests.versions newest     the world moved: what is installed from the lock still holds

Each has an environment of its own under .venv. Without a network both are left out, and say so.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "work.txt"
TESTS = {
    "lowest": ("tests/wire", "tests/store", "tests/client", "tests/run/test_acme.py", "tests/run/test_metrics.py"),
    "newest": ("tests/wire", "tests/store", "tests/client", "tests/net", "tests/run"),
}
QUICK = ("-q", "--tb=short", "--disable-warnings", "-n", "auto", "--dist", "loadfile", "-m", "not soak and not long")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--retries", "1")

Pins = dict[str, str]
"""Versions by package."""


def pins(lock: str) -> Pins:
    """Read what a lock file says for this Python and this machine."""
    lines = (line.removesuffix("\\") for line in lock.splitlines() if line[:1] not in ("", "#", " "))
    found = (Requirement(line) for line in lines)
    return {
        canonicalize_name(each.name): str(each.specifier).removeprefix("==")
        for each in found
        if each.marker is None or each.marker.evaluate()
    }


def as_lock(report: dict[str, Any]) -> str:
    """Write what pip would install as a lock file, without imd itself."""
    lines = []
    for each in report["install"]:
        if hashes := each["download_info"].get("archive_info", {}).get("hashes"):
            about = each["metadata"]
            lines.append(f"{about['name']}=={about['version']} \\\n    --hash=sha256:{hashes['sha256']}\n")
    return "".join(sorted(lines))


def moved(newest: Pins, locked: Pins) -> list[str]:
    """List the packages whose version is another than the lock's."""
    return [
        f"{name} {locked.get(name, '-')} -> {version}"
        for name, version in newest.items()
        if locked.get(name) != version
    ]


def ask_pip(*what: str) -> tuple[dict[str, Any], str]:
    """Have pip find the newest versions, without installing them: its report, or its complaint."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as report:
        command = (*PIP, "--dry-run", "--ignore-installed", "--no-build-isolation", "--report", report.name, *what)
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        return ({}, done.stderr) if done.returncode else (json.load(report), "")


def reaches_an_index() -> bool:
    """Say whether pip finds anything at all."""
    return not ask_pip("--no-deps", "hatchling")[1]


def run(name: str, lock: str) -> int | None:
    """Run the quick tests in an environment that holds what a lock says. None where it cannot be made offline."""
    environment = ROOT / ".venv" / name
    kept = environment / "lock.txt"
    if not kept.exists() or kept.read_text("utf-8") != lock:
        kept.unlink(missing_ok=True)
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
            file.write(lock)
            file.flush()
            made = subprocess.run([".ci/environment", sys.executable, environment, file.name], cwd=ROOT)
        if made.returncode:
            return made.returncode if reaches_an_index() else None
        kept.write_text(lock, "utf-8")
    tests = (environment / "bin" / "pytest", *QUICK, "--hypothesis-profile=short", *TESTS[name])
    return subprocess.run(tests, cwd=ROOT).returncode


def lowest() -> int:
    """Try the lowest versions. Gives the exit code."""
    code = run("lowest", (ROOT / "requirements" / "lowest.txt").read_text("utf-8"))
    if code is None:
        print("Lowest versions: not tried, since no package index can be reached.")
    elif code:
        print("Lowest versions: imd does not hold with them. Raise the bound in pyproject.toml, then `make lock`.")
    return code or 0


def newest() -> int:
    """Try the newest versions, where they are others than the lock's. Gives the exit code."""
    report, complaint = ask_pip(".[test]")
    if complaint and not reaches_an_index():
        print("Newest versions: not tried, since no package index can be reached.")
        return 0
    if complaint:
        print(f"{complaint}\nNewest versions: no set of versions that pyproject.toml allows can be installed. {FINE}")
        return 1
    lock = as_lock(report)
    others = moved(pins(lock), pins(LOCK.read_text("utf-8")))
    if not others:
        print("Newest versions: they are those of the lock.")
        return 0
    print("Newest versions: these are others than the lock's.", *others, sep="\n    ", flush=True)
    code = run("newest", lock)
    if code:
        print("Newest versions: the world has moved. The tests named above fail with these:", *others, sep="\n    ")
        print(FINE)
    elif code == 0:
        print("Newest versions: imd holds with them; `make lock` takes them in.")
    return code or 0


FINE = """\
With the versions of requirements/*.txt all tests passed: what is installed from there (make run, the image) holds.
Mend imd, or bound the version in pyproject.toml; then `make lock`."""


if __name__ == "__main__":
    sys.exit({"lowest": lowest, "newest": newest}[sys.argv[1]]())
