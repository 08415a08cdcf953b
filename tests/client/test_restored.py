"""A server that was set back to a backup: the client's copy follows, and nothing that waits to be sent is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from imd_client import Arrived, Restored, State
from imd_client.fullscreen.model import Model
from imd_client.plain import PlainView
from imd_client.screen import Screen

from imd.store import db, life
from imd.testing import MemoryServer
from tests.client.fullscreen.scene import drawn
from tests.client.keyboard import FakeModes, connect, shown
from tests.client.wires import Person, Wires, person


def restored(backup: Path) -> MemoryServer:
    """Start a server on a backup, as `imd restore` leaves it."""
    connection = db.connect(str(backup))
    life.begin(connection)
    connection.close()
    return MemoryServer(path=str(backup))


@pytest.fixture
def wires(tmp_path: Path) -> Iterator[Wires]:
    wires = Wires(MemoryServer(path=str(tmp_path / "imd.sqlite3")))
    yield wires
    wires.up = False
    wires.cut()


def backup(wires: Wires, to: Path) -> Path:
    wires.server.database.writer.connection.execute("VACUUM INTO ?", (str(to),))  # type: ignore[attr-defined]
    return to


def copy(ann: Person) -> list[str]:
    return [message.content for message in ann.client.account.after(1, 0)]


def come_back(wires: Wires, server: MemoryServer) -> None:
    """Let another server take the place of the one that is gone."""
    wires.up = False
    wires.cut()
    wires.server = server
    wires.up = True
    wires.pass_time(5)


def test_the_copy_is_fetched_anew_and_the_outbox_is_kept(wires: Wires, tmp_path: Path) -> None:
    ann, bob = person(wires, "ann"), person(wires, "bob")
    ann.send("bob", "one")
    bob.send("ann", "two")
    kept = backup(wires, tmp_path / "backup")
    for text in ("three", "four", "five"):
        bob.send("ann", text)
    assert copy(ann) == ["one", "two", "three", "four", "five"]
    wires.up = False
    wires.cut()
    unsent = ann.client.send("bob", "six")
    come_back(wires, restored(kept))
    assert len(ann.of(Restored)) == 1
    assert unsent.called
    assert copy(ann)[-1:] == ["six"]
    assert "three" not in copy(ann)
    assert ann.client.account.waiting() == []
    wires.pass_time(1)
    carol = wires.server.login("carol")
    carol.call("send_message", to="ann", content="seven")
    wires.settle()
    assert ann.texts()[-1] == "carol: seven"


def test_a_person_is_told(wires: Wires) -> None:
    ann = person(wires, "ann")
    person(wires, "bob").send("ann", "one")
    screen = connect(Screen(lambda typed: None, FakeModes()))
    view = PlainView(screen, "memory:7373", "en")
    view.begin(ann.client)
    view.on_event(Restored())
    assert shown(screen).startswith("The server was set back to a backup:")
    model = Model(ann.client.account, "zh")
    assert "one" in str(drawn_of(model))
    model.on_event(Restored(), 0)
    assert "one" not in str(drawn(model))
    assert "恢复到较早的备份" in "".join(drawn(model))


def drawn_of(model: Model) -> list[str]:
    """Open the conversation with bob, and draw it."""
    model.open("bob", None)
    return drawn(model)


def test_as_many_messages_as_before_do_not_hide_it(wires: Wires, tmp_path: Path) -> None:
    """The cursors agree by chance: only the epoch tells that the messages are others."""
    ann, bob = person(wires, "ann"), person(wires, "bob")
    ann.send("bob", "one")
    kept = backup(wires, tmp_path / "backup")
    bob.send("ann", "lost")
    server = restored(kept)
    server.login("bob").call("send_message", to="ann", content="another")
    come_back(wires, server)
    assert copy(ann)[-1] == "another"
    assert "lost" not in copy(ann)
    assert [each.message.content for each in ann.of(Arrived)][-1] == "another"


def test_a_restart_is_no_restore(wires: Wires, tmp_path: Path) -> None:
    ann = person(wires, "ann", State(tmp_path / "state"))
    person(wires, "bob").send("ann", "one")
    come_back(wires, MemoryServer(path=str(tmp_path / "imd.sqlite3")))
    assert ann.of(Restored) == []
    assert copy(ann) == ["one"]


def test_the_epoch_stays_until_a_restore(tmp_path: Path) -> None:
    path = tmp_path / "imd.sqlite3"
    epochs = [MemoryServer(path=str(path)).connect().call("hello")["epoch"] for _ in range(2)]
    assert epochs[0] == epochs[1]
    assert len(epochs[0]) == 16
    assert restored(path).connect().call("hello")["epoch"] != epochs[0]
