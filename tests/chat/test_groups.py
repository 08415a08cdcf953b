"""Groups: making one, how it works, who finds it, what each role may do, and its end."""

from typing import Any

import pytest

from imd.chat import groups
from imd.chat.base.context import Caller
from imd.chat.base.effects import EVERYBODY, Follow, Followers, Schedule, Topic, Unfollow
from imd.chat.base.jobs import JOBS
from imd.chat.base.limits import Limits
from imd.wire import names
from imd.wire.base import Command
from imd.wire.conversations import History, ListConversations, Sync
from imd.wire.groups import AskGroup, GroupCreate, GroupDelete, GroupDeleted, GroupInfo, GroupSet, ListGroups
from imd.wire.invitations import GroupApprove, GroupInvite, GroupLink, GroupUnlink, ListLinks
from imd.wire.members import (
    GroupBan,
    GroupJoin,
    GroupKick,
    GroupLeave,
    GroupMute,
    GroupRole,
    GroupTransfer,
    GroupUnban,
    ListMembers,
)
from imd.wire.messages import EditMessage, Forward, RecallMessage, SendMessage
from imd.wire.personal import AccountChanged, AccountSync, Star
from imd.wire.reactions import React
from imd.wire.receipts import Ack
from imd.wire.refusals import (
    BadName,
    BadRequest,
    Forbidden,
    NameTaken,
    NoSuchConversation,
    NotAMember,
    QuotaExceeded,
    Refusal,
)
from tests.chat.rules import Rules
from tests.chat.team import ROLES, Team

# -- who may do what


BY_RANK: list[tuple[Command, str]] = [
    (ListMembers(to="#team"), "reader"),
    (GroupSet(to="#team", title="Other"), "admin"),
    (GroupLink(to="#team"), "admin"),
    (ListLinks(to="#team"), "admin"),
    (GroupUnlink(to="#team", link="00000000"), "admin"),
    (GroupApprove(to="#team", username="eve", approve=False), "admin"),
    (GroupInvite(to="#team", username="eve"), "admin"),
    (GroupRole(to="#team", username="dee", role="member"), "admin"),
    (GroupMute(to="#team", username="dee", seconds=60), "admin"),
    (GroupKick(to="#team", username="dee"), "admin"),
    (GroupBan(to="#team", username="dee"), "admin"),
    (GroupUnban(to="#team", username="fox"), "admin"),
    (GroupTransfer(to="#team", username="bob"), "owner"),
    (GroupDelete(to="#team"), "owner"),
]
RANKS = ["reader", "member", "admin", "owner"]


@pytest.mark.parametrize("name", ROLES)
@pytest.mark.parametrize(("command", "least"), BY_RANK, ids=[type(command).__name__ for command, _ in BY_RANK])
@pytest.mark.parametrize("join_mode", ["open", "invite"])
def test_each_role_may_what_it_may(team: Team, name: str, command: Command, least: str, join_mode: str) -> None:
    if join_mode == "invite":
        team.set(join_mode="invite")
    role = ROLES[name]
    if role not in RANKS:
        expected: type[Refusal] = NotAMember if join_mode == "open" else NoSuchConversation
        assert type(team.refused(name, command)) is expected
    elif RANKS.index(role) < RANKS.index(least):
        refused = team.refused(name, command)
        assert (type(refused), refused.case) == (Forbidden, "role")
    else:
        team.asks(name, command)


ALL_ABOUT = [
    *(command for command, _ in BY_RANK),
    AskGroup(to="#team"),
    GroupJoin(to="#team"),
    GroupJoin(to="#team", code="guessed"),
    GroupLeave(to="#team"),
    SendMessage(to="#team", content="hi"),
    History(to="#team"),
    Sync(to="#team", after_rev=0),
    React(to="#team", seq=1, emoji="👍"),
    Ack(to="#team", seq=0),
]


@pytest.mark.parametrize("command", ALL_ABOUT, ids=lambda command: type(command).__name__)
@pytest.mark.parametrize("name", ["eve", "fox"])
def test_to_outsiders_a_group_by_invitation_is_absent(team: Team, command: Any, name: str) -> None:
    """By its name and by its number, and word for word."""
    team.set(join_mode="invite")
    for here, absent in ({"to": "#team"}, {"to": "#nothing"}), ({"conversation": 1}, {"conversation": 99}):
        fields = {field: getattr(command, field) for field in command.__struct_fields__}
        refusals = [
            team.refused(name, type(command)(**{**fields, "to": None, "conversation": None, **place}))
            for place in (here, absent)
        ]
        assert [(type(each), each.case, each.params) for each in refusals] == [(NoSuchConversation, "", {})] * 2


