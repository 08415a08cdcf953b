"""Three people with two devices each do what they like; whatever they do, section 6 of the contract holds.

After every step each device's copy, brought up to date by sync from its own cursor, is the conversation's log; pointers
have only grown; and unread is what a recount says.
"""

from collections import defaultdict
from typing import Any

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from imd.chat.base.context import Caller
from imd.wire.conversations import ListConversations, Sync
from imd.wire.messages import Message, SendMessage
from imd.wire.receipts import Ack, Read
from imd.wire.refusals import BadRequest, Conflict, NoSuchConversation
from tests.chat.rules import Rules

NAMES = ("ann", "bob", "小明")
PEOPLE = some.sampled_from(NAMES)
LABELS = ("phone", "laptop")
WORDS = some.sampled_from(["hi", "你好", "line one\nline two", "x" * 300])

Pair = frozenset[str]


@attrs.define
class Log:
    """One conversation, as it must be."""

    conversation: int
    entries: list[tuple[str, str]] = attrs.field(factory=list)
    """(sender, content); the seq is the index, from 1."""

    delivered: dict[str, int] = attrs.field(factory=lambda: defaultdict(int))
    read: dict[str, int] = attrs.field(factory=lambda: defaultdict(int))


@attrs.define
class Copy:
    """What one device keeps of one conversation."""

    messages: dict[int, Message] = attrs.field(factory=dict)
    rev: int = 0

    def take(self, changes: Any) -> None:
        for message in changes.messages:
            assert message.rev > self.rev, "nothing comes twice"
            self.messages[message.seq] = message
        self.rev = max(self.rev, changes.rev)


