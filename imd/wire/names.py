"""Names: what a person or a group may be called (PROTOCOL section 4).

Three rules keep names apart:

1. `username` gives the canonical spelling, which is stored and compared (PRECIS, RFC 8265). Every typed name passes it.
2. `chosen` checks a new name: its letters are of one script, or Latin beside Chinese, Japanese or Korean ("highly
   restrictive" in Unicode TR39, section 5.2), so that no Cyrillic letter hides in a Latin word.
3. A name counts as taken if one that looks like it is (TR39, section 4, in store/confusables.py), within ASCII too:
   `rnike` is `mike`, `bil1` is `bill`, `b0b` is `bob`. But `al1ce` is not `alice`, since names are shown in small
   letters, where 1 looks like l and not like i; and `ian` does not exclude `lan`.

Traditional and simplified Chinese characters are different.
"""

import re
import unicodedata

from precis_i18n import get_profile

from imd.wire.refusals import BadName

LONGEST = 32
"""The longest name, in characters."""

FORBIDDEN = frozenset("@#:/,\"'*?!")
"""Characters that no name may have: addresses, lists and patterns are made of them."""

_STEERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Characters that turn the direction of the text around a name, or show nothing."""

_UNSEEN = frozenset({"Cf", "Cn", "Mn", "Me", "Zs"})
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs that show nothing."""

_PLAIN = re.compile(r"[a-z0-9._\-]{1,32}")
_PRECIS = get_profile("UsernameCaseMapped")


def username(typed: str) -> str:
    """Give the canonical spelling of a name (RFC 8265, UsernameCaseMapped).

    Refuses with `bad_name`; its case tells which rule was broken.
    """
    if _PLAIN.fullmatch(typed):
        return typed
    if not typed:
        raise BadName("empty")
    try:
        name = str(_PRECIS.enforce(typed))
    except UnicodeEncodeError as refused:
        raise BadName("characters") from refused
    if not FORBIDDEN.isdisjoint(name):
        raise BadName("characters")
    if len(name) > LONGEST:
        raise BadName("long", limit=LONGEST)
    return name


_FREE = frozenset({"", "COMBINING", "DIGIT", "MODIFIER"})
"""Characters that go with letters of any script."""

_OTHER_WORDS = {"IDEOGRAPHIC": "CJK", "VERTICAL": "CJK", "HENTAIGANA": "HIRAGANA", "EXTENDED": "ARABIC"}
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)


def chosen(typed: str) -> str:
    """Give the canonical spelling of a new name. Refuses with `bad_name` if it mixes scripts."""
    name = username(typed)
    if not name.isascii():
        scripts = {_script(each) for each in name} - _FREE
        if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
            raise BadName("scripts")
    return name


def _script(character: str) -> str:
    """Give a letter's script. Python has no table of scripts, but a letter's Unicode name begins with it."""
    if unicodedata.category(character)[0] not in "LMN":
        return ""
    if character.isascii():
        return "LATIN" if character.isalpha() else ""
    word = re.split("[ -]", unicodedata.name(character, ""))[0]
    return _OTHER_WORDS.get(word, word)


def one_line(typed: str) -> str:
    """Give a display name, a title or the like on one line: gaps become one space, controls are removed.

    A text that shows nothing becomes empty.
    """
    kept = [each for each in " ".join(typed.split()) if unicodedata.category(each) != "Cc" and each not in _STEERING]
    seen = any(unicodedata.category(each) not in _UNSEEN and each not in _BLANK for each in kept)
    return " ".join("".join(kept).split()) if seen else ""
