"""Members: joining, leaving, roles, muting, removing, banning; what each is told, and may see afterwards."""

from typing import Any

import pytest

from imd.chat.base.effects import Follow, Followers, Topic, Unfollow
from imd.store import groups
from imd.wire.base import Command
from imd.wire.conversations import History, ListConversations, Sync
from imd.wire.groups import AskGroup, GroupDeleted
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
from imd.wire.messages import NewMessage, SendMessage
from imd.wire.personal import AccountChanged, AccountSync, ClearHistory
from imd.wire.refusals import Forbidden, NoSuchUser, NotAMember
from tests.chat.team import ROLES, Team

RANKS = ["reader", "member", "admin", "owner"]


def count(team: Team) -> tuple[int, int]:
    """Give how many members the group says it has, and how many it has."""
    rows = team.rules.tx.execute(
        "SELECT count(*) FROM member WHERE conversation = ? AND left_seq IS NULL", (team.conversation,)
    )
    return team.standing("ann").members, rows.fetchone()[0]


def seen(team: Team, name: str) -> list[str]:
    """List the messages that somebody may read."""
    page = team.rules.asks(team.people[name], History(to="#team", limit=200)).messages
    return [each.content for each in page]


def join(team: Team, name: str) -> None:
    team.asks(name, GroupJoin(to="#team"))


# -- joining and leaving


def test_a_member_who_joins_again_is_kept_under_their_name(team: Team) -> None:
    for command in (GroupJoin(to="#team"), GroupLeave(to="#team"), GroupJoin(to="#team")):
        team.asks("eve", command)
    row = team.rules.tx.execute(
        "SELECT name, typeof(joined) FROM member WHERE conversation = ? AND account = ?",
        (team.conversation, team.people["eve"].account),
    ).fetchone()
    assert row == ("eve", "integer")


def test_the_list_of_all_groups_names_the_owner(team: Team) -> None:
    team.asks("ann", GroupTransfer(to="#team", username="dee"))
    assert [each.owner for each in groups.every(team.rules.tx, "", 9)] == ["dee"]


def test_a_new_member_hears_of_it_and_follows_from_then_on(team: Team) -> None:
    outcome = team.rules.does(team.people["eve"], GroupJoin(to="#team"))
    account, topic = team.people["eve"].account, Topic.members(team.conversation)
    assert (outcome.reply.joined, outcome.reply.to) == (True, "#team")
    assert outcome.effects == (Follow(account, topic, 0),)
    (to, told), (devices, logged) = outcome.told
    seq = team.standing("eve").last_seq
    assert to == Followers(topic, seq=seq)
    assert isinstance(told, NewMessage)
    assert (told.seq, told.sender, told.content, told.to) == (seq, "eve", "eve joined.", "#team")
    assert (devices, logged) == ((account,), AccountChanged(n=1, what="joined", conversation=team.conversation))
    assert count(team) == (5, 5)
    [listed] = team.rules.asks(team.people["eve"], ListConversations()).conversations
    assert (listed.unread, listed.delivered_seq, listed.role) == (0, seq, "member")


def test_joining_again_is_nothing(team: Team) -> None:
    outcome = team.rules.does(team.people["cid"], GroupJoin(to="#team"))
    assert (outcome.reply.joined, outcome.told, outcome.effects) == (True, (), ())
    assert count(team) == (4, 4)


@pytest.mark.parametrize(("history", "before"), [("all", True), ("joined", False)])
def test_what_came_before_is_a_groups_own_setting(team: Team, history: str, before: bool) -> None:
    team.asks("ann", SendMessage(to="#team", content="before"))
    team.set(history=history)
    outcome = team.rules.does(team.people["eve"], GroupJoin(to="#team"))
    team.asks("ann", SendMessage(to="#team", content="after"))
    assert ("before" in seen(team, "eve")) == before
    assert seen(team, "eve")[-2:] == ["eve joined.", "after"]
    synced = team.rules.asks(team.people["eve"], Sync(to="#team", after_rev=0)).messages
    assert [each.content for each in synced] == seen(team, "eve")
    [follow] = outcome.effects
    assert follow.seq == (0 if before else team.standing("eve").joined_seq)
    assert "before" in seen(team, "cid"), "those who are in it keep what they may read"


