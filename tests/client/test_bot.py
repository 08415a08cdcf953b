"""Bots: a handler's answer goes out once, and its faults cost one answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from imd_client import Bot, State
from twisted.internet.defer import Deferred

from imd.testing import PASSWORD
from imd.wire.messages import Message
from imd.wire.receipts import Receipt
from tests.client.network import Network, Person
from tests.conftest import LoggedFailures

Join = Callable[..., Person]


@pytest.fixture
def bot(network: Network) -> Bot:
    return Bot("echo", PASSWORD, state=State(), reactor=network.clock, endpoint=network)


def start(bot: Bot, network: Network) -> None:
    bot.startService()
    network.settle()


def test_it_answers(network: Network, bot: Bot, join: Join) -> None:
    @bot.hears
    def echo(message: Message) -> str | None:
        return None if message.content == "silence" else f"You said: {message.content}"

    start(bot, network)
    ann = join("ann")
    for text in ("hi", "silence", "bye"):
        ann.send("echo", text)
    assert [text for text in ann.texts() if text.startswith("echo")] == ["echo: You said: hi", "echo: You said: bye"]


def test_it_answers_what_came_before_it_started(network: Network, bot: Bot, join: Join) -> None:
    network.server.login("echo").hang_up()
    ann = join("ann")
    ann.send("echo", "early")
    bot.hears(lambda message: message.content.upper())
    start(bot, network)
    assert ann.texts() == ["ann: early", "echo: EARLY"]


def test_an_async_handler_takes_its_time_and_misses_nothing(network: Network, bot: Bot, join: Join) -> None:
    waiting: list[Deferred[str]] = []

    @bot.hears
    async def slow(message: Message) -> str:
        waiting.append(Deferred())
        return f"{message.content} {await waiting[-1]}"

    start(bot, network)
    ann = join("ann")
    for text in ("one", "two", "three"):
        ann.send("echo", text)
    for count in range(1, 4):
        assert len(waiting) == count
        waiting[-1].callback("done")
        network.settle()
    assert ann.texts()[3:] == ["echo: one done", "echo: two done", "echo: three done"]


def test_a_fault_costs_one_answer(network: Network, bot: Bot, join: Join, logged_failures: LoggedFailures) -> None:
    @bot.hears
    def fragile(message: Message) -> str:
        return str(1 // int(message.content))

    start(bot, network)
    ann = join("ann")
    for text in ("0", "1"):
        ann.send("echo", text)
    assert ann.texts()[2:] == ["echo: 1"]
    logged_failures.expect(1)


def test_what_was_handled_is_read(network: Network, bot: Bot, join: Join) -> None:
    start(bot, network)
    other = join("echo")
    join("ann").send("echo", "hi")
    network.pass_time(3)
    assert [(each.to, each.read_seq) for each in other.of(Receipt)][-1] == ("ann", 1)


def test_defaults_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMD_SERVER", "chat.example")
    monkeypatch.setenv("IMD_PASSWORD", "a secret of its own")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    bot = Bot("Echo")
    assert (bot.account.server, bot.account.username) == ("chat.example:7373", "echo")
    assert bot.connection.credentials.password == "a secret of its own"
    assert (tmp_path / "imd" / "client.sqlite3").exists()
    bot.account.state.close()


def test_a_wrong_password_ends_it(network: Network, join: Join) -> None:
    join("echo")
    bot = Bot("echo", "wrong password", state=State(), reactor=network.clock, endpoint=network)
    ended: list[Any] = []
    Deferred.fromCoroutine(bot._stay()).addErrback(lambda failure: ended.append(failure.value))
    network.settle()
    assert [type(each) for each in ended] == [SystemExit]
    assert str(ended[0]) == "The name or the password is wrong."
