"""The gate: who may give which command, and how fast."""

import attrs
import pytest

from imd.chat.base.limits import Limits
from imd.engine import gate
from imd.testing import MemoryServer
from imd.wire.base import Right, registry
from imd.wire.refusals import AuthRequired, Forbidden, RateLimited, Refusal

ADMINISTRATION = ("user_", "groups_", "invite_", "announcement_", "report_", "policy_", "word_", "audit_", "server_")
ANYONE = {"hello", "help", "ping", "register", "login", "resume", "quit"}


def refused(action: str, *, logged_in: bool, admin: bool) -> type[Refusal] | None:
    try:
        gate.check(registry.actions[action], logged_in=logged_in, admin=admin)
    except Refusal as refusal:
        return type(refusal)
    return None


@pytest.mark.parametrize("action", sorted(registry.actions))
def test_who_may_give_which_command(action: str) -> None:
    right = registry.actions[action].right
    assert (right is Right.ANYONE) is (action in ANYONE), "PROTOCOL section 1 lists what a stranger may do"
    assert (right is Right.ADMIN) is (action.startswith(ADMINISTRATION) and action != "announcement_seen")
    stranger = refused(action, logged_in=False, admin=False)
    person = refused(action, logged_in=True, admin=False)
    assert stranger is (None if right is Right.ANYONE else AuthRequired)
    assert person is (Forbidden if right is Right.ADMIN else None)
    assert refused(action, logged_in=True, admin=True) is None
    assert refused(action, logged_in=False, admin=True) is (AuthRequired if right is Right.USER else None)


@pytest.mark.parametrize("action", sorted(set(registry.actions) - ANYONE))
def test_a_stranger_learns_nothing_else(action: str) -> None:
    terminal = MemoryServer(Limits(requests_per_second=0)).connect()
    spec = registry.actions[action]
    terminal.say(spec.shape.example)
    assert terminal.heard()[-1].startswith("ERR auth_required ")
    assert terminal.call("ping")["status"] == "success"


@attrs.define
class Bucket:
    """A bucket under limits that stay as they are."""

    limits: Limits
    bucket: gate.Bucket = attrs.field(
        default=attrs.Factory(lambda self: gate.Bucket.full(self.limits, 0.0), takes_self=True), init=False
    )


def take(bucket: Bucket, now: float, count: int = 1) -> float | None:
    """Take so many, and give what the last one was told: how long to wait."""
    told = None
    for _ in range(count):
        try:
            bucket.bucket.take(bucket.limits, now)
            told = None
        except RateLimited as refusal:
            told = float(str(refusal.params["retry_after"]))
    return told


def test_the_burst_is_free_and_then_it_is_the_rate() -> None:
    bucket = Bucket(Limits(requests_per_second=10, burst=5))
    assert take(bucket, 0, 5) is None
    assert take(bucket, 0) == 0.1
    assert take(bucket, 0.05) == 0.05
    assert take(bucket, 0.1) is None
    assert take(bucket, 0.1) == 0.1


def test_waiting_as_long_as_told_is_enough() -> None:
    for rate in (1, 3, 7, 30, 49, 1000):
        bucket = Bucket(Limits(requests_per_second=rate, burst=1))
        now = 0.0
        for _ in range(20):
            wait = take(bucket, now, 2)
            assert wait is not None
            now += wait
            assert take(bucket, now) is None, rate


def test_being_refused_costs_nothing_more() -> None:
    bucket = Bucket(Limits(requests_per_second=10, burst=5))
    assert take(bucket, 0, 500) == 0.1
    assert take(bucket, 0.1) is None


def test_a_long_rest_fills_no_more_than_the_burst() -> None:
    bucket = Bucket(Limits(requests_per_second=10, burst=5))
    take(bucket, 0, 5)
    assert take(bucket, 1000, 5) is None
    assert take(bucket, 1000) == 0.1


def test_new_limits_hold_at_once() -> None:
    bucket = Bucket(Limits(requests_per_second=10, burst=100))
    bucket.limits = Limits(requests_per_second=10, burst=2)
    assert take(bucket, 0, 2) is None
    assert take(bucket, 0) == 0.1
    bucket.limits = Limits(requests_per_second=0)
    assert take(bucket, 0, 1000) is None


def test_no_rate_is_no_limit() -> None:
    assert take(Bucket(Limits(requests_per_second=0, burst=1)), 0, 1000) is None


@pytest.mark.parametrize("line", ["PING", "nonsense", '{"action":"ping"}', "{broken", "\xff"])
def test_every_line_counts_and_the_connection_stays(line: str) -> None:
    server = MemoryServer(Limits(requests_per_second=1, burst=3))
    terminal = server.connect()
    for _ in range(3):
        terminal.say(line)
        assert "rate_limited" not in terminal.heard()[-1]
    terminal.say(line)
    assert "rate_limited" in terminal.heard()[-1]
    server.pass_time(1)
    assert terminal.call("ping")["status"] == "success"


def test_a_post_counts_once() -> None:
    server = MemoryServer(Limits(requests_per_second=1, burst=2))
    terminal = server.connect()
    terminal.say("POST bob")
    for _ in range(50):
        terminal.say("one of many lines")
    terminal.say(".")
    assert terminal.heard()[-1].startswith("ERR auth_required ")
    terminal.say("PING")
    assert terminal.heard() == ["OK PING"]
    terminal.say("PING")
    assert terminal.heard()[-1].startswith("ERR rate_limited ")
