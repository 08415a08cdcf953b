"""What bad input gets: a stable code and a sentence; the connection stays, and nothing is half-stored."""

import json
from typing import Any

import pytest

from imd.chat.base.limits import Limits
from imd.testing import MemoryServer, Terminal
from imd.wire.refusals import CODES

LIMITS = Limits(requests_per_second=0, line_bytes=2000, content_bytes=500)


def send(**fields: Any) -> bytes:
    return json.dumps({"action": "send_message", "to": "bob", "content": "hi", **fields}, ensure_ascii=False).encode()


BAD_LINES = {
    "an over-long JSON line": (b'{"action":"ping","x":"' + b"x" * 3000 + b'"}', "line_too_long"),
    "an over-long text line": (b"SEND bob " + b"x" * 3000, "line_too_long"),
    "bad UTF-8 in JSON": (b'{"action":"send_message","to":"bob","content":"\xc3\x28"}', "bad_encoding"),
    "bad UTF-8 in text": (b"SEND bob \xc3\x28", "bad_encoding"),
    "half a JSON object": (b'{"action":"send_message","to":"bob","content":"hi"', "bad_request"),
    "not JSON": (b"{hello}", "bad_request"),
    "two objects": (b"{}{}", "bad_request"),
    "deep nesting": (b'{"action":"ping","x":' + b"[" * 900 + b"]" * 900 + b"}", None),
    "a lone surrogate": (b'{"action":"send_message","to":"bob","content":"\\ud800"}', "bad_encoding"),
    "a huge number": (b'{"action":"ack","to":"bob","seq":' + b"9" * 400 + b"}", "bad_request"),
    "a huge exponent": (b'{"action":"ack","to":"bob","seq":1e999}', "bad_request"),
    "a number beyond 63 bits": (b'{"action":"ack","to":"bob","seq":9223372036854775808}', "bad_request"),
    "a negative number": (b'{"action":"ack","to":"bob","seq":-1}', "bad_request"),
    "a fraction": (b'{"action":"ack","to":"bob","seq":1.5}', "bad_request"),
    "not a number": (b'{"action":"ack","to":"bob","seq":NaN}', "bad_request"),
    "a duplicate key": (b'{"action":"send_message","to":"bob","content":"a","content":"b"}', "bad_request"),
    "a wrong type": (send(content=5), "bad_request"),
    "a list for a name": (send(to=["bob"]), "bad_request"),
    "a truth for a number": (b'{"action":"ack","to":"bob","seq":true}', "bad_request"),
    "an id that is an object": (send(id={}), "bad_request"),
    "a missing field": (b'{"action":"send_message","to":"bob"}', "bad_request"),
    "no addressee": (b'{"action":"send_message","content":"hi"}', "bad_request"),
    "two addressees": (send(conversation=1), "bad_request"),
    "no action": (b'{"content":"hi"}', "bad_request"),
    "an action that is a number": (b'{"action":5}', "bad_request"),
    "an unknown action": (b'{"action":"send_massage"}', "unknown_command"),
    "an unknown command": (b"SNED bob hi", "unknown_command"),
    "an open quote": (b'ACK "bob 1', "bad_request"),
    "too many words": (b"ACK bob 1 2 3", "bad_request"),
    "a word for a number": (b"ACK bob many", "bad_request"),
    "an unknown user": (send(to="nobody"), "no_such_user"),
    "a name that is none": (send(to="a@b"), "no_such_user"),
    "a name of nothing": (send(to=""), "no_such_user"),
    "a group that is not there": (send(to="#team"), "no_such_conversation"),
    "a conversation that is not there": (
        b'{"action":"send_message","conversation":99,"content":"hi"}',
        "no_such_conversation",
    ),
    "an empty message": (send(content=""), "bad_request"),
    "an empty message in text": (b"SEND bob ", "bad_request"),
    "a message of nothing but space": (send(content=" \n\t\u3000"), "bad_request"),
    "too much content": (send(content="x" * 501), "too_large"),
    "too much Chinese content": (send(content="好" * 167), "too_large"),
    "a NUL": (b'{"action":"send_message","to":"bob","content":"a\\u0000b"}', "bad_request"),
    "a raw control character in JSON": (b'{"action":"send_message","to":"bob","content":"a\x01b"}', "bad_request"),
    "a client_id used for another message": (send(client_id="used"), "conflict"),
    "an empty client_id": (send(client_id=""), "bad_request"),
    "a client_id too long": (send(client_id="x" * 129), "bad_request"),
    "a kind that is none": (send(kind="hologram"), "bad_request"),
    "an answer to nothing": (send(reply_to=77), "no_such_message"),
    "a page too long": (b'{"action":"history","to":"bob","limit":201}', "bad_request"),
    "a page of nothing": (b'{"action":"history","to":"bob","limit":0}', "bad_request"),
    "an acknowledgement ahead of time": (b'{"action":"ack","to":"bob","seq":5}', "bad_request"),
    "what only an admin may": (b'{"action":"user_list"}', "forbidden"),
    "a second login": (b'{"action":"login","username":"bob","password":"correct horse battery"}', "conflict"),
    "a language nobody speaks": (b'{"action":"hello","lang":"fr"}', "bad_request"),
}


