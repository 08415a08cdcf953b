"""The end of an account: what is destroyed, what stays, and what others meet afterwards."""

from typing import Any

import attrs
import pytest

from imd.chat import deletion
from imd.chat.base.access import account_named
from imd.chat.base.context import Caller
from imd.chat.base.effects import EVERYBODY, DropDevices, Effect, Schedule, SignOut, Topic, Unfollow
from imd.chat.base.limits import Limits
from imd.chat.deletion import destroy
from imd.testing import EPOCH, MemoryServer
from imd.testing import PASSWORD as TYPED
from imd.wire.accounts import Login, Register, Resume
from imd.wire.admin import UserDisable, UserList, UserPasswd
from imd.wire.conversations import History, ListConversations
from imd.wire.deletion import DeleteAccount
from imd.wire.export import Export, ExportPart
from imd.wire.friends import (
    Block,
    BlockList,
    FriendAccept,
    FriendAdd,
    FriendList,
    FriendNote,
    FriendRemove,
    FriendRemoved,
)
from imd.wire.groups import AskGroup, GroupCreate
from imd.wire.invitations import GroupInvite, GroupLink
from imd.wire.members import GroupJoin, ListMembers
from imd.wire.messages import EditMessage, Forward, RecallMessage, SendMessage
from imd.wire.personal import AccountChanged, AccountSync
from imd.wire.reactions import React
from imd.wire.receipts import Read, WhoRead
from imd.wire.refusals import (
    BadRequest,
    Blocked,
    InvalidCredentials,
    NameTaken,
    NoSuchConversation,
    NoSuchUser,
    RateLimited,
    Refusal,
)
from imd.wire.reports import ReportMessage
from tests.chat.leaving import SECRET, counted, end, rows, say, told_by
from tests.chat.rules import PASSWORD, Rules

# -- the receipt


def test_the_receipt(rules: Rules, life: Caller) -> None:
    outcome = rules.does(life, DeleteAccount(password=PASSWORD))
    receipt = outcome.reply
    assert (receipt.username, receipt.tombstone, receipt.time) == ("ann", "deleted-1", "2026-09-21T14:13:20.000Z")
    assert counted(receipt) == (
        {
            "profile": 1,
            "devices": 2,
            "stars": 1,
            "hidden": 1,
            "log": 3,
            "notes": 4,
            "groups": 1,
            "conversations": 2,
        },
        {"messages": 5, "username": 1},
    )
    assert outcome.effects == (SignOut(), DropDevices(life.account, [4, 1]), Schedule(rules.now))


def test_the_receipt_when_everything_is_taken_back(rules: Rules, life: Caller) -> None:
    destroyed, kept = counted(end(rules, life, messages="recall"))
    assert (destroyed["recalled"], kept) == (5, {"username": 1})


def test_an_account_that_did_nothing(rules: Rules, ann: Caller) -> None:
    assert counted(end(rules, ann)) == ({"profile": 1, "devices": 1}, {"username": 1})


@pytest.mark.parametrize("password", ["", "wrong", f"{PASSWORD} "])
def test_it_needs_the_password(rules: Rules, life: Caller, password: str) -> None:
    assert isinstance(rules.refuses(life, DeleteAccount(password=password)), InvalidCredentials)


def test_passwords_cannot_be_tried_out() -> None:
    rules = Rules(Limits(failed_logins=2))
    ann = rules.person("ann")
    for expected in (InvalidCredentials, InvalidCredentials, RateLimited):
        assert type(rules.refuses(ann, DeleteAccount(password="wrong"))) is expected


# -- what is destroyed


def test_nobody_logs_in_any_more(rules: Rules, life: Caller) -> None:
    token = rules.asks(rules.stranger(), Login(username="ann", password=PASSWORD)).token
    end(rules, life)
    for command in (
        Login(username="ann", password=PASSWORD),
        Login(username="deleted-1", password=PASSWORD),
        Login(username="deleted-1", password=""),
        Resume(token=token),
    ):
        assert isinstance(rules.refuses(rules.stranger(), command), InvalidCredentials)


