"""Five people do with two groups what they like; whatever they do, what is told and what is kept agree.

After every step each group has one owner and as many members as it says; who follows it is who is in it, each from the
first message they may see; and a device that only listens, and syncs when its account joins, has what the server has.
"""

from collections import defaultdict
from typing import Any

import attrs
from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from imd.chat import groups
from imd.chat.base.context import Caller
from imd.chat.base.effects import EVERYBODY, Follow, Followers, Outcome, Topic, Unfollow
from imd.chat.base.limits import Limits
from imd.chat.base.presence import topics
from imd.wire.conversations import History, ListConversations, Sync
from imd.wire.groups import GroupCreate, GroupDelete, GroupDeleted, GroupSet
from imd.wire.invitations import GroupApprove, GroupInvite, GroupLink
from imd.wire.members import (
    GroupBan,
    GroupJoin,
    GroupKick,
    GroupLeave,
    GroupMute,
    GroupRole,
    GroupTransfer,
    GroupUnban,
)
from imd.wire.messages import EditMessage, Message, RecallMessage, SendMessage
from imd.wire.personal import AccountChanged, ClearHistory
from imd.wire.reactions import React
from imd.wire.receipts import Read
from imd.wire.refusals import Refusal
from tests.chat.rules import Rules

NAMES = ("ann", "bob", "cid", "dee", "eve")
PEOPLE = some.sampled_from(NAMES)
GROUPS = some.sampled_from(("#one", "#two"))
MODES = some.sampled_from(("open", "request", "invite"))


@attrs.define
class Device:
    """Listens to what one account is told."""

    copies: dict[int, dict[int, tuple[Any, ...]]] = attrs.field(factory=dict)


def kept(message: Message) -> tuple[Any, ...]:
    """Give what a device keeps of a message: all but its client_id, and which event brought it."""
    return (message.rev, message.sender, message.content, message.edited, message.recalled, message.reactions)


