"""Typing a line, key by key."""

import pytest
from imd_client.line_editor import Key, LineEditor, columns

LEFT, RIGHT, UP, DOWN, HOME, END, DELETE = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B", "\x1b[H", "\x1b[F", "\x1b[3~"


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("hello", "hello"),
        ("你好", "你好"),
        ("helo\x7f\x7fllo", "hello"),
        ("你好\x7f们", "你们"),
        ("\x7f\b", ""),
        (f"ello{HOME}h{END}!", "hello!"),
        (f"hllo{LEFT}{LEFT}{LEFT}e", "hello"),
        (f"hllo{LEFT * 9}{RIGHT}e", "hello"),
        (f"a{RIGHT * 3}b", "ab"),
        (f"hexllo{LEFT * 4}{DELETE}", "hello"),
        ("ello\x01h\x05!", "hello!"),
        ("wrong\x15right", "right"),
        (f"keep this{LEFT * 5}\x0b", "keep"),
        ("one two  \x17three", "one three"),
        ("one\x17\x17", ""),
        ("a\x1b[99;5Zb\x1bOPc", "abc"),
        ("a\tb\x00c", "abc"),
        (f"first\r{UP}", "first"),
        (f"first\rsecond\r{UP}{UP}{UP}", "first"),
        (f"first\rsecond\r{UP}{UP}{DOWN}", "second"),
        (f"first\r{UP}{DOWN}x", "x"),
        (f"same\rsame\rother\r{UP}{UP}{UP}", "same"),
    ],
)
def test_keys_make_a_line(keys: str, line: str) -> None:
    editor = LineEditor()
    assert editor.feed((keys + "\r").encode())[-1] == line


def test_keys_may_be_split_anywhere() -> None:
    editor = LineEditor()
    done = [each for byte in f"好x{LEFT}你\n".encode() for each in editor.feed(bytes([byte]))]
    assert done == ["好你x"]


def test_several_lines_at_once() -> None:
    assert LineEditor().feed(b"one\rtwo\n\nthree") == ["one", "two", ""]


def test_the_keys_that_end_it() -> None:
    editor = LineEditor()
    assert editor.feed(b"\x04") == [Key.END]
    assert editor.feed(b"text\x04") == []
    assert editor.feed(b"\x03") == [Key.INTERRUPT]


def test_a_secret_is_not_recalled() -> None:
    editor = LineEditor(secret=True)
    editor.feed(b"secret\r")
    editor.secret = False
    assert editor.feed(f"{UP}\r".encode()) == [""]


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), ("abc", 3), ("你好", 4), ("e\u0301", 1), ("\U0001f600", 2), ("ｆｕｌｌ", 8)]
)
def test_columns(text: str, count: int) -> None:
    assert columns(text) == count


@pytest.mark.parametrize(
    ("keys", "width", "shown"),
    [
        ("hi", 20, "> hi"),
        (f"hi{LEFT}", 20, "> hi\x1b[1D"),
        (f"你好{LEFT}", 20, "> 你好\x1b[2D"),
        ("abcdefghijkl", 12, "> defghijkl"),
        (f"abcdefghijkl{HOME}", 12, "> abcdefghi\x1b[9D"),
        ("一二三四五六", 12, "> 三四五六"),
    ],
)
def test_the_picture_fits_one_row(keys: str, width: int, shown: str) -> None:
    editor = LineEditor()
    editor.feed(keys.encode())
    assert editor.picture("> ", width) == f"\r\x1b[K{shown}"


def test_a_secret_has_no_picture() -> None:
    editor = LineEditor(secret=True)
    editor.feed(b"secret")
    assert editor.picture("Password: ", 80) == "\r\x1b[KPassword: "
