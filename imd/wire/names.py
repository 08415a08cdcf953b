"""Names: what a person or a group may be called (PROTOCOL section 4)."""

import re

from precis_i18n import get_profile

from imd.wire.refusals import BadName

LONGEST = 32
"""The longest name, in characters."""

FORBIDDEN = frozenset("@#:/,\"'*?!")
"""What a name may not hold: the marks that addresses, lists and patterns are made of."""

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
