"""What every command must have: sentences, an example that works, a typed reply and stable codes."""

import json
import re
from typing import Any

import msgspec
import pytest

from imd.wire import catalog, jsonline, textline
from imd.wire.base import Command, Done, Registry, Reply, Right, Spec, command, registry
from imd.wire.refusals import CODES, Refusal
from tests.wire.declared import EVENTS, MODULES, REPLIES, SPECS
from tests.wire.strategies import as_json

PROTOCOL_SECTION_8 = """
unknown_command bad_request bad_encoding line_too_long auth_required invalid_credentials name_taken bad_name
weak_password invite_required invite_invalid no_such_user no_such_conversation no_such_message not_a_member blocked
forbidden conflict too_late too_large quota_exceeded rate_limited slow_consumer unsupported unavailable internal
"""

PROTOCOL_SECTION_5 = {
    "hello": ("client lang", "server protocol epoch limits features"),
    "register": ("username* password* display_name invite", "username"),
    "login": ("username* password* device replay code", "username device token"),
    "resume": ("token* replay", "username device"),
    "logout": ("", ""),
    "send_message": (
        "to conversation content* kind client_id reply_to burn_after",
        "conversation seq rev time duplicate",
    ),
    "conversations": ("unread_only", "conversations"),
    "history": ("to conversation before after limit", "conversation messages more"),
    "sync": ("to conversation after_rev* limit", "conversation messages rev more"),
    "ack": ("to conversation seq*", "conversation delivered_seq read_seq"),
    "read": ("to conversation seq*", "conversation delivered_seq read_seq"),
    "help": ("command", "commands"),
    "whoami": ("", "username display_name device"),
    "ping": ("", ""),
    "quit": ("", ""),
}

each_command = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.action)


def test_the_codes_are_those_of_the_protocol() -> None:
    assert list(CODES) == PROTOCOL_SECTION_8.split()
    assert [shape.code for shape in CODES.values()] == list(CODES)


@pytest.mark.parametrize("action", PROTOCOL_SECTION_5)
def test_the_core_commands_have_their_fields(action: str) -> None:
    shape = registry.actions[action].shape
    fields = " ".join(field.name + "*" * field.required for field in msgspec.structs.fields(shape))
    assert (fields, " ".join(shape.reply.__struct_fields__)) == PROTOCOL_SECTION_5[action]


@each_command
def test_a_command_says_what_it_is(spec: Spec) -> None:
    assert (vars(spec.shape).get("__doc__") or "").endswith(".")
    assert issubclass(spec.shape.reply, Reply)
    assert all(issubclass(each, Refusal) for each in spec.shape.refusals)
    assert len(set(spec.shape.refusals)) == len(spec.shape.refusals)
    for key in (f"help.{spec.action}", f"reply.{spec.action}", *(f"field.{f}" for f in spec.shape.__struct_fields__)):
        assert all(catalog.has(key, language) for language in catalog.LANGUAGES), key


@each_command
def test_its_example_is_the_command_in_both_dialects(spec: Spec) -> None:
    typed = textline.decode(spec.shape.example.encode())
    assert typed is not None
    assert typed.refusal is None
    assert type(typed.command) is spec.shape
    assert spec.shape.example.startswith(spec.verb)
    assert jsonline.decode(as_json(spec, typed.command)).command == typed.command


@each_command
def test_its_syntax_names_its_own_fields(spec: Spec) -> None:
    assert re.fullmatch(r"[a-z_]+", spec.action)
    assert re.fullmatch(r"[A-Z]+( [A-Z]+)?", spec.verb)
    assert set(spec.takes) <= set(spec.shape.__struct_fields__)
    assert spec.rest in ("", *spec.takes[-1:])
    assert set(spec.shape.aliases.values()) <= set(spec.shape.__struct_fields__)
    assert not set(spec.shape.aliases) & set(spec.shape.__struct_fields__)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_a_module_opens_with_its_conversation(module: Any) -> None:
    assert re.search(r"^-> [A-Z]+ .*<- ", module.__doc__, re.MULTILINE)


def test_a_replys_fields_do_not_hide_its_head() -> None:
    for shape in REPLIES:
        assert not {"status", "action", "id", "message", "code", "params"} & set(shape.__struct_encode_fields__)
    for event in EVENTS:
        assert "event" not in event.__struct_fields__
    for spec in SPECS:
        assert not {"action", "id"} & set(spec.shape.__struct_fields__)


def test_nothing_lacks_words() -> None:
    assert registry.missing_sentences() == []


def test_two_commands_of_one_name_are_a_fault() -> None:
    for action, verb in (("ping", "PONG"), ("pong", "PING")):
        with pytest.raises(ValueError, match="declared twice"):
            registry.add(Spec(action=action, verb=verb, takes=(), rest="", shape=Command, right=Right.USER))


@pytest.fixture
def another_registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Replace the registry by an empty one, and drop the sentences that the test adds."""
    mine = Registry()
    monkeypatch.setattr("imd.wire.base.registry", mine)
    monkeypatch.setattr(catalog, "_sentences", dict(catalog.sentences()))
    return mine


def test_another_application_declares_a_command_with_its_words(another_registry: Registry) -> None:
    @command("roll", "ROLL sides", right=Right.ANYONE, sentences={"help": {"en": "Roll a die.", "zh": "掷骰子。"}})
    class Roll(Command, frozen=True, kw_only=True):
        sides: int = 6

    assert [spec.shape for spec in another_registry] == [Roll]
    assert another_registry.verbs["ROLL"].takes == ("sides",)
    assert catalog.say("help.roll", "zh") == "掷骰子。"
    assert another_registry.missing_sentences() == [
        f"{key} ({language})" for key in ("field.sides", "reply.roll") for language in ("en", "zh")
    ]


def test_success_needs_no_more_than_done() -> None:
    for spec in SPECS:
        if spec.shape.reply is Done:
            request = jsonline.decode(as_json(spec, textline.decode(spec.shape.example.encode()).command))
            fields = json.loads(jsonline.DIALECT.reply(request, Done(), "en"))
            assert list(fields) == ["status", "action", "message"]
