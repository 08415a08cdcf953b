"""The JSON dialect, line by line: what is understood, and how each bad line is refused."""

import json
import sys
from typing import Any
from unittest.mock import ANY

import pytest

from imd.wire import jsonline
from imd.wire.accounts import LoggedIn, Login, Register
from imd.wire.base import Command, Done, Request
from imd.wire.conversations import History, Sync
from imd.wire.malformed import DEEPEST
from imd.wire.messages import SendMessage, Sent
from imd.wire.receipts import Read
from imd.wire.refusals import Refusal
from imd.wire.session import AskHelp, Hello, Ping, Welcome

DEEP = 5_000
SEND = b'{"action":"send_message","to":"bob","content":"x",%b}'
PING = b'{"action":"ping",%b}'

UNDERSTOOD: list[tuple[bytes, Command]] = [
    # the seed's own requests, byte for byte
    (b'{"action":"register","username":"alice","password":"secret"}', Register(username="alice", password="secret")),
    (b'{"action":"login","username":"alice","password":"secret"}', Login(username="alice", password="secret")),
    (b'{"action":"send_message","receiver_username":"bob","content":"hi"}', SendMessage(to="bob", content="hi")),
    (b'{"action": "ping"}\r', Ping()),
    (b'{ "action" : "ping" , "id" : 1 }', Ping()),
    (b'{"action":"ping","nobody":{"knows":["this",1e5,true]}}', Ping()),
    (b'{"action":"send_message","to":"bob","content":"at 12:30: ok"}', SendMessage(to="bob", content="at 12:30: ok")),
    (b'{"action":"send_message","to":null,"conversation":5,"content":""}', SendMessage(conversation=5, content="")),
    (b'{"action":"send_message","to":null,"receiver_username":"b","content":"x"}', SendMessage(to="b", content="x")),
    (
        b'{"action":"send_message","to":"#t","content":"\\u4f60\\u597d \\ud83d\\ude00\\n\\u001b","reply_to":2}',
        SendMessage(to="#t", content="你好 😀\n\x1b", reply_to=2),
    ),
    (b'{"action":"send_message","to":"b","receiver_username":null,"content":"x"}', SendMessage(to="b", content="x")),
    (b'{"action":"history","receiver_username":"bob","after":0,"limit":200}', History(to="bob", after=0, limit=200)),
    (b'{"action":"sync","conversation":1,"after_rev":0}', Sync(conversation=1, after_rev=0)),
    (b'{"action":"read","conversation":0,"seq":null}', Read(conversation=0, seq=None)),
    (b'{"action":"hello","lang":null}', Hello()),
    (b'{"action":"help","command":"SEND"}', AskHelp(command="SEND")),
    (b'{"action":"ping","unknown":"a\\u0000b"}', Ping()),
    (PING % (b'"x":' + b"[" * DEEPEST + b"]" * DEEPEST), Ping()),
    (PING % (b'"x":["' + b"[" * DEEP + b'"]'), Ping()),
    (PING % (b'"x":[0' + b',{"\\"[":[]}' * DEEP + b"]"), Ping()),
]


@pytest.mark.parametrize(("line", "command"), UNDERSTOOD, ids=lambda each: str(each)[:60])
def test_a_line_is_its_command(line: bytes, command: Command) -> None:
    request = jsonline.decode(line)
    assert request.refusal is None
    assert request.command == command
    assert request.spec is not None
    assert request.spec.shape is type(command)
    assert request.dialect is jsonline.DIALECT


