"""The reader: the dialect chosen line by line, and POST, which takes the lines up to a lone dot."""

import pytest

from imd.wire import jsonline, textline
from imd.wire.base import Request, registry
from imd.wire.messages import SendMessage
from imd.wire.reader import LineReader
from imd.wire.session import Ping


def hear(*lines: bytes, limit: int = 100) -> list[Request]:
    reader = LineReader(limit)
    return [request for line in lines if (request := reader.feed(line)) is not None]


def posted(*lines: bytes, limit: int = 100) -> Request:
    """Feed a POST, which is answered by a hint at once and by its request at the dot."""
    hint, request = hear(*lines, limit=limit)
    assert hint.notice == "post.begin"
    assert request.dialect is textline.DIALECT
    return request


def answer(request: Request) -> str:
    assert request.refusal is not None
    assert request.command is None
    return str(textline.DIALECT.refusal(request, request.refusal, "en"), "utf-8")


def test_the_dialect_is_chosen_line_by_line() -> None:
    requests = hear(b'{"action":"ping"}', b"ping", b"", b' {"action":"ping"}')
    assert [request.dialect for request in requests] == [jsonline.DIALECT, textline.DIALECT, textline.DIALECT]
    assert [request.command for request in requests] == [Ping(), Ping(), None]


CONTENTS: list[tuple[list[bytes], str]] = [
    ([], ""),
    ([b""], ""),
    ([b"", b""], "\n"),
    ([b"one"], "one"),
    ([b"one", b"", b"  two "], "one\n\n  two "),
    ([b"..", b"..dotted", b"...", b"a.", b" ."], ".\n.dotted\n..\na.\n ."),
    ([b".dotted"], "dotted"),
    ([b"one\r", b"two\r"], "one\ntwo"),
    ([b'{"action":"quit"}', b"QUIT", b"POST ann"], '{"action":"quit"}\nQUIT\nPOST ann'),
    ([b"hex\b\bllo", b"\xff\xfb\x01there"], "hllo\nthere"),
    (["　　你好".encode()], "　　你好"),
]


@pytest.mark.parametrize(("lines", "content"), CONTENTS, ids=str)
def test_post_sends_the_lines_up_to_the_dot(lines: list[bytes], content: str) -> None:
    request = posted(b"POST bob", *lines, b".")
    assert request.refusal is None
    assert request.command == SendMessage(to="bob", content=content)


@pytest.mark.parametrize(
    ("line", "tag", "command"),
    [
        (b"post bob\r", None, SendMessage(to="bob", content="x")),
        (b"  /Post\tbob", None, SendMessage(to="bob", content="x")),
        (b"@post-1 POST bob", "post-1", SendMessage(to="bob", content="x")),
        (
            b'POST "bob" reply_to=3 client_id="a b"',
            None,
            SendMessage(to="bob", content="x", reply_to=3, client_id="a b"),
        ),
        (b"POST conversation=4", None, SendMessage(conversation=4, content="x")),
        (b"\xff\xfb\x01PUST\b\b\bOST bob", None, SendMessage(to="bob", content="x")),
    ],
)
def test_post_takes_what_send_takes(line: bytes, tag: str | None, command: SendMessage) -> None:
    request = posted(line, b"x", b".\r")
    assert (request.command, request.id) == (command, tag)
    assert request.spec is registry.verbs["POST"]
    assert request.spec.action == "send_message"


POST_USAGE = registry.verbs["POST"].usage()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"POST", b"QUIT"], f"ERR bad_request The field to is missing. Usage: {POST_USAGE}"),
        ([b"POST bob hello", b"QUIT"], f"ERR bad_request There are too many words. Usage: {POST_USAGE}"),
        ([b"POST bob reply_to=x", b"QUIT"], "ERR bad_request The field reply_to must be a whole number, not text."),
        ([b"@7 POST conversation=1 to=bob", b"QUIT"], "@7 ERR bad_request Give to or conversation, not both."),
        ([b'POST "bob', b"QUIT"], "ERR bad_request A quote is not closed, or not followed by a space."),
        ([b"POST bob", b"fine", b"\xc3(", b"QUIT"], "ERR bad_encoding The line is not valid UTF-8."),
        ([b"POST bob", b"x" * 101], "ERR too_large That is too large: at most 100 bytes."),
        ([b"POST bob", b"x" * 50, b"x" * 50], "ERR too_large That is too large: at most 100 bytes."),
        ([b"POST bob", b"x" * 101, b"QUIT", b"\xc3("], "ERR too_large That is too large: at most 100 bytes."),
    ],
)
def test_a_bad_post_is_answered_at_the_dot_and_its_lines_are_no_commands(lines: list[bytes], expected: str) -> None:
    assert answer(posted(*lines, b".")) == expected


@pytest.mark.parametrize("lines", [[b"x" * 100], [b"x" * 50, b"x" * 49], [b"." * 101], ["你".encode() * 33]])
def test_the_limit_is_on_what_is_sent(lines: list[bytes]) -> None:
    assert posted(b"POST bob", *lines, b".").refusal is None


def test_a_post_that_goes_on_for_ever_is_not_kept() -> None:
    reader = LineReader(100)
    reader.feed(b"POST bob")
    for _ in range(1_000):
        assert reader.feed(b"x" * 90) is None
    assert reader._post is not None
    assert reader._post.lines == []


def test_after_a_post_lines_are_commands_again() -> None:
    *_, last = hear(b"POST", b".", b"PING")
    assert last.command == Ping()


@pytest.mark.parametrize(("start", "dialect"), [(b'{"action":', jsonline.DIALECT), (b"SEND bob x", textline.DIALECT)])
def test_a_line_too_long_is_refused_in_its_dialect(start: bytes, dialect: object) -> None:
    request = LineReader(100).too_long(start, 65_536)
    assert request is not None
    assert request.dialect is dialect
    assert request.refusal is not None
    assert (request.refusal.code, request.refusal.params) == ("line_too_long", {"limit": 65_536})
    assert b"line_too_long" in request.dialect.refusal(request, request.refusal, "en")


def test_a_line_too_long_within_a_post_is_answered_at_the_dot() -> None:
    reader = LineReader(100)
    reader.feed(b"POST bob")
    assert reader.too_long(b"x" * 50, 65_536) is None
    assert reader.feed(b"x") is None
    request = reader.feed(b".")
    assert request is not None
    assert answer(request) == "ERR line_too_long The line is too long: at most 65536 bytes."
