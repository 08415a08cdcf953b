"""The low-water mark: with little room left, what adds to the data is refused, and nothing else."""

import os
from pathlib import Path

import pytest

from imd.chat.base.limits import Limits
from imd.engine import disk_guard
from imd.testing import MemoryServer, Terminal
from imd.wire.base import registry


class Room:
    """A disk whose free space is set by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mebibytes, self.looks = 100, 0
        self.server = MemoryServer(Limits(disk_reserve_mb=64))
        self.server.server.disk = disk_guard.DiskGuard(Path("/data"), self.server.clock.seconds)
        monkeypatch.setattr(os, "statvfs", self.statvfs)

    def statvfs(self, path: Path) -> os.statvfs_result:
        self.looks += 1
        blocks = self.mebibytes * 256
        return os.statvfs_result((4096, 4096, blocks * 9, blocks * 2, blocks, 0, 0, 0, 0, 255))

    def becomes(self, mebibytes: int) -> None:
        self.mebibytes = mebibytes
        self.server.pass_time(disk_guard.CHECK_SECONDS)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    return Room(monkeypatch)


@pytest.fixture
def ann(room: Room) -> Terminal:
    return room.server.login("ann")


def send(ann: Terminal) -> str:
    reply = ann.call("send_message", to="ann", content="hi")
    return str(reply.get("code", "success"))


def test_sends_end_before_the_disk_does_and_begin_again_by_themselves(room: Room, ann: Terminal) -> None:
    assert send(ann) == "success"
    room.becomes(63)
    refused = ann.call("send_message", to="ann", content="hi")
    assert (refused["code"], refused["params"]) == (
        "unavailable",
        {"reason": "disk_full", "retry_after": disk_guard.RETRY_SECONDS},
    )
    assert "disk" in refused["message"]
    room.becomes(64)
    assert send(ann) == "success"


def test_everything_that_adds_is_refused_and_all_else_goes_on(room: Room, ann: Terminal) -> None:
    send(ann)
    room.becomes(1)
    assert {spec.action for spec in registry if spec.shape.grows} == {"send_message", "forward", "register"}
    assert ann.call("forward", to="ann", seq=1, target="ann")["code"] == "unavailable"
    assert (
        room.server.connect().call("register", username="bob", password="long enough, it is")["code"] == "unavailable"
    )
    for action in ("history", "read", "edit_message", "recall_message"):
        assert ann.call(action, to="ann", seq=1, content="less")["status"] == "success", action
    assert room.server.login("ann").call("whoami")["username"] == "ann"


def test_the_disk_is_looked_at_once_a_second_however_many_sends(room: Room, ann: Terminal) -> None:
    room.server.pass_time(disk_guard.CHECK_SECONDS)
    before = room.looks
    for _ in range(20):
        send(ann)
    assert room.looks == before + 1


def test_no_reserve_and_a_disk_that_cannot_be_asked_stop_nobody(
    room: Room, ann: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.server.server.configure(Limits(disk_reserve_mb=0), "open", "en")
    room.becomes(0)
    assert send(ann) == "success"
    room.server.server.configure(Limits(disk_reserve_mb=64), "open", "en")

    def fails(path: Path) -> os.statvfs_result:
        raise OSError

    monkeypatch.setattr(os, "statvfs", fails)
    assert send(ann) == "success"


def test_another_reserve_holds_at_once(room: Room, ann: Terminal) -> None:
    room.server.server.configure(Limits(disk_reserve_mb=101), "open", "en")
    room.becomes(100)
    assert send(ann) == "unavailable"
