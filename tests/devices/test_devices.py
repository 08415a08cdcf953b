"""Three people, two devices each, and whatever they do: every device shows what the server keeps, and the same badges.

Devices come and go. One that is online lives on events alone, and fetches only what a gap in `rev` or `n` tells it is
missing; one that was away catches up. After every step each device's copies are compared with the whole history as the
server gives it, and the badges with a recount.
"""

from collections.abc import Iterator
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from imd.testing import MemoryServer, Terminal
from tests.devices.device import Device

NAMES = ("ann", "bob", "小明")
PEOPLE = some.sampled_from(NAMES)
WHERE = some.sampled_from(["#team", *NAMES])
SEQ = some.integers(0, 5)
"""Which message is meant: 0 is the latest; some are not there."""
EMOJI = some.sampled_from(["👍", "❤️"])
WORDS = some.sampled_from(["hi", "你好 @小明", "@bob see\nthis", "@all"])


class People(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.server = MemoryServer()
        self.terminals: dict[str, Terminal] = {name: self.server.login(name, replay=False) for name in NAMES}
        """One more connection each, to look at the truth with."""

        self.devices = [Device(self.server, name) for name in NAMES for _ in range(2)]

    def teardown(self) -> None:
        self.server.stop()

    def asks(self, name: str, action: str, **fields: Any) -> dict[str, Any]:
        """Let somebody do something: on a device of theirs that is online, else from elsewhere."""
        self.server.clock.advance(0.001)
        online = next((each for each in self.devices if each.username == name and each.online), None)
        return online.asks(action, **fields) if online else self.terminals[name].call(action, **fields)

    # -- what people do

    @initialize(online=some.sets(some.integers(0, 5)))
    def they_have_talked_before(self, online: set[int]) -> None:
        for index in online:
            self.devices[index].connect()
        self.asks("ann", "group_create", handle="#team", title="The team")
        self.asks("ann", "group_set", to="#team", join_mode="open", history="joined")
        self.asks("bob", "group_join", to="#team")
        for talk in ("ann bob", "bob ann", "小明 ann", "ann #team", "bob #team", "bob bob"):
            name, to = talk.split()
            self.asks(name, "send_message", to=to, content=f"from {name}")

    @rule(index=some.integers(0, 5))
    def come_or_go(self, index: int) -> None:
        device = self.devices[index]
        if device.online:
            device.leave()
        else:
            device.connect()

    @rule(name=PEOPLE, to=WHERE, content=WORDS)
    def send(self, name: str, to: str, content: str) -> None:
        self.server.clock.advance(0.5)  # not too fast
        self.asks(name, "send_message", to=to, content=content)

    @rule(name=PEOPLE, to=WHERE, seq=SEQ, content=WORDS)
    def edit(self, name: str, to: str, seq: int, content: str) -> None:
        self.asks(name, "edit_message", to=to, seq=seq, content=content)

    @rule(name=PEOPLE, to=WHERE, seq=SEQ)
    def recall(self, name: str, to: str, seq: int) -> None:
        self.asks(name, "recall_message", to=to, seq=seq)

    @rule(name=PEOPLE, to=WHERE, seq=SEQ, emoji=EMOJI, on=some.booleans())
    def react(self, name: str, to: str, seq: int, emoji: str, on: bool) -> None:
        self.asks(name, "react" if on else "unreact", to=to, seq=seq, emoji=emoji)

    @rule(name=PEOPLE, to=WHERE, seq=SEQ, on=some.booleans())
    def pin(self, name: str, to: str, seq: int, on: bool) -> None:
        self.asks(name, "pin" if on else "unpin", to=to, seq=seq)

    @rule(name=PEOPLE, to=WHERE, seconds=some.integers(1, 3))
    def send_to_burn(self, name: str, to: str, seconds: int) -> None:
        self.asks(name, "send_message", to=to, content="burn this", burn_after=seconds)

    @rule(seconds=some.integers(1, 3))
    def time_passes(self, seconds: int) -> None:
        self.server.pass_time(seconds)

    @rule(name=PEOPLE, to=WHERE, seq=some.integers(0, 8), reading=some.booleans())
    def move_a_pointer(self, name: str, to: str, seq: int, reading: bool) -> None:
        self.asks(name, "read" if reading else "ack", to=to, seq=seq)

    @rule(name=PEOPLE, to=WHERE, seq=SEQ)
    def hide(self, name: str, to: str, seq: int) -> None:
        self.asks(name, "delete_for_me", to=to, seq=seq)

    @rule(name=PEOPLE, to=WHERE)
    def clear(self, name: str, to: str) -> None:
        self.asks(name, "clear_history", to=to)

    @rule(name=PEOPLE)
    def join(self, name: str) -> None:
        self.asks(name, "group_join", to="#team")

    @rule(name=some.sampled_from(NAMES[1:]))
    def leave(self, name: str) -> None:
        self.asks(name, "group_leave", to="#team")

    @rule(name=PEOPLE, who=PEOPLE)
    def kick(self, name: str, who: str) -> None:
        self.asks(name, "group_kick", to="#team", username=who)

    # -- what must hold

    def truth(self, name: str) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """Give what the server says when asked for everything: each conversation with its whole history."""
        for listed in self.terminals[name].call("conversations")["conversations"]:
            messages, more = [], True
            while more:
                after = messages[-1]["seq"] if messages else 0
                page = self.terminals[name].call("history", conversation=listed["conversation"], after=after, limit=50)
                messages += page["messages"]
                more = page["more"]
            yield listed, messages

    @invariant()
    def every_device_shows_what_the_server_keeps(self) -> None:
        self.server.clock.advance(10)  # the requests of this look must not count as too fast
        for name in NAMES:
            truth = {listed["conversation"]: (listed, messages) for listed, messages in self.truth(name)}
            for device in self.devices:
                if device.username == name and device.online:
                    device.hear()
                    shown = {number: copy for number, copy in device.copies.items() if number in truth}
                    assert shown.keys() == truth.keys()
                    for number, (listed, messages) in truth.items():
                        copy = shown[number]
                        assert [copy.messages[seq] for seq in sorted(copy.messages)] == messages
                        # What changed in a group before one joined is not told, and is a gap to the next event.
                        unseen = listed["last_rev"] - copy.rev
                        assert unseen == 0 or (unseen > 0 and listed["kind"] == "group")
                        assert copy.read_seq == listed["read_seq"]
                        assert copy.unread(name) == listed["unread"]

    @invariant()
    def badges_are_what_a_recount_says(self) -> None:
        for name in NAMES:
            for listed, messages in self.truth(name):
                later = [each for each in messages if each["seq"] > listed["read_seq"] and each["sender"] != name]
                assert listed["unread"] == len(later)
                assert listed["mentions"] == sum(bool({name, "all"} & {*each.get("mentions", [])}) for each in later)
                assert listed["read_seq"] <= listed["delivered_seq"] <= listed["last_seq"]
                assert (listed["last"] or None) == (messages[-1] if messages else None)

    @invariant()
    def nothing_that_is_gone_says_anything(self) -> None:
        for name in NAMES:
            for _, messages in self.truth(name):
                for each in messages:
                    if "recalled" in each or "burned" in each:
                        assert (each["content"], each.get("reactions"), each.get("pinned")) == ("", None, None)


TestPeople = People.TestCase
# Shrinking a failure of a whole server takes minutes; the steps that failed are printed as they are.
TestPeople.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)
