"""What comes from a terminal, cleaned; and what goes to one, made harmless."""

import re

_SUBNEGOTIATION = re.compile(rb"\xff\xfa.*?(?:\xff\xf0|\Z)", re.DOTALL)
_COMMAND = re.compile(rb"\xff(?:[\xfb-\xfe].|[\xf0-\xfa\xff])", re.DOTALL)

_HARMFUL = {code: 0x2400 + code for code in range(0x20) if code != 0x09}
_HARMFUL |= dict.fromkeys(range(0x80, 0xA0), 0xFFFD) | {0x7F: 0x2421}
_HARMFUL |= dict.fromkeys(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029, 0x200E, 0x200F, 0x061C], 0xFFFD
)


def without_telnet(line: bytes) -> bytes:
    """Remove telnet negotiation (RFC 854). It starts with 0xFF, which UTF-8 never holds."""
    if b"\xff" not in line:
        return line
    return _COMMAND.sub(b"", _SUBNEGOTIATION.sub(b"", line))


def edited(line: str) -> str:
    """Apply the backspaces and deletes that a raw terminal sends instead of carrying them out."""
    if "\b" not in line and "\x7f" not in line:
        return line
    kept: list[str] = []
    for character in line:
        if character not in "\b\x7f":
            kept.append(character)
        elif kept:
            kept.pop()
    return "".join(kept)


def harmless(text: str) -> str:
    """Replace what could steer a terminal: controls by their pictures, bidi controls by U+FFFD (Unicode TR36)."""
    return text if text.isascii() and text.isprintable() else text.translate(_HARMFUL)


def lines(text: str) -> list[str]:
    """Cut text at its line ends, each piece made harmless. A text of nothing is one empty line."""
    return [harmless(line) for line in text.replace("\r\n", "\n").split("\n")]