class Talk(RuleBasedStateMachine):
    sent = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        self.rules = Rules()
        self.people: dict[str, Caller] = {name: self.rules.person(name) for name in NAMES}
        self.logs: dict[Pair, Log] = {}
        self.copies: dict[tuple[tuple[str, str], Pair], Copy] = defaultdict(Copy)
        self.numbers = 0

    def teardown(self) -> None:
        self.rules.tx.close()

    def asks(self, name: str, command: Any) -> Any:
        self.rules.now += 1
        return self.rules.asks(self.people[name], command)

    def log(self, one: str, other: str) -> Log | None:
        return self.logs.get(frozenset({one, other}))

    # -- what people do

    @initialize(count=some.integers(0, 4))
    def they_have_talked_before(self, count: int) -> None:
        for name, to in (("ann", "bob"), ("bob", "ann"), ("小明", "ann")) * count:
            self.send(name, to, "hello", answering=False)

    @rule(target=sent, name=PEOPLE, to=PEOPLE, content=WORDS, answering=some.booleans())
    def send(self, name: str, to: str, content: str, answering: bool) -> tuple[str, SendMessage, Any]:
        log = self.log(name, to)
        self.numbers += 1
        reply_to = len(log.entries) if log and answering else None
        command = SendMessage(to=to, content=content, client_id=f"{self.numbers}", reply_to=reply_to)
        reply = self.asks(name, command)
        log = self.logs.setdefault(frozenset({name, to}), Log(reply.conversation))
        log.entries.append((name, content))
        if log.delivered[name] == len(log.entries) - 1:
            log.delivered[name] = len(log.entries)
        assert not reply.duplicate
        assert (reply.conversation, reply.seq, reply.rev) == (log.conversation, len(log.entries), len(log.entries))
        return name, command, reply

    @rule(earlier=sent)
    def send_again(self, earlier: tuple[str, SendMessage, Any]) -> None:
        name, command, reply = earlier
        again = self.asks(name, command)
        assert again.duplicate
        assert (again.conversation, again.seq, again.rev, again.time) == (
            reply.conversation,
            reply.seq,
            reply.rev,
            reply.time,
        )

    @rule(earlier=sent, to=PEOPLE, content=WORDS)
    def send_something_else_under_the_same_id(
        self, earlier: tuple[str, SendMessage, Any], to: str, content: str
    ) -> None:
        name, command, _ = earlier
        if (to, content) != (command.to, command.content):
            other = SendMessage(to=to, content=content, client_id=command.client_id, reply_to=command.reply_to)
            with pytest.raises(Conflict):
                self.asks(name, other)

    def membership(self, pick: int) -> tuple[str, str, Pair]:
        """Pick a person who has a conversation, and the other one in it."""
        every = [(name, next(iter(pair - {name}), name), pair) for pair in self.logs for name in sorted(pair)]
        return every[pick % len(every)]

    @precondition(lambda self: self.logs)
    @rule(pick=some.integers(0, 8), behind=some.integers(-1, 4), reading=some.booleans())
    def move_a_pointer(self, pick: int, behind: int, reading: bool) -> None:
        name, other, pair = self.membership(pick)
        log = self.logs[pair]
        seq = max(0, len(log.entries) - behind)
        command = (Read if reading else Ack)(to=other, seq=seq)
        if seq > len(log.entries):
            with pytest.raises(BadRequest):
                self.asks(name, command)
        else:
            self.asks(name, command)
            log.delivered[name] = max(log.delivered[name], seq)
            if reading:
                log.read[name] = max(log.read[name], seq)

    @rule(name=PEOPLE, other=PEOPLE)
    def ask_for_a_conversation_that_is_not_there(self, name: str, other: str) -> None:
        if self.log(name, other) is None:
            for command in (Ack(to=other, seq=0), Read(to=other, seq=0), Sync(to=other, after_rev=0)):
                with pytest.raises(NoSuchConversation):
                    self.asks(name, command)

    @rule(name=PEOPLE)
    def read_everything(self, name: str) -> None:
        self.asks(name, Read(conversation=0, seq=None))
        for pair, log in self.logs.items():
            if name in pair:
                log.read[name] = max(log.read[name], log.delivered[name])

    @precondition(lambda self: self.logs)
    @rule(pick=some.integers(0, 8), label=some.sampled_from(LABELS), limit=some.integers(1, 4))
    def sync_a_page(self, pick: int, label: str, limit: int) -> None:
        name, other, pair = self.membership(pick)
        copy = self.copies[(name, label), pair]
        copy.take(self.asks(name, Sync(to=other, after_rev=copy.rev, limit=limit)))

    # -- what must hold

    @invariant()
    def every_copy_caught_up_is_the_log(self) -> None:
        for pair, log in self.logs.items():
            for name in pair:
                other = next(iter(pair - {name}), name)
                for label in LABELS:
                    kept = self.copies[(name, label), pair]
                    copy = Copy(dict(kept.messages), kept.rev)
                    more = True
                    while more:
                        changes = self.asks(name, Sync(to=other, after_rev=copy.rev, limit=3))
                        copy.take(changes)
                        more = changes.more
                    assert list(copy.messages) == sorted(copy.messages)
                    assert [
                        (copy.messages[seq].sender, copy.messages[seq].content) for seq in copy.messages
                    ] == log.entries
                    assert list(copy.messages) == list(range(1, len(log.entries) + 1))
                    assert copy.rev == len(log.entries)

    @invariant()
    def unread_and_pointers_are_what_a_recount_says(self) -> None:
        for name in NAMES:
            listed = {each.conversation: each for each in self.asks(name, ListConversations()).conversations}
            mine = {log.conversation: log for pair, log in self.logs.items() if name in pair}
            assert listed.keys() == mine.keys()
            for conversation, log in mine.items():
                row = listed[conversation]
                later = log.entries[log.read[name] :]
                assert row.unread == sum(sender != name for sender, _ in later)
                assert (row.delivered_seq, row.read_seq) == (log.delivered[name], log.read[name])
                assert row.read_seq <= row.delivered_seq <= row.last_seq == len(log.entries)


TestTalk = Talk.TestCase
TestTalk.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
