"""A command that can add rows without end says that it grows, and is refused on a full disk; or it stands here why not.

And what people type has a bound, and so has what a refusal says back to them.
"""

import inspect

import msgspec
import pytest
from msgspec.inspect import StrType

import imd.chat.capabilities  # noqa: F401  # registers the handlers
from imd.chat.base.context import Caller
from imd.chat.base.handlers import HANDLERS
from imd.chat.base.limits import Limits
from imd.store import accounts
from imd.store.tables import TABLES
from imd.wire import textline
from imd.wire.base import Right, Spec, registry
from imd.wire.fields import kinds, limit_of
from imd.wire.groups import GroupCreate
from imd.wire.invitations import GroupInvite
from imd.wire.messages import SendMessage
from imd.wire.refusals import Refusal
from tests.chat.inserting import inserts
from tests.chat.rules import Rules

GOES_ON = {
    "edit_message": "a new text takes an old one's place",
    "recall_message": "it takes away",
    "group_create": "groups_owned bounds how many there are; what it says is one line",
    **dict.fromkeys(
        ("group_leave", "group_kick", "group_ban", "group_unban"), "nobody is kept in, or let in, by a disk"
    ),
    **dict.fromkeys(("group_join", "group_approve", "group_invite"), "it says one line, of people who are there"),
    **dict.fromkeys(
        ("group_role", "group_mute", "group_set", "group_transfer"), "a group can be steered: it says one line"
    ),
    "user_add": "the operator decides",
}
"""What is taken though the disk is nearly full, as it was promised: messages and registrations are refused, and nothing
else (disk_reserve_mb). The reserve is for it.
"""

SAID_BACK = 256
"""How many characters of what somebody typed a refusal may say back: as many as a name may be typed with."""

SPECS = list(registry)
each_command = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.action)


def adds_to(spec: Spec) -> set[str]:
    """List the tables without bounds to which a command may add rows."""
    run = HANDLERS[spec.shape].run
    run = inspect.getclosurevars(run).nonlocals.get("run", run)  # what an admin does is wrapped, to be written down
    return {table for table in inserts(run.__module__, run.__name__) if TABLES[table].grows}


@each_command
def test_what_adds_without_end_says_so(spec: Spec) -> None:
    adds = adds_to(spec)
    if spec.shape.grows:
        assert adds, f"{spec.action} adds nothing without end: it need not be refused on a full disk"
    else:
        assert bool(adds) == (spec.action in GOES_ON), (
            f"{spec.action} adds to {adds}: grows = True, or a reason in GOES_ON"
        )


def test_the_way_down_to_the_sql_is_found() -> None:
    assert adds_to(registry.actions["send_message"]) == {"message", "burning_words", "conversation"}
    assert adds_to(registry.actions["register"]) == adds_to(registry.actions["user_add"]) == {"account"}
    assert not adds_to(registry.actions["history"])
    assert set(inserts("imd.chat.personal", "star")) == {"star", "account_log"}
    assert set(inserts("imd.chat.accounts", "login")) == {"device"}


# -- bounds of what is typed


@each_command
def test_every_text_has_a_bound(spec: Spec) -> None:
    for field in msgspec.structs.fields(spec.shape):
        for kind in kinds(field.type):
            if isinstance(kind, StrType):
                bound = kind.max_length or getattr(Limits(), limit_of(field.type), None)
                assert bound, f"{spec.action}.{field.name}: Annotated[str, Meta(max_length=...)]"
            assert type(kind).__name__ not in ("ListType", "DictType"), f"{spec.action}.{field.name}: has no bound"


TEXTS = [
    pytest.param(spec, field.name, kind.max_length or Limits().content_bytes, id=f"{spec.action}-{field.name}")
    for spec in SPECS
    for field in msgspec.structs.fields(spec.shape)
    for kind in kinds(field.type)
    if isinstance(kind, StrType)
]


@pytest.fixture
def inhabited(rules: Rules) -> Rules:
    """Ann, Bob, their talk, and a group of theirs: what the examples of the commands are about."""
    ann, bob = rules.person("ann", admin=True), rules.person("bob")
    for caller, to in ((ann, "bob"), (bob, "ann")):
        rules.asks(caller, SendMessage(to=to, content="hello"))
    rules.asks(ann, GroupCreate(handle="#team", title="The team"))
    rules.asks(ann, GroupInvite(to="#team", username="bob"))
    return rules


@pytest.mark.parametrize("letter", ["x", "#", "龘", '"'])
@pytest.mark.parametrize(("spec", "field", "length"), TEXTS)
def test_a_refusal_says_little_back(inhabited: Rules, spec: Spec, field: str, length: int, letter: str) -> None:
    typed = textline.decode(spec.shape.example.encode())
    assert typed is not None
    assert typed.command is not None
    command = msgspec.structs.replace(typed.command, **{field: letter * length})
    row = accounts.by_name(inhabited.tx, "ann")
    assert row is not None
    known = Caller(now=inhabited.now, limits=inhabited.limits, account=row.id, username="ann", device=1, admin=True)
    refused: list[Refusal] = []
    try:
        inhabited.does(inhabited.stranger() if spec.right is Right.ANYONE else known, command)
    except Refusal as refusal:
        refused.append(refusal)
    for refusal in refused:
        for name, value in refusal.params.items():
            assert len(str(value)) <= SAID_BACK, f"{refusal.code} says {name} in full"
