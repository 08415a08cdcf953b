"""Mentions: `@alice` in a message mentions Alice; `@all` mentions everybody, if the sender may.

Chinese is written without spaces, so a mention may follow a Chinese character directly, and text may follow the name:
the longest name of a member that the text begins with counts. A Latin word is not cut: `@bobby` does not mention Bob.
"""

import re

from imd.chat.base.access import Conversation
from imd.store import members
from imd.store.transaction import Tx
from imd.wire.names import FORBIDDEN, LONGEST, username
from imd.wire.refusals import BadName

MOST = 50
"""How many people one message may mention; further ones are only text."""

EVERYBODY = 0
"""The account that stands for all members."""

_MENTION = re.compile(rf"(?<![A-Za-z0-9_.@-])@([^\s{re.escape(''.join(FORBIDDEN))}]{{1,{LONGEST}}})")
_IN_A_WORD = re.compile(r"[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2}")
"""Two characters of one word, in a script with spaces between words."""

_KINDS = frozenset({"text", "markdown"})


def mentioned(tx: Tx, conversation: Conversation, kind: str, content: str) -> dict[str, int]:
    """Find the members that a message mentions: name -> account."""
    if "@" not in content or kind not in _KINDS:
        return {}
    found: dict[str, int] = {}
    for typed in _MENTION.findall(content)[:MOST]:
        if typed.lower() == "all" and conversation.at_least("admin"):
            found["all"] = EVERYBODY
        elif member := members.longest_member(tx, conversation.id, _starts(typed)):
            found[member.username] = member.account
    return found


def _starts(typed: str) -> list[str]:
    """List the names that a text may begin with, the longest first."""
    starts = []
    for end in range(len(typed), 0, -1):
        if _IN_A_WORD.match(typed, end - 1):
            continue
        try:
            starts.append(username(typed[:end]))
        except BadName:
            continue
    return list(dict.fromkeys(starts))
