"""Names: what a person or a group may be called (PROTOCOL section 4).

Three rules, each for another trick. `username` gives the one spelling that is kept and compared (PRECIS, RFC 8265);
every name that is typed goes through it. `chosen` is asked once, when somebody wants a name: its letters are of one
script, or Latin beside those of Chinese, Japanese or Korean ("highly restrictive" in Unicode TR39, section 5.2), so
that no Cyrillic letter hides in a Latin word. And a name that looks like another one as a whole is taken already, as
TR39 says in section 4 (store/confusables.py), within ASCII too: `rnike` is `mike`, `bil1` is `bill`, `b0b` is `bob`.
But `al1ce` is not `alice`: names are shown in small letters, where 1 looks like l and not like i. Ian locks no Lan out.
Traditional and simplified characters are different ones.
"""

import re
import unicodedata

from precis_i18n import get_profile

from imd.wire.refusals import BadName

LONGEST = 32
"""The longest name, in characters."""

FORBIDDEN = frozenset("@#:/,\"'*?!")
"""What a name may not hold: the marks that addresses, lists and patterns are made of."""

_STEERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""What turns the direction of the text around a name, or is nothing at all."""

_UNSEEN = frozenset({"Cf", "Cn", "Mn", "Me", "Zs"})
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs that are drawn as nothing."""

_PLAIN = re.compile(r"[a-z0-9._\-]{1,32}")
_PRECIS = get_profile("UsernameCaseMapped")


def username(typed: str) -> str:
    """Give the one spelling under which a name is kept and compared (RFC 8265, UsernameCaseMapped).

    Refuses with `bad_name`, and says in its case which rule was broken.
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
"""Of no script, or of whatever stands beside it."""

_OTHER_WORDS = {"IDEOGRAPHIC": "CJK", "VERTICAL": "CJK", "HENTAIGANA": "HIRAGANA", "EXTENDED": "ARABIC"}
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)


def chosen(typed: str) -> str:
    """Give the spelling of a name that somebody wants to have. Refuses with `bad_name`."""
    name = username(typed)
    if not name.isascii():
        scripts = {_script(each) for each in name} - _FREE
        if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
            raise BadName("scripts")
    return name


def _script(character: str) -> str:
    """Give a letter's script. Python has no table of them; the name of a letter begins with it."""
    if unicodedata.category(character)[0] not in "LMN":
        return ""
    if character.isascii():
        return "LATIN" if character.isalpha() else ""
    word = re.split("[ -]", unicodedata.name(character, ""))[0]
    return _OTHER_WORDS.get(word, word)


def one_line(typed: str) -> str:
    """Give a display name, or one's own name for a friend, on one line: gaps become a space, controls are left out.

    What shows nothing at all is an empty one.
    """
    kept = [each for each in " ".join(typed.split()) if unicodedata.category(each) != "Cc" and each not in _STEERING]
    seen = any(unicodedata.category(each) not in _UNSEEN and each not in _BLANK for each in kept)
    return " ".join("".join(kept).split()) if seen else ""
