"""What terminals send is cleaned, and what they are sent is harmless."""

import pytest

from imd.wire.terminal import edited, harmless, lines, without_telnet

ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("hello", "hello"),
        ("helo\blo", "hello"),
        ("abc\b\b\bd", "d"),
        ("\b\b\ba", "a"),
        ("a\x7f\bb", "b"),
        ("ab\bc\b\bd", "d"),
        ("你好\b们", "你们"),
        ("\b" * 5, ""),
    ],
)
def test_backspace_and_delete_take_the_character_before_them(sent: str, meant: str) -> None:
    assert edited(sent) == meant


def test_editing_a_long_line_takes_one_pass() -> None:
    assert edited("x" * 30_000 + "\b" * 30_000 + "end") == "end"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (b"hello", b"hello"),
        (b"\xff\xfb\x01hello", b"hello"),
        (b"\xff\xfd\xffhello", b"hello"),
        (b"he\xff\xf6llo", b"hello"),
        (b"he\xff\xffllo", b"hello"),
        (b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0hello", b"hello"),
        (b"\xff\xfa\x18\x00xterm", b""),
        (b"hello\xff", b"hello\xff"),
        (b"hello\xff\xfb", b"hello\xff\xfb"),
        (b"\xffhello", b"\xffhello"),
    ],
)
def test_telnet_commands_go_and_other_bytes_stay(sent: bytes, meant: bytes) -> None:
    assert without_telnet(sent) == meant


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, 你好 é 😀 👨‍👩‍👧", "plain, 你好 é 😀 👨‍👩‍👧"),
        ("tab\tstays", "tab\tstays"),
        ("\x1b[31m\x07\0\r\n\x7f", "␛[31m␇␀␍␊␡"),
        ("\x9b2J\x85", "\ufffd2J\ufffd"),
        ("a" + "\u0301" * 8 + "b", "a" + "\u0301" * 8 + "b"),
        ("a" + "\u0301" * 9 + "b", "a" + "\u0301" * 8 + "\ufffdb"),
        ("ส" + "\u0e49\u200d" * 9, "ส" + "\u0e49\u200d" * 8 + "\ufffd\u200d"),
        (
            "\u0f67\u0fb1\u0f90\u0fb5\u0fa8\u0fb3\u0fba\u0fbc\u0fbb",
            "\u0f67\u0fb1\u0f90\u0fb5\u0fa8\u0fb3\u0fba\u0fbc\u0fbb",
        ),
        (
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        ),
        ("a\u202eb\u2066c\u200fd\u061ce\u2028f\u2029", "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\ufffd"),
    ],
)
def test_what_could_steer_a_terminal_is_shown_instead(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\nb", ["a", "b"]),
        ("a\r\nb\r", ["a", "b␍"]),
        ("\n", ["", ""]),
        ("a\x85b", ["a\ufffdb"]),
    ],
)
def test_text_is_cut_at_its_line_ends_alone(text: str, pieces: list[str]) -> None:
    assert lines(text) == pieces
