"""docs/protocol.md, its Chinese twin and the JSON Schema: fresh, whole, and true of what is said."""

import re
from pathlib import Path

import attrs
import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imd.chat.base.limits import Limits
from imd.chat.session import FEATURES
from imd.wire import capabilities, catalog, jsonline
from imd.wire.base import Event, Request, Spec
from imd.wire.refusals import CODES
from imd.wire.session import Greeting
from tests.wire.declared import EVENTS, ITEMS, MODULES, SPECS
from tests.wire.strategies import commands, structs
from tools import reference
from tools.samples import sample
from tools.schema import schema

pytestmark = pytest.mark.long  # the schema of the lock's msgspec, too

PAGES = {language: reference.page(language) for language in catalog.LANGUAGES}
SCHEMA = schema(SPECS, EVENTS)
WHOLE = jsonschema.Draft202012Validator(SCHEMA)

both_pages = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)


def test_the_files_are_fresh() -> None:
    for name, text in reference.files().items():
        fresh = (reference.DOCS / name).read_text("utf-8") == text
        assert fresh, f"docs/{name} is stale: run python -m tools.reference"


def test_the_command_writes_and_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reference, "DOCS", tmp_path)
    assert reference.main(["--check"]) == 1
    assert "protocol.md" in capsys.readouterr().err
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0
    (tmp_path / "protocol.zh.md").write_text("old", "utf-8")
    assert reference.main(["--check"]) == 1


def test_nothing_declared_is_left_out() -> None:
    assert set(capabilities.MODULES) == set(MODULES)
    for page in PAGES.values():
        assert all(f"#### `{event.__struct_config__.tag}`" in page for event in EVENTS)
        assert all(f'<a id="object-{item.__name__}"></a>' in page for item in ITEMS)
    assert set(reference.ANY_TIME) <= set(CODES)
    for page in PAGES.values():
        for spec in SPECS:
            assert f'#### <a id="command-{spec.action}"></a>`{spec.action}`' in page
            assert f"`{spec.usage()}`" in page
            assert f"-> {spec.shape.example}\n" in page
        for code in CODES:
            assert f'<a id="code-{code}"></a>' in page


@both_pages
def test_every_link_has_its_anchor(page: str) -> None:
    anchors = re.findall(r'<a id="([^"]+)">', page)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\(#([^)]+)\)", page)) <= set(anchors)


@both_pages
def test_every_table_is_even(page: str) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(widths) == 1, table


def test_both_pages_say_the_same_things() -> None:
    english, chinese = PAGES.values()
    for mark in ("\n#", "\n|", "\n```", "\n- ", "](#"):
        assert english.count(mark) == chinese.count(mark)
    assert "{{" not in PAGES["en"] + PAGES["zh"]
    for number in ("7373", "65,536", "9223372036854775807"):
        assert all(number in page for page in PAGES.values())


def test_its_limits_and_features_are_the_servers() -> None:
    limits = attrs.asdict(Limits())
    for page in PAGES.values():
        assert all(f"| `{name}` | {value:,} | " in page for name, value in limits.items())
    assert sample(Greeting).limits == limits
    assert sample(Greeting).features == FEATURES


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def part(name: str, number: int | None = None) -> jsonschema.Draft202012Validator:
    """Validate against one definition, which is quicker than against everything."""
    place = f"#/$defs/{name}" + ("" if number is None else f"/oneOf/{number}")
    return jsonschema.Draft202012Validator({"$defs": SCHEMA["$defs"], "$ref": place})


def valid(line: bytes, validator: jsonschema.Draft202012Validator = WHOLE) -> None:
    errors = list(validator.iter_errors(msgspec.json.decode(line)))
    assert not errors, [error.message for error in errors]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.action)
@given(data=st.data())
def test_the_schema_knows_requests_and_replies(spec: Spec, data: st.DataObject) -> None:
    command = msgspec.json.decode(msgspec.json.encode(data.draw(commands(spec))))
    valid(msgspec.json.encode({"action": spec.action, "id": 1, **command}), part(spec.shape.__name__))
    request = Request(dialect=jsonline.DIALECT, spec=spec, id=data.draw(st.none() | st.integers() | st.text()))
    reply = jsonline.DIALECT.reply(request, data.draw(structs(spec.shape.reply)), "zh")
    valid(reply, part("success", SPECS.index(spec)))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
@given(data=st.data())
def test_the_schema_knows_events(event: type[Event], data: st.DataObject) -> None:
    valid(jsonline.DIALECT.event(data.draw(structs(event)), "en"), part(event.__name__))


def test_the_whole_schema_knows_one_of_each() -> None:
    request = jsonline.decode(b'{"action":"fly","id":"x"}')
    assert request.refusal is not None
    valid(jsonline.DIALECT.refusal(request, request.refusal, "en"))
    valid(b'{"event":"replayed","count":1}')
    valid(b'{"action":"ping"}')
    valid(b'{"status":"success","action":"ping","message":"Here."}')


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"{}",
        b'{"action":"fly"}',
        b'{"action":"ping","id":true}',
        b'{"action":"send_message","content":"x"}',
        b'{"action":"send_message","to":"bob","conversation":1,"content":"x"}',
        b'{"action":"send_message","to":"bob","receiver_username":"bob","content":"x"}',
        b'{"action":"send_message","to":"bob","content":5}',
        b'{"action":"history","to":"bob","limit":201}',
        b'{"status":"success","action":"login","message":"x"}',
        b'{"status":"fail","action":"login","code":"no_such_code","message":"x","params":{}}',
        b'{"event":"replayed"}',
    ],
)
def test_the_schema_refuses_what_is_not_said(line: bytes) -> None:
    assert not WHOLE.is_valid(msgspec.json.decode(line))
