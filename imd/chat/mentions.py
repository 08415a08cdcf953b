"""Mentions: `@alice` in a message's words calls Alice, `@all` calls everybody, where the sender may.

A name may be followed by anything, since Chinese puts no space behind it: the longest name of a member counts.
"""

import re

from imd.chat.places import Place
from imd.store import mentions as sql
from imd.store.transaction import Tx
from imd.wire.names import FORBIDDEN, LONGEST, username
from imd.wire.refusals import BadName

MOST = 50
"""How many people one message may call; further ones are only words."""

EVERYBODY = 0
"""The account that stands for all members."""

_CALL = re.compile(rf"(?<![\w@.])@([^\s{re.escape(''.join(FORBIDDEN))}]{{1,{LONGEST}}})")
_KINDS = frozenset({"text", "markdown"})


def called(tx: Tx, place: Place, kind: str, content: str) -> dict[str, int]:
    """Find who is called in a message: name -> account."""
    if "@" not in content or kind not in _KINDS:
        return {}
    found: dict[str, int] = {}
    for typed in _CALL.findall(content)[:MOST]:
        if typed.lower() == "all" and place.at_least("admin"):
            found["all"] = EVERYBODY
        elif member := sql.longest_member(tx, place.conversation, _starts(typed)):
            found[member.username] = member.account
    return found


def _starts(typed: str) -> list[str]:
    """List the names that a call may begin with."""
    starts = []
    for end in range(len(typed), 0, -1):
        try:
            starts.append(username(typed[:end]))
        except BadName:
            continue
    return list(dict.fromkeys(starts))
