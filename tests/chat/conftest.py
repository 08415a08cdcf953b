"""Fixtures of the tests of the rules."""

from collections.abc import Iterator

import pytest

from imd.chat.base.context import Caller
from tests.chat.leaving import lived
from tests.chat.room import Room
from tests.chat.team import ROLES, Team


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    yield room
    room.tx.close()


@pytest.fixture
def ann(room: Room) -> Caller:
    return room.person("ann")


@pytest.fixture
def bob(room: Room) -> Caller:
    return room.person("bob")


@pytest.fixture
def cid(room: Room) -> Caller:
    return room.person("cid")


@pytest.fixture
def team(room: Room) -> Team:
    return Team(room, {name: room.person(name) for name in ROLES})


@pytest.fixture
def life(room: Room, ann: Caller, bob: Caller, cid: Caller) -> Caller:
    """Ann, with a little of everything in her account."""
    return lived(room, ann, bob, cid)
