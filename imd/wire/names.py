"""Names: what a person or a group may be called (PROTOCOL section 4)."""

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


def shown(typed: str) -> str:
    """Give a display name, or one's own name for a friend, on one line: gaps become a space, controls are left out."""
    kept = (each for each in " ".join(typed.split()) if unicodedata.category(each) != "Cc" and each not in _STEERING)
    return " ".join("".join(kept).split())
