"""Properties of both dialects: every line is answered, and every command can be written and read back."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imd.wire import catalog, jsonline, textline
from imd.wire.base import Event, Reply, Request, Spec
from imd.wire.reader import LineReader
from imd.wire.refusals import CODES
from imd.wire.terminal import harmless
from tests.wire.declared import EVENTS, REPLIES, SPECS
from tests.wire.strategies import ANY_TEXT, ONE_LINE, as_json, as_text, commands, structs, typeable

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
ACTIONS = st.sampled_from([spec.action for spec in SPECS]) | st.text()
FIELDS = st.sampled_from(["action", "id", *{name for spec in SPECS for name in spec.shape.__struct_fields__}])
JSON_LINES = st.fixed_dictionaries(
    {"action": ACTIONS | JSON_VALUES}, optional={"id": JSON_VALUES} | dict.fromkeys(("to", "seq"), JSON_VALUES)
) | st.dictionaries(FIELDS, JSON_VALUES)
WORDS = st.sampled_from(
    [
        "POST",
        "/post",
        "@t",
        "SEND",
        "bob",
        ".",
        "..",
        "{",
        '"',
        "to=",
        "reply_to=3",
        "USER",
        "LIST",
        "\xff",
        "\b",
        "=",
        " ",
    ]
)
TYPED = st.lists(WORDS | st.text(max_size=5), max_size=8).map(lambda words: " ".join(words).encode("utf-8", "replace"))
LINES = st.binary() | TYPED | JSON_LINES.map(lambda fields: json.dumps(fields).encode())
MANY = settings(max_examples=10 * settings.default.max_examples)


def controls(text: str) -> list[str]:
    """List what could steer a terminal."""
    marks = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return [
        each
        for each in text
        if (unicodedata.category(each) in {"Cc", "Zl", "Zp"} and each != "\t")
        or unicodedata.bidirectional(each) in marks
        or each in "\u200e\u200f\u061c"
    ]


def holds_one_thing(request: Request) -> bool:
    """Say whether a request is answerable: a command with its spec, a refusal that can be written, or a notice."""
    if request.notice:
        return catalog.has(request.notice)
    if request.refusal is not None:
        assert b"\n" not in request.dialect.refusal(request, request.refusal, "zh")
        return request.command is None
    return request.command is not None and request.spec is not None and isinstance(request.command, request.spec.shape)


@MANY
@given(LINES)
def test_a_json_line_is_a_command_or_a_refusal(line: bytes) -> None:
    assert holds_one_thing(jsonline.decode(line))


@MANY
@given(LINES)
def test_a_text_line_is_a_command_or_a_refusal_or_nothing(line: bytes) -> None:
    request = textline.decode(line)
    assert request is None or holds_one_thing(request)


@MANY
@given(
    st.lists(LINES | st.sampled_from([b"POST bob", b"@t post bob reply_to=3", b".", b"..x"]), max_size=12),
    st.integers(0, 60),
)
def test_the_reader_takes_whatever_lines_come(lines: list[bytes], content_limit: int) -> None:
    reader = LineReader(content_limit)
    for line in lines:
        request = reader.feed(line)
        assert request is None or holds_one_thing(request)
        if request is not None and request.name == "POST" and request.command is not None:
            assert len(request.command.content.encode()) <= content_limit


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.action)
@given(data=st.data())
def test_json_says_a_command_as_it_is_meant(spec: Spec, data: st.DataObject) -> None:
    command = data.draw(commands(spec))
    identity = data.draw(ANY_TEXT | st.integers())
    request = jsonline.decode(as_json(spec, command, id=identity, unheard_of=data.draw(JSON_VALUES)))
    assert request.refusal is None
    assert (request.command, request.id) == (command, identity)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.action)
@given(data=st.data())
def test_text_says_a_command_as_it_is_meant(spec: Spec, data: st.DataObject) -> None:
    command = data.draw(commands(spec, ONE_LINE))
    assume(typeable(spec, command))
    request = textline.decode(as_text(spec, command, tag="t1"))
    assert request is not None
    assert request.refusal is None
    assert (request.command, request.id) == (command, "t1")


@MANY
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\b\x7f\r")))
def test_quoted_reads_back_as_one_argument(text: str) -> None:
    request = textline.decode(f"SEND {textline.quoted(text)} client_id=x hi".encode())
    assert request is not None
    assert request.command is not None or len(text) > 256
    assert request.command is None or request.command.to == text


def one_json_line(line: bytes) -> dict[str, Any]:
    assert b"\n" not in line
    assert b"\r" not in line
    fields = json.loads(line)
    assert isinstance(fields, dict)
    return fields


def text_lines(shown: bytes, *starts: str) -> None:
    for line in shown.decode().split("\r\n"):
        assert line.startswith(starts), line
        assert not controls(line), line


@pytest.mark.parametrize("shape", REPLIES, ids=lambda shape: shape.__name__)
@given(data=st.data())
def test_every_reply_is_one_json_line_and_marked_text_lines(shape: type[Reply], data: st.DataObject) -> None:
    reply = data.draw(structs(shape))
    for language in catalog.LANGUAGES:
        request = Request(dialect=jsonline.DIALECT, spec=SPECS[0], id=data.draw(st.none() | ANY_TEXT))
        fields = one_json_line(jsonline.DIALECT.reply(request, reply, language))
        assert fields["status"] == "success"
        assert ("id" in fields) == (request.id is not None)
        text_lines(textline.DIALECT.reply(request, reply, language), "- ", "OK ", "@")


@pytest.mark.parametrize("shape", EVENTS, ids=lambda shape: shape.__name__)
@given(data=st.data())
def test_every_event_is_one_json_line_and_marked_text_lines(shape: type[Event], data: st.DataObject) -> None:
    event = data.draw(structs(shape))
    for language in catalog.LANGUAGES:
        assert one_json_line(jsonline.DIALECT.event(event, language))["event"] == shape.__struct_config__.tag
        if shown := textline.DIALECT.event(event, language):
            text_lines(shown, "* ")


@pytest.mark.parametrize("code", CODES)
@given(text=ANY_TEXT)
def test_every_refusal_is_one_line_in_both_dialects(code: str, text: str) -> None:
    params = ["command", "suggestion", "limit", "username", "reference", "retry_after", "seq"]
    refusal = CODES[code](**dict.fromkeys(params, text))
    for language in catalog.LANGUAGES:
        request = Request(dialect=textline.DIALECT, id=text, name=text)
        assert one_json_line(jsonline.DIALECT.refusal(request, refusal, language))["code"] == code
        shown = textline.DIALECT.refusal(request, refusal, language)
        assert b"\r" not in shown
        text_lines(shown, "@")


@MANY
@given(st.text())
def test_harmless_text_steers_no_terminal(text: str) -> None:
    assert not controls(harmless(text))
    assert len(harmless(text)) == len(text)
