"""Malformed input by a seed: valid lines of every command in both dialects, broken in every way, and plain noise."""

import random
from collections.abc import Callable
from typing import Any

import msgspec

import imd.wire.capabilities  # noqa: F401  # declares the commands
from imd.wire import textline
from imd.wire.base import registry

NOISE = [
    b"\x00",
    b"\xff\xfb\x01",
    b"\xff\xff",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\xe2\x80\xae",
    b"\x1b[2J",
    b"\b\b\x7f",
    b"\r",
    b"\n",
    b"\r\n",
    b"{",
    b"}",
    b'"',
    b"\\",
    b"=",
    b" ",
    b"@x ",
    b"/",
    b".",
    b"..",
    b"#",
    b"null",
    b"true",
    b"1e999",
    b"-1",
    b"9" * 400,
    b"9223372036854775808",
    b"NaN",
    b"[" * 200,
    b'{"a":' * 100,
    b"POST ann",
    b"GET / HTTP/1.1",
    b"\xf0\x9f\x98\x80",
]

WITHOUT_ATHERIS = 3
"""The exit status of `readers` where it cannot run."""


def valid() -> list[bytes]:
    """Write every command's example in both dialects."""
    lines = []
    for spec in registry:
        request = textline.decode(spec.shape.example.encode())
        assert request is not None
        assert request.command is not None, spec.action
        fields: dict[str, Any] = msgspec.structs.asdict(request.command)
        lines.append(spec.shape.example.encode())
        lines.append(msgspec.json.encode({"action": spec.action, "id": 1, **fields}))
    return lines


def _flip(chance: random.Random, line: bytes) -> bytes:
    place = chance.randrange(len(line) + 1)
    return line[:place] + bytes([chance.randrange(256)]) + line[place + 1 :]


def _insert(chance: random.Random, line: bytes) -> bytes:
    place = chance.randrange(len(line) + 1)
    return line[:place] + chance.choice(NOISE) + line[place:]


def _cut(chance: random.Random, line: bytes) -> bytes:
    begin, end = sorted((chance.randrange(len(line) + 1), chance.randrange(len(line) + 1)))
    return line[:begin] + line[end:]


def _repeat(chance: random.Random, line: bytes) -> bytes:
    begin, end = sorted((chance.randrange(len(line) + 1), chance.randrange(len(line) + 1)))
    return line[:end] + line[begin:end] * chance.choice((1, 2, 50)) + line[end:]


def _swap(chance: random.Random, line: bytes) -> bytes:
    """Put another value where one stands."""
    old = chance.choice((b"bob", b"1", b"2", b'"', b":", b","))
    return line.replace(old, chance.choice(NOISE), 1)


def _huge(chance: random.Random, line: bytes) -> bytes:
    place = chance.randrange(len(line) + 1)
    return line[:place] + chance.choice(NOISE) * chance.choice((1000, 5000, 20_000)) + line[place:]


_WAYS: list[Callable[[random.Random, bytes], bytes]] = [_flip, _insert, _cut, _repeat, _swap]


def piece(chance: random.Random, lines: list[bytes]) -> bytes:
    """Make one input, with a line's end most of the time."""
    kind = chance.random()
    if kind < 0.08:
        made = chance.randbytes(chance.choice((1, 8, 100, 3000)))
    elif kind < 0.14:
        made = b" ".join(chance.choices(NOISE, k=chance.randint(1, 12)))
    elif kind < 0.145:
        made = _huge(chance, chance.choice(lines))
    else:
        made = chance.choice(lines)
        if chance.random() < 0.1:
            made += chance.choice(lines)
        for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 6))):
            made = chance.choice(_WAYS)(chance, made)
    return made + chance.choice((b"\n", b"\n", b"\r\n", b"\r\n", b"\n", b""))
