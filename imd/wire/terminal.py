"""What comes from a terminal, cleaned; and what goes to one, made harmless."""

import re

_SUBNEGOTIATION = re.compile(rb"\xff\xfa.*?(?:\xff\xf0|\Z)", re.DOTALL)
_COMMAND = re.compile(rb"\xff(?:[\xfb-\xfe].?|[^\xfb-\xfe]|\Z)", re.DOTALL)
_ERASE = re.compile(r"[^\b\x7f]?[\b\x7f]")

_HARMFUL = {code: 0x2400 + code for code in range(0x20) if code != 0x09}
_HARMFUL |= dict.fromkeys(range(0x80, 0xA0), 0xFFFD) | {0x7F: 0x2421}
_HARMFUL |= dict.fromkeys(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029, 0x200E, 0x200F, 0x061C], 0xFFFD
)


def without_telnet(line: bytes) -> bytes:
    """Remove telnet negotiation (RFC 854): 0xFF never occurs in UTF-8, so whatever starts with it is not text."""
    if b"\xff" not in line:
        return line
    return _COMMAND.sub(b"", _SUBNEGOTIATION.sub(b"", line))


def edited(line: str) -> str:
    """Apply the backspaces and deletes that a raw terminal sends instead of carrying them out."""
    while "\b" in line or "\x7f" in line:
        line = _ERASE.sub("", line)
    return line


def harmless(text: str) -> str:
    """Replace what could steer a terminal: control characters by their pictures, bidi controls by U+FFFD (Unicode TR36)."""
    return text if text.isascii() and text.isprintable() else text.translate(_HARMFUL)


def lines(text: str) -> list[str]:
    """Cut text at its line ends, each piece made harmless. A text of nothing is one empty line."""
    return [harmless(line) for line in text.replace("\r\n", "\n").split("\n")]
