"""What changes, and what is ours no longer: edits, recalls, what I hide, groups joined and left, on every device."""

from collections.abc import Callable

import pytest
from imd_client import Arrived, Changed, State
from twisted.internet.defer import Deferred

from imd.wire.base import Command
from imd.wire.messages import EditMessage, RecallMessage, SendMessage
from imd.wire.personal import ClearHistory, DeleteForMe, Mute
from tests.client.wires import Person, Wires, live, results

Come = Callable[..., Person]


def test_what_comes_while_looking_around_is_not_taken_for_a_backup(wires: Wires, come: Come) -> None:
    ann, bob, carol = come("ann"), come("bob"), come("carol")
    wire = wires.wires[0]
    carol.send("ann", "one")
    wires.pass_time(1)
    bob.send("ann", "from bob")
    (message,) = [each.message for each in ann.of(Arrived) if each.message.sender == "bob"]
    ann.client.account.forget(message.conversation)
    ann.client.refresh()
    while b'"history"' not in wire.transport.value():
        wire.to_server()
        wires.turn()
        wire.to_client()
    carol.client.outbox.queue(SendMessage(to="ann", content="two"))
    wires.wires[2].to_server()
    wires.turn()
    wire.to_client()
    wires.turn()
    wires.settle()
    assert [text for text in ann.texts() if text.startswith("carol")] == ["carol: one", "carol: two"]


def test_a_conversation_that_is_ours_no_longer_leaves_the_machine(wires: Wires, come: Come) -> None:
    ann = come("ann")
    ann.client.account.merge(7, [live(1, conversation=7)], 1)
    ann.client.refresh()
    wires.pass_time(2)
    assert ann.client.account.cursors() == {}
    assert ann.client.account.after(7, 0) == []


def kept(person: Person) -> list[str]:
    """List what a device has of a conversation."""
    return [message.content for message in person.client.account.after(1, 0)]


def test_changes_are_told_and_kept_here_and_on_other_devices(wires: Wires, come: Come) -> None:
    ann, there, bob = come("ann"), come("ann"), come("bob")
    bob.send("ann", "helo")
    results(Deferred.fromCoroutine(bob.client.ask(EditMessage(to="ann", seq=1, content="hello"))))
    wires.settle()
    for each in (ann, there, bob):
        changes = [(change.message.content, change.before and change.before.content) for change in each.of(Changed)]
        assert changes == [("hello", "helo")]
        assert kept(each) == ["hello"]
        assert each.texts() == ["bob: helo"]


def test_what_is_recalled_while_away_is_let_go_of(wires: Wires, come: Come) -> None:
    state = State()
    ann, bob = come("ann", state=state), come("bob")
    bob.send("ann", "a mistake")
    ann.client.stopService()
    wires.settle()
    results(Deferred.fromCoroutine(bob.client.ask(RecallMessage(to="ann", seq=1))))
    wires.settle()
    again = come("ann", state=state, password="")
    assert (kept(again), again.texts()) == ([""], [])


@pytest.mark.parametrize(
    ("command", "left"),
    [(DeleteForMe(to="bob", seq=1), ["two"]), (ClearHistory(to="bob"), []), (Mute(to="bob"), ["one", "two"])],
)
@pytest.mark.parametrize("away", [False, True])
def test_what_i_hide_is_let_go_of_on_every_device(
    wires: Wires, come: Come, command: Command, left: list[str], away: bool
) -> None:
    state = State()
    here, there, bob = come("ann"), come("ann", state=state), come("bob")
    for text in ("one", "two"):
        bob.send("ann", text)
    if away:
        there.client.stopService()
        wires.settle()
    results(Deferred.fromCoroutine(here.client.ask(command)))
    wires.settle()
    here.client.refresh()
    wires.settle()
    other = come("ann", state=state, password="") if away else there
    assert (kept(here), kept(other)) == (left, left)
    bob.send("ann", "three")
    assert (kept(here), kept(other)) == ([*left, "three"],) * 2


def test_a_gap_in_the_accounts_own_log_is_filled(wires: Wires, come: Come) -> None:
    ann, bob = come("ann"), come("bob")
    bob.send("ann", "one")
    other = wires.server.login("ann")
    wires.wires[0].cut_off = True
    other.call("delete_for_me", to="bob", seq=1)
    wires.settle()
    wires.wires[0].down, wires.wires[0].cut_off = b"", False
    other.call("mute", to="bob")
    wires.pass_time(2)
    assert kept(ann) == []


def test_joining_and_leaving_a_group_on_another_device(wires: Wires, come: Come) -> None:
    ann, bob = come("ann"), wires.server.login("bob")
    bob.call("group_create", handle="#team", title="The team", join_mode="open")
    other = wires.server.login("ann")
    other.call("group_join", to="#team")
    bob.call("send_message", to="#team", content="welcome")
    wires.pass_time(1)
    assert ann.texts()[-1] == "bob: welcome"
    other.call("group_leave", to="#team")
    wires.pass_time(1)
    assert ann.client.account.cursors() == {}
