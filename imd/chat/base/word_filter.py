"""The word filter: words that may not stand in what others read: messages, names, titles, profiles.

It is one immutable value in memory that every request carries, so that a send reads no row for it. A change by an
admin replaces it after its commit.

Case, width (ｓｐａｍ) and invisible characters make no difference. A word in Latin, Greek or Cyrillic letters is found
as a whole word only, so that `ass` is not found in `class`; one in a script without spaces is found anywhere.
"""

import re
import unicodedata

import attrs

from imd.wire.refusals import Forbidden

MOST = 1000
"""How many words there may be. With so many, checking 16 KiB takes 5 ms, and a short message almost no time."""

_INVISIBLE = dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))
_LETTER = "[0-9a-z_\u00df-\u024f\u0370-\u052f]"
"""A letter of a script with spaces between words, in the plain spelling."""

_RUN = re.compile(f"{_LETTER}+")


def plain(text: str) -> str:
    """Give the spelling in which words are stored and compared."""
    folded = unicodedata.normalize("NFKC", text.translate(_INVISIBLE)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


@attrs.frozen
class WordFilter:
    """The forbidden words, in their plain spelling."""

    whole: frozenset[str] = frozenset()
    """Words that are one run of letters."""

    anywhere: tuple[str, ...] = ()
    """Words of other scripts, and phrases of several words."""

    @classmethod
    def of(cls, words: list[str]) -> "WordFilter":
        """Make a filter of a list of words."""
        whole = frozenset(filter(_RUN.fullmatch, words))
        return cls(whole, tuple(word for word in words if word not in whole))

    def check(self, *texts: str | None) -> None:
        """Refuse texts with a forbidden word. The reply does not tell which, since that would teach how to avoid it."""
        for text in texts:
            if text and (self.whole or self.anywhere):
                self._check(text)

    def _check(self, content: str) -> None:
        text = plain(content)
        if not self.whole.isdisjoint(_RUN.findall(text)) or any(
            word in text and _stands_alone(word, text) for word in self.anywhere
        ):
            raise Forbidden("words")


def _stands_alone(word: str, text: str) -> bool:
    """Say whether a word stands somewhere in a text by itself, not as part of a longer word."""
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not (_joined(text[at - 1 : at], word[0]) or _joined(word[-1], text[end : end + 1])):
            return True
        at = text.find(word, at + 1)
    return False


def _joined(left: str, right: str) -> bool:
    return bool(_RUN.match(left) and _RUN.match(right))
