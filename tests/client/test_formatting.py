"""How messages and replies look."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from imd_client.formatting import format_message, format_reply, format_time, split_command

from imd.wire.accounts import Identity
from imd.wire.base import Done, registry
from imd.wire.conversations import Conversations
from imd.wire.messages import Message

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def message(**fields: object) -> Message:
    usual = {"conversation": 1, "seq": 1, "rev": 1, "sender": "bob", "to": "bob", "kind": "text", "content": "hi"}
    return Message(**(usual | {"time": "2026-11-23T06:25:18.123Z"} | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("time", "now", "written"),
    [
        ("2026-11-23T06:25:18.123Z", NOW, "06:25"),
        ("2026-11-22T06:25:18.123Z", NOW, "11-22 06:25"),
        ("2025-11-23T06:25:18.123Z", NOW, "2025-11-23 06:25"),
        ("2026-11-23T18:25:18.123Z", NOW.astimezone(timezone(timedelta(hours=8))), "11-24 02:25"),
        ("2026-11-23T01:25:18.123Z", NOW.astimezone(timezone(timedelta(hours=8))), "09:25"),
    ],
)
def test_the_clock_on_the_wall(time: str, now: datetime, written: str) -> None:
    assert format_time(time, now) == written


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({}, "[06:25] bob: hi"),
        ({"to": "#team"}, "[06:25] #team bob: hi"),
        ({"sender": "ann", "to": "bob"}, "[06:25] you to bob: hi"),
        ({"content": "one\r\ntwo\n\nfour"}, "[06:25] bob: one\n    two\n    \n    four"),
        ({"content": "\x1b[31mred\x07\rx"}, "[06:25] bob: ␛[31mred␇␍x"),
        ({"content": "a\u202eb"}, "[06:25] bob: a\ufffdb"),
        ({"content": ""}, "[06:25] bob: "),
    ],
)
def test_a_message(fields: dict[str, str], written: str) -> None:
    assert format_message(message(**fields), "ann", NOW, "en") == written


def test_replies() -> None:
    actions = registry.actions
    identity = Identity(username="ann", display_name="Ann B", device="laptop")
    assert format_reply(actions["ping"], Done(), "en") == "Here."
    assert (
        format_reply(actions["whoami"], identity, "en")
        == 'This is you. username=ann display_name="Ann B" device=laptop'
    )
    assert format_reply(actions["conversations"], Conversations(conversations=[]), "zh") == "没有。"


@pytest.mark.parametrize(
    ("line", "parts"), [("/to bob hi", ("to", "bob hi")), ("/HELP", ("help", "")), ("/to  bob ", ("to", "bob"))]
)
def test_a_command_line(line: str, parts: tuple[str, str]) -> None:
    assert split_command(line) == parts
