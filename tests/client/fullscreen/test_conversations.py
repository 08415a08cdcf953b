"""Conversations on the full screen: unread ones, the past, what is done with a message, people and groups."""

from collections.abc import Callable
from pathlib import Path

from tests.client.fullscreen.driver import ENTER, ESCAPE, NEXT, PAGE_DOWN, PAGE_UP, UP, Driver, run_as_ann
from tests.client.network import Network, Person

Join = Callable[..., Person]


def test_unread_conversations(network: Network, tmp_path: Path, join: Join) -> None:
    bob, carol, _ = join("bob"), join("carol"), join("ann")
    bob.send("ann", "from bob")
    carol.send("ann", "from carol")
    carol.send("ann", "again")

    async def story(ann: Driver) -> None:
        rows = await ann.rows()
        assert [row[:20].split() for row in rows[1:3]] == [["carol", "2"], ["bob", "1"]]
        assert rows[-1].startswith(" Tab next unread")
        assert "· Unread: 3, in 2 conversations." in " ".join(rows)
        rows = await ann.press("\t")
        assert rows[0] == " carol"
        assert "New" in (await ann.timeline())[-3]
        assert [row[:20].split() for row in rows[1:3]] == [["carol"], ["bob", "1"]]
        assert (await ann.press("\t"))[0] == " bob"
        assert not (await ann.press("\t"))[-1].startswith(" Tab")
        assert (await ann.press(NEXT))[0] == " carol"
        await ann.pass_time(2)

    run_as_ann(network, tmp_path, story)
    listed = network.server.login("ann").call("conversations")["conversations"]
    assert [row["unread"] for row in listed] == [0, 0]


def test_many_unread_are_read_from_the_first_on(network: Network, tmp_path: Path, join: Join) -> None:
    bob, _ = join("bob"), join("ann")
    for number in range(1, 61):
        bob.send("ann", f"number {number}")

    async def story(ann: Driver) -> None:
        await ann.press("\t")
        timeline = await ann.timeline()
        assert any("New" in row for row in timeline)
        assert any(row.endswith("number 1") for row in timeline)
        assert (await ann.rows())[1].split("│")[0].split() == ["bob", "60"]
        for _ in range(5):
            await ann.press(PAGE_DOWN)
        assert (await ann.timeline())[-1].endswith("number 60")
        assert (await ann.press("x"))[1].split("│")[0].split() == ["bob"]

    run_as_ann(network, tmp_path, story)


def test_what_is_written_stays_with_its_conversation(network: Network, tmp_path: Path, join: Join) -> None:
    join("bob")
    join("carol")

    async def story(ann: Driver) -> None:
        await ann.types("/to bob", "x", "/to carol", "y")
        await ann.press("to carol")
        await ann.press(NEXT, "to bob")
        assert await ann.line() == "bob> to bob"
        assert any(row.startswith("  carol") and "✎" in row for row in await ann.rows())
        await ann.press(NEXT)
        assert await ann.line() == "carol> to carol"

    run_as_ann(network, tmp_path, story)


def test_answering_editing_reacting(network: Network, tmp_path: Path, join: Join) -> None:
    bob = join("bob")

    async def story(ann: Driver) -> None:
        await ann.types("/to bob", "helo")
        bob.send("ann", "what?")
        rows = await ann.press(UP, "r")
        assert rows[-3] == " Reply to bob: what?"
        await ann.types("I find_command hello")
        rows = await ann.press(UP, UP, UP)
        assert rows[-3].startswith(" r reply  e edit")
        assert (await ann.press("e"))[-2] == "bob> helo"
        await ann.press("\x08", "lo", ENTER)
        timeline = [row[6:] for row in await ann.timeline()][-4:]
        assert timeline == [
            "✓✓ ann  hello (edited)",
            "   bob  what?",
            "✓  ann  ┆ bob: what?",
            "        I find_command hello",
        ]
        await ann.press(UP, UP, "+")
        assert await ann.line() == "bob> /react bob 2"
        await ann.settle(0.05)
        await ann.press("\t")
        assert await ann.line() == "bob> /react bob 2 👍"
        await ann.press(ENTER, ENTER)
        assert "👍 1" in " ".join(await ann.timeline())
        await ann.press(UP, "/", "s", "e")
        assert await ann.line() == "bob> /se"
        await ann.press("\x03", UP, "x")
        assert await ann.line() == "bob> /recall bob 3"
        await ann.press(ENTER)
        assert "(taken back)" in " ".join(await ann.timeline())

    run_as_ann(network, tmp_path, story)


def test_people_come_and_go(network: Network, tmp_path: Path, join: Join) -> None:
    bob = join("bob")
    there = network.server.login("bob")

    async def story(ann: Driver) -> None:
        await ann.types("/friend add bob")
        there.call("friend_accept", username="ann")
        assert "· bob is your friend now." in await ann.rows()
        await ann.types("/to bob")
        assert (await ann.rows())[0].startswith(" bob is online")
        there.call("presence", presence="busy", presence_text="no time")
        rows = await ann.rows()
        assert rows[0] == " bob is busy: no time"
        assert rows[1].startswith("◆ bob")
        await ann.press("h")
        assert b"typing" not in network.last.written
        await ann.types("i")
        await ann.press("/react ")
        there.call("typing", to="ann")
        assert "typing" not in (await ann.rows())[-3]
        await ann.press("\x03")
        assert (await ann.rows())[-3] == " bob is typing …"
        await ann.press("how are you")
        await ann.settle(0.01)
        assert network.last.written.count(b'"typing"') == 1

    run_as_ann(network, tmp_path, story)
    assert bob.texts() == ["ann: hi"]