def test_an_account_whose_password_changes_meanwhile(rules: Rules, ann: Caller) -> None:
    @attrs.define
    class Changing(Rules):
        async def password_matches(self, password_hash: str | None, password: str, address: str) -> bool:
            self.tx.execute("UPDATE account SET password_hash = 'new'")
            return True

    changing = Changing()
    caller = changing.person("ann")
    with pytest.raises(InvalidCredentials):
        changing.does(caller, DeleteAccount(password=PASSWORD))
    assert account_named(changing.tx, "ann").deleted is None


NUMBER = 777_777
"""An account's id that is nothing else's."""

STAYS = {
    "account.id", "account.username", "account.display_name", "message.content",  # the tombstone; which left a group
    "message.sender", "reaction.account",  # what others have seen
    "conversation.direct_key",  # which are empty, or somebody else's as well
    "account_log.data",  # what the others' devices are told
    "relation.other",  # whom they keep away
    "pending.invited_by", "group_link.made_by",  # what the group has
    "report.reporter", "report.sender",  # what the admins have
}  # fmt: skip


@pytest.fixture
def numbered(rules: Rules) -> None:
    rules.tx.execute(
        "INSERT INTO account (id, username, display_name, password_hash, admin, disabled, created)"
        " VALUES (?, 'nobody', '', '', 0, 1, 0)",
        (NUMBER - 1,),
    )


@pytest.fixture
def known(rules: Rules, life: Caller, bob: Caller, cid: Caller) -> Caller:
    """Ann, with a friend, somebody she blocks, one who blocks her, requests, invitations, a link and reports."""
    dora, eve = rules.person("dora"), rules.person("eve")
    rules.asks(life, FriendAdd(username="bob"))
    rules.asks(bob, FriendAccept(username="ann"))
    rules.asks(bob, FriendNote(username="ann", note="Annie"))
    rules.asks(life, Block(username="dora"))
    rules.asks(dora, Block(username="ann"))
    rules.asks(life, FriendAdd(username="eve"))
    rules.asks(life, FriendAdd(username="nobody"))
    rules.asks(cid, FriendAdd(username="ann"))
    rules.asks(eve, GroupCreate(handle="#eves"))
    rules.asks(eve, GroupInvite(to="#eves", username="ann"))
    rules.asks(life, GroupCreate(handle="#anns"))
    rules.asks(life, GroupInvite(to="#anns", username="bob"))
    rules.asks(bob, GroupJoin(to="#anns"))
    rules.asks(life, GroupInvite(to="#anns", username="eve"))
    rules.asks(life, GroupLink(to="#anns"))
    rules.asks(life, ReportMessage(to="bob", seq=2, reason="rude"))
    rules.asks(bob, ReportMessage(to="ann", seq=1, reason="rude"))
    return life


def test_no_row_is_left_that_knows_the_account(rules: Rules, numbered: None, known: Caller) -> None:
    life = known
    assert life.account == NUMBER
    end(rules, life)
    left = set()
    for table in tables(rules):
        found = rules.tx.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in found.description]
        cells = [(name, cell) for row in found.fetchall() for name, cell in zip(names, row, strict=True)]
        left |= {f"{table}.{name}" for name, cell in cells if str(NUMBER) in str(cell)}
    assert left == STAYS
    [row] = rows(rules, "account", f"id = {NUMBER}")
    assert set(row) == {
        NUMBER,
        f"deleted-{NUMBER}",
        None,
        "",
        0,
        1,
        "everyone",
        "invisible",
        rules.now - deletion.SETTLED,
    }


def tables(rules: Rules) -> list[str]:
    """List the tables; an index of messages follows them by itself."""
    found = rules.tx.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return [name for (name,) in found.fetchall() if not name.startswith(("sqlite_", "search_"))]


