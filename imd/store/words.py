"""Words: how texts and queries are split for the search index.

A run of letters and digits is a word, in lower case and without accents. Chinese, Japanese and Korean characters and
emoji, which are written without spaces, are words by themselves. Everything else separates words.
"""

import re
import unicodedata

_SIGNS = (
    "\u3005-\u3007\u3040-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\U00020000-\U0003ffff"
    "\u2190-\u2bff\U0001f000-\U0001f3fa\U0001f400-\U0001faff"
)
"""Characters that are words by themselves: writing, then emoji without their skin colours."""

_INDIC = "\u0900-\u0fff\u1000-\u109f\u1780-\u17ff"
"""Scripts whose vowel signs Python does not count as letters."""

_SIGN = re.compile(f"[{_SIGNS}]")
_WORD = re.compile(rf"[{_SIGNS}]|(?:[^\W_{_SIGNS}]|[{_INDIC}])+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe"})
"""Latin letters that Unicode does not split into a letter and an accent."""


def words(text: str) -> list[str]:
    """Split a text into its words, in order."""
    return _WORD.findall(_folded(text))


def is_sign(word: str) -> bool:
    """Return whether a word is a single sign, which cannot be the beginning of a longer word."""
    return _SIGN.fullmatch(word) is not None


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    apart = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", apart.casefold()).translate(_PLAIN)