REFUSED: list[tuple[bytes, str, str, dict[str, Any]]] = [
    # not JSON
    (b"{", "bad_request", "truncated", {}),
    (b'{"action":"ping"', "bad_request", "truncated", {}),
    (b'{"action":"pi', "bad_request", "truncated", {}),
    (b'{"action":"pi\\', "bad_request", "truncated", {}),
    (b'{"action":"pi\\u4f', "bad_request", "truncated", {}),
    (b'{"action":tr', "bad_request", "truncated", {}),
    (b'{"action":[1,', "bad_request", "truncated", {}),
    (b'{"action":"ping"} {"action":"ping"}', "bad_request", "json", {"byte": 18}),
    (b'{"action":"ping"} {', "bad_request", "json", {"byte": 18}),
    (b'{"action":"ping"}"', "bad_request", "json", {"byte": 17}),
    (b'{"action":"ping",}', "bad_request", "json", {"byte": ANY}),  # Python 3.13 stops at the comma
    (b'{"action" "ping"}', "bad_request", "json", {"byte": 10}),
    ('{"动作" 1}'.encode(), "bad_request", "json", {"byte": 10}),
    (b"{'action':'ping'}", "bad_request", "json", {"byte": 1}),
    (b'{"action":"pi\x00ng"}', "bad_request", "json", {"byte": 13}),
    (b'{"action":"pi\tng"}', "bad_request", "json", {"byte": 13}),
    (b'{"action":"pi\\qng"}', "bad_request", "json", {"byte": 14}),
    (b'{"action":"pi\\u12g"}', "bad_request", "json", {"byte": 17}),
    (b'{"action":trux}', "bad_request", "json", {"byte": 13}),
    (b'\xef\xbb\xbf{"action":"ping"}', "bad_request", "json", {"byte": 0}),
    (b"[]", "bad_request", "object", {}),
    (b'"ping"', "bad_request", "object", {}),
    # numbers
    (PING % b'"x":NaN', "bad_request", "json", {"byte": 21}),
    (PING % b'"x":Infinity', "bad_request", "json", {"byte": 21}),
    (PING % b'"x":1e999', "bad_request", "number", {}),
    (PING % b'"x":-1e999', "bad_request", "number", {}),
    (PING % (b'"x":' + b"9" * 5_000), "bad_request", "number", {}),
    (PING % (b'"id":' + b"9" * 5_000), "bad_request", "number", {}),
    (PING % b'"x":[1.]', "bad_request", "json", {"byte": 23}),
    (PING % b'"x":-', "bad_request", "json", {"byte": 21}),
    (PING % b'"x":007', "bad_request", "json", {"byte": 22}),
    # depth
    (PING % (b'"x":' + b"[" * DEEP + b"]" * DEEP), "bad_request", "nesting", {}),
    (PING % (b'"x":' + b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1)), "bad_request", "nesting", {}),
    (PING % (b'"x":' + b"[" * DEEP), "bad_request", "nesting", {}),
    (PING % (b'"x":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP), "bad_request", "nesting", {}),
    # encoding
    (b'{"action":"ping\xff"}', "bad_encoding", "", {}),
    (b'{"action":"ping","x":"\xed\xa0\x80"}', "bad_encoding", "", {}),
    (b'{"action":"ping","x":"\xc0\xaf"}', "bad_encoding", "", {}),
    (PING % b'"x":"\\ud800"', "bad_encoding", "surrogate", {}),
    (PING % b'"x":"\\udc00"', "bad_encoding", "surrogate", {}),
    (PING % b'"x":"\\uD800\\u0041"', "bad_encoding", "surrogate", {}),
    (PING % b'"x":"\\ud83d\\ude00",', "bad_request", "json", {"byte": ANY}),
    # one field twice
    (b'{"action":"ping","action":"ping"}', "bad_request", "doubled", {}),
    (b'{"action":"ping","\\u0061ction":"quit"}', "bad_request", "doubled", {}),
    (b'{"action" : "ping", "\\u0061ction" :"quit"}', "bad_request", "doubled", {}),
    (b'{"action":"ping","action" :"quit"}', "bad_request", "doubled", {}),
    (PING % b'"x":{"a":1,"\\u0061":2}', "bad_request", "doubled", {}),
    (PING % b'"x":[{"a":1,"a":1}]', "bad_request", "doubled", {}),
    # the head
    (b"{}", "bad_request", "missing", {"field": "action"}),
    (b'{"action":null}', "bad_request", "missing", {"field": "action"}),
    (b'{"action":5}', "bad_request", "type", {"field": "action", "expected": "string", "got": "integer"}),
    (b'{"action":["ping"]}', "bad_request", "type", {"field": "action", "expected": "string", "got": "array"}),
    (PING % b'"id":true', "bad_request", "id", {"field": "id"}),
    (PING % b'"id":1.0', "bad_request", "id", {"field": "id"}),
    (PING % b'"id":[1]', "bad_request", "id", {"field": "id"}),
    (PING % b'"id":{}', "bad_request", "id", {"field": "id"}),
    (b'{"action":""}', "unknown_command", "", {"command": ""}),
    (b'{"action":"fly"}', "unknown_command", "", {"command": "fly"}),
    (b'{"action":"logn"}', "unknown_command", "near", {"command": "logn", "suggestion": "login"}),
    (b'{"action":"Login"}', "unknown_command", "near", {"command": "Login", "suggestion": "login"}),
    (b'{"action":"SEND"}', "unknown_command", "near", {"command": "SEND", "suggestion": "send_message"}),
    (b'{"action":"%b"}' % (b"x" * 99), "unknown_command", "", {"command": "x" * 64}),
    # the fields
    (b'{"action":"login"}', "bad_request", "missing", {"field": "username"}),
    (b'{"action":"send_message","content":"x"}', "bad_request", "missing", {"field": "to"}),
    (b'{"action":"send_message","to":"bob"}', "bad_request", "missing", {"field": "content"}),
    (b'{"action":"read","to":"bob"}', "bad_request", "missing", {"field": "seq"}),
    (SEND % b'"conversation":1', "bad_request", "both", {"field": "to", "other": "conversation"}),
    (SEND % b'"receiver_username":"ann"', "bad_request", "both", {"field": "to", "other": "receiver_username"}),
    (SEND % b'"receiver_username":"bob"', "bad_request", "both", {"field": "to", "other": "receiver_username"}),
    (
        b'{"action":"send_message","receiver_username":"bob","conversation":1,"content":"x"}',
        "bad_request",
        "both",
        {"field": "to", "other": "conversation"},
    ),
    (SEND % b'"reply_to":"5"', "bad_request", "type", {"field": "reply_to", "expected": "integer", "got": "string"}),
    (SEND % b'"reply_to":5.0', "bad_request", "type", {"field": "reply_to", "expected": "integer", "got": "number"}),
    (SEND % b'"reply_to":true', "bad_request", "type", {"field": "reply_to", "expected": "integer", "got": "boolean"}),
    (SEND % b'"reply_to":0', "bad_request", "below", {"field": "reply_to", "limit": 1}),
    (SEND % b'"reply_to":9223372036854775808', "bad_request", "above", {"field": "reply_to", "limit": 2**63 - 1}),
    (SEND % b'"reply_to":%b' % (b"9" * 400), "bad_request", "above", {"field": "reply_to", "limit": 2**63 - 1}),
    (
        SEND % b'"kind":"fax"',
        "bad_request",
        "choice",
        {"field": "kind", "choices": "contact, location, markdown, sticker, text"},
    ),
    (SEND % b'"kind":{}', "bad_request", "type", {"field": "kind", "expected": "string", "got": "object"}),
    (SEND % b'"client_id":""', "bad_request", "short", {"field": "client_id", "limit": 1}),
    (SEND % b'"client_id":"%b"' % (b"c" * 129), "bad_request", "long", {"field": "client_id", "limit": 128}),
    (SEND % b'"client_id":"a\\u0000b"', "bad_request", "nul", {"field": "client_id"}),
    (
        b'{"action":"login","username":null,"password":"x"}',
        "bad_request",
        "type",
        {"field": "username", "expected": "string", "got": "null"},
    ),
    (
        b'{"action":"login","username":"a","password":"x","replay":1}',
        "bad_request",
        "type",
        {"field": "replay", "expected": "boolean", "got": "integer"},
    ),
    (b'{"action":"hello","lang":"fr"}', "bad_request", "choice", {"field": "lang", "choices": "en, zh"}),
    (b'{"action":"history","to":"bob","limit":201}', "bad_request", "above", {"field": "limit", "limit": 200}),
]


@pytest.mark.usefixtures("wording")
@pytest.mark.parametrize(("line", "code", "case", "params"), REFUSED, ids=lambda each: str(each)[:70])
def test_a_bad_line_gets_its_code(line: bytes, code: str, case: str, params: dict[str, Any]) -> None:
    request = jsonline.decode(line)
    assert request.command is None
    assert request.refusal is not None
    assert (request.refusal.code, request.refusal.case, request.refusal.params) == (code, case, params)
    written = json.loads(jsonline.DIALECT.refusal(request, request.refusal, "en"))
    assert (written["status"], written["code"], written["params"]) == ("fail", code, params)


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [(b'"id":7', 7), (b'"id":"7"', "7"), (b'"id":""', ""), (b'"id":-1', -1), (b'"id":%d' % 2**80, 2**80)],
)
def test_an_id_is_echoed_by_successes_and_failures(sent: bytes, echoed: object) -> None:
    for line in (PING % sent, b'{"action":"pong",%b}' % sent, b'{"action":"read",%b}' % sent):
        request = jsonline.decode(line)
        answer = (
            jsonline.DIALECT.refusal(request, request.refusal, "en")
            if request.refusal
            else jsonline.DIALECT.reply(request, Done(), "en")
        )
        assert json.loads(answer)["id"] == echoed


