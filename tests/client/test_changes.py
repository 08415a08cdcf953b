"""What changes, and what is ours no longer: edits, recalls, what I hide, groups joined and left, on every device."""

from collections.abc import Callable

import pytest
from imd_client import Arrived, Changed, State
from twisted.internet.defer import Deferred

from imd.wire.base import Command
from imd.wire.messages import EditMessage, RecallMessage, SendMessage
from imd.wire.personal import ClearHistory, DeleteForMe, Mute
from tests.client.network import Network, Person, live, results

Join = Callable[..., Person]


def test_what_comes_while_looking_around_is_not_taken_for_a_backup(network: Network, join: Join) -> None:
    ann, bob, carol = join("ann"), join("bob"), join("carol")
    link = network.links[0]
    carol.send("ann", "one")
    network.pass_time(1)
    bob.send("ann", "from bob")
    (message,) = [each.message for each in ann.of(Arrived) if each.message.sender == "bob"]
    ann.client.account.forget(message.conversation)
    ann.client.refresh()
    while b'"history"' not in link.transport.value():
        link.to_server()
        network.turn()
        link.to_client()
    carol.client.outbox.queue(SendMessage(to="ann", content="two"))
    network.links[2].to_server()
    network.turn()
    link.to_client()
    network.turn()
    network.settle()
    assert [text for text in ann.texts() if text.startswith("carol")] == ["carol: one", "carol: two"]


def test_a_conversation_that_is_ours_no_longer_leaves_the_machine(network: Network, join: Join) -> None:
    ann = join("ann")
    ann.client.account.merge(7, [live(1, conversation=7)], 1)
    ann.client.refresh()
    network.pass_time(2)
    assert ann.client.account.cursors() == {}
    assert ann.client.account.after(7, 0) == []


def kept(person: Person) -> list[str]:
    """List what a device has of a conversation."""
    return [message.content for message in person.client.account.after(1, 0)]


def test_changes_are_told_and_kept_here_and_on_other_devices(network: Network, join: Join) -> None:
    ann, there, bob = join("ann"), join("ann"), join("bob")
    bob.send("ann", "helo")
    results(Deferred.fromCoroutine(bob.client.ask(EditMessage(to="ann", seq=1, content="hello"))))
    network.settle()
    for each in (ann, there, bob):
        changes = [(change.message.content, change.before and change.before.content) for change in each.of(Changed)]
        assert changes == [("hello", "helo")]
        assert kept(each) == ["hello"]
        assert each.texts() == ["bob: helo"]


def test_what_is_recalled_while_away_is_let_go_of(network: Network, join: Join) -> None:
    state = State()
    ann, bob = join("ann", state=state), join("bob")
    bob.send("ann", "a mistake")
    ann.client.stopService()
    network.settle()
    results(Deferred.fromCoroutine(bob.client.ask(RecallMessage(to="ann", seq=1))))
    network.settle()
    again = join("ann", state=state, password="")
    assert (kept(again), again.texts()) == ([""], [])


@pytest.mark.parametrize(
    ("command", "left"),
    [(DeleteForMe(to="bob", seq=1), ["two"]), (ClearHistory(to="bob"), []), (Mute(to="bob"), ["one", "two"])],
)
@pytest.mark.parametrize("away", [False, True])
def test_what_i_hide_is_let_go_of_on_every_device(
    network: Network, join: Join, command: Command, left: list[str], away: bool
) -> None:
    state = State()
    here, there, bob = join("ann"), join("ann", state=state), join("bob")
    for text in ("one", "two"):
        bob.send("ann", text)
    if away:
        there.client.stopService()
        network.settle()
    results(Deferred.fromCoroutine(here.client.ask(command)))
    network.settle()
    here.client.refresh()
    network.settle()
    other = join("ann", state=state, password="") if away else there
    assert (kept(here), kept(other)) == (left, left)
    bob.send("ann", "three")
    assert (kept(here), kept(other)) == ([*left, "three"],) * 2


def test_a_gap_in_the_accounts_own_log_is_filled(network: Network, join: Join) -> None:
    ann, bob = join("ann"), join("bob")
    bob.send("ann", "one")
    other = network.server.login("ann")
    network.links[0].cut_off = True
    other.call("delete_for_me", to="bob", seq=1)
    network.settle()
    network.links[0].down, network.links[0].cut_off = b"", False
    other.call("mute", to="bob")
    network.pass_time(2)
    assert kept(ann) == []


def test_joining_and_leaving_a_group_on_another_device(network: Network, join: Join) -> None:
    ann, bob = join("ann"), network.server.login("bob")
    bob.call("group_create", handle="#team", title="The team", join_mode="open")
    other = network.server.login("ann")
    other.call("group_join", to="#team")
    bob.call("send_message", to="#team", content="welcome")
    network.pass_time(1)
    assert ann.texts()[-1] == "bob: welcome"
    other.call("group_leave", to="#team")
    network.pass_time(1)
    assert ann.client.account.cursors() == {}
