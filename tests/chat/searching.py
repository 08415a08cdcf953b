"""What the tests of search share: groups, members who join and leave, and an index that is brought up to date."""

from typing import Any

from imd.chat.base.context import Caller
from imd.chat.search import PAUSE, index
from imd.store import conversations as rows
from imd.wire.messages import SendMessage
from imd.wire.search import Found
from tests.chat.rules import Rules


def bring_up_to_date(rules: Rules) -> None:
    """Take everything into the index, and have it check itself."""
    while rules.in_transaction(lambda tx: index(tx, rules.now)).again == rules.now + PAUSE:
        pass
    rules.tx.execute("INSERT INTO search_index (search_index) VALUES ('integrity-check')")


def contents(found: Found) -> list[str]:
    return [each.content for each in found.messages]


def send(rules: Rules, caller: Caller, to: str, content: str, **fields: Any) -> Any:
    rules.now += 1
    return rules.asks(caller, SendMessage(to=to, content=content, **fields))


def group(rules: Rules, handle: str, *people: Caller) -> int:
    """Make a group."""
    rules.tx.execute(
        "INSERT INTO conversation (kind, handle, last_seq, last_rev, created) VALUES ('group', ?, 0, 0, 0)", (handle,)
    )
    for each in people:
        join(rules, handle, each)
    row = rows.by_handle(rules.tx, handle, 0)
    assert row is not None
    return row.conversation


def join(rules: Rules, handle: str, caller: Caller) -> None:
    """Add a member who sees nothing of what was said before."""
    row = rows.by_handle(rules.tx, handle, caller.account)
    assert row is not None
    rows.add_member(rules.tx, row, caller.account, "member", row.last_seq, rules.now)


def leave(rules: Rules, handle: str, caller: Caller) -> None:
    """Let a member leave."""
    row = rows.by_handle(rules.tx, handle, caller.account)
    assert row is not None
    rows.set_member(rules.tx, row.conversation, caller.account, left_seq=row.last_seq)