def test_changing_it_later_changes_nothing_for_present_members(team: Team) -> None:
    team.asks("ann", SendMessage(to="#team", content="before"))
    team.set(history="joined")
    join(team, "eve")
    team.set(history="all")
    assert "before" not in seen(team, "eve")
    assert "before" in seen(team, "cid")


def test_a_returning_member_with_history_from_joining_sees_only_what_follows(team: Team) -> None:
    team.set(history="joined")
    team.asks("cid", SendMessage(to="#team", content="mine"))
    team.asks("cid", GroupLeave(to="#team"))
    team.asks("ann", SendMessage(to="#team", content="meanwhile"))
    join(team, "cid")
    assert seen(team, "cid") == ["cid joined."]


def test_a_returning_member_has_the_history_cleared_that_they_had_cleared(team: Team) -> None:
    team.asks("cid", ClearHistory(to="#team"))
    cleared = team.standing("cid").hidden_seq
    team.asks("cid", GroupLeave(to="#team"))
    outcome = team.rules.does(team.people["cid"], GroupJoin(to="#team"))
    assert outcome.effects == (Follow(team.people["cid"].account, Topic.members(1), cleared),)
    assert seen(team, "cid") == ["cid left.", "cid joined."]


@pytest.mark.parametrize("command", [GroupKick(to="#team", username="cid"), GroupBan(to="#team", username="cid")])
def test_a_removed_member_hears_of_it_and_of_nothing_after_it(team: Team, command: Command) -> None:
    outcome = team.rules.does(team.people["bob"], command)
    account, topic = team.people["cid"].account, Topic.members(team.conversation)
    (to, told), (devices, logged) = outcome.told
    assert (to, told.notice.who) == (Followers(topic, seq=outcome.reply.seq), "cid")
    assert (devices, logged.what, logged.conversation) == ((account,), "left", team.conversation)
    assert outcome.effects == (Unfollow(account, topic),)
    assert count(team) == (3, 3)
    assert team.rules.asks(team.people["cid"], ListConversations()).conversations == []
    for asked in (History(to="#team"), Sync(to="#team", after_rev=0), SendMessage(to="#team", content="?")):
        assert type(team.refused("cid", asked)) is NotAMember


def test_one_who_left_is_told_so_by_the_account_log_once_each(team: Team) -> None:
    team.asks("cid", GroupLeave(to="#team"))
    join(team, "cid")
    team.asks("cid", GroupLeave(to="#team"))
    changes = team.rules.asks(team.people["cid"], AccountSync(after=0)).changes
    assert [(each.what, each.n) for each in changes] == [("joined", 3), ("left", 4)]
    assert type(team.refused("cid", GroupLeave(to="#team"))) is NotAMember
    assert count(team) == (3, 3)


def test_what_was_said_stays_sent_when_its_sender_is_gone(team: Team) -> None:
    team.asks("cid", SendMessage(to="#team", content="hi", client_id="c"))
    first = team.standing("cid").last_seq
    team.asks("ann", GroupKick(to="#team", username="cid"))
    again = team.rules.asks(team.people["cid"], SendMessage(to="#team", content="hi", client_id="c"))
    assert (again.seq, again.duplicate) == (first, True)
    assert type(team.refused("cid", SendMessage(to="#team", content="hi", client_id="d"))) is NotAMember


def test_nobody_gets_rid_of_a_mute_or_of_reading_only_by_leaving(team: Team) -> None:
    team.asks("ann", GroupMute(to="#team", username="cid", seconds=600))
    for name in ("cid", "dee"):
        team.asks(name, GroupLeave(to="#team"))
        join(team, name)
    assert team.refused("cid", SendMessage(to="#team", content="?")).case == "muted"
    assert team.roles()["dee"] == "reader"


def test_an_admin_who_leaves_comes_back_as_a_member(team: Team) -> None:
    team.asks("bob", GroupLeave(to="#team"))
    join(team, "bob")
    assert team.roles()["bob"] == "member"