def test_a_group(network: Network, tmp_path: Path, join: Join) -> None:
    join("bob")
    there = network.server.login("bob")

    async def story(ann: Driver) -> None:
        await ann.types("/group create #team The team", "/to #team", "welcome")
        assert (await ann.rows())[0] == " #team  The team"
        await ann.types("/group invite #team bob")
        there.call("group_join", to="#team")
        there.call("send_message", to="#team", content="@ann here I am")
        timeline = " ".join(await ann.timeline())
        assert "bob joined." in timeline
        assert "bob  @ann here I am" in timeline
        await ann.press("@b")
        await ann.settle(0.05)
        await ann.press("\t")
        assert await ann.line() == "#team> @bob"
        await ann.press("\x03")
        await ann.types("/group leave #team")
        await ann.pass_time(1)
        rows = await ann.rows()
        assert rows[0] == " imd on localhost:7373"
        assert not any(row.startswith("  #team") for row in rows)

    run_as_ann(network, tmp_path, story)


def test_who_is_removed_from_a_group_sees_it_go(network: Network, tmp_path: Path, join: Join) -> None:
    join("bob")
    there = network.server.login("bob")
    there.call("group_create", handle="#team", title="The team", join_mode="open")

    async def story(ann: Driver) -> None:
        await ann.types("/group join #team")
        await ann.pass_time(1)
        assert (await ann.rows())[1].startswith("  #team")
        await ann.types("/to #team")
        there.call("group_kick", to="#team", username="ann")
        await ann.pass_time(1)
        rows = await ann.rows()
        assert rows[0] == " imd on localhost:7373"
        assert "· You are no longer in #team." in rows

    run_as_ann(network, tmp_path, story)


def test_history_by_page_up(network: Network, tmp_path: Path, join: Join) -> None:
    bob, _ = join("bob"), join("ann")
    for number in range(1, 131):
        bob.send("ann", f"number {number}")
    network.pass_time(10)
    network.server.login("ann").call("read", conversation=1, seq=130)

    async def story(ann: Driver) -> None:
        await ann.press(NEXT)
        assert (await ann.timeline())[-1].endswith("number 130")
        await ann.press(PAGE_UP)
        rows = await ann.rows()
        assert "more lines below" in rows[-3]
        bob.send("ann", "meanwhile")
        assert [row[:40] for row in await ann.rows()][2:18] == [row[:40] for row in rows][2:18]
        for _ in range(12):
            await ann.press(PAGE_UP)
        assert "The conversation starts here." in (await ann.timeline())[0]
        assert (await ann.timeline())[2].endswith("number 1")
        await ann.press(PAGE_DOWN, ESCAPE)
        assert (await ann.timeline())[-1].endswith("meanwhile")

    run_as_ann(network, tmp_path, story)


def test_search(network: Network, tmp_path: Path, join: Join) -> None:
    bob, _ = join("bob"), join("ann")
    for text in ("shall we have tea?", "会议改到下午三点", "or coffee"):
        bob.send("ann", text)
    network.pass_time(5)

    async def story(ann: Driver) -> None:
        await ann.press("\x06", "三点")
        assert (await ann.rows())[-3].startswith(" /search QUERY   ")
        await ann.press(ENTER)
        timeline = await ann.timeline()
        assert timeline[0] == " 1 from /search 三点"
        assert timeline[1].endswith(" bob  会议改到下午三点")
        await ann.press(ENTER)
        conversation = ann.view.model.current
        assert (conversation.to, conversation.messages[conversation.selected].content) == ("bob", "会议改到下午三点")
        await ann.press(ESCAPE)
        await ann.types("/search limit=1 from:bob")
        assert (await ann.timeline())[0].endswith("and there are more")
        await ann.press(ESCAPE)
        await ann.types("/search nothing of the kind")
        assert (await ann.timeline())[-1] == "  None."

    run_as_ann(network, tmp_path, story)


def test_a_message_found_is_opened_in_its_place(network: Network, tmp_path: Path, join: Join) -> None:
    bob = join("bob")
    join("ann")
    for number in range(1, 121):
        bob.send("ann", f"number {number}")
    network.pass_time(10)
    ann_there = network.server.login("ann")
    ann_there.call("read", conversation=1, seq=120)
    ann_there.call("star", to="bob", seq=20)

    async def story(ann: Driver) -> None:
        rows = await ann.types("/starred")
        assert rows[1].partition("│")[2] == " 1 from /starred"
        await ann.press(ENTER)
        rows = await ann.rows()
        assert rows[0] == " bob"
        assert rows[-3].startswith(" r reply")
        timeline = await ann.timeline()
        assert [row for row in timeline if row.endswith("number 20")]
        assert not [row for row in timeline if row.endswith("number 120")]
        await ann.press(ESCAPE)
        seen: list[str] = []
        while not any(row.endswith("number 90") for row in seen):
            await ann.press(PAGE_DOWN)
            assert (await ann.timeline()) != seen
            seen = await ann.timeline()
        await ann.press(ESCAPE)
        assert (await ann.timeline())[-1].endswith("number 120")

    run_as_ann(network, tmp_path, story)
