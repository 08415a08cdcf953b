"""A server that was set back to a backup: the client's copy follows, and nothing that waits to be sent is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from imd_client import Arrived, Restored, State
from imd_client.fullscreen.model import Model
from imd_client.plain import PlainView
from imd_client.screen import LineScreen

from imd.store import sqlite, status
from imd.testing import MemoryServer
from tests.client.fullscreen.models import drawn
from tests.client.line_screen import FakeModes, connect, written
from tests.client.network import Network, Person, person


def restored(backup: Path) -> MemoryServer:
    """Start a server on a backup, as `imd restore` leaves it."""
    connection = sqlite.connect(str(backup))
    status.begin_epoch(connection)
    connection.close()
    return MemoryServer(path=str(backup))


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    network = Network(MemoryServer(path=str(tmp_path / "imd.sqlite3")))
    yield network
    network.up = False
    network.cut()


def backup(network: Network, to: Path) -> Path:
    network.server.database.backend.writer.connection.execute("VACUUM INTO ?", (str(to),))  # type: ignore[attr-defined]
    return to


def copy(ann: Person) -> list[str]:
    return [message.content for message in ann.client.account.after(1, 0)]


def come_back(network: Network, server: MemoryServer) -> None:
    """Let another server take the place of the one that is gone."""
    network.up = False
    network.cut()
    network.server = server
    network.up = True
    network.pass_time(5)


def test_the_copy_is_fetched_anew_and_the_outbox_is_kept(network: Network, tmp_path: Path) -> None:
    ann, bob = person(network, "ann"), person(network, "bob")
    ann.send("bob", "one")
    bob.send("ann", "two")
    kept = backup(network, tmp_path / "backup")
    for text in ("three", "four", "five"):
        bob.send("ann", text)
    assert copy(ann) == ["one", "two", "three", "four", "five"]
    network.up = False
    network.cut()
    unsent = ann.client.send("bob", "six")
    come_back(network, restored(kept))
    assert len(ann.of(Restored)) == 1
    assert unsent.called
    assert copy(ann)[-1:] == ["six"]
    assert "three" not in copy(ann)
    assert ann.client.account.waiting() == []
    network.pass_time(1)
    carol = network.server.login("carol")
    carol.call("send_message", to="ann", content="seven")
    network.settle()
    assert ann.texts()[-1] == "carol: seven"


def test_a_person_is_told(network: Network) -> None:
    ann = person(network, "ann")
    person(network, "bob").send("ann", "one")
    screen = connect(LineScreen(lambda typed: None, FakeModes()))
    view = PlainView(screen, "memory:7373", "en")
    view.begin(ann.client)
    view.on_event(Restored())
    assert written(screen).startswith("The server was restored from a backup:")
    model = Model(ann.client.account, "zh")
    assert "one" in str(drawn_of(model))
    model.on_event(Restored(), 0)
    assert "one" not in str(drawn(model))
    assert "从较早的备份恢复" in "".join(drawn(model))


def drawn_of(model: Model) -> list[str]:
    """Open the conversation with bob, and draw it."""
    model.open("bob", None)
    return drawn(model)


def test_as_many_messages_as_before_do_not_hide_it(network: Network, tmp_path: Path) -> None:
    """The cursors agree by chance: only the epoch tells that the messages are others."""
    ann, bob = person(network, "ann"), person(network, "bob")
    ann.send("bob", "one")
    kept = backup(network, tmp_path / "backup")
    bob.send("ann", "lost")
    server = restored(kept)
    server.login("bob").call("send_message", to="ann", content="another")
    come_back(network, server)
    assert copy(ann)[-1] == "another"
    assert "lost" not in copy(ann)
    assert [each.message.content for each in ann.of(Arrived)][-1] == "another"


def test_a_restart_is_no_restore(network: Network, tmp_path: Path) -> None:
    ann = person(network, "ann", State(tmp_path / "state"))
    person(network, "bob").send("ann", "one")
    come_back(network, MemoryServer(path=str(tmp_path / "imd.sqlite3")))
    assert ann.of(Restored) == []
    assert copy(ann) == ["one"]


def test_the_epoch_stays_until_a_restore(tmp_path: Path) -> None:
    path = tmp_path / "imd.sqlite3"
    epochs = [MemoryServer(path=str(path)).connect().call("hello")["epoch"] for _ in range(2)]
    assert epochs[0] == epochs[1]
    assert len(epochs[0]) == 16
    assert restored(path).connect().call("hello")["epoch"] != epochs[0]
