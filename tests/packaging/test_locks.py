"""requirements/*.txt: what `make lock` wrote fits pyproject.toml; a trial of other versions says what it finds."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import versions

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
WHAT = {
    "run": ("", "all"),
    "work": ("", "test", "dev"),
    "lowest": ("", "test"),
    "soak": ("", "soak"),
}


def lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")


def wanted(*extras: str) -> Iterator[Requirement]:
    """Give what the extras ask for; "" is what imd always needs."""
    of_extras = PROJECT["project"]["optional-dependencies"] | {"": PROJECT["project"]["dependencies"]}
    for each in (Requirement(line) for extra in extras for line in of_extras[extra]):
        if each.name == PROJECT["project"]["name"]:
            yield from wanted(*each.extras)
        else:
            yield each


@pytest.mark.parametrize("name", WHAT)
def test_a_lock_holds_what_the_project_asks_for(name: str) -> None:
    pins = versions.pins(lock(name))
    missed = [
        str(each)
        for each in wanted(*WHAT[name])
        if not each.specifier.contains(pins.get(canonicalize_name(each.name), "0"))
    ]
    assert not missed, "run `make lock`"


def test_what_runs_is_what_was_worked_with() -> None:
    work = versions.pins(lock("work"))
    for name in ("run", "soak"):
        others = versions.moved(versions.pins(lock(name)), work)
        assert [each for each in others if not each.startswith("atheris ")] == [], "run `make lock`"
    assert "hatchling" in versions.pins(lock("run")), "it installs imd itself, without a download"


def test_all_is_every_extra_that_a_setting_may_need() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    (everything,) = map(Requirement, extras["all"])
    assert everything.extras == set(extras) - {"all", "test", "dev", "soak", "plot"}


def test_each_lower_bound_is_the_version_that_is_tried() -> None:
    tried = versions.pins(lock("lowest"))
    for each in wanted("", "test"):
        bounds = {part.operator: part.version for part in each.specifier}
        version = tried[canonicalize_name(each.name)]
        assert Requirement(f"x=={bounds['>=']}").specifier.contains(version), f"{each.name}: {version} is what is tried"


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_a_lock_has_hashes_and_names_no_place(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    pins = [number for number, line in enumerate(lines) if re.match(r"[a-z0-9]", line)]
    assert pins
    assert [lines[number] for number in pins if "--hash=sha256:" not in lines[number + 1]] == []
    assert not [line for line in lines if re.search(r"://|@ |^-|/home|/tmp", line)]


REPORT: dict[str, Any] = {
    "install": [
        {
            "metadata": {"name": name, "version": version},
            "download_info": {"archive_info": {"hashes": {"sha256": "0" * 64}}},
        }
        for name, version in (("Twisted", "99.1.0"), ("attrs", versions.pins(lock("work"))["attrs"]))
    ]
    + [{"metadata": {"name": "imd-server", "version": "0.1.0"}, "download_info": {"dir_info": {}}}]
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A world of its own: what pip says, and how the tests go."""
    told: dict[str, Any] = {"report": (REPORT, ""), "index": True, "code": 0, "made": []}
    monkeypatch.setattr(
        versions,
        "ask_pip",
        lambda *what: told["report"] if "hatchling" not in what else ({}, "" if told["index"] else "no"),
    )
    monkeypatch.setattr(versions, "run", lambda name, lock: told["made"].append(lock) or told["code"])
    return told


def test_versions_like_the_locks_are_not_tried_again(world: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    world["report"] = ({"install": REPORT["install"][1:]}, "")
    assert versions.newest() == 0
    assert capsys.readouterr().out == "Newest versions: they are those of the lock.\n"
    assert not world["made"]


def test_versions_that_hold_are_told(world: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert versions.newest() == 0
    told = capsys.readouterr().out
    assert re.search(r"^    twisted \S+ -> 99\.1\.0$", told, re.MULTILINE)
    assert "attrs" not in told
    assert told.endswith("imd holds with them; `make lock` takes them in.\n")
    assert versions.pins(world["made"][0])["twisted"] == "99.1.0"
    assert "imd" not in world["made"][0]


def test_a_world_that_moved_is_told_in_plain_words(world: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    world["code"] = 1
    assert versions.newest() == 1
    told = capsys.readouterr().out
    assert "the world has moved. The tests named above fail with these:\n    twisted " in told
    assert "With the versions of requirements/*.txt all tests passed" in told


def test_versions_that_exclude_each_other_are_told(world: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    world["report"] = ({}, "ERROR: a conflict")
    assert versions.newest() == 1
    assert capsys.readouterr().out.startswith("ERROR: a conflict\nNewest versions: no set of versions ")


@pytest.mark.parametrize("which", [versions.newest, versions.lowest])
def test_without_a_network_it_is_left_out(
    which: Any, world: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    world |= {"report": ({}, "ERROR: no such host"), "index": False, "code": None}
    assert which() == 0
    assert capsys.readouterr().out.endswith("not tried, since no package index can be reached.\n")


def test_a_bound_that_does_not_hold_is_told(world: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    world["code"] = 2
    assert versions.lowest() == 2
    assert "Raise the bound in pyproject.toml" in capsys.readouterr().out


def test_pip_is_asked_and_its_complaint_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def pip(command: Any, **more: Any) -> Any:
        assert more["cwd"] == ROOT
        Path(command[command.index("--report") + 1]).write_text('{"install": []}')
        return subprocess.CompletedProcess(command, int(command[-1] == "nothing"), "", "ERROR")

    monkeypatch.setattr(subprocess, "run", pip)
    assert versions.ask_pip("something") == ({"install": []}, "")
    assert versions.ask_pip("nothing") == ({}, "ERROR")
