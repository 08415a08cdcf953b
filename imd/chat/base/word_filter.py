"""The words that nothing may hold which others read: messages, names, titles, and what people say of themselves.

They are one value that every thread shares, replaced when an admin changes it.

Case, width (ｓｐａｍ) and invisible characters make no difference. What is in Latin, Greek or Cyrillic letters is met
as a whole word, so that `ass` is not met in `class`; what is in scripts without spaces is met anywhere.
"""

import re
import unicodedata

import attrs

from imd.wire.refusals import Forbidden

MOST = 1000
"""How many words there may be. So many cost a message of 16 KiB 5 ms, and a short one nothing to speak of."""

_INVISIBLE = dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))
_LETTER = "[0-9a-z_\u00df-\u024f\u0370-\u052f]"
"""What words with spaces between them are made of, in the plain spelling."""

_RUN = re.compile(f"{_LETTER}+")


def plain(text: str) -> str:
    """Give the spelling in which words are kept and looked for."""
    folded = unicodedata.normalize("NFKC", text.translate(_INVISIBLE)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


@attrs.frozen
class WordFilter:
    """The words, in their plain spelling."""

    whole: frozenset[str] = frozenset()
    """Those that are one run of letters."""

    anywhere: tuple[str, ...] = ()
    """Those of other scripts, and those of several words."""

    @classmethod
    def of(cls, words: list[str]) -> "WordFilter":
        """Make it of a list."""
        whole = frozenset(filter(_RUN.fullmatch, words))
        return cls(whole, tuple(word for word in words if word not in whole))

    def check(self, *texts: str | None) -> None:
        """Refuse texts that hold one of them; which one is not said, since that would teach how to get round it."""
        for text in texts:
            if text and (self.whole or self.anywhere):
                self._check(text)

    def _check(self, content: str) -> None:
        text = plain(content)
        if not self.whole.isdisjoint(_RUN.findall(text)) or any(
            word in text and _stands(word, text) for word in self.anywhere
        ):
            raise Forbidden("words")


def _stands(word: str, text: str) -> bool:
    """Say whether a word stands somewhere by itself, rather than as the middle of longer ones."""
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not (_joined(text[at - 1 : at], word[0]) or _joined(word[-1], text[end : end + 1])):
            return True
        at = text.find(word, at + 1)
    return False


def _joined(left: str, right: str) -> bool:
    return bool(_RUN.match(left) and _RUN.match(right))
