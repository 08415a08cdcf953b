"""The full-screen console as a person has it: keys pressed, and what the screen shows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from imd.testing import PASSWORD
from tests.client.fullscreen.driver import DOWN, ENTER, ESCAPE, PAGE_DOWN, PAGE_UP, UP, Driver, run_as_ann, run_console
from tests.client.network import Network, Person

Join = Callable[..., Person]


def test_the_first_time(network: Network, tmp_path: Path) -> None:
    async def story(ann: Driver) -> None:
        assert "You can register a new name." in " ".join(await ann.rows())
        assert await ann.line() == "Name:"
        await ann.types("ann")
        assert await ann.line() == "Password for ann:"
        shown = await ann.press(PASSWORD)
        assert shown[-2] == "Password for ann: " + "*" * len(PASSWORD)
        assert "Register ann? [y/N]" in " ".join(await ann.types(""))
        await ann.types("y", PASSWORD)
        rows = await ann.rows()
        assert "· You are ann on localhost:7373." in rows
        assert not any(PASSWORD in row for row in rows)
        assert rows[-1].endswith("ann@localhost:7373")
        await ann.types("/quit")
        assert ann.code == [0]

    run_console(story, network, tmp_path)


def test_two_people_talk(network: Network, tmp_path: Path, join: Join) -> None:
    bob = join("bob")

    async def story(ann: Driver) -> None:
        await ann.types("/to bob")
        assert "No messages with bob yet." in " ".join(await ann.timeline())
        await ann.types("hello", "//slash")
        bob.send("ann", "one\ntwo")
        timeline = [row[6:] for row in await ann.timeline()][-4:]
        assert timeline == ["✓✓ ann  hello", "✓✓ ann  /slash", "   bob  one", "        two"]
        assert await ann.line() == "bob>"

    run_as_ann(network, tmp_path, story)
    assert bob.texts() == ["ann: hello", "ann: /slash", "bob: one\ntwo"]


def test_what_comes_in_leaves_the_line_alone(network: Network, tmp_path: Path, join: Join) -> None:
    bob = join("bob")

    async def story(ann: Driver) -> None:
        await ann.types("/to bob")
        await ann.press("half a 句子")
        for number in range(40):
            bob.send("ann", f"number {number}")
        assert await ann.line() == "bob> half a 句子"
        assert "number 39" in (await ann.timeline())[-1]
        await ann.types(" done")

    run_as_ann(network, tmp_path, story)
    assert bob.texts()[-1] == "ann: half a 句子 done"


def test_several_lines(network: Network, tmp_path: Path, join: Join) -> None:
    bob = join("bob")

    async def story(ann: Driver) -> None:
        await ann.types("/to bob")
        rows = await ann.press("one", "\x1b\r", "two", "\n", "three")
        assert rows[-4:-1] == ["bob> one", "… two", "… three"]
        await ann.press(ENTER)
        await ann.press("\x1b[200~pasted\nlines\x1b[201~", ENTER)
        rows = await ann.types("/react\nbob")
        assert rows[-3:-1] == ["bob> /react", "… bob"]
        assert "A command must be one line." in " ".join(rows)

    run_as_ann(network, tmp_path, story)
    assert bob.texts() == ["ann: one\ntwo\nthree", "ann: pasted\nlines"]


def test_escape_takes_back_one_thing_at_a_time(network: Network, tmp_path: Path, join: Join) -> None:
    join("bob")

    async def story(ann: Driver) -> None:
        await ann.types("/to bob", "hello", "/ping")
        assert "  Here." in await ann.timeline()
        await ann.press(UP, "e")
        assert await ann.line() == "bob> hello"
        await ann.press(ESCAPE)
        assert await ann.line() == "bob>"
        await ann.press(UP)
        assert "Esc back" in (await ann.rows())[-3]
        await ann.press(ESCAPE)
        assert "Esc back" not in (await ann.rows())[-3]
        await ann.press(ESCAPE)
        assert "  Here." not in await ann.timeline()

    run_as_ann(network, tmp_path, story)


def test_the_keys(network: Network, tmp_path: Path, join: Join) -> None:
    join("bob")

    async def story(ann: Driver) -> None:
        assert "Alt-Enter" in " ".join(await ann.press("?"))
        assert "Alt-Enter" not in " ".join(await ann.press("x"))
        assert await ann.line() == ">"
        await ann.types("/to bob")
        await ann.press("why?")
        assert await ann.line() == "bob> why?"

    run_as_ann(network, tmp_path, story)


def test_without_a_connection(network: Network, tmp_path: Path, join: Join) -> None:
    bob = join("bob")

    async def story(ann: Driver) -> None:
        await ann.types("/to bob", "before")
        network.up = False
        network.last.cut()
        rows = await ann.types("kept for later")
        assert rows[1].startswith(" Offline: The connection to localhost:7373 was lost. Trying again.")
        assert rows[1].endswith("1 to be sent")
        assert (await ann.timeline())[-1].startswith("      …  ann  kept for later")
        assert "That needs a connection" in " ".join(await ann.types("/ping"))
        network.up = True
        await ann.pass_time(40)
        rows = await ann.rows()
        assert "Offline" not in rows[1]
        assert "✓✓ ann  kept for later" in " ".join(rows)

    run_as_ann(network, tmp_path, story)
    assert bob.texts() == ["ann: before", "ann: kept for later"]


def test_what_is_refused_is_said(network: Network, tmp_path: Path, join: Join) -> None:
    join("bob")

    async def story(ann: Driver) -> None:
        assert "  There is nobody called nobody here." in await ann.types("/to nobody")
        assert "· To whom? Choose with /to NAME, then write." in await ann.types("hello?")
        await ann.types("/to bob", "/send nobody hi")
        assert "· Not sent to nobody: hi" in await ann.timeline()
        assert "Did you mean HISTORY?" in " ".join(await ann.types("/histroy bob"))

    run_as_ann(network, tmp_path, story)


def test_what_could_not_be_sent_comes_back_into_the_line(
    network: Network, tmp_path: Path, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    join("bob")

    async def story(ann: Driver) -> None:
        await ann.types("/to bob", "字" * 5_500)
        assert "Not sent to bob:" in " ".join(await ann.timeline())
        assert ann.view.screen.buffer.text == "字" * 5_500
        await ann.press("\x03")

    run_as_ann(network, tmp_path, story)


def test_secrets_are_not_kept(network: Network, tmp_path: Path) -> None:
    async def story(ann: Driver) -> None:
        await ann.types("/ping", f"/password {PASSWORD} another long secret")
        assert (await ann.press("\x10"))[-2] == "> /ping"
        assert "another long secret" not in " ".join(await ann.rows())
        await ann.press("\x03")

    run_as_ann(network, tmp_path, story)


def test_a_device_logged_out_from_afar_asks_for_the_password(network: Network, tmp_path: Path, join: Join) -> None:
    join("bob")

    async def story(ann: Driver) -> None:
        await ann.types("/to bob", "before")
        await ann.press("half a line")
        other = network.server.login("ann")
        other.call("revoke_device", device=other.call("devices")["devices"][-1]["device"])
        ann.view.client.connection.credentials.password = ""
        await ann.pass_time(5)
        assert await ann.line() == "Password for ann:"
        await ann.types(PASSWORD)
        await ann.pass_time(2)
        assert await ann.line() == "bob> half a line"
        await ann.press(ENTER)

    run_as_ann(network, tmp_path, story)
    assert network.server.login("bob").call("history", to="ann")["messages"][-1]["content"] == "half a line"


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (50, 12), (20, 6)])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_sizes(network: Network, tmp_path: Path, join: Join, size: tuple[int, int], language: str) -> None:
    bob = join("bob")

    async def story(ann: Driver) -> None:
        await ann.types("/to bob", "你好 hello")
        bob.send("ann", "很长的一段话。" * 20)
        for keys in (("?", "x"), (UP, ESCAPE), (PAGE_UP, PAGE_DOWN)):
            for key in keys:
                rows = await ann.press(key)
                assert len(rows) == size[1]
        assert any("bob" in row for row in rows)

    run_as_ann(network, tmp_path, story, "--lang", language, size=size)


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_a_key_ends_it(network: Network, tmp_path: Path, key: str) -> None:
    async def story(ann: Driver) -> None:
        await ann.press("text")
        if key == "\x03":
            assert (await ann.press(key))[-2] == ">"
        else:
            await ann.press("\x15")
        ann.keyboard.send_text(key)
        await ann.settle()
        await ann.pass_time(5)
        assert ann.code == [0]

    run_as_ann(network, tmp_path, story)


def test_leaving_with_something_unsent(
    network: Network, tmp_path: Path, join: Join, capsys: pytest.CaptureFixture[str]
) -> None:
    join("bob")

    async def story(ann: Driver) -> None:
        await ann.types("/to bob")
        network.up = False
        network.last.cut()
        await ann.types("kept")
        await ann.press("/quit")
        ann.keyboard.send_text(ENTER)
        await ann.settle()
        await ann.pass_time(5)

    assert run_as_ann(network, tmp_path, story).code == [0]
    assert capsys.readouterr().out == "1 not answered yet; kept here, and sent the next time you chat.\n"


def test_completion_is_taken_with_enter(network: Network, tmp_path: Path, join: Join) -> None:
    join("bob")

    async def story(ann: Driver) -> None:
        await ann.press("/conv")
        await ann.settle(0.05)
        assert "List your conversations" in " ".join(await ann.rows())
        await ann.press("\t")
        assert await ann.line() == "> /conversations"
        await ann.press(ENTER, ENTER)
        assert "  None." in " ".join(await ann.rows())

    run_as_ann(network, tmp_path, story)


def test_the_other_keys(network: Network, tmp_path: Path, join: Join) -> None:
    bob, _ = join("bob"), join("ann")
    for text in ("one", "two", "three"):
        bob.send("ann", text)

    async def story(ann: Driver) -> None:
        await ann.press("\t", "\x06")
        assert await ann.line() == "bob> /search"
        await ann.press("\x03", "/h", "\t", "\t")
        second = await ann.line()
        await ann.press("\t", "\x1b[Z")
        assert await ann.line() == second
        await ann.press(ESCAPE, "\x03")
        assert (await ann.press("\x0c"))[0] == " bob"
        assert "Alt-Enter" in " ".join(await ann.press("？"))
        await ann.press("x")
        await ann.types("/history bob")
        assert (await ann.rows())[1].endswith(" 3 from /history bob")
        await ann.press(PAGE_UP, DOWN)
        await ann.press("q")
        assert (await ann.timeline())[-1].endswith("three")
        await ann.types("/history bob")
        await ann.press(UP, ENTER)
        marked = ann.view.model.current
        assert marked.messages[marked.selected].content == "two"
        await ann.press(ENTER)
        assert (await ann.rows())[-3] == " Reply to bob: two"

    run_as_ann(network, tmp_path, story)
