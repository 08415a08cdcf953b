"""The end of an account: what is destroyed, what stays, and what others meet afterwards."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from imd.chat import deletion as rules
from imd.chat.deletion import destroy
from imd.chat.lanes import EVERYBODY, Addressee, Cut, Effect, Followers, Me, SignOut, Told, Topic, Unfollow, Wake
from imd.chat.limits import Limits
from imd.chat.places import account_named
from imd.testing import EPOCH, MemoryServer
from imd.testing import PASSWORD as TYPED
from imd.wire.accounts import Login, Register, Resume
from imd.wire.admin import UserDisable, UserList, UserPasswd
from imd.wire.conversations import History, ListConversations, Sync
from imd.wire.deletion import DeleteAccount, Deleted
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
from imd.wire.messages import EditMessage, Forward, MessageChanged, RecallMessage, SendMessage
from imd.wire.personal import AccountChanged, AccountSync, DeleteForMe, Mute, Star
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
from tests.chat.room import PASSWORD, Room
from tests.chat.test_burning import burned, group, held

SECRET = "the key is under the mat"


def say(room: Room, me: Me, to: str, content: str, **fields: Any) -> Any:
    return room.asks(me, SendMessage(to=to, content=content, **fields))


def told_by(room: Room) -> list[Told]:
    """Let everything be destroyed; gives what was told."""
    told: list[Told] = []
    while (done := room.in_transaction(lambda tx: destroy(tx, room.now))).again is not None:
        told += done.told
        room.now = max(room.now, done.again)
    return told


def end(room: Room, me: Me, **fields: Any) -> Deleted:
    """Delete an account, and let everything be destroyed."""
    receipt = room.asks(me, DeleteAccount(password=PASSWORD, **fields))
    told_by(room)
    assert isinstance(receipt, Deleted)
    return receipt


def counted(receipt: Deleted) -> tuple[dict[str, int], dict[str, int]]:
    return {each.what: each.count for each in receipt.destroyed}, {each.what: each.count for each in receipt.kept}


def rows(room: Room, table: str, where: str = "1") -> list[Any]:
    return room.tx.execute(f"SELECT * FROM {table} WHERE {where}").fetchall()


@pytest.fixture
def life(room: Room, ann: Me, bob: Me, cid: Me) -> Me:
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


# -- the receipt


def test_the_receipt(room: Room, life: Me) -> None:
    outcome = room.does(life, DeleteAccount(password=PASSWORD))
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
    assert outcome.effects == (SignOut(), Cut(life.account, [4, 1]), Wake(room.now))


def test_the_receipt_when_everything_is_taken_back(room: Room, life: Me) -> None:
    destroyed, kept = counted(end(room, life, messages="recall"))
    assert (destroyed["recalled"], kept) == (5, {"username": 1})


def test_an_account_that_did_nothing(room: Room, ann: Me) -> None:
    assert counted(end(room, ann)) == ({"profile": 1, "devices": 1}, {"username": 1})


@pytest.mark.parametrize("password", ["", "wrong", f"{PASSWORD} "])
def test_it_needs_the_password(room: Room, life: Me, password: str) -> None:
    assert isinstance(room.refuses(life, DeleteAccount(password=password)), InvalidCredentials)


def test_passwords_cannot_be_tried_out() -> None:
    room = Room(Limits(failed_logins=2))
    ann = room.person("ann")
    for expected in (InvalidCredentials, InvalidCredentials, RateLimited):
        assert type(room.refuses(ann, DeleteAccount(password="wrong"))) is expected


# -- what is destroyed


def test_nobody_logs_in_any_more(room: Room, life: Me) -> None:
    token = room.asks(room.stranger(), Login(username="ann", password=PASSWORD)).token
    end(room, life)
    for command in (
        Login(username="ann", password=PASSWORD),
        Login(username="deleted-1", password=PASSWORD),
        Login(username="deleted-1", password=""),
        Resume(token=token),
    ):
        assert isinstance(room.refuses(room.stranger(), command), InvalidCredentials)


def test_an_account_whose_password_changes_meanwhile(room: Room, ann: Me) -> None:
    @attrs.define
    class Changing(Room):
        async def password_matches(self, password_hash: str | None, password: str) -> bool:
            self.tx.execute("UPDATE account SET password_hash = 'new'")
            return True

    changing = Changing()
    me = changing.person("ann")
    with pytest.raises(InvalidCredentials):
        changing.does(me, DeleteAccount(password=PASSWORD))
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
def numbered(room: Room) -> None:
    room.tx.execute(
        "INSERT INTO account (id, username, display_name, password_hash, admin, disabled, created)"
        " VALUES (?, 'nobody', '', '', 0, 1, 0)",
        (NUMBER - 1,),
    )


@pytest.fixture
def known(room: Room, life: Me, bob: Me, cid: Me) -> Me:
    """Ann, with a friend, somebody she blocks, one who blocks her, requests, invitations, a link and reports."""
    dora, eve = room.person("dora"), room.person("eve")
    room.asks(life, FriendAdd(username="bob"))
    room.asks(bob, FriendAccept(username="ann"))
    room.asks(bob, FriendNote(username="ann", note="Annie"))
    room.asks(life, Block(username="dora"))
    room.asks(dora, Block(username="ann"))
    room.asks(life, FriendAdd(username="eve"))
    room.asks(life, FriendAdd(username="nobody"))
    room.asks(cid, FriendAdd(username="ann"))
    room.asks(eve, GroupCreate(handle="#eves"))
    room.asks(eve, GroupInvite(to="#eves", username="ann"))
    room.asks(life, GroupCreate(handle="#anns"))
    room.asks(life, GroupInvite(to="#anns", username="bob"))
    room.asks(bob, GroupJoin(to="#anns"))
    room.asks(life, GroupInvite(to="#anns", username="eve"))
    room.asks(life, GroupLink(to="#anns"))
    room.asks(life, ReportMessage(to="bob", seq=2, reason="rude"))
    room.asks(bob, ReportMessage(to="ann", seq=1, reason="rude"))
    return life


def test_no_row_is_left_that_knows_the_account(room: Room, numbered: None, known: Me) -> None:
    life = known
    assert life.account == NUMBER
    end(room, life)
    left = set()
    for table in tables(room):
        found = room.tx.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in found.description]
        cells = [(name, cell) for row in found.fetchall() for name, cell in zip(names, row, strict=True)]
        left |= {f"{table}.{name}" for name, cell in cells if str(NUMBER) in str(cell)}
    assert left == STAYS
    [row] = rows(room, "account", f"id = {NUMBER}")
    assert set(row) == {NUMBER, f"deleted-{NUMBER}", "", 0, 1, "everyone", "invisible", room.now - rules.SETTLED}


def test_a_new_table_is_thought_of(room: Room) -> None:
    """What does an account leave in it (chat/deletion.py), and what of it belongs into an archive (store/export.py)?"""
    assert set(tables(room)) == {
        "account", "device", "invite", "conversation", "member", "message", "reaction", "mention", "star", "hidden",
        "account_log", "retired_name", "deletion", "relation", "friend_request", "announcement", "report", "policy",
        "word", "audit", "pending", "group_link", "purge",
    }  # fmt: skip


def tables(room: Room) -> list[str]:
    found = room.tx.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [name for (name,) in found.fetchall()]


def test_notes_are_destroyed(room: Room, life: Me) -> None:
    notes = say(room, life, "ann", "@ann look").conversation
    room.asks(life, React(to="ann", seq=1, emoji="👍"))
    end(room, life)
    for table in ("message", "member", "reaction", "mention"):
        assert rows(room, table, f"conversation = {notes}") == [], table


def test_what_others_keep_for_themselves_stays(room: Room, life: Me, bob: Me) -> None:
    end(room, life)
    assert [row[0] for row in rows(room, "star")] == [bob.account]


def test_an_archive_is_thrown_away(room: Room, life: Me) -> None:
    room.asks(life, Export())
    room.asks(life, DeleteAccount(password=PASSWORD))
    assert isinstance(refusal(room, life, ExportPart(part=1)), BadRequest)


def refusal(room: Room, me: Me, command: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        room.does(me, command)
    return refused.value


def test_friends_part(room: Room, known: Me, bob: Me) -> None:
    room.asks(known, DeleteAccount(password=PASSWORD))
    told = [event for to, event in told_by(room) if to == (bob.account,)]
    assert [event.username for event in told if isinstance(event, FriendRemoved)] == ["ann"]
    relations = [event for event in told if isinstance(event, AccountChanged) and event.what == "relation"]
    assert [(event.username, event.value) for event in relations] == [("ann", "none")]
    assert room.asks(bob, FriendList()).friends == []
    room.asks(bob, FriendRemove(username="ann"))


def test_requests_are_taken_back(room: Room, known: Me, cid: Me) -> None:
    eve = attrs.evolve(cid, account=account_named(room.tx, "eve").id, username="eve")
    assert [each.username for each in room.asks(eve, FriendList()).incoming] == ["ann"]
    end(room, known)
    assert room.asks(eve, FriendList()).incoming == []
    assert [each.username for each in room.asks(cid, FriendList()).outgoing] == ["ann"], "as if nobody had ever had it"


def test_whom_others_block_stays_blocked(room: Room, known: Me, cid: Me) -> None:
    dora = attrs.evolve(cid, account=account_named(room.tx, "dora").id, username="dora")
    end(room, known)
    assert [each.username for each in room.asks(dora, BlockList()).people] == ["deleted-1"]


def test_a_group_goes_on_without_one(room: Room, life: Me, bob: Me) -> None:
    end(room, life)
    assert room.asks(bob, AskGroup(to="#team")).members == 1
    [left] = [each.notice for each in room.asks(bob, History(to="#team")).messages if each.notice]
    assert (left.what, left.by) == ("left", "deleted-1")


def test_a_group_of_mine_passes_to_the_next(room: Room, known: Me, bob: Me) -> None:
    end(room, known)
    assert [(each.username, each.role) for each in room.asks(bob, ListMembers(to="#anns")).members] == [
        ("bob", "owner")
    ]


def test_a_group_of_mine_alone_ends(room: Room, ann: Me, bob: Me) -> None:
    conversation = room.asks(ann, GroupCreate(handle="#anns", join_mode="open")).conversation
    room.asks(ann, DeleteAccount(password=PASSWORD))
    effects: list[Effect] = []
    while (done := room.in_transaction(lambda tx: destroy(tx, room.now))).again is not None:
        effects += done.effects
        room.now = max(room.now, done.again)
    assert effects == [Unfollow(EVERYBODY, Topic.members(conversation)), Wake(EPOCH)]
    assert isinstance(room.refuses(bob, GroupJoin(to="#anns")), NoSuchConversation)


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


def test_others_see_a_tombstone(room: Room, life: Me, bob: Me) -> None:
    end(room, life)
    listed = {each.conversation: each for each in room.asks(bob, ListConversations()).conversations}
    assert (listed[2].to, listed[2].title) == ("deleted-1", "deleted-1")
    for asked in (History(to="deleted-1"), History(conversation=2)):
        found = room.asks(bob, asked).messages
        assert [each.sender for each in found] == ["deleted-1", "bob"] * 3
        assert {each.to for each in found} == {"deleted-1"}
        assert found[0].content == f"to bob: {SECRET}"
        assert found[1].reactions[0].users == ["deleted-1"]
    assert [each.sender for each in room.asks(bob, History(to="#team")).messages] == ["deleted-1", "bob", "deleted-1"]
    assert room.asks(bob, WhoRead(conversation=2, seq=2)).readers == []
    room.asks(bob, Read(to="deleted-1", seq=6))


def test_the_others_devices_are_told(room: Room, life: Me, bob: Me) -> None:
    room.asks(life, DeleteAccount(password=PASSWORD))
    told = [(to, event) for to, event in told_by(room) if getattr(event, "what", "") == "deleted"]
    assert [(to, event.conversation, event.value) for to, event in told] == [
        ((bob.account,), 2, "deleted-1"),
        ((3,), 3, "deleted-1"),
    ]
    last = room.asks(bob, AccountSync(after=0)).changes[-1]
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
def test_nothing_more_is_said_to_it(room: Room, life: Me, bob: Me, command: Any, refused: type[Refusal]) -> None:
    end(room, life)
    assert type(room.refuses(bob, command)) is refused


def test_to_a_stranger_it_is_nobody(room: Room, life: Me) -> None:
    end(room, life)
    dora = room.person("dora")
    for name in ("ann", "deleted-1", "deleted-2"):
        assert isinstance(room.refuses(dora, History(to=name)), NoSuchUser)


def test_one_can_still_take_ones_own_back(room: Room, life: Me, bob: Me) -> None:
    end(room, life)
    room.asks(bob, RecallMessage(conversation=2, seq=2))


@pytest.mark.parametrize("name", ["ann", "Ann", "deleted-1", "deleted-999", "deleted-"])
def test_the_name_is_nobodys(room: Room, life: Me, name: str) -> None:
    end(room, life)
    assert isinstance(room.refuses(room.stranger(), Register(username=name, password=PASSWORD)), NameTaken)
    room.asks(room.stranger(), Register(username="ann2", password=PASSWORD))


def test_to_an_admin_it_is_nobody(room: Room, life: Me) -> None:
    end(room, life)
    root = room.person("root", admin=True)
    assert [each.username for each in room.asks(root, UserList()).users] == ["bob", "cid", "root"]
    for command in (UserDisable(username="deleted-1", enable=True), UserPasswd(username="deleted-1")):
        assert isinstance(room.refuses(root, command), NoSuchUser)


# -- taking everything back


def hears(me: Me, to: Addressee) -> bool:
    return isinstance(to, Followers) or me.account in to


def test_everything_is_taken_back(room: Room, life: Me, bob: Me) -> None:
    before = room.asks(bob, Sync(to="ann", after_rev=0)).rev
    room.asks(life, DeleteAccount(password=PASSWORD, messages="recall"))
    told = [event for to, event in told_by(room) if isinstance(event, MessageChanged) and hears(bob, to)]
    assert [(event.conversation, event.seq, event.what, event.by) for event in told] == [
        (1, 1, "recalled", "deleted-1"),
        (2, 1, "recalled", "deleted-1"),
        (2, 3, "recalled", "deleted-1"),
        (2, 5, "recalled", "deleted-1"),
    ]
    assert [each.content for each in room.asks(bob, History(conversation=2)).messages] == ["", "from bob"] * 3
    changed = room.asks(bob, Sync(conversation=2, after_rev=before)).messages
    assert [each.seq for each in changed] == [1, 3, 5]
    assert all(each.recalled for each in changed)


def test_in_a_group_that_one_has_left_as_well(room: Room, life: Me, bob: Me) -> None:
    room.tx.execute("UPDATE member SET left_seq = 2 WHERE conversation = 1 AND account = ?", (life.account,))
    room.tx.execute("UPDATE conversation SET members = 1 WHERE id = 1")
    assert counted(end(room, life, messages="recall"))[0].get("groups") is None
    assert [each.content for each in room.asks(bob, History(to="#team")).messages] == ["", "from bob"]
    assert rows(room, "conversation", "handle = 'team'")[0][-1] == 1


def test_what_happened_in_a_group_is_not_taken_back(room: Room, life: Me, bob: Me) -> None:
    room.tx.execute(
        'UPDATE message SET kind = \'notice\', content = \'{"what":"joined","by":"x"}\' WHERE conversation = 1'
    )
    assert counted(end(room, life, messages="recall"))[0]["recalled"] == 4
    assert all(each.notice for each in room.asks(bob, History(to="#team")).messages)


# -- in pieces


def test_many_are_destroyed_in_pieces(room: Room, life: Me, bob: Me, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROWS_AT_ONCE", "WORDS_AT_ONCE", "CHANGES_AT_ONCE", "SEQS_AT_ONCE"):
        monkeypatch.setattr(rules, name, 2)
    for seq in (1, 3, 5, 6):
        room.asks(life, DeleteForMe(to="bob", seq=seq))
    receipt = room.asks(life, DeleteAccount(password=PASSWORD, messages="recall"))
    assert counted(receipt)[0]["recalled"] == 5, "counted in pieces as well"
    left, pieces = [], 0
    while (done := room.in_transaction(lambda tx: destroy(tx, room.now))).again is not None:
        changes = [event for _, event in done.told if isinstance(event, MessageChanged)]
        assert len(changes) <= 2 * 2, "each told to two"
        left.append([len(rows(room, table, f"account = {life.account}")) for table in ("hidden", "member")])
        room.now, pieces = max(room.now, done.again), pieces + 1
    assert [hidden for hidden, _ in left[:3]] == [5, 3, 1]
    assert pieces > 12
    assert rows(room, "deletion") == []
    assert [each.content for each in room.asks(bob, History(conversation=2)).messages] == ["", "from bob"] * 3


def test_it_goes_on_until_nothing_more_can_come(room: Room, ann: Me, bob: Me) -> None:
    room.asks(ann, DeleteAccount(password=PASSWORD))
    while (done := room.in_transaction(lambda tx: destroy(tx, room.now))).again == room.now:
        pass
    assert (done.again, done.scrub) == (room.now + rules.SETTLED, False)
    say(room, ann, "bob", "what a connection had under way")
    assert [event.value for _, event in told_by(room)] == ["deleted-1"]
    assert rows(room, "member", f"account = {ann.account}") == []


def test_at_the_end_the_files_are_scrubbed_once(room: Room, life: Me) -> None:
    room.asks(life, DeleteAccount(password=PASSWORD))
    scrubbed = []
    while (done := room.in_transaction(lambda tx: destroy(tx, room.now))).again is not None:
        scrubbed.append(done.scrub)
        room.now = max(room.now, done.again)
    assert scrubbed[-1]
    assert scrubbed.count(True) == 1


# -- burning, and two who leave


def test_what_was_to_burn_once_read_burns(room: Room, ann: Me, bob: Me) -> None:
    say(room, bob, "ann", SECRET, burn_after=10)
    say(room, ann, "bob", "mine, for bob", burn_after=10)
    room.asks(ann, DeleteAccount(password=PASSWORD))
    expiring = [event for _, event in told_by(room) if getattr(event, "what", "") == "expiring"]
    assert {event.seq for event in expiring} == {1}
    room.now += 10_000
    burned(room)
    contents = [each.content for each in room.asks(bob, History(conversation=1)).messages]
    assert contents == ["", "mine, for bob"]


def test_when_both_are_gone_so_is_what_they_said(room: Room, life: Me, bob: Me) -> None:
    end(room, life)
    assert counted(end(room, bob))[1]["messages"] == 4
    assert [row[1] for row in rows(room, "message", "kind <> 'notice'")] == [1, 1, 3], "the group's, and those to Cid"


def test_when_both_go_at_once(room: Room, life: Me, bob: Me) -> None:
    for me in (life, bob):
        room.asks(me, DeleteAccount(password=PASSWORD, messages="recall"))
    told_by(room)
    assert [row[1] for row in rows(room, "message", "kind <> 'notice'")] == [1, 1, 3]
    assert rows(room, "deletion") == []
    assert {row[0] for row in rows(room, "account_log")} == {3}, "Cid's alone"


@pytest.mark.parametrize(
    ("messages", "left"), [("keep", {"from bob", "to all", "to cid", "x"}), ("recall", {"from bob", "x"})]
)
def test_all_words_are_blanked_before_a_row_shrinks(
    room: Room, life: Me, bob: Me, messages: Any, left: set[str]
) -> None:
    dora = room.person("dora")
    say(room, dora, "ann", "from dora")
    say(room, dora, "bob", "x")
    end(room, dora)
    room.asks(life, DeleteAccount(password=PASSWORD, messages=messages))
    for _ in range(100):
        if rows(room, "deletion", "blanked = 1"):
            break
        room.in_transaction(lambda tx: destroy(tx, room.now))
    words = {content.strip() for (content,) in room.tx.execute("SELECT content FROM message").fetchall()}
    assert words - {""} - {f"to bob: {SECRET}"} == left
    assert (f"to bob: {SECRET}" in words) == (messages == "keep")


# -- on a server


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[MemoryServer]:
    """A server in files, where Ann and Bob have said what must not stay."""
    server = MemoryServer(path=str(tmp_path / "imd.db"))
    server.connect().call("register", username="ann", password=TYPED, display_name="canary-name")
    ann, bob = server.login("ann", device="canary-device"), server.login("bob")
    for number in range(20):
        long = "x" * number * 300
        ann.call("send_message", to="ann", content=f"canary-note {number} {long}")
        ann.call("send_message", to="bob", content=f"canary-sent {number} {long}")
        bob.call("send_message", to="ann", content=f"canary-from-bob {number} {long}")
    yield server
    server.stop()


def test_not_a_byte_is_left_in_the_files(filled: MemoryServer, tmp_path: Path) -> None:
    password_hash = asked(filled, "SELECT password_hash FROM account WHERE username = 'ann'")
    canaries = [b"canary-device", b"canary-note", b"canary-sent", b"canary-name", password_hash.encode()]
    assert [each for each in canaries if each not in held(tmp_path)] == [], "else this test could not fail"
    filled.login("ann").call("delete_account", password=TYPED, messages="recall")
    filled.pass_time(6)
    assert [each for each in canaries if each in held(tmp_path)] == []
    said = filled.login("bob").call("history", conversation=2)["messages"]
    assert [each["content"][:15] for each in said] == ["", "canary-from-bob"] * 20


def test_not_a_byte_is_left_when_both_are_gone(filled: MemoryServer, tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        filled.login(name).call("delete_account", password=TYPED)
        filled.pass_time(6)
    assert b"canary" not in held(tmp_path)


def asked(server: MemoryServer, query: str) -> Any:
    """Ask the server's database itself for one value."""
    pool: Any = server.database.writer
    return pool.connection.execute(query).fetchone()[0]


def test_a_restart_does_not_forget(tmp_path: Path) -> None:
    path = str(tmp_path / "imd.db")
    server = MemoryServer(path=path)
    ann = server.login("ann")
    ann.call("send_message", to="ann", content="a note")
    server.house.chores.stop()
    ann.call("delete_account", password=TYPED)
    server.stop()
    server = MemoryServer(path=path)
    counts = "SELECT (SELECT count(*) FROM deletion) || ' ' || (SELECT count(*) FROM message)"
    assert asked(server, counts) == "1 1"
    server.pass_time(6)
    assert asked(server, counts) == "0 0"
    server.stop()


def test_every_connection_is_logged_out() -> None:
    server = MemoryServer()
    ann, twin = server.login("ann"), server.login("ann")
    assert ann.call("delete_account", password=TYPED)["tombstone"] == "deleted-1"
    assert twin.closed
    assert not ann.closed
    assert ann.call("whoami")["code"] == "auth_required"
