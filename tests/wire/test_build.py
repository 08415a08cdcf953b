"""Small things: times, what another application's own check says, and what items say by default."""

from datetime import date
from typing import Annotated, Any

import pytest
from msgspec import Meta

from imd.wire import textline
from imd.wire.base import Command, Item, Registry, Reply, Request, Right, Spec
from imd.wire.build import build
from imd.wire.fields import clock_face, timestamp
from imd.wire.messages import Message, NewMessage, announced
from imd.wire.refusals import BadRequest
from tools.samples import sample


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_415_118_123, "2026-11-23T06:25:18.123Z"),
        (1_795_415_118_007, "2026-11-23T06:25:18.007Z"),
        (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
    ],
)
def test_a_time_is_rfc_3339_in_utc_with_milliseconds(milliseconds: int, written: str) -> None:
    assert timestamp(milliseconds) == written


def test_a_person_reads_a_time_to_the_minute() -> None:
    assert clock_face("2026-11-23T06:25:18.123Z") == "2026-11-23 06:25Z"


def test_a_message_is_announced_as_it_is() -> None:
    message = sample(Message)
    event = announced(message)
    assert isinstance(event, NewMessage)
    assert {name: getattr(event, name) for name in message.__struct_fields__} == {
        name: getattr(message, name) for name in message.__struct_fields__
    }


class Roll(Command, frozen=True, kw_only=True):
    """Roll a die."""

    sides: int = 6

    def __post_init__(self) -> None:
        if self.sides < 2:
            raise ValueError("a die has two sides at least")


class Rolled(Item, frozen=True, kw_only=True):
    """One throw."""

    number: int
    note: str | None = None


class Throws(Reply, frozen=True, kw_only=True):
    """Several throws."""

    throws: list[Rolled]
    words: list[str]


ROLL = Spec(action="roll", verb="ROLL", takes=("sides",), rest="", shape=Roll, right=Right.ANYONE)


class Deal(Command, frozen=True, kw_only=True):
    """Deal cards: with fields of kinds that imd's own commands have none of."""

    cards: list[str]
    odds: Annotated[float, Meta(ge=0, le=1)] = 0.5
    suit: Annotated[str, Meta(pattern="^[a-z]+$")] = "hearts"
    day: date | None = None


DEAL = Spec(action="deal", verb="DEAL", takes=("cards",), rest="", shape=Deal, right=Right.ANYONE)


@pytest.mark.usefixtures("wording")
@pytest.mark.parametrize(
    ("fields", "case", "params"),
    [
        ({"cards": "ace"}, "type", {"field": "cards", "expected": "array", "got": "string"}),
        ({"cards": [1]}, "", {"field": "cards"}),
        ({"cards": [], "odds": "even"}, "type", {"field": "odds", "expected": "number", "got": "string"}),
        ({"cards": [], "odds": 2.0}, "", {"field": "odds"}),
        ({"cards": [], "suit": "CUPS"}, "", {"field": "suit"}),
        ({"cards": [], "day": "today"}, "", {"field": "day"}),
        ({"suit": 1, "cards": None}, "type", {"field": "suit", "expected": "string", "got": "integer"}),
        ({"odds": 0.1, "other": 1}, "missing", {"field": "cards"}),
    ],
)
def test_a_field_of_any_kind_is_named_when_it_does_not_fit(
    fields: dict[str, Any], case: str, params: dict[str, Any]
) -> None:
    with pytest.raises(BadRequest) as refused:
        build(DEAL, fields, strict=True)
    assert (refused.value.case, refused.value.params) == (case, params)


@pytest.mark.usefixtures("wording")
def test_a_commands_own_check_is_a_bad_request_with_its_reason() -> None:
    with pytest.raises(BadRequest) as refused:
        build(ROLL, {"sides": 1}, strict=True)
    assert (refused.value.case, refused.value.params) == ("shape", {"reason": "a die has two sides at least"})


@pytest.mark.parametrize(("sides", "strict"), [(8, True), (8, False), ("8", False)])
def test_a_typed_number_is_a_number(sides: Any, strict: bool) -> None:
    assert build(ROLL, {"sides": sides}, strict=strict) == Roll(sides=8)


def test_items_and_lists_of_words_are_lines_by_default() -> None:
    reply = Throws(throws=[Rolled(number=3), Rolled(number=6, note="hooray")], words=["a", "b"])
    request = Request(dialect=textline.DIALECT, spec=ROLL)
    assert textline.DIALECT.reply(request, reply, "en").decode().split("\r\n") == [
        "- number=3",
        "- number=6 note=hooray",
        "- words: a b",
        "OK ROLL",
    ]


def test_a_hint_is_a_line_of_its_own() -> None:
    hint = textline.DIALECT.notice("post.begin", "en")
    assert hint == b"- Type your lines; a line with only a dot sends them."


def test_another_registry_knows_only_its_own() -> None:
    registry = Registry()
    registry.add(ROLL)
    assert registry.suggestion("rol", registry.actions) == "roll"
    assert registry.suggestion("ping", registry.actions) == ""