@pytest.mark.parametrize("line", [b'{"action":"ping"}', b'{"action":"ping","id":null}', b'{"action":"pong"}', b"{"])
def test_no_id_is_no_id(line: bytes) -> None:
    request = jsonline.decode(line)
    refusal = request.refusal
    answer = (
        jsonline.DIALECT.refusal(request, refusal, "en") if refusal else jsonline.DIALECT.reply(request, Done(), "en")
    )
    assert "id" not in json.loads(answer)


def test_a_reply_has_its_head_then_its_fields() -> None:
    request = jsonline.decode(b'{"action":"send_message","id":"a1","to":"bob","content":"hi"}')
    reply = Sent(conversation=1, seq=2, rev=3, time="2026-11-23T06:25:18.123Z", duplicate=False)
    assert jsonline.DIALECT.reply(request, reply, "zh").decode() == (
        '{"status":"success","action":"send_message","id":"a1","message":"已发送。","conversation":1,"seq":2,"rev":3,'
        '"time":"2026-11-23T06:25:18.123Z","duplicate":false}'
    )
    reply_without_fields = jsonline.DIALECT.reply(jsonline.decode(b'{"action":"ping"}'), Done(), "en")
    assert reply_without_fields == b'{"status":"success","action":"ping","message":"Here."}'


