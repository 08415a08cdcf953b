"""Invitations: by name, on request, by link; what they reveal, and who is told."""

from typing import Any

import pytest

from imd.chat import invitations
from imd.chat.base.effects import Follow, Topic
from imd.chat.base.handlers import reminders
from imd.chat.base.passwords import fingerprint
from imd.wire.base import Command
from imd.wire.friends import Block, Decline
from imd.wire.groups import AskGroup, GroupCreate
from imd.wire.invitations import (
    GroupApprove,
    GroupInvite,
    GroupInvited,
    GroupLink,
    GroupRequest,
    GroupUnlink,
    ListLinks,
)
from imd.wire.members import GroupBan, GroupJoin, GroupKick, GroupLeave, GroupRole
from imd.wire.messages import SendMessage
from imd.wire.profiles import SetProfile
from imd.wire.refusals import BadRequest, Forbidden, InviteInvalid, NoSuchConversation, NotAMember, QuotaExceeded
from tests.chat.team import Team

INVITED = GroupInvited(conversation=1, to="#team", title="The team", by="bob")
ASKED = GroupRequest(conversation=1, to="#team", username="eve")
DAY = 86_400_000


def waits_for(team: Team, name: str) -> list[Any]:
    return reminders(team.rules.tx, team.people[name])


def invite(team: Team, who: str = "eve", by: str = "bob") -> Any:
    return team.rules.does(team.people[by], GroupInvite(to="#team", username=who))


def join(team: Team, name: str = "eve", code: str = "") -> Any:
    return team.rules.does(team.people[name], GroupJoin(to="#team", code=code))


# -- by name


@pytest.mark.parametrize("join_mode", ["open", "request", "invite"])
def test_an_invited_person_is_told_and_may_join_whatever_the_mode(team: Team, join_mode: str) -> None:
    team.set(join_mode=join_mode)
    assert invite(team).told == (((team.people["eve"].account,), INVITED),)
    assert waits_for(team, "eve") == [INVITED]
    assert team.rules.asks(team.people["eve"], AskGroup(to="#team")).title == "The team"
    expected = NoSuchConversation if join_mode == "invite" else NotAMember
    assert type(team.refused("eve", SendMessage(to="#team", content="hi"))) is expected
    assert join(team).reply.joined
    assert team.roles()["eve"] == "member"
    assert waits_for(team, "eve") == []


def test_a_second_invitation_says_nothing_new(team: Team) -> None:
    invite(team)
    assert invite(team, by="ann").told == ()
    assert waits_for(team, "eve") == [INVITED]
    assert invite(team, "cid").told == (), "they are in it"


@pytest.mark.parametrize("who", ["nobody", "", "a b", "x" * 256, "cid", "eve"])
def test_the_answer_reveals_nothing(team: Team, who: str) -> None:
    before = team.standing("ann")
    reply = invite(team, who).reply
    assert (reply.conversation, reply.seq, reply.rev) == (1, before.last_seq, before.last_rev)


@pytest.mark.parametrize("keeping", [Block(username="bob"), Decline(username="bob"), SetProfile(writers="friends")])
def test_a_person_who_keeps_the_inviter_away_never_hears_of_it(team: Team, keeping: Command) -> None:
    if isinstance(keeping, Decline):
        team.asks("bob", SendMessage(to="eve", content="hello"))
    team.asks("eve", keeping)
    before = team.standing("ann")
    for _ in range(2):
        outcome = invite(team)
        assert (outcome.told, outcome.reply.seq, outcome.reply.rev) == ((), before.last_seq, before.last_rev)
    assert waits_for(team, "eve") == []
    team.set(join_mode="request")
    join(team)
    assert invite(team).told, "who asked is let in, by whom ever"
    assert team.roles()["eve"] == "member"


def test_blocking_somebody_declines_their_invitations_and_no_others(team: Team) -> None:
    team.set(join_mode="invite")
    invite(team)
    team.asks("eve", Block(username="bob"))
    assert waits_for(team, "eve") == []
    assert type(team.refused("eve", GroupJoin(to="#team"))) is NoSuchConversation
    assert invite(team, by="ann").told
    team.asks("eve", Block(username="cid"))
    assert join(team).reply.joined


def test_declining(team: Team) -> None:
    team.set(join_mode="invite")
    invite(team)
    outcome = team.rules.does(team.people["eve"], GroupLeave(to="#team"))
    assert (outcome.told, waits_for(team, "eve")) == ((), [])
    assert type(team.refused("eve", GroupJoin(to="#team"))) is NoSuchConversation
    assert type(team.refused("eve", GroupLeave(to="#team"))) is NoSuchConversation
    assert invite(team).told, "they may be asked again"


@pytest.mark.parametrize(("who_invites", "may"), [("admins", {"ann", "bob"}), ("members", {"ann", "bob", "cid"})])
def test_who_may_invite(team: Team, who_invites: str, may: set[str]) -> None:
    team.set(who_invites=who_invites)
    for name in ("ann", "bob", "cid", "dee"):
        if name in may:
            invite(team, by=name)
        else:
            assert isinstance(team.refused(name, GroupInvite(to="#team", username="eve")), Forbidden)


