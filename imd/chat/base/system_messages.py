"""System messages: what happens in a group is a message of kind `notice`, numbered and told like any other."""

from typing import Any

import msgspec

from imd.chat.base.context import Caller
from imd.chat.base.effects import Outcome
from imd.chat.base.render import Recipients, message_added
from imd.store import conversations, messages, receipts
from imd.store.transaction import Tx
from imd.wire.groups import Noticed
from imd.wire.messages import Happened, Notice


def notice(tx: Tx, caller: Caller, group: conversations.Membership, what: Happened, **more: Any) -> Outcome[Noticed]:
    """Append what the caller did to the group's conversation, and tell the members. A notice never burns or expires."""
    content = msgspec.json.encode(Notice(what=what, by=caller.username, **more)).decode()
    row = messages.append(
        tx,
        messages.Message(
            conversation=group.conversation,
            seq=0,
            rev=0,
            sender_id=caller.account,
            sender=caller.username,
            client_id=None,
            time=caller.now,
            kind="notice",
            content=content,
        ),
    )
    receipts.follow_own(tx, row.conversation, caller.account, row.seq)
    told = message_added(Recipients(row.conversation, handle=f"#{group.handle}"), row)
    return Outcome(Noticed(conversation=row.conversation, seq=row.seq, rev=row.rev), told=told)


def unchanged(group: conversations.Membership) -> Outcome[Noticed]:
    """Answer that there was nothing to change."""
    return Outcome(Noticed(conversation=group.conversation, seq=group.last_seq, rev=group.last_rev))