@pytest.mark.parametrize("command", ALL_ABOUT[: len(BY_RANK)], ids=lambda command: type(command).__name__)
def test_a_person_is_no_group(team: Team, command: Any) -> None:
    team.asks("ann", SendMessage(to="bob", content="hi"))
    fields = {field: getattr(command, field) for field in command.__struct_fields__}
    by_name = team.refused("ann", type(command)(**{**fields, "to": "bob"}))
    assert (type(by_name), by_name.case) == (BadName, "group")
    by_number = team.refused("ann", type(command)(**{**fields, "to": None, "conversation": 2}))
    assert type(by_number) is NoSuchConversation


# -- making one


def test_who_makes_it_owns_it_and_it_begins_with_a_notice(rules: Rules, ann: Caller) -> None:
    outcome = rules.does(ann, GroupCreate(handle="#Team", title=" The \n team "))
    assert (outcome.reply.to, outcome.reply.seq, outcome.reply.rev) == ("#team", 1, 1)
    [followed] = outcome.effects
    assert followed == Follow(ann.account, Topic.members(outcome.reply.conversation), 0)
    (to, first), (devices, logged) = outcome.told
    assert (to, first.notice.what, first.sender, first.kind) == (
        Followers(followed.topic, seq=1),
        "created",
        "ann",
        "notice",
    )
    assert (devices, logged) == ((ann.account,), AccountChanged(n=1, what="joined", conversation=1))
    [listed] = rules.asks(ann, ListConversations()).conversations
    assert (listed.kind, listed.to, listed.title, listed.role) == ("group", "#team", "The team", "owner")
    assert (listed.unread, listed.delivered_seq) == (0, 1)
    assert rules.asks(ann, AskGroup(to="#team")).members == 1


@pytest.mark.parametrize("handle", ["team", "", "ann", "@team"])
def test_its_name_begins_with_the_mark(rules: Rules, ann: Caller, handle: str) -> None:
    refused = rules.refuses(ann, GroupCreate(handle=handle))
    assert (type(refused), refused.case) == (BadName, "group")


@pytest.mark.parametrize("handle", ["#", "##", "# ", "#a b", "#a@b", "#" + "x" * 33])
def test_its_name_is_a_name(rules: Rules, ann: Caller, handle: str) -> None:
    assert isinstance(rules.refuses(ann, GroupCreate(handle=handle)), BadName)


def test_its_name_is_its_own(team: Team) -> None:
    refused = team.refused("eve", GroupCreate(handle="#TEAM"))
    assert (type(refused), refused.case, refused.params) == (NameTaken, "group", {"to": "#team"})
    for alike in ("#tearn", "#ꓔꓰꓮꓟ"):
        refused = team.refused("eve", GroupCreate(handle=alike))
        assert (type(refused), refused.params) == (NameTaken, {"to": alike})
    assert isinstance(team.refused("eve", GroupCreate(handle="#tеam")), BadName)
    team.asks("eve", GroupCreate(handle="#eve"))
    team.asks("eve", GroupCreate(handle="#团队"))


def test_how_many_one_may_own() -> None:
    rules = Rules(Limits(groups_owned=2))
    ann, bob = rules.person("ann"), rules.person("bob")
    for handle in ("#a", "#b"):
        rules.asks(ann, GroupCreate(handle=handle, join_mode="open"))
    refused = rules.refuses(ann, GroupCreate(handle="#c"))
    assert (type(refused), refused.case, refused.params) == (QuotaExceeded, "groups", {"limit": 2})
    rules.asks(bob, GroupJoin(to="#a"))
    rules.asks(ann, GroupTransfer(to="#a", username="bob"))
    rules.asks(ann, GroupCreate(handle="#c"))
    assert isinstance(rules.refuses(ann, GroupCreate(handle="#d")), QuotaExceeded)
    rules.asks(ann, GroupDelete(to="#c"))
    rules.asks(ann, GroupCreate(handle="#d"))


# -- how it works