def test_a_banned_person_is_not_invited(team: Team) -> None:
    refused = team.refused("bob", GroupInvite(to="#team", username="fox"))
    assert (type(refused), refused.case, refused.params) == (Forbidden, "banned_there", {"username": "fox"})
    invite(team)
    team.asks("ann", GroupBan(to="#team", username="eve"))
    assert waits_for(team, "eve") == []


def test_a_removed_member_may_be_invited_again(team: Team) -> None:
    team.set(join_mode="invite")
    team.asks("ann", GroupKick(to="#team", username="cid"))
    assert type(team.refused("cid", GroupJoin(to="#team"))) is NoSuchConversation
    invite(team, "cid")
    assert join(team, "cid").reply.joined


def test_how_many_may_be_invited_at_once(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "MOST_INVITED", 2)
    for name in ("gus", "hal", "ida"):
        team.people[name] = team.rules.person(name)
    join(team, "gus")
    team.asks("gus", GroupLeave(to="#team"))
    invite(team, "gus")
    invite(team, "hal")
    refused = team.refused("bob", GroupInvite(to="#team", username="ida"))
    assert (type(refused), refused.case, refused.params) == (QuotaExceeded, "invitations", {"limit": 2})
    join(team, "gus")
    invite(team, "ida")


# -- on request


@pytest.fixture
def asked(team: Team) -> Team:
    """Give the team, with a request of Eve's to join it."""
    team.set(join_mode="request")
    join(team)
    return team


def test_a_request_waits_and_the_admins_are_told(team: Team) -> None:
    team.set(join_mode="request")
    outcome = join(team)
    assert (outcome.reply.joined, outcome.effects) == (False, ())
    assert outcome.told == (((team.people["ann"].account, team.people["bob"].account), ASKED),)
    assert join(team).told == (), "asking again is nothing"
    assert "eve" not in team.roles()
    for name, waits in (("ann", [ASKED]), ("bob", [ASKED]), ("cid", []), ("eve", [])):
        assert waits_for(team, name) == waits
    assert type(team.refused("eve", SendMessage(to="#team", content="hi"))) is NotAMember


@pytest.mark.parametrize("command", [GroupApprove(to="#team", username="eve"), GroupInvite(to="#team", username="eve")])
def test_being_let_in(asked: Team, command: Any) -> None:
    outcome = asked.rules.does(asked.people["bob"], command)
    eve = asked.people["eve"].account
    assert outcome.effects == (Follow(eve, Topic.members(1), 0),)
    assert asked.last_notice() == ("admitted", "bob", "eve", None)
    assert outcome.reply.seq == asked.standing("bob").last_seq
    assert outcome.told[1][0] == (eve,)
    assert outcome.told[1][1].what == "joined"
    assert asked.roles()["eve"] == "member"
    assert waits_for(asked, "ann") == []
    before = len(asked.notices())
    asked.asks("ann", GroupApprove(to="#team", username="eve"))
    assert len(asked.notices()) == before


def test_being_turned_down_is_not_told(asked: Team) -> None:
    outcome = asked.rules.does(asked.people["bob"], GroupApprove(to="#team", username="eve", approve=False))
    assert (outcome.told, waits_for(asked, "ann")) == ((), [])
    asked.asks("bob", GroupApprove(to="#team", username="eve", approve=False))
    refused = asked.refused("bob", GroupApprove(to="#team", username="eve"))
    assert (type(refused), refused.case, refused.params) == (BadRequest, "no_request", {"username": "eve"})
    assert join(asked).told, "they may ask again"


def test_taking_the_request_back(asked: Team) -> None:
    asked.asks("eve", GroupLeave(to="#team"))
    assert waits_for(asked, "ann") == []
    assert type(asked.refused("eve", GroupLeave(to="#team"))) is NotAMember


def test_a_person_who_asked_joins_once_the_group_is_open(asked: Team) -> None:
    asked.set(join_mode="open")
    assert join(asked).reply.joined
    assert waits_for(asked, "ann") == []


def test_a_person_who_asked_sees_it_no_more_once_it_is_closed(asked: Team) -> None:
    asked.set(join_mode="invite")
    for command in (AskGroup(to="#team"), GroupJoin(to="#team")):
        assert type(asked.refused("eve", command)) is NoSuchConversation
    asked.asks("ann", GroupApprove(to="#team", username="eve"))
    assert asked.roles()["eve"] == "member"


def test_an_invitation_is_no_request(team: Team) -> None:
    invite(team)
    assert team.refused("ann", GroupApprove(to="#team", username="eve")).case == "no_request"
    team.asks("ann", GroupApprove(to="#team", username="eve", approve=False))
    assert waits_for(team, "eve") == [INVITED]


def test_a_former_admin_is_not_told_of_requests(asked: Team) -> None:
    asked.asks("ann", GroupRole(to="#team", username="bob", role="member"))
    assert waits_for(asked, "bob") == []
    asked.asks("ann", GroupRole(to="#team", username="bob", role="admin"))
    asked.asks("bob", GroupLeave(to="#team"))
    assert waits_for(asked, "bob") == []


