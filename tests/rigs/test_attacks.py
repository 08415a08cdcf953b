"""Crowds, noise and storms of logins: what is bounded stays so, nothing is left; and broken daemons are caught."""

import json
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.daemon import Daemon
from tests.rigs import attacks, kill
from tests.rigs.attackers import connect


@pytest.fixture
def program() -> tuple[str, ...]:
    """What is run."""
    return kill.SOUND


@pytest.fixture
def daemon(tmp_path: Path, program: tuple[str, ...]) -> Iterator[Daemon]:
    """One on its defaults."""
    daemon = Daemon(tmp_path, program=program)
    try:
        yield daemon.start()
    finally:
        daemon.close()


def test_nothing_is_left_of_a_small_siege(tmp_path: Path) -> None:
    result = attacks.siege(tmp_path, attacks.QUICK)
    print(result.table())
    assert result.faults() == []
    assert result.held >= attacks.QUICK.strangers
    assert result.attacked[0]["messages"] > 50


def test_a_daemon_that_waits_for_ever_is_caught(tmp_path: Path) -> None:
    scale = attacks.Scale(3, 6, seconds=1, rounds=1, login_seconds=1, rate=50, talkers=2)
    assert attacks.siege(tmp_path, scale, kill.broken("waits_for_ever")).faults()


@pytest.mark.soak
def test_a_siege_is_bounded_in_time_and_memory(tmp_path: Path) -> None:
    result = attacks.siege(tmp_path, attacks.Scale())
    print(result.table())
    assert result.faults() == []
    assert result.held >= 2_000
    assert result.ratio("p99") <= 2


def test_some_noisy_connections_leave_nothing(tmp_path: Path) -> None:
    result = attacks.garbage(tmp_path, 600, looks=4)
    print(result.table())
    assert result.faults() == []
    assert sum(result.failed.values()) < 60


def test_a_daemon_that_remembers_is_caught(tmp_path: Path) -> None:
    faults = attacks.garbage(tmp_path, 200, kill.broken("remembers"), looks=4).faults()
    assert [fault.split(":")[0] for fault in faults] == ["living objects", "descriptors"]


@pytest.mark.soak
def test_a_hundred_thousand_noisy_connections_leave_nothing(tmp_path: Path) -> None:
    result = attacks.garbage(tmp_path, 100_000)
    print(result.table())
    assert result.faults() == []
    assert sum(result.failed.values()) < 1_000


def test_a_gust_of_logins_is_answered(tmp_path: Path) -> None:
    result = attacks.storm(tmp_path, 40, 2, talkers=4)
    print(result.table())
    assert min(result.answers["success"], result.answers["invalid_credentials"]) > 5
    p99, _, idle = result.lags["in the storm"]
    assert p99 <= max(attacks.LATE_MS, 2 * idle), "what the machine does to everybody is not the reactor's fault"


def test_a_reactor_that_hashes_itself_is_caught(tmp_path: Path) -> None:
    result = attacks.storm(tmp_path, 20, 1, kill.broken("hashes_itself"), talkers=2)
    assert result.lags["in the storm"][0] >= 2 * attacks.LATE_MS


@pytest.mark.soak
def test_in_a_storm_of_logins_the_reactor_is_on_time(tmp_path: Path) -> None:
    result = attacks.storm(tmp_path, 300, 20)
    print(result.table())
    assert result.lags["in the storm"][0] <= attacks.LATE_MS


def test_without_descriptors_others_are_turned_down_and_it_goes_on(daemon: Daemon) -> None:
    assert daemon.process is not None
    watch = attacks.Watch(daemon, "", daemon.operator())
    line = daemon.connect()
    few = watch.descriptors() + 10
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (few, few))
    crowd = [connect(daemon.port, number) for number in range(60)]
    line.say("HELLO lang=en")
    line.say("PING")
    assert [line.next_line() for _ in range(2)][-1] == "OK PING"
    begun = _cpu_seconds(daemon)
    assert line.next_line(2.0) is None
    assert _cpu_seconds(daemon) - begun < 0.5, "nor does it spin"
    assert watch.descriptors() <= few
    for each in crowd:
        each.close()
    assert daemon.connect().next_line(10) is not None


@pytest.mark.parametrize("program", [("prlimit", "--nofile=120:120", *kill.SOUND)])
def test_few_open_files_mean_few_connections(daemon: Daemon) -> None:
    assert "only 120 files" in daemon.log
    line = daemon.connect()
    line.say('{"action":"hello"}')
    assert json.loads(line.next_line() or "")["limits"]["connections"] == 20
    crowd = [connect(daemon.port, 20 * number) for number in range(100)]
    again = daemon.connect()
    again.say("PING")
    assert again.next_line() == "OK PING"
    assert attacks.Watch(daemon, "", daemon.operator()).connections() == 12, "ten strangers, and the operator's two"
    for each in crowd:
        each.close()


def _cpu_seconds(daemon: Daemon) -> float:
    assert daemon.process is not None
    fields = Path(f"/proc/{daemon.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