@pytest.fixture
def server() -> MemoryServer:
    return MemoryServer(LIMITS)


def code_of(answer: str) -> str | None:
    if answer.startswith("{"):
        return json.loads(answer).get("code")
    words = answer.split()
    return words[1] if words[0] == "ERR" else None


@pytest.mark.parametrize("case", BAD_LINES)
def test_bad_input_gets_its_code_and_the_connection_stays(server: MemoryServer, case: str) -> None:
    line, code = BAD_LINES[case]
    bob = server.login("bob")
    ann = server.login("ann")
    ann.call("send_message", to="bob", content="the first", client_id="used")
    bob.heard()
    ann.send(line + b"\n")
    [answer] = ann.heard()
    assert code_of(answer) == code
    assert code is None or code in CODES
    assert answer.startswith("{") is line.startswith(b"{"), "a reply uses its request's dialect"
    if answer.startswith("{"):
        reply = json.loads(answer)
        assert reply["status"] == ("fail" if code else "success")
        assert reply["message"]
    assert ann.call("ping")["status"] == "success"
    ann.say("PING")
    assert ann.heard() == ["OK PING"]
    assert not ann.closed
    page = ann.call("history", to="bob")
    assert [each["content"] for each in page["messages"]] == ["the first"], "nothing is half-stored"
    assert bob.heard() == []


@pytest.mark.parametrize("nested", [b"[" * 30_000 + b"]" * 30_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000])
def test_nesting_as_deep_as_a_line_allows(nested: bytes) -> None:
    terminal = MemoryServer(Limits(stranger_line_bytes=65_536)).connect()
    terminal.send(b'{"action":"ping","x":' + nested + b"}\n")
    [reply] = terminal.objects()
    assert reply["code"] == "bad_request"
    assert terminal.call("ping")["status"] == "success"


@pytest.mark.parametrize("text", ["\x1b[2J\x1b[31mred", "\x07bell", "\u202eevil", "a\x9bb", "line\x00break"])
def test_control_characters_reach_no_terminal(server: MemoryServer, text: str) -> None:
    bob, ann = server.login("bob"), server.login("ann")
    bob.say("PING")
    bob.heard()
    ann.say(f"SEND bob {text}")
    [line] = bob.heard()
    assert line.startswith("* ann: ")
    assert not set(line) & set("\x1b\x07\x00\x9b\u202e")


def test_a_newline_in_json_is_shown_on_marked_lines(server: MemoryServer) -> None:
    bob, ann = server.login("bob"), server.login("ann")
    bob.say("PING")
    bob.heard()
    ann.call("send_message", to="bob", content="one\nERR internal two\r\n* bob: three")
    assert bob.heard() == ["* ann: one", "* | ERR internal two", "* | * bob: three"]


def test_telnet_negotiation_is_taken_out(server: MemoryServer) -> None:
    terminal = server.connect()
    terminal.send(b"\xff\xfd\x03\xff\xfb\x18PING\r\n")
    assert terminal.heard() == ["OK PING"]


def test_repeated_registration_stores_nobody_twice(server: MemoryServer) -> None:
    terminal: Terminal = server.connect()
    request = b'{"action":"register","username":"ann","password":"correct horse battery"}\n'
    terminal.send(request * 3)
    assert [each.get("code") for each in terminal.objects()] == [None, "name_taken", "name_taken"]
    terminal.send(request.replace(b"ann", "ＡＮＮ".encode()))
    assert terminal.objects()[0]["code"] == "name_taken"
