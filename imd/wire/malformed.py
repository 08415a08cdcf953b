"""What keeps a line from being a JSON object, by our own reading: decoders change their words with their version."""

import json
import re
from itertools import accumulate

from imd.wire.refusals import BadEncoding, BadRequest, Refusal

DEEPEST = 900
"""How deep a line's values may nest: just what fits on Python's own stack, whose end differs by version."""

# No possessive quantifiers: Python before 3.11.5 gets them wrong.
_INSIDE = r'[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*)*'
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_BETWEEN = r"[][{}:, \t\r\n]*"
_TOKENS = re.compile(rf'{_BETWEEN}(?:(?:"{_INSIDE}"|{_NUMBER}|true|false|null){_BETWEEN})*')
_BEGUN = re.compile(rf'(?:t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|"{_INSIDE}(?:\\(?:u[0-9A-Fa-f]{{0,3}})?)?)?')
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # as signed bytes: one deeper, one back
_NO_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))


def too_deep(line: bytes) -> bool:
    """Say whether a line nests deeper than is taken. Few hold so many brackets that they must be looked at."""
    if line.count(b"[") + line.count(b"{") <= DEEPEST:
        return False
    steps = memoryview(_STRING.sub(b"", line).translate(_STEPS, _NO_BRACKETS)).cast("b")
    return max(accumulate(steps), default=0) > 1 + DEEPEST  # 1: the object itself


def explained(line: bytes) -> Refusal:
    """Say what is wrong with a line that is no JSON, or holds what no reader takes. It is not too deep."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return BadEncoding()
    tokens = text[: _TOKENS.match(text).end()]  # type: ignore[union-attr]  # it matches nothing as well
    try:
        value = json.loads(tokens)
    except json.JSONDecodeError as wrong:
        if wrong.pos < len(tokens.rstrip()):
            return _ends_after(text[: wrong.pos])
        good = text[: _BEGUN.match(text, len(tokens)).end()]  # type: ignore[union-attr]  # as above
        return BadRequest("truncated") if good == text else _ends_after(good)
    except RecursionError:  # the stack was half full already
        return BadRequest("nesting")
    except ValueError:  # int() takes only so many digits
        return BadRequest("number")
    if len(tokens) < len(text):
        return _ends_after(tokens)
    return BadEncoding("surrogate") if _holds_half_a_pair(value) else BadRequest("number")


def _ends_after(good: str) -> BadRequest:
    return BadRequest("json", byte=len(good.encode()))


def _holds_half_a_pair(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