def test_notes_are_destroyed(rules: Rules, life: Caller) -> None:
    notes = say(rules, life, "ann", "@ann look").conversation
    rules.asks(life, React(to="ann", seq=1, emoji="👍"))
    end(rules, life)
    for table in ("message", "member", "reaction", "mention"):
        assert rows(rules, table, f"conversation = {notes}") == [], table


def test_what_others_keep_for_themselves_stays(rules: Rules, life: Caller, bob: Caller) -> None:
    end(rules, life)
    assert [row[0] for row in rows(rules, "star")] == [bob.account]


def test_an_archive_is_thrown_away(rules: Rules, life: Caller) -> None:
    rules.asks(life, Export())
    rules.asks(life, DeleteAccount(password=PASSWORD))
    assert isinstance(refusal(rules, life, ExportPart(part=1)), BadRequest)


def refusal(rules: Rules, caller: Caller, command: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        rules.does(caller, command)
    return refused.value


def test_friends_part(rules: Rules, known: Caller, bob: Caller) -> None:
    rules.asks(known, DeleteAccount(password=PASSWORD))
    told = [event for to, event in told_by(rules) if to == (bob.account,)]
    assert [event.username for event in told if isinstance(event, FriendRemoved)] == ["ann"]
    relations = [event for event in told if isinstance(event, AccountChanged) and event.what == "relation"]
    assert [(event.username, event.value) for event in relations] == [("ann", "none")]
    assert rules.asks(bob, FriendList()).friends == []
    rules.asks(bob, FriendRemove(username="ann"))


def test_requests_are_taken_back(rules: Rules, known: Caller, cid: Caller) -> None:
    eve = attrs.evolve(cid, account=account_named(rules.tx, "eve").id, username="eve")
    assert [each.username for each in rules.asks(eve, FriendList()).incoming] == ["ann"]
    end(rules, known)
    assert rules.asks(eve, FriendList()).incoming == []
    assert [each.username for each in rules.asks(cid, FriendList()).outgoing] == ["ann"], "as if nobody had ever had it"


def test_whom_others_block_stays_blocked(rules: Rules, known: Caller, cid: Caller) -> None:
    dora = attrs.evolve(cid, account=account_named(rules.tx, "dora").id, username="dora")
    end(rules, known)
    assert [each.username for each in rules.asks(dora, BlockList()).people] == ["deleted-1"]


def test_a_group_goes_on_without_one(rules: Rules, life: Caller, bob: Caller) -> None:
    end(rules, life)
    assert rules.asks(bob, AskGroup(to="#team")).members == 1
    [left] = [each.notice for each in rules.asks(bob, History(to="#team")).messages if each.notice]
    assert (left.what, left.by) == ("left", "deleted-1")


def test_a_group_of_mine_passes_to_the_next(rules: Rules, known: Caller, bob: Caller) -> None:
    end(rules, known)
    assert [(each.username, each.role) for each in rules.asks(bob, ListMembers(to="#anns")).members] == [
        ("bob", "owner")
    ]


def test_a_group_of_mine_alone_ends(rules: Rules, ann: Caller, bob: Caller) -> None:
    conversation = rules.asks(ann, GroupCreate(handle="#anns", join_mode="open")).conversation
    rules.asks(ann, DeleteAccount(password=PASSWORD))
    effects: list[Effect] = []
    while (done := rules.in_transaction(lambda tx: destroy(tx, rules.now))).again is not None:
        effects += done.effects
        rules.now = max(rules.now, done.again)
    assert effects == [Unfollow(EVERYBODY, Topic.members(conversation)), Schedule(EPOCH)]
    assert isinstance(rules.refuses(bob, GroupJoin(to="#anns")), NoSuchConversation)


def test_presence_says_nothing_more() -> None:
    server = MemoryServer()
    ann, bob = server.login("ann"), server.login("bob")
    ann.call("friend_add", username="bob")
    bob.call("friend_accept", username="ann")
    ann.call("set_presence", presence="busy", presence_text="packing")
    bob.heard()
    ann.call("delete_account", password=TYPED)
    ann.hang_up()
    server.pass_time(10)
    assert [each["event"] for each in bob.objects()] == ["friend_removed", "account"]
    assert bob.call("friend_list")["friends"] == []


# -- what stays


def test_others_see_a_tombstone(rules: Rules, life: Caller, bob: Caller) -> None:
    end(rules, life)
    listed = {each.conversation: each for each in rules.asks(bob, ListConversations()).conversations}
    assert (listed[2].to, listed[2].title) == ("deleted-1", "deleted-1")
    for asked in (History(to="deleted-1"), History(conversation=2)):
        found = rules.asks(bob, asked).messages
        assert [each.sender for each in found] == ["deleted-1", "bob"] * 3
        assert {each.to for each in found} == {"deleted-1"}
        assert found[0].content == f"to bob: {SECRET}"
        assert found[1].reactions[0].users == ["deleted-1"]
    assert [each.sender for each in rules.asks(bob, History(to="#team")).messages] == ["deleted-1", "bob", "deleted-1"]
    assert rules.asks(bob, WhoRead(conversation=2, seq=2)).readers == []
    rules.asks(bob, Read(to="deleted-1", seq=6))


def test_the_others_devices_are_told(rules: Rules, life: Caller, bob: Caller) -> None:
    rules.asks(life, DeleteAccount(password=PASSWORD))
    told = [(to, event) for to, event in told_by(rules) if getattr(event, "what", "") == "deleted"]
    assert [(to, event.conversation, event.value) for to, event in told] == [
        ((bob.account,), 2, "deleted-1"),
        ((3,), 3, "deleted-1"),
    ]
    last = rules.asks(bob, AccountSync(after=0)).changes[-1]
    assert (last.what, last.conversation, last.value) == ("deleted", 2, "deleted-1")


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        (SendMessage(to="ann", content="x"), NoSuchUser),
        (SendMessage(to="deleted-1", content="x"), NoSuchUser),
        (SendMessage(conversation=2, content="x"), Blocked),
        (EditMessage(conversation=2, seq=2, content="x"), Blocked),
        (Forward(conversation=2, seq=2, target="deleted-1"), NoSuchUser),
        (SendMessage(to="#team", kind="contact", content="deleted-1"), NoSuchUser),
        (History(to="ann"), NoSuchUser),
    ],
)
def test_nothing_more_is_said_to_it(
    rules: Rules, life: Caller, bob: Caller, command: Any, refused: type[Refusal]
) -> None:
    end(rules, life)
    assert type(rules.refuses(bob, command)) is refused


