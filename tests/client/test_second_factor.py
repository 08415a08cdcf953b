"""Logging in where there is a second factor: by the client as a library, by `imd send`, and by `imd chat`."""

from collections.abc import Callable
from typing import Any

import pytest
from imd_client import CodeNeeded, GaveUp, Online, Refused

from tests.client.machines import PASSWORD, Machine
from tests.client.network import Network, Person
from tests.client.second_factors import live_second_factor, second_factor
from tests.client.test_live import OpenConsole, open_console  # noqa: F401  # a fixture
from tests.client.test_send import REFUSED, STORED, run, state  # noqa: F401  # fixtures
from tests.live.daemon import Daemon

Join = Callable[..., Person]


def test_it_is_told_from_a_wrong_password(network: Network, join: Join) -> None:
    code = second_factor(network.server, "ann")
    for given, expected in (("", CodeNeeded), ("000000", Refused)):
        ann = join("ann", code=given, register=True)
        assert [each.reason.type for each in ann.of(GaveUp)] == [expected]
        assert b'"register"' not in network.last.written, "who has a second factor is registered"
    ann = join("ann", code=code())
    assert ann.of(Online)
    network.cut()
    network.pass_time(5)
    assert len(ann.of(Online)) == 2, "the token is enough, and the code was used"


def test_imd_send_takes_it_as_an_option(network: Network, run: Any, join: Join) -> None:  # noqa: F811
    bob = join("bob")
    code = second_factor(network.server, "ann")
    told, said = run("bob", "-m", "hi")
    assert told == [REFUSED]
    assert "This account has a second factor: give --code" in said
    wrong = "Not sent: The code is wrong, or was used already.\n"
    assert run("bob", "-m", "hi", "--code", "000000") == ([REFUSED], wrong)
    assert run("bob", "-m", "hi", "--code", code()) == ([STORED], "")
    assert run("bob", "-m", "hi again") == ([STORED], ""), "from now on the token is enough"
    assert bob.texts() == ["ann: hi", "ann: hi again"]


@pytest.mark.parametrize("terminal", ["xterm", "dumb"])
def test_the_plain_console_asks_for_it(
    open_console: OpenConsole,  # noqa: F811
    machine: Callable[[str], Machine],
    daemon: Daemon,
    terminal: str,
) -> None:
    code = live_second_factor(daemon, "bob")
    bob = open_console("bob", "-u", "bob", TERM=terminal)
    bob.sees("Password for bob:")
    bob.types(PASSWORD)
    bob.sees("Code for bob")
    bob.types("000000")
    bob.sees("The code is wrong, or was used already.")
    bob.sees("Code for bob")
    bob.types(code())
    bob.sees("Nothing unread.")
    bob.types("/quit")
    assert bob.ends() == 0
