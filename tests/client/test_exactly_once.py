"""Everything is there once, in order, whatever happens in between: lost connections, restarts, a kill at any statement.

Hypothesis chooses the faults; then everything recovers, and the client's copy must be the server's conversation.
"""

import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
from hypothesis import example, given
from hypothesis import strategies as some
from imd_client import Arrived, Bot, State

from imd.testing import PASSWORD, MemoryServer, Terminal
from imd.wire.messages import SendMessage
from tests.client.killable import KillableConnection, Killed
from tests.client.network import Network, Person, person

ANN, BOB = "ann", "bob"


@attrs.define
class World:
    """A server, ann with our client and a state file, and bob, who types at a terminal."""

    path: Path
    network: Network = attrs.Factory(lambda: Network(MemoryServer()))
    lives: list[Person] = attrs.Factory(list)
    written: int = 0
    kept: list[int] = attrs.Factory(list)
    """Which of ann's own messages her outbox took."""

    bob: Terminal = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.bob = self.network.server.login(BOB)
        self.network.server.login(ANN).hang_up()
        self.bob.call("send_message", to=ANN, content="from bob 0")
        self.begin()
        self.network.settle()

    def begin(self) -> None:
        """Start ann's client, again, on what is in its file."""
        ann = person(self.network, ANN, State(self.path, KillableConnection))
        self.lives.append(ann)

    @property
    def ann(self) -> Person:
        return self.lives[-1]

    @property
    def sqlite(self) -> KillableConnection:
        connection = self.ann.client.account.state._sqlite
        assert isinstance(connection, KillableConnection)
        return connection

    def kill(self) -> None:
        """End ann's process; what it wrote to the network in its last moment is lost with it."""
        self.sqlite.statements_left = 0
        for link in self.network.links:
            link.terminal.hang_up()
        self.network = Network(self.network.server)
        self.sqlite.close()

    def fault(self, kind: str, number: int) -> None:
        """Do one thing to them."""
        if kind == "ann writes":
            self.written += 1
            number = self.written
            self.ann.client.outbox.queue(SendMessage(to=BOB, content=f"from ann {number}"))
            self.kept.append(number)
        elif kind == "bob writes":
            self.written += 1
            self.bob.call("send_message", to=ANN, content=f"from bob {self.written}")
        elif kind == "up":
            for link in self.network.links:
                link.to_server()
            self.network.turn()
        elif kind == "down":
            for link in self.network.links:
                if not link.cut_off:
                    link.to_client(number * 20)
            self.network.turn()
        elif kind == "time":
            self.network.server.pass_time(number / 10)
            self.network.clock.advance(number / 10)
        elif kind == "cut":
            self.network.cut()
        elif kind == "kill":
            self.kill()
            self.begin()
        elif kind == "doom":
            self.sqlite.statements_left = number

    def suffer(self, kind: str, number: int) -> None:
        """Do one thing to them; if it meets the end of the process, start another."""
        with suppress(Killed):
            self.fault(kind, number)
        if self.sqlite.statements_left <= 0:
            self.kill()
            self.begin()

    def endure(self, faults: list[tuple[str, int]]) -> None:
        """Take all of it, and come to rest."""
        for kind, number in faults:
            self.suffer(kind, number)
        self.sqlite.statements_left = float("inf")
        self.network.pass_time(40)

    def end(self) -> None:
        """Let all lives go, so that nothing of them is left waiting."""
        for life in self.lives:
            life.client.stopService()
            life.network.cut()
        self.sqlite.close()

    def conversation(self) -> list[str]:
        """Give the server's conversation: what was said, in order."""
        page = self.bob.call("history", to=ANN, limit=200)
        return [f"{each['sender']}: {each['content']}" for each in page["messages"]]

    def copy(self) -> list[str]:
        """Give ann's copy of it."""
        return [f"{each.sender}: {each.content}" for each in self.ann.client.account.after(1, 0)]


def faults(*kinds: str) -> Any:
    return some.lists(some.tuples(some.sampled_from(kinds), some.integers(1, 40)), max_size=40)


ANY = ("ann writes", "bob writes", "up", "up", "down", "down", "time", "cut", "kill")
LOST_ANSWER = [("ann writes", 1), ("up", 1), ("kill", 1)]
STOPPED_MIDWAY = [("bob writes", 1), ("down", 40), ("doom", 5), ("time", 1), ("bob writes", 1)]


@given(faults(*ANY, "doom"))
@example(LOST_ANSWER)
@example(STOPPED_MIDWAY)
def test_the_copy_is_the_conversation(faults: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory) / "state")
        world.endure(faults)
        conversation = world.conversation()
        assert world.copy() == conversation
        assert [text for text, times in Counter(conversation).items() if times > 1] == []
        mine = [int(text.split()[-1]) for text in conversation if text.startswith(ANN)]
        assert mine == sorted(mine)
        assert set(world.kept) <= set(mine)
        assert world.ann.client.account.waiting() == []
        world.end()


@given(faults(*ANY))
@example(LOST_ANSWER)
def test_each_message_is_told_once_over_all_lives(faults: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory) / "state")
        world.endure(faults)
        told = [message.message.seq for life in world.lives for message in life.of(Arrived)]
        assert sorted(told) == list(range(1, len(world.conversation()) + 1))
        world.end()


class BotWorld(World):
    """The same with ann as a bot."""

    def begin(self) -> None:
        bot = Bot(
            ANN, PASSWORD, state=State(self.path, KillableConnection), reactor=self.network.clock, endpoint=self.network
        )
        bot.hears(lambda message: f"You said: {message.content}")
        bot.startService()
        self.lives.append(Person(bot, self.network, []))


@given(faults("bob writes", "up", "down", "time", "cut", "kill", "doom"))
@example(STOPPED_MIDWAY)
def test_a_bot_answers_each_message_once(faults: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = BotWorld(Path(directory) / "state")
        world.endure(faults)
        conversation = world.conversation()
        heard = [text.removeprefix("bob: ") for text in conversation if text.startswith(BOB)]
        assert [text for text in conversation if text.startswith(ANN)] == [f"ann: You said: {each}" for each in heard]
        assert len(heard) == world.written + 1
        world.end()
