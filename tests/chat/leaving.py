"""People who leave for good: what the tests of deletion share."""

from typing import Any

from imd.chat.base.context import Caller
from imd.chat.base.effects import Delivery
from imd.chat.deletion import destroy
from imd.wire.accounts import Login
from imd.wire.deletion import DeleteAccount, Deleted
from imd.wire.messages import SendMessage
from imd.wire.personal import DeleteForMe, Mute, Star
from imd.wire.reactions import React
from tests.chat.room import PASSWORD, Room
from tests.chat.test_burning import group

SECRET = "the key is under the mat"


def say(room: Room, caller: Caller, to: str, content: str, **fields: Any) -> Any:
    return room.asks(caller, SendMessage(to=to, content=content, **fields))


def told_by(room: Room) -> list[Delivery]:
    """Let everything be destroyed; gives what was told."""
    told: list[Delivery] = []
    while (done := room.in_transaction(lambda tx: destroy(tx, room.now))).again is not None:
        told += done.told
        room.now = max(room.now, done.again)
    return told


def end(room: Room, caller: Caller, **fields: Any) -> Deleted:
    """Delete an account, and let everything be destroyed."""
    receipt = room.asks(caller, DeleteAccount(password=PASSWORD, **fields))
    told_by(room)
    assert isinstance(receipt, Deleted)
    return receipt


def counted(receipt: Deleted) -> tuple[dict[str, int], dict[str, int]]:
    return {each.what: each.count for each in receipt.destroyed}, {each.what: each.count for each in receipt.kept}


def rows(room: Room, table: str, where: str = "1") -> list[Any]:
    return room.tx.execute(f"SELECT * FROM {table} WHERE {where}").fetchall()


def lived(room: Room, ann: Caller, bob: Caller, cid: Caller) -> Caller:
    """Ann's: talks with two people and in a group, notes, a star, a hidden message, a setting, a second device."""
    group(room, ann, bob)
    for _ in range(3):
        say(room, ann, "bob", f"to bob: {SECRET}")
        say(room, bob, "ann", "from bob")
    say(room, ann, "#team", "to all")
    say(room, bob, "#team", "from bob")
    say(room, ann, "cid", "to cid")
    for _ in range(4):
        say(room, ann, "ann", f"a note: {SECRET}")
    room.asks(ann, Star(to="bob", seq=2))
    room.asks(bob, Star(to="ann", seq=1))
    room.asks(ann, DeleteForMe(to="bob", seq=4))
    room.asks(ann, Mute(to="bob"))
    room.asks(ann, React(to="bob", seq=2, emoji="👍"))
    room.asks(room.stranger(), Login(username="ann", password=PASSWORD, device="laptop"))
    return ann