# -- the owner


@pytest.mark.parametrize(
    ("leaving", "heir"),
    [("", "bob"), ("bob", "cid"), ("bob cid", "dee")],
)
def test_the_last_owner_leaves_it_to_the_longest_standing(team: Team, leaving: str, heir: str) -> None:
    join(team, "eve")
    team.asks("ann", GroupRole(to="#team", username="eve", role="reader" if "cid" in leaving else "member"))
    for name in leaving.split():
        team.asks(name, GroupLeave(to="#team"))
    outcome = team.rules.does(team.people["ann"], GroupLeave(to="#team"))
    assert team.roles()[heir] == "owner"
    assert [event.notice.what for _, event in outcome.told if isinstance(event, NewMessage)] == ["transferred", "left"]
    assert sorted(team.roles().values()).count("owner") == 1


def test_a_later_admin_goes_before_an_earlier_member(team: Team) -> None:
    join(team, "eve")
    team.asks("ann", GroupRole(to="#team", username="eve", role="admin"))
    team.asks("bob", GroupLeave(to="#team"))
    team.asks("ann", GroupLeave(to="#team"))
    assert team.roles()["eve"] == "owner"


def test_with_the_last_one_the_group_goes(team: Team) -> None:
    for name in ("bob", "cid", "dee"):
        team.asks(name, GroupLeave(to="#team"))
    outcome = team.rules.does(team.people["ann"], GroupLeave(to="#team"))
    assert [type(event) for _, event in outcome.told] == [GroupDeleted]
    assert team.standing("ann").deleted


def test_handing_it_over(team: Team) -> None:
    team.asks("ann", GroupTransfer(to="#team", username="dee"))
    assert team.roles() == {"ann": "admin", "bob": "admin", "cid": "member", "dee": "owner"}
    assert team.last_notice() == ("transferred", "ann", "dee", None)
    assert type(team.refused("ann", GroupTransfer(to="#team", username="ann"))) is Forbidden


def test_handing_it_to_oneself_is_nothing(team: Team) -> None:
    before = len(team.notices())
    team.asks("ann", GroupTransfer(to="#team", username="ann"))
    assert (len(team.notices()), team.roles()["ann"]) == (before, "owner")


# -- those of a lower role


ABOUT = [
    GroupRole(to="#team", username="", role="member"),
    GroupMute(to="#team", username="", seconds=60),
    GroupKick(to="#team", username=""),
    GroupBan(to="#team", username=""),
]


@pytest.mark.parametrize("target", ["ann", "bob", "cid", "dee"])
@pytest.mark.parametrize("name", ["ann", "bob"])
@pytest.mark.parametrize("command", ABOUT, ids=lambda command: type(command).__name__)
def test_only_about_those_of_a_lower_role(team: Team, command: Any, name: str, target: str) -> None:
    fields = {field: getattr(command, field) for field in command.__struct_fields__}
    command = type(command)(**{**fields, "username": target})
    if RANKS.index(ROLES[target]) < RANKS.index(ROLES[name]):
        team.asks(name, command)
    else:
        refused = team.refused(name, command)
        assert (type(refused), refused.case) == (Forbidden, "role")


@pytest.mark.parametrize(
    "command", [*ABOUT[:3], GroupTransfer(to="#team", username="")], ids=lambda c: type(c).__name__
)
@pytest.mark.parametrize("target", ["eve", "fox", "nobody", "", "a b"])
def test_an_account_that_is_no_member_looks_absent(team: Team, command: Any, target: str) -> None:
    fields = {field: getattr(command, field) for field in command.__struct_fields__}
    refused = team.refused("ann", type(command)(**{**fields, "username": target}))
    assert (type(refused), refused.params) == (NoSuchUser, {"username": target})


