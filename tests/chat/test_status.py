"""The server's status: what is counted, and how it is written."""

import pytest

from imd.wire.messages import SendMessage
from imd.wire.status import AskServerStatus, ServerStatus, span
from tests.chat.rules import Rules


def test_what_is_kept_is_counted() -> None:
    rules = Rules()
    alice, root = rules.person("alice"), rules.person("root", admin=True)
    for content in ("one", "two", "three"):
        rules.does(alice, SendMessage(to="root", content=content))
    rules.does(alice, SendMessage(to="alice", content="a note"))
    status = rules.asks(root, AskServerStatus())
    assert (status.accounts, status.conversations, status.stored, status.uptime) == (2, 2, 4, 5)
    assert status.backup is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (3_661, "1 h 1 min"), (90_000, "1 d 1 h"), (864_000, "10 d 0 h")],
)
def test_a_span_of_time_is_its_two_largest_parts(seconds: int, said: str) -> None:
    assert span(seconds) == said


def test_what_is_not_known_is_not_said() -> None:
    known = {"version": "0.1.0", "uptime": 1, "connections": 0, "online": 0, "accounts": 0, "conversations": 0}
    known |= {"stored": 0, "queue": 0, "commit_ms": 0.0}
    assert len(ServerStatus(**known).lines("en")) == 4
    whole = ServerStatus(**known, disk_free=2**30, certificate_days=3, backup="2026-11-23T06:25:18.123Z").lines("en")
    assert whole[4:] == [
        "free on the disk: 1.0 GiB",
        "the certificate is good for 3 days",
        "latest backup: 2026-11-23 06:25Z",
    ]
    assert ServerStatus(**known, certificate_days=3).lines("en")[-1].startswith("no backup yet")
