"""A bad network and killed clients: every device ends with the same log; doubles and other logs are seen."""

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.rigs import chaos, kill
from tests.rigs.journal import Kept, Reading


def faults(result: chaos.Result) -> set[str]:
    """Name what was found, once it is certain that the network was bad."""
    print(result.table())
    assert result.reconnects >= 20
    assert result.kills
    return {fault for fault, cases in result.findings.items() if cases}


def test_a_bad_network_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    assert faults(chaos.Rig(tmp_path, 200, 20, seed, life=0.4, size=4).run()) == set(), f"seed {seed}"


@pytest.mark.soak
def test_two_thousand_reconnects_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    assert faults(chaos.Rig(tmp_path, 200_000, 2_000, seed, life=1.5).run()) == set(), f"seed {seed}"


def test_a_daemon_that_keeps_doubles_is_caught(tmp_path: Path) -> None:
    program = kill.broken("keeps_doubles")
    assert "doubled" in faults(chaos.Rig(tmp_path, 160, 20, 1, life=0.3, program=program, size=4).run())


LOG = [Kept(1, seq, "ann", f"ann/desk {seq}", None) for seq in (1, 2)]


@pytest.mark.parametrize(
    ("has", "expected"),
    [
        (LOG, set()),
        ([], {"divergent"}),
        (LOG[:1], {"divergent"}),
        (LOG[::-1], set()),
        ([LOG[0], LOG[1]._replace(content="ann/desk 1")], {"divergent"}),
        ([*LOG, Kept(2, 1, "ann", "ann/desk 1", None)], {"doubled"}),
    ],
    ids=["all", "nothing", "too little", "in another order of arrival", "other words", "one more"],
)
def test_a_device_whose_log_is_another_is_caught(tmp_path: Path, has: list[Kept], expected: set[str]) -> None:
    rig = chaos.Rig(tmp_path, messages=2, reconnects=0, seed=1, life=1, size=1)
    for name, label, messages in (("ann", "desk", LOG), ("bob", "phone", has)):
        state = tmp_path / f"{name}-{label}"
        rig.devices.append(chaos.Device(name, label, state, []))
        with closing(sqlite3.connect(state, isolation_level=None)) as made:
            made.execute("CREATE TABLE message (conversation, seq, body)")
            rows = [(each.conversation, each.seq, json.dumps(each._asdict())) for each in messages]
            made.executemany("INSERT INTO message VALUES (?, ?, ?)", rows)
    kept = [Reading(name, "history", 1, LOG) for name in ("ann", "bob")]
    assert {fault for fault, cases in rig._compare(kept).items() if cases} == expected
