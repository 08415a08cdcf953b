"""Words: how a text is cut for the search index, and a query in the same way.

A run of letters and digits is a word: in small letters, without accents. What is written without spaces stands sign by
sign: Chinese, Japanese and Korean characters, and emoji. Everything else only separates.
"""

import re
import unicodedata

_SIGNS = (
    "\u3005-\u3007\u3040-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\U00020000-\U0003ffff"
    "\u2190-\u2bff\U0001f000-\U0001f3fa\U0001f400-\U0001faff"
)
"""Characters that are words by themselves: first those of writing, then pictures without their skin colours."""

_INDIC = "\u0900-\u0fff\u1000-\u109f\u1780-\u17ff"
"""Scripts whose vowel signs are no letters to Python."""

_SIGN = re.compile(f"[{_SIGNS}]")
_WORD = re.compile(rf"[{_SIGNS}]|(?:[^\W_{_SIGNS}]|[{_INDIC}])+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe"})
"""Latin letters that are one piece with their accent."""


def words(text: str) -> list[str]:
    """Cut a text into its words, in order."""
    return _WORD.findall(_folded(text))


def is_sign(word: str) -> bool:
    """Say whether a word is a character that stands alone, and so cannot be the beginning of another word."""
    return _SIGN.fullmatch(word) is not None


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    apart = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", apart.casefold()).translate(_PLAIN)
