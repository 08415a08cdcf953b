"""Power cuts: no image of the disk loses what was acknowledged; and the rig sees it when a daemon does not sync."""

import random
import shutil
from pathlib import Path

import attrs
import pytest

from tests.rigs import kill, powerloss, trace
from tests.rigs.platter import Disk
from tests.rigs.trace import Call

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> powerloss.Recording:
    return powerloss.record(tmp_path_factory.mktemp("power"), 60, random.randrange(1 << 32))


def faults(result: powerloss.Result) -> set[str]:
    """Name what was found, once it is certain that enough happened to find something."""
    print(result.table())
    assert result.acknowledged > 100
    assert result.syncs > 20
    return {fault for fault, cases in result.findings.items() if cases}


def test_two_hundred_images_keep_what_was_acknowledged(recording: powerloss.Recording) -> None:
    seed = random.randrange(1 << 32)
    assert faults(powerloss.run(recording, 200, seed)) == set(), f"seed {seed}"


@pytest.mark.soak
def test_five_thousand_images_keep_what_was_acknowledged(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    assert faults(powerloss.rig(tmp_path, 1500, 5000, seed)) == set(), f"seed {seed}"


def test_commits_that_are_not_synced_are_caught(tmp_path: Path) -> None:
    assert "lost" in faults(powerloss.rig(tmp_path, 60, 40, 1, kill.broken("syncs_seldom")))


def test_a_directory_whose_name_is_not_synced_is_caught(recording: powerloss.Recording) -> None:
    above = str(recording.directory.parent)
    forgetful = attrs.evolve(
        recording,
        calls=[call for call in recording.calls if not (call.what.endswith("sync") and call.paths[0] == above)],
    )
    assert {"lost", "stranger"} <= faults(powerloss.run(forgetful, 40, 1))


# -- the disk itself

WRITE = Call(2, 2.1, "pwrite64", ("/top/d/f",), data=b"x" * 600, number=0)
MADE = [Call(0, 0, "fsync", ("/top",)), Call(1, 1.1, "openat", ("/top/d/f",), "O_CREAT")]


def left(*calls: Call, keeps: bool = False, torn: bool = False) -> dict[str, bytes] | None:
    """Play these calls, and give what is there when everything unsynced is kept, or nothing of it."""
    disk = Disk("/top/d")
    for call in calls:
        disk.play(call)
    return disk.image(lambda change: keeps, random.Random(3), torn=torn)


def test_a_directory_that_was_not_synced_above_may_be_missing() -> None:
    assert left(*MADE[1:], WRITE) is None


def test_a_name_lasts_with_its_directory_and_bytes_with_their_file() -> None:
    assert left(*MADE, WRITE) == {}
    assert left(*MADE, WRITE, Call(3, 3, "fsync", ("/top/d",))) == {"/top/d/f": b""}
    both = [Call(3, 3, "fdatasync", ("/top/d/f",)), Call(3, 3, "fdatasync", ("/top/d",))]
    assert left(*MADE, WRITE, *both) == {"/top/d/f": b"x" * 600}


def test_a_write_that_began_after_the_sync_did_is_not_synced() -> None:
    early = Call(1.5, 3, "fsync", ("/top/d/f",))
    assert left(*MADE, WRITE, early, Call(3, 3, "fsync", ("/top/d",))) == {"/top/d/f": b""}


def test_a_rename_that_is_not_synced_leaves_the_old_names() -> None:
    synced = [Call(3, 3, "fsync", ("/top/d/f",)), Call(3, 3, "fsync", ("/top/d",))]
    moved = Call(4, 4, "rename", ("/top/d/f", "/top/d/g"))
    assert left(*MADE, WRITE, *synced, moved) == {"/top/d/f": b"x" * 600}
    assert left(*MADE, WRITE, *synced, moved, keeps=True) == {"/top/d/g": b"x" * 600}


def test_a_truncation_that_is_not_synced_leaves_the_old_bytes() -> None:
    synced = [Call(3, 3, "fsync", ("/top/d/f",)), Call(3, 3, "fsync", ("/top/d",))]
    short = Call(4, 4, "ftruncate", ("/top/d/f",), number=10)
    assert left(*MADE, WRITE, *synced, short) == {"/top/d/f": b"x" * 600}
    assert left(*MADE, WRITE, *synced, short, keeps=True) == {"/top/d/f": b"x" * 10}


def test_a_torn_write_is_there_by_whole_sectors() -> None:
    outcomes = set()
    disk = Disk("/top/d")
    for call in [*MADE, WRITE]:
        disk.play(call)
    for seed in range(50):
        image = disk.image(lambda change: True, random.Random(seed), torn=True)
        assert image is not None
        outcomes.add(image["/top/d/f"])
    assert outcomes == {b"", b"x" * 512, b"x" * 600, bytes(512) + b"x" * 88}


# -- what strace wrote


def shown(plain: bytes) -> str:
    return "".join(f"\\x{each:02x}" for each in plain)


def test_calls_are_read_whole_in_halves_and_cut_off(tmp_path: Path) -> None:
    file, other = f"5<{shown(b'/d/f')}>", f"6<{shown(b'/elsewhere')}>"
    lines = [
        f'12 1.5 pwrite64({file}, "{shown(b"abc")}", 3, 7 <detached ...>',
        f'13 1.6 pwrite64({file}, "{shown(b"abcd")}", 4, 17) = 4 <0.001>',
        f'13 1.6 pwrite64({other}, "{shown(b"abcd")}", 4, 17) = 4 <0.001>',
        f"14 1.7 fdatasync({file} <unfinished ...>",
        "14 1.9 <... fdatasync resumed>) = 0 <0.2>",
        f"14 2.0 fdatasync({file}) = ? <unavailable>",
        f'14 2.1 unlink("{shown(b"/d/g")}") = -1 ENOENT (No such file or directory) <0.1>',
    ]
    (tmp_path / "log").write_text("\n".join(lines))
    assert list(trace.read(tmp_path / "log", Path("/d"))) == [
        Call(1.6, 1.601, "pwrite64", ("/d/f",), data=b"abcd", number=17),
        Call(1.7, 1.9, "fdatasync", ("/d/f",)),
        Call(1.5, float("inf"), "pwrite64", ("/d/f",), data=b"abc", number=7),
    ]