def test_to_a_stranger_it_is_nobody(rules: Rules, life: Caller) -> None:
    end(rules, life)
    dora = rules.person("dora")
    for name in ("ann", "deleted-1", "deleted-2"):
        assert isinstance(rules.refuses(dora, History(to=name)), NoSuchUser)


def test_one_can_still_take_ones_own_back(rules: Rules, life: Caller, bob: Caller) -> None:
    end(rules, life)
    rules.asks(bob, RecallMessage(conversation=2, seq=2))


@pytest.mark.parametrize("name", ["ann", "Ann", "ɑnn", "deleted-1", "de1eted-1", "deleted-999", "deleted-"])
def test_the_name_is_nobodys(rules: Rules, life: Caller, name: str) -> None:
    end(rules, life)
    assert isinstance(rules.refuses(rules.stranger(), Register(username=name, password=PASSWORD)), NameTaken)
    rules.asks(rules.stranger(), Register(username="ann2", password=PASSWORD))


def test_to_an_admin_it_is_nobody(rules: Rules, life: Caller) -> None:
    end(rules, life)
    root = rules.person("root", admin=True)
    assert [each.username for each in rules.asks(root, UserList()).users] == ["bob", "cid", "root"]
    for command in (UserDisable(username="deleted-1", enable=True), UserPasswd(username="deleted-1")):
        assert isinstance(rules.refuses(root, command), NoSuchUser)