class Town(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.rules = Rules(Limits(edit_seconds=0))
        self.people: dict[str, Caller] = {name: self.rules.person(name) for name in NAMES}
        self.devices: dict[int, Device] = {caller.account: Device() for caller in self.people.values()}
        self.followers: dict[Topic, dict[int, int]] = defaultdict(dict)
        self.codes = ["none"]

    def teardown(self) -> None:
        self.rules.tx.close()

    def does(self, name: str, command: Any) -> Any:
        """Run a command, and let it be told. Gives its reply; None where it was refused."""
        self.rules.now += 1000
        try:
            outcome = self.rules.does(self.people[name], command)
        except Refusal:
            return None
        self.spread(outcome)
        return outcome.reply

    def spread(self, outcome: Outcome[Any]) -> None:
        """Tell as the server does: an account that begins to follow is told already, one that ceases still is."""
        for effect in outcome.effects:
            if isinstance(effect, Follow):
                self.followers[effect.topic][effect.account] = effect.seq
        for to, event in outcome.told:
            for account in self.told(to):
                self.hear(account, event)
        for effect in outcome.effects:
            if isinstance(effect, Unfollow) and effect.account == EVERYBODY:
                self.followers[effect.topic].clear()
            elif isinstance(effect, Unfollow):
                self.followers[effect.topic].pop(effect.account, None)

    def told(self, to: Any) -> list[int]:
        if not isinstance(to, Followers):
            return list(to)
        found = [account for account, seq in self.followers[to.topic].items() if seq < to.seq and account != to.besides]
        return [account for account in found if to.only in (0, account)]

    def hear(self, account: int, event: Any) -> None:
        copies = self.devices[account].copies
        if isinstance(event, Message) and event.conversation in copies:
            copies[event.conversation][event.seq] = kept(event)
        elif isinstance(event, GroupDeleted):
            copies.pop(event.conversation, None)
        elif isinstance(event, AccountChanged) and event.what == "joined":
            copies[event.conversation] = self.synced(account, event.conversation)
        elif isinstance(event, AccountChanged) and event.what == "left":
            copies.pop(event.conversation, None)
        elif isinstance(event, AccountChanged) and event.what == "cleared":
            copies[event.conversation] = {}

    def synced(self, account: int, conversation: int) -> dict[int, tuple[Any, ...]]:
        [caller] = [caller for caller in self.people.values() if caller.account == account]
        page = self.rules.asks(caller, Sync(conversation=conversation, after_rev=0, limit=500))
        assert not page.more
        return {each.seq: kept(each) for each in page.messages}

    # -- what people do

    @initialize(modes=some.tuples(MODES, MODES))
    def two_groups(self, modes: tuple[Any, Any]) -> None:
        for name, handle, mode in (("ann", "#one", modes[0]), ("bob", "#two", modes[1])):
            self.does(name, GroupCreate(handle=handle, join_mode=mode))
            self.does(name, GroupInvite(to=handle, username="cid"))
            self.does("cid", GroupJoin(to=handle))

    @rule(name=PEOPLE, handle=GROUPS, mode=MODES)
    def create(self, name: str, handle: str, mode: Any) -> None:
        self.does(name, GroupCreate(handle=handle, join_mode=mode))

    @rule(name=PEOPLE, handle=GROUPS, mode=MODES, history=some.sampled_from(("all", "joined")))
    def set(self, name: str, handle: str, mode: Any, history: Any) -> None:
        self.does(name, GroupSet(to=handle, join_mode=mode, history=history))

    @rule(name=PEOPLE, handle=GROUPS, pick=some.integers(0, 9))
    def join(self, name: str, handle: str, pick: int) -> None:
        self.does(name, GroupJoin(to=handle, code=self.codes[pick % len(self.codes)]))

    @rule(name=PEOPLE, handle=GROUPS)
    def leave(self, name: str, handle: str) -> None:
        self.does(name, GroupLeave(to=handle))

    @rule(name=PEOPLE, handle=GROUPS)
    def link(self, name: str, handle: str) -> None:
        if made := self.does(name, GroupLink(to=handle)):
            self.codes.append(made.join_code)

    @rule(
        name=PEOPLE,
        handle=GROUPS,
        other=PEOPLE,
        shape=some.sampled_from((GroupInvite, GroupApprove, GroupKick, GroupBan, GroupUnban, GroupTransfer)),
    )
    def about_another(self, name: str, handle: str, other: str, shape: Any) -> None:
        self.does(name, shape(to=handle, username=other))

    @rule(name=PEOPLE, handle=GROUPS, other=PEOPLE, role=some.sampled_from(("admin", "member", "reader")))
    def role(self, name: str, handle: str, other: str, role: Any) -> None:
        self.does(name, GroupRole(to=handle, username=other, role=role))

    @rule(name=PEOPLE, handle=GROUPS, other=PEOPLE, seconds=some.sampled_from((0, 3)))
    def mute(self, name: str, handle: str, other: str, seconds: int) -> None:
        self.does(name, GroupMute(to=handle, username=other, seconds=seconds))

    @rule(name=PEOPLE, handle=GROUPS)
    def send(self, name: str, handle: str) -> None:
        self.does(name, SendMessage(to=handle, content="hello @all and @bob"))

    @rule(name=PEOPLE, handle=GROUPS, seq=some.integers(0, 9))
    def change(self, name: str, handle: str, seq: int) -> None:
        self.does(name, React(to=handle, seq=seq, emoji="👍"))
        self.does(name, EditMessage(to=handle, seq=0, content="better"))
        if seq == 9:
            self.does(name, RecallMessage(to=handle, seq=0))

    @rule(name=PEOPLE, handle=GROUPS, clear=some.booleans())
    def read(self, name: str, handle: str, clear: bool) -> None:
        self.does(name, ClearHistory(to=handle) if clear else Read(to=handle, seq=None))

    @rule(name=PEOPLE, handle=GROUPS)
    def delete(self, name: str, handle: str) -> None:
        self.does(name, GroupDelete(to=handle))

    @rule()
    def purge(self) -> None:
        done = self.rules.in_transaction(lambda tx: groups.purge(tx, self.rules.now))
        self.spread(Outcome(None, told=done.told))

    # -- what must hold

    @invariant()
    def each_group_has_one_owner_and_the_members_it_says(self) -> None:
        rows = self.rules.tx.execute(
            "SELECT c.id, c.handle, c.members, count(m.account), count(CASE WHEN m.role = 'owner' THEN 1 END),"
            " max(m.banned) FROM conversation c LEFT JOIN member m ON m.conversation = c.id AND m.left_seq IS NULL"
            " GROUP BY c.id"
        ).fetchall()
        for _, handle, members, counted, owners, banned in rows:
            assert members == counted
            assert (owners, banned) == ((1, 0) if handle else (0, None))

    @invariant()
    def nobody_waits_at_the_door_who_is_in_or_kept_out(self) -> None:
        both = self.rules.tx.execute(
            "SELECT * FROM pending p JOIN member m ON m.conversation = p.conversation AND m.account = p.account"
            " WHERE m.left_seq IS NULL OR m.banned = 1"
        )
        assert both.fetchall() == []

    @invariant()
    def who_follows_is_who_is_in_it(self) -> None:
        for caller in self.people.values():
            following = {
                topic: them[caller.account] for topic, them in self.followers.items() if caller.account in them
            }
            assert following == topics(self.rules.tx, caller.account)

    @invariant()
    def what_a_device_heard_is_what_there_is(self) -> None:
        for caller in self.people.values():
            listed = self.rules.asks(caller, ListConversations()).conversations
            copies = self.devices[caller.account].copies
            assert {each.conversation for each in listed} == copies.keys()
            for each in listed:
                page = self.rules.asks(caller, History(conversation=each.conversation, limit=200)).messages
                assert {message.seq: kept(message) for message in page} == copies[each.conversation]
                assert each.unread == sum(
                    message.seq > each.read_seq and message.sender != caller.username for message in page
                )


TestTown = Town.TestCase
TestTown.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