@pytest.mark.parametrize(
    ("settings", "notice"),
    [
        ({"title": "New"}, ("title", "ann", None, "New")),
        ({"topic": "all  of\nit"}, ("topic", "ann", None, "all of it")),
        ({"title": "a\u202eb\x07c"}, ("title", "ann", None, "abc")),
        ({"title": ""}, ("settings", "ann", None, 'title=""')),
        ({"title": "New", "topic": "x"}, ("settings", "ann", None, "title=New topic=x")),
        ({"slow_mode": 30}, ("settings", "ann", None, "slow_mode=30")),
        ({"join_mode": "request", "title": "The team"}, ("settings", "ann", None, "join_mode=request")),
        (
            {"who_writes": "admins", "who_invites": "members", "history": "joined", "retention": 60},
            ("settings", "ann", None, "who_writes=admins who_invites=members history=joined retention=60"),
        ),
    ],
)
def test_a_change_is_one_notice(team: Team, settings: dict[str, Any], notice: tuple[Any, ...]) -> None:
    before = len(team.notices())
    reply = team.rules.asks(team.people["ann"], GroupSet(to="#team", **settings))
    assert team.last_notice() == notice
    assert len(team.notices()) == before + 1
    row = team.standing("ann")
    assert (reply.seq, reply.rev) == (row.last_seq, row.last_rev)
    for name, value in settings.items():
        assert getattr(row, name) == (names.one_line(value) if isinstance(value, str) else value)


def test_what_is_so_already_is_no_notice(team: Team) -> None:
    before = len(team.notices())
    outcome = team.rules.does(team.people["ann"], GroupSet(to="#team", title="The team", slow_mode=0))
    assert (outcome.told, len(team.notices())) == ((), before)
    assert outcome.reply.seq == team.standing("ann").last_seq


def test_nothing_to_change(team: Team) -> None:
    refused = team.refused("ann", GroupSet(to="#team"))
    assert (type(refused), refused.case) == (BadRequest, "nothing")


def test_only_admins_write_where_it_is_so(team: Team) -> None:
    team.set(who_writes="admins")
    for name in ("ann", "bob"):
        team.asks(name, SendMessage(to="#team", content="hear"))
    for name in ("cid", "dee"):
        assert team.refused(name, SendMessage(to="#team", content="may I")).case == "readers"


def test_retention_holds_for_what_is_sent_from_then_on(team: Team) -> None:
    team.asks("ann", SendMessage(to="#team", content="kept"))
    team.set(retention=60)
    team.asks("ann", SendMessage(to="#team", content="gone"))
    team.rules.now += 61_000
    for job in JOBS:
        team.rules.in_transaction(lambda tx, run=job: run(tx, team.rules.now))
    page = team.rules.asks(team.people["cid"], History(to="#team")).messages
    assert [(each.content, bool(each.burned)) for each in page if each.kind == "text"] == [("kept", False), ("", True)]
    assert all(each.notice for each in page if each.kind == "notice"), "what happened is not forgotten"


def test_a_notice_is_nobodys_to_change(team: Team) -> None:
    team.asks("cid", GroupLeave(to="#team"))
    team.asks("cid", GroupJoin(to="#team"))
    seq = team.standing("cid").last_seq
    for command in (
        EditMessage(to="#team", seq=seq, content="x"),
        RecallMessage(to="#team", seq=seq),
        Forward(to="#team", seq=seq, target="ann"),
    ):
        assert isinstance(team.refused("cid", command), BadRequest)
    assert team.refused("ann", RecallMessage(to="#team", seq=seq)).case == "uneditable"


# -- finding it


def test_the_public_ones_are_listed_the_largest_first(team: Team) -> None:
    for handle, mode in (("#a", "open"), ("#b", "request"), ("#hidden", "invite"), ("#c", "open")):
        team.asks("eve", GroupCreate(handle=handle, join_mode=mode, title="T"))
    team.asks("ann", GroupJoin(to="#c"))

    def listed(**page: int) -> tuple[list[tuple[str, int]], bool]:
        reply = team.rules.asks(team.people["fox"], ListGroups(**page))
        return [(each.to, each.members) for each in reply.groups], reply.more

    assert listed() == ([("#team", 4), ("#c", 2), ("#a", 1), ("#b", 1)], False)
    assert listed(limit=2) == ([("#team", 4), ("#c", 2)], True)
    assert listed(skip=2, limit=2) == ([("#a", 1), ("#b", 1)], False)


PUBLIC = {"conversation", "to", "title", "topic", "join_mode", "members", "created"}


@pytest.mark.parametrize("name", ROLES)
def test_what_each_learns_of_it(team: Team, name: str) -> None:
    team.set(topic="x", slow_mode=5)
    info: GroupInfo = team.rules.asks(team.people[name], AskGroup(to="#TEAM"))
    assert (info.to, info.title, info.topic, info.members, info.join_mode) == ("#team", "The team", "x", 4, "open")
    inside = {field for field in info.__struct_fields__ if getattr(info, field) is not None} - PUBLIC
    if ROLES[name] in RANKS:
        assert inside == {"role", "who_writes", "who_invites", "history", "slow_mode", "retention"}
        assert (info.role, info.slow_mode) == (ROLES[name], 5)
    else:
        assert inside == set()


