"""The rules of reactions: any emoji, from several people, each emoji once from each person."""

import unicodedata

from imd.chat.base.access import check_may_write, message
from imd.chat.base.context import Caller
from imd.chat.base.effects import Outcome
from imd.chat.base.handlers import writes
from imd.chat.base.render import changed, unchanged
from imd.store import messages as rows
from imd.store import reactions as sql
from imd.store.transaction import Tx
from imd.wire import reactions as wire
from imd.wire.messages import Changed
from imd.wire.refusals import BadRequest, QuotaExceeded

MOST_EMOJI = 20
"""How many different emoji one message may have."""

_JOINERS = frozenset("\u200d\ufe0e\ufe0f\u20e3")
_PICTURES = frozenset({"So", "Sk", "Sm", "Cf", "Cn"})
"""Categories of emoji and their modifiers. `Cn` is for emoji newer than this Python's Unicode."""

_KEYCAPS = frozenset("0123456789#*")


@writes(wire.React)
def react(tx: Tx, caller: Caller, command: wire.React) -> Outcome[Changed]:
    """Put an emoji on a message that the caller may see, where they may write."""
    check_emoji(command.emoji)
    conversation, row = message(tx, caller, command)
    check_may_write(tx, caller, conversation)
    if row.recalled or row.burned:
        raise BadRequest("gone")
    there = sql.emoji(tx, row.conversation, row.seq)
    if command.emoji not in there and len(there) >= MOST_EMOJI:
        raise QuotaExceeded("reactions", limit=MOST_EMOJI)
    if not sql.add(tx, row.conversation, row.seq, command.emoji, caller.account, caller.now):
        return unchanged(row)
    row = rows.change(tx, row, reacted=(row.reacted or 0) + 1)
    return changed(tx, caller, conversation, row, "reacted", emoji=command.emoji)


@writes(wire.Unreact)
def unreact(tx: Tx, caller: Caller, command: wire.Unreact) -> Outcome[Changed]:
    """Take the caller's emoji off a message."""
    conversation, row = message(tx, caller, command)
    if not sql.remove(tx, row.conversation, row.seq, command.emoji, caller.account):
        return unchanged(row)
    row = rows.change(tx, row, reacted=(row.reacted or 0) - 1 or None)
    return changed(tx, caller, conversation, row, "unreacted", emoji=command.emoji)


def check_emoji(typed: str) -> None:
    """Refuse what is no emoji: letters, digits without a keycap, spaces, only joiners."""
    signs = [sign for sign in typed if sign not in _JOINERS]
    keycap = "\u20e3" in typed and len(signs) == 1 and signs[0] in _KEYCAPS
    categories = [unicodedata.category(sign) for sign in signs if not sign.isascii()]
    pictured = _PICTURES | ({"Po"} if "\ufe0f" in typed else set())
    pictures = bool(signs) and len(categories) == len(signs) and pictured.issuperset(categories)
    if not (keycap or (pictures and categories[0] != "Cf")):
        raise BadRequest("emoji")
