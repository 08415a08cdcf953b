"""Cleans what comes from a terminal, and makes harmless what goes to one."""

import re
import unicodedata

_SUBNEGOTIATION = re.compile(rb"\xff\xfa.*?(?:\xff\xf0|\Z)", re.DOTALL)
_COMMAND = re.compile(rb"\xff(?:[\xfb-\xfe].|[\xf0-\xfa\xff])", re.DOTALL)

_HARMFUL = {code: 0x2400 + code for code in range(0x20) if code != 0x09}
_HARMFUL |= dict.fromkeys(range(0x80, 0xA0), 0xFFFD) | {0x7F: 0x2421}
_HARMFUL |= dict.fromkeys(
    [*range(0x202A, 0x202F), *range(0x2066, 0x2070), 0x2028, 0x2029, 0x200E, 0x200F, 0x061C, *range(0xD800, 0xE000)],
    0xFFFD,
)

PILE = 8
"""How many accents a letter may have: Tibetan needs as many, and more would cover other lines."""

_PERHAPS_A_PILE = re.compile(rf"[^\w\s\x00-\x7f]{{{PILE + 1},}}")


def without_telnet(line: bytes) -> bytes:
    """Remove telnet negotiation (RFC 854). It starts with 0xFF, which UTF-8 never holds."""
    if b"\xff" not in line:
        return line
    return _COMMAND.sub(b"", _SUBNEGOTIATION.sub(b"", line))


def edited(line: str) -> str:
    """Apply the backspaces and deletes that a raw terminal sends on."""
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
    """Replace what could steer a terminal: controls by pictures, bidi controls and piled accents by U+FFFD (TR36).

    Joiners and tags stay: they move nothing, and scripts and emoji need them.
    """
    return text if text.isascii() and text.isprintable() else _safe(text)


def _safe(text: str) -> str:
    return _PERHAPS_A_PILE.sub(_cut_down, text.translate(_HARMFUL))


def _cut_down(run: re.Match[str]) -> str:
    kept, pile = [], 0
    for character in run[0]:
        kind = unicodedata.category(character)
        if kind != "Cf":
            pile = pile + 1 if kind in ("Mn", "Me") else 0
        kept.append("\ufffd" if pile > PILE and kind != "Cf" else character)
    return "".join(kept)


def block(text: str) -> str:
    """Make a text of several lines harmless."""
    return "\n".join(lines(text))


def lines(text: str) -> list[str]:
    """Cut a text into lines, and make each harmless. An empty text is one empty line."""
    return [harmless(line) for line in text.replace("\r\n", "\n").split("\n")]
