"""A group with one of each role, an outsider, and somebody who is banned."""

import attrs
import msgspec

from imd.chat.base.context import Caller
from imd.store import conversations
from imd.wire.base import Command
from imd.wire.groups import GroupCreate, GroupSet
from imd.wire.members import GroupBan, GroupJoin, GroupRole
from imd.wire.messages import Notice
from imd.wire.refusals import Refusal
from tests.chat.rules import Rules

decode = msgspec.json.Decoder(Notice).decode

ROLES = {"ann": "owner", "bob": "admin", "cid": "member", "dee": "reader", "eve": "", "fox": "banned"}


@attrs.define
class Team:
    """#team: Ann owns it, Bob is an admin, Cid a member, Dee a reader; Eve is not in it, Fox is banned."""

    rules: Rules
    people: dict[str, Caller]
    conversation: int = 0

    def __attrs_post_init__(self) -> None:
        self.conversation = self.asks("ann", GroupCreate(handle="#team", title="The team", join_mode="open"))
        for name in ("bob", "cid", "dee"):
            self.asks(name, GroupJoin(to="#team"))
        self.asks("ann", GroupRole(to="#team", username="bob", role="admin"))
        self.asks("ann", GroupRole(to="#team", username="dee", role="reader"))
        self.asks("ann", GroupBan(to="#team", username="fox"))

    def asks(self, name: str, command: Command) -> int:
        """Run a command; gives the conversation it answers with, if any."""
        self.rules.now += 1000
        return getattr(self.rules.asks(self.people[name], command), "conversation", 0)

    def refused(self, name: str, command: Command) -> Refusal:
        return self.rules.refuses(self.people[name], command)

    def set(self, **settings: object) -> None:
        self.asks("ann", GroupSet(to="#team", **settings))

    def standing(self, name: str) -> conversations.Membership:
        """Give the group as an account sees it."""
        row = conversations.membership(self.rules.tx, self.conversation, self.people[name].account)
        assert row is not None
        return row

    def roles(self) -> dict[str, str]:
        """Give the members with their roles."""
        return {name: row.role for name in self.people if (row := self.standing(name)).role}

    def notices(self) -> list[Notice]:
        """Give all system messages."""
        rows = self.rules.tx.execute(
            "SELECT content FROM message WHERE conversation = ? AND kind = 'notice' ORDER BY seq", (self.conversation,)
        )
        return [decode(row[0]) for row in rows.fetchall()]

    def last_notice(self) -> tuple[str, str, str | None, str | None]:
        """Give the last system message: what, by whom, to whom, with which value."""
        last = self.notices()[-1]
        return last.what, last.by, last.who, last.role or last.value