def test_what_waits_is_told_up_to_a_number(asked: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "TOLD", 2)
    for name in ("gus", "hal"):
        asked.people[name] = asked.rules.person(name)
        asked.rules.now += 1
        join(asked, name)
    assert [each.username for each in waits_for(asked, "ann")] == ["eve", "gus"], "who asked first"


# -- by link


def link(team: Team, **fields: Any) -> Any:
    return team.rules.asks(team.people["bob"], GroupLink(to="#team", **fields))


def listed(team: Team) -> list[tuple[str, str, int]]:
    return [
        (each.link, each.by, each.uses) for each in team.rules.asks(team.people["ann"], ListLinks(to="#team")).links
    ]


def test_links_are_listed_by_when_they_end(team: Team) -> None:
    late, soon = link(team, days=30), link(team, days=2)
    assert [each for each, _, _ in listed(team)] == [soon.link, late.link]


def test_a_code_lets_in_so_many(team: Team) -> None:
    team.set(join_mode="invite")
    made = link(team, uses=2)
    assert len(made.join_code) >= 43, "256 bits"
    assert listed(team) == [(made.link, "bob", 2)]
    for name in ("gus", "hal", "ida"):
        team.people[name] = team.rules.person(name)
    assert join(team, "gus", made.join_code).reply.joined
    assert join(team, "gus", made.join_code).reply.joined
    assert listed(team) == [(made.link, "bob", 1)], "who is in it does not use it up"
    assert join(team, "hal", made.join_code).reply.joined
    assert type(team.refused("ida", GroupJoin(to="#team", code=made.join_code))) is NoSuchConversation
    assert listed(team) == []


def test_only_its_fingerprint_is_kept(team: Team) -> None:
    made = link(team)
    dump = "\n".join(team.rules.tx.iterdump())
    assert made.join_code not in dump
    assert fingerprint(made.join_code) in dump
    assert fingerprint(made.join_code).startswith(made.link)


@pytest.mark.parametrize(("days", "later", "works"), [(1, DAY - 1, True), (1, DAY, False), (365, 364 * DAY, True)])
def test_it_ends(team: Team, days: int, later: int, works: bool) -> None:
    team.set(join_mode="invite")
    made = link(team, days=days)
    team.rules.now += later
    if works:
        assert join(team, code=made.join_code).reply.joined
    else:
        assert type(team.refused("eve", GroupJoin(to="#team", code=made.join_code))) is NoSuchConversation
        assert listed(team) == []


def test_taking_it_back(team: Team) -> None:
    team.set(join_mode="request")
    made, other = link(team), link(team)
    team.asks("ann", GroupUnlink(to="#team", link=made.link))
    team.asks("ann", GroupUnlink(to="#team", link=made.link))
    assert [each[0] for each in listed(team)] == [other.link]
    refused = team.refused("eve", GroupJoin(to="#team", code=made.join_code))
    assert (type(refused), refused.case) == (InviteInvalid, "link")
    assert join(team, code=other.join_code).reply.joined


def test_it_opens_its_own_group_alone(team: Team) -> None:
    team.asks("eve", GroupCreate(handle="#other"))
    theirs = team.rules.asks(team.people["eve"], GroupLink(to="#other"))
    team.people["gus"] = team.rules.person("gus")
    team.set(join_mode="invite")
    assert type(team.refused("gus", GroupJoin(to="#team", code=theirs.join_code))) is NoSuchConversation
    team.asks("ann", GroupUnlink(to="#team", link=theirs.link))
    assert join_other(team, theirs.join_code)


def join_other(team: Team, code: str) -> bool:
    return bool(team.rules.asks(team.people["gus"], GroupJoin(to="#other", code=code)).joined)


def test_a_link_does_not_admit_a_banned_person(team: Team) -> None:
    made = link(team)
    assert team.refused("fox", GroupJoin(to="#team", code=made.join_code)).case == "banned"
    team.set(join_mode="invite")
    assert type(team.refused("fox", GroupJoin(to="#team", code=made.join_code))) is NoSuchConversation


def test_an_open_door_and_an_invitation_use_no_link_up(team: Team) -> None:
    made = link(team)
    join(team, code=made.join_code)
    assert listed(team) == [(made.link, "bob", 1)]
    team.asks("eve", GroupLeave(to="#team"))
    team.set(join_mode="invite")
    invite(team)
    join(team, code=made.join_code)
    assert listed(team) == [(made.link, "bob", 1)]


def test_how_many_links_a_group_has(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "MOST_LINKS", 2)
    link(team, days=1)
    link(team, days=2)
    refused = team.refused("bob", GroupLink(to="#team"))
    assert (type(refused), refused.case, refused.params) == (QuotaExceeded, "links", {"limit": 2})
    team.rules.now += DAY
    link(team)
    assert team.rules.tx.execute("SELECT count(*) FROM group_link").fetchone() == (2,), "what is over is forgotten"
