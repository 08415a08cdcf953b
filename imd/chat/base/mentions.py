"""Mentions: `@alice` in a message's words calls Alice, `@all` calls everybody, where the sender may.

Chinese puts no space around it, so a call may stand right behind a Chinese character, and the longest member's name
that it begins with counts. A Latin word is not cut: `@bobby` does not call Bob.
"""

import re

from imd.chat.base.access import Conversation
from imd.store import members
from imd.store.transaction import Tx
from imd.wire.names import FORBIDDEN, LONGEST, username
from imd.wire.refusals import BadName

MOST = 50
"""How many people one message may call; further ones are only words."""

EVERYBODY = 0
"""The account that stands for all members."""

_CALL = re.compile(rf"(?<![A-Za-z0-9_.@-])@([^\s{re.escape(''.join(FORBIDDEN))}]{{1,{LONGEST}}})")
_IN_A_WORD = re.compile(r"[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2}")
"""Two characters of one word, in a script that puts spaces between words."""

_KINDS = frozenset({"text", "markdown"})


def called(tx: Tx, conversation: Conversation, kind: str, content: str) -> dict[str, int]:
    """Find who is called in a message: name -> account."""
    if "@" not in content or kind not in _KINDS:
        return {}
    found: dict[str, int] = {}
    for typed in _CALL.findall(content)[:MOST]:
        if typed.lower() == "all" and conversation.at_least("admin"):
            found["all"] = EVERYBODY
        elif member := members.longest_member(tx, conversation.id, _starts(typed)):
            found[member.username] = member.account
    return found


def _starts(typed: str) -> list[str]:
    """List the names that a call may begin with."""
    starts = []
    for end in range(len(typed), 0, -1):
        if _IN_A_WORD.match(typed, end - 1):
            continue
        try:
            starts.append(username(typed[:end]))
        except BadName:
            continue
    return list(dict.fromkeys(starts))