def test_a_refusal_says_who_asked_what() -> None:
    request = jsonline.decode(b'{"action":"lgin","id":4}')
    assert request.refusal is not None
    assert jsonline.DIALECT.refusal(request, request.refusal, "zh").decode() == (
        '{"status":"fail","action":"lgin","id":4,"code":"unknown_command",'
        '"message":"没有 lgin 这个命令。你是想输入 login 吗？","params":{"command":"lgin","suggestion":"login"}}'
    )
    long = jsonline.decode(b'{"action":"%b"}' % (b"x" * 9_999))
    assert json.loads(jsonline.DIALECT.refusal(long, request.refusal, "en"))["action"] == "x" * 64
    assert b'"action":"",' in jsonline.DIALECT.refusal(Request(dialect=None), request.refusal, "en")


def test_a_stack_that_is_half_full_already_is_no_fault() -> None:
    deep = b'"x":' + b"[" * DEEPEST

    def refused(line: bytes, steps: int) -> Refusal | None:
        return refused(line, steps - 1) if steps else jsonline.decode(PING % line).refusal

    for end in (b"]" * DEEPEST, b"1e999" + b"]" * DEEPEST, b'"\\ud800"' + b"]" * DEEPEST, b"x"):
        assert isinstance(refused(deep + end, sys.getrecursionlimit() // 2), Refusal | None)  # Python's version decides


def test_types_are_said_in_a_persons_words() -> None:
    request = jsonline.decode(SEND % b'"reply_to":"5"')
    assert request.refusal is not None
    assert jsonline.sentence(request.refusal, "en") == "The field reply_to must be a whole number, not text."
    assert jsonline.sentence(request.refusal, "zh") == "字段 reply_to 应为整数，而不是文本。"


def test_an_event_reads_the_same_in_every_language() -> None:
    expected = b'{"event":"welcome","server":"imd"}'
    assert [jsonline.DIALECT.event(Welcome(server="imd"), language) for language in ("en", "zh")] == [expected] * 2


def test_a_login_reply_holds_the_token() -> None:
    request = jsonline.decode(b'{"action":"login","username":"a","password":"b"}')
    fields = json.loads(jsonline.DIALECT.reply(request, LoggedIn(username="a", device="phone", token="t"), "en"))
    assert (fields["username"], fields["device"], fields["token"]) == ("a", "phone", "t")