@pytest.mark.parametrize(
    ("name", "target", "role", "may"),
    [
        ("ann", "cid", "admin", True),
        ("ann", "bob", "reader", True),
        ("ann", "dee", "member", True),
        ("bob", "cid", "admin", False),
        ("bob", "cid", "reader", True),
        ("bob", "dee", "member", True),
        ("bob", "bob", "member", False),
        ("ann", "ann", "admin", False),
    ],
)
def test_roles_below_ones_own(team: Team, name: str, target: str, role: Any, may: bool) -> None:
    command = GroupRole(to="#team", username=target, role=role)
    if not may:
        assert isinstance(team.refused(name, command), Forbidden)
        return
    team.asks(name, command)
    assert team.roles()[target] == role
    assert team.last_notice() == ("role", name, target, role)
    before = len(team.notices())
    team.asks(name, command)
    assert len(team.notices()) == before, "it is so already"


def test_muting_for_a_time(team: Team) -> None:
    hello = SendMessage(to="#team", content="hi")
    team.asks("bob", GroupMute(to="#team", username="cid", seconds=60))
    assert team.last_notice() == ("muted", "bob", "cid", "60")
    team.rules.now += 59_000
    assert team.refused("cid", hello).params == {"retry_after": 1}
    team.rules.now += 1_000
    team.asks("cid", hello)
    before = len(team.notices())
    team.asks("bob", GroupMute(to="#team", username="cid", seconds=0))
    assert len(team.notices()) == before, "the word was there again"


def test_unmuting(team: Team) -> None:
    team.asks("bob", GroupMute(to="#team", username="cid", seconds=60))
    [muted] = [each for each in team.rules.asks(team.people["cid"], ListMembers(to="#team")).members if each.muted]
    assert muted.username == "cid"
    team.asks("ann", GroupMute(to="#team", username="cid", seconds=0))
    assert team.last_notice() == ("unmuted", "ann", "cid", None)
    team.asks("cid", SendMessage(to="#team", content="hi"))


def test_a_mute_holds_an_admin_too_but_no_owner(team: Team) -> None:
    hello = SendMessage(to="#team", content="hi")
    team.asks("ann", GroupMute(to="#team", username="bob", seconds=60))
    assert team.refused("bob", hello).case == "muted"
    team.asks("ann", GroupTransfer(to="#team", username="bob"))
    team.asks("bob", hello)


def test_a_ban_holds_for_whoever_it_is(team: Team) -> None:
    team.asks("bob", GroupBan(to="#team", username="cid"))
    team.asks("bob", GroupBan(to="#team", username="eve"))
    before = len(team.notices())
    team.asks("bob", GroupBan(to="#team", username="eve"))
    assert len(team.notices()) == before
    for name in ("cid", "eve", "fox"):
        refused = team.refused(name, GroupJoin(to="#team"))
        assert (type(refused), refused.case) == (Forbidden, "banned")
        assert team.rules.asks(team.people[name], AskGroup(to="#team")).members == 3, "a public group is no secret"
    assert isinstance(team.refused("ann", GroupBan(to="#team", username="nobody")), NoSuchUser)
    assert count(team) == (3, 3)


def test_a_lifted_ban_lets_them_come_again(team: Team) -> None:
    for name, back in (("fox", "member"), ("cid", "member")):
        team.asks("bob", GroupBan(to="#team", username=name))
        team.asks("bob", GroupUnban(to="#team", username=name))
        assert team.last_notice() == ("unbanned", "bob", name, None)
        assert name not in team.roles()
        join(team, name)
        assert team.roles()[name] == back
    before = len(team.notices())
    team.asks("bob", GroupUnban(to="#team", username="eve"))
    assert len(team.notices()) == before
    assert count(team) == (5, 5)


def test_the_members_by_name_page_by_page(team: Team) -> None:
    def page(**fields: Any) -> tuple[list[tuple[str, str]], bool]:
        reply = team.rules.asks(team.people["dee"], ListMembers(to="#team", **fields))
        return [(each.username, each.role) for each in reply.members], reply.more

    everybody = [("ann", "owner"), ("bob", "admin"), ("cid", "member"), ("dee", "reader")]
    assert page() == (everybody, False)
    assert page(limit=3) == (everybody[:3], True)
    assert page(after="cid", limit=3) == (everybody[3:], False)
    team.asks("bob", GroupLeave(to="#team"))
    assert page() == ([each for each in everybody if each[0] != "bob"], False)
