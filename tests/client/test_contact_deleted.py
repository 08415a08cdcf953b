"""Somebody deletes their account: our client calls them what the server does, and the person is told."""

from collections.abc import Callable
from pathlib import Path

import pytest
from imd_client import ContactDeleted, State
from imd_client.cache import Pointers
from imd_client.fullscreen.model import Model
from imd_client.plain import PlainView
from imd_client.screen import LineScreen

from imd.testing import PASSWORD, MemoryServer
from tests.client.fullscreen.models import drawn
from tests.client.line_screen import FakeModes, connect, written
from tests.client.network import Network, Person, person

Join = Callable[..., Person]


def ends(server: MemoryServer, name: str, messages: str = "keep") -> None:
    """Let somebody delete their account, and the job do its work."""
    reply = server.login(name).call("delete_account", password=PASSWORD, messages=messages)
    assert reply["status"] == "success", reply
    server.pass_time(10)


def exchange(network: Network, ann: Person) -> None:
    """Let ann and bob say something, with a reaction of his to it."""
    bob = network.server.login("bob")
    bob.call("send_message", to="ann", content="hello")
    network.settle()
    ann.send("bob", "hi")
    bob.call("react", to="ann", seq=2, emoji="👍")
    bob.call("read", to="ann", seq=2)
    network.settle()
    bob.hang_up()


def copy(ann: Person) -> list[tuple[str, str, list[str]]]:
    return [
        (each.to, each.sender, [one for reaction in each.reactions for one in reaction.users])
        for each in ann.client.account.after(1, 0)
    ]


@pytest.mark.parametrize("away", [False, True])
def test_what_was_said_is_under_the_new_name(network: Network, tmp_path: Path, away: bool) -> None:
    ann = person(network, "ann", State(tmp_path / "state"))
    exchange(network, ann)
    ann.client.account.advance_pointers(1, "bob", Pointers(2, 2))
    assert copy(ann) == [("bob", "bob", []), ("bob", "ann", ["bob"])]
    if away:
        network.up = False
        network.cut()
    ends(network.server, "bob")
    network.up = True
    network.pass_time(10)
    [deleted] = ann.of(ContactDeleted)
    assert (deleted.conversation, deleted.old_name) == (1, "bob")
    tombstone = deleted.to
    assert tombstone.startswith("deleted-")
    assert copy(ann) == [(tombstone, tombstone, []), (tombstone, "ann", [tombstone])]
    assert ann.client.account.pointers(1) == {tombstone: Pointers(2, 2)}
    assert not any(b"bob" in path.read_bytes() for path in tmp_path.glob("state*")), "nor is the name in the file"
    network.cut()
    network.pass_time(10)
    assert len(ann.of(ContactDeleted)) == 1


def test_of_whom_nothing_is_known_here_nothing_is_told(network: Network, join: Join) -> None:
    ann = join("ann")
    assert ann.client.account.rename(7, "deleted-9") == ""
    ends(network.server, "bob")
    assert ann.of(ContactDeleted) == []


def test_the_plain_console_says_so_and_nobody_is_chosen(network: Network, join: Join) -> None:
    screen = connect(LineScreen(lambda typed: None, FakeModes()))
    view = PlainView(screen, "memory:7373", "en")
    view.begin(join("ann").client)
    view.to = "bob"
    view.on_event(ContactDeleted(2, "eve", "deleted-8"))
    assert view.to == "bob"
    view.on_event(ContactDeleted(1, "bob", "deleted-7"))
    assert written(screen).splitlines()[-1] == "bob has deleted the account; the conversation is now called deleted-7."
    assert view.to == ""


def test_the_full_screen_console_shows_the_new_name(network: Network, join: Join) -> None:
    ann = join("ann")
    exchange(network, ann)
    model = Model(ann.client.account, "en")
    conversation = model.open("bob", None)
    assert any("bob" in line for line in drawn(model))
    ends(network.server, "bob")
    network.settle()
    [deleted] = ann.of(ContactDeleted)
    model.on_event(deleted, 0)
    assert (conversation.to, model.current) == (deleted.to, conversation)
    lines = drawn(model, 90)
    assert [line for line in lines if "bob" in line] == [
        f"· bob has deleted the account; the conversation is now called {deleted.to}."
    ]
    assert any(f"{deleted.to}  hello" in line for line in lines)
