"""Fixtures of the tests of the rules."""

from collections.abc import Iterator

import pytest

from imd.chat.base.context import Caller
from tests.chat.leaving import lived
from tests.chat.rules import Rules
from tests.chat.team import ROLES, Team


@pytest.fixture
def rules() -> Iterator[Rules]:
    rules = Rules()
    yield rules
    rules.tx.close()


@pytest.fixture
def ann(rules: Rules) -> Caller:
    return rules.person("ann")


@pytest.fixture
def bob(rules: Rules) -> Caller:
    return rules.person("bob")


@pytest.fixture
def cid(rules: Rules) -> Caller:
    return rules.person("cid")


@pytest.fixture
def team(rules: Rules) -> Team:
    return Team(rules, {name: rules.person(name) for name in ROLES})


@pytest.fixture
def life(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> Caller:
    """Ann, with a little of everything in her account."""
    return lived(rules, ann, bob, cid)