# -- its end


def everything(rules: Rules) -> dict[str, int]:
    tables = ("member", "message", "reaction", "mention", "star", "hidden", "pending", "group_link", "purge")
    return {
        table: rules.tx.execute(f"SELECT count(*) FROM {table} WHERE conversation = 1").fetchone()[0]
        for table in tables
    }


def test_deleting_it_ends_it_for_everybody_at_once(team: Team) -> None:
    team.asks("ann", GroupInvite(to="#team", username="eve"))
    team.asks("ann", GroupLink(to="#team"))
    outcome = team.rules.does(team.people["ann"], GroupDelete(to="#team"))
    topic = Topic.members(team.conversation)
    assert outcome.told == ((Followers(topic), GroupDeleted(conversation=1, to="#team", by="ann")),)
    assert outcome.effects == (Unfollow(EVERYBODY, topic), Schedule(team.rules.now))
    for name in team.people:
        assert team.rules.asks(team.people[name], ListConversations()).conversations == []
        assert type(team.refused(name, History(conversation=1))) is NoSuchConversation
        assert type(team.refused(name, SendMessage(to="#team", content="?"))) is NoSuchConversation
        assert type(team.refused(name, GroupJoin(to="#team"))) is NoSuchConversation
        assert type(team.refused(name, GroupJoin(conversation=1))) is NoSuchConversation
    assert team.rules.asks(team.people["eve"], ListGroups()).groups == []


def purge_all(rules: Rules) -> list[Any]:
    """Run the job until it has nothing to do; gives what each piece told."""
    told = []
    while True:
        before = rules.tx.total_changes
        done = rules.in_transaction(lambda tx: groups.purge(tx, rules.now))
        assert rules.tx.total_changes - before <= 3 * groups.AT_ONCE + 2, "a piece is a piece"
        if done.again is None:
            return told
        told.append((done, rules.forgot()))


def test_afterwards_nothing_of_it_is_left_piece_by_piece(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "AT_ONCE", 3)
    team.asks("ann", GroupSet(to="#team", join_mode="open"))
    for number in range(7):
        team.asks("cid", SendMessage(to="#team", content=f"@ann {number}"))
    last = team.standing("cid").last_seq
    for name in ("ann", "bob", "cid"):
        team.asks(name, React(to="#team", seq=last, emoji="👍"))
        team.asks(name, Star(to="#team", seq=last))
    team.asks("bob", GroupLeave(to="#team"))
    team.asks("ann", SendMessage(to="bob", content="kept"))
    team.asks("ann", GroupDelete(to="#team"))
    assert everything(team.rules)["message"] > 10
    pieces = purge_all(team.rules)
    assert len(pieces) > 8
    assert [forgot for _, forgot in pieces] == [False] * (len(pieces) - 1) + [True]
    assert set(everything(team.rules).values()) == {0}
    assert team.rules.asks(team.people["bob"], History(to="ann")).messages[0].content == "kept"
    logged = [(to, event.what) for piece, _ in pieces for to, event in piece.told]
    assert sorted(logged) == sorted(((team.people[name].account,), "left") for name in ("ann", "cid", "dee"))
    for name in ("ann", "bob", "cid", "dee"):
        changes = team.rules.asks(team.people[name], AccountSync(after=0)).changes
        assert [each.what for each in changes if each.what in {"joined", "left"}] == ["joined", "left"]


def test_its_name_is_free_and_its_number_is_not(team: Team) -> None:
    team.asks("ann", GroupDelete(to="#team"))
    assert team.asks("eve", GroupCreate(handle="#team")) == 2
    purge_all(team.rules)
    assert team.asks("eve", GroupCreate(handle="#other")) == 3
    assert type(team.refused("ann", History(to="#team"))) is NoSuchConversation


def test_a_message_that_burns_in_a_deleted_group_does_no_harm(team: Team) -> None:
    team.set(retention=60)
    team.asks("ann", SendMessage(to="#team", content="gone"))
    team.asks("ann", GroupDelete(to="#team"))
    team.rules.now += 61_000
    for job in reversed(JOBS):
        team.rules.in_transaction(lambda tx, run=job: run(tx, team.rules.now))
