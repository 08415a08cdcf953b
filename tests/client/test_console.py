"""The console in memory: what a person types, and what the screen shows."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
from imd_client import Account, CertificateChanged, Client, GaveUp, console
from imd_client.screen import LineScreen
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from imd.extras import install
from imd.testing import PASSWORD
from tests.client.command_line import options
from tests.client.line_screen import FakeModes, connect, written
from tests.client.network import Network, Person

Join = Callable[..., Person]
CLOCK = re.compile(r"^\[.*?\]", re.MULTILINE)


@attrs.define(eq=False)
class Terminal:
    """A person at the console. `code` is its exit code, once it ended."""

    network: Network
    screen: LineScreen
    running: Any
    code: list[int] = attrs.Factory(list)

    def types(self, *lines: str) -> list[str]:
        """Type lines, and read what appears."""
        for line in lines:
            self.screen.dataReceived(f"{line}\n".encode())
            self.network.settle()
        return self.sees()

    def sees(self) -> list[str]:
        self.network.settle()
        return CLOCK.sub("[..]", written(self.screen)).splitlines()

    def ends(self) -> int:
        """Close the input, and wait."""
        self.screen.readConnectionLost()
        self.network.pass_time(60)
        return self.code[0]


OpenConsole = Callable[..., Terminal]


@pytest.fixture
def open_console(
    network: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., Terminal]]:
    """Let somebody start `imd chat`, on a dumb terminal or a pipe."""
    terminals: list[Terminal] = []
    for name in ("IMD_SERVER", "IMD_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(console, "Client", partial(Client, endpoint=network))
    monkeypatch.setattr(Account, "lock", lambda account: True)

    def open_console(*arguments: str, pipe: bool = False, password: str = "") -> Terminal:
        screens: list[LineScreen] = []

        def screen(typed: Any, reactor: Any) -> LineScreen:
            screens.append(connect(LineScreen(typed, FakeModes(terminal=not pipe))))
            return screens[-1]

        monkeypatch.setattr(console, "open_line_screen", screen)
        if password:
            monkeypatch.setenv("IMD_PASSWORD", password)
        given = options(console, "--state", str(tmp_path / "state"), "--lang", "en", *arguments)
        running = console.main(network.clock, given)
        terminal = Terminal(network, screens[-1], running)
        running.addCallback(terminal.code.append)
        terminals.append(terminal)
        network.settle()
        return terminal

    yield open_console
    for terminal in terminals:
        if not terminal.code:
            terminal.ends()


def test_the_first_time(network: Network, open_console: OpenConsole) -> None:
    ann = open_console()
    assert ann.sees() == [
        "No login for localhost:7373 on this machine yet. You can register a new name.",
        "Name: ",
    ]
    assert ann.types("ann", PASSWORD)[-1].startswith(
        "Password for ann: No account has this name and password. Register ann"
    )
    assert ann.types("y", PASSWORD) == [
        "Repeat the password: You are ann on localhost:7373.",
        "/to NAME chooses a conversation, /help explains, /quit leaves.",
        "Nothing unread.",
    ]
    ann.types("/quit")
    assert ann.code == [0]
    again = open_console()
    assert again.sees()[0] == "You are ann on localhost:7373."


def test_who_could_have_the_whole_screen_is_told(open_console: OpenConsole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "is_capable_terminal", lambda: True)
    monkeypatch.setattr(console, "find_spec", lambda name: None)
    told = f"This is the plain console. For the full screen: {install('console')}"
    assert open_console("-u", "ann", "--register", password=PASSWORD).sees()[0] == told
    assert open_console("-u", "bob", "--register", "--plain", password=PASSWORD).sees()[0].startswith("You are bob")


def test_two_people_talk(network: Network, open_console: OpenConsole, join: Join) -> None:
    bob, ann = join("bob"), open_console("-u", "ann", "--register", password=PASSWORD)
    ann.sees()
    assert ann.types("hello?") == ["To whom? Choose with /to NAME, then write."]
    assert ann.types("/to Bob") == ["Now writing to bob; no messages yet."]
    assert ann.types("hello", "//slash") == ["[..] you to bob: hello", "[..] you to bob: /slash"]
    bob.send("ann", "one\ntwo")
    assert ann.sees() == ["[..] bob: one", "    two"]
    assert ann.types("/to bob bye") == [
        "Now writing to bob.",
        *["[..] you to bob: hello", "[..] you to bob: /slash", "[..] bob: one", "    two"],
        "[..] you to bob: bye",
    ]
    assert bob.texts()[-1] == "ann: bye"


def test_commands_of_the_server(network: Network, open_console: OpenConsole, join: Join) -> None:
    join("bob")
    ann = open_console("-u", "ann", "--register", password=PASSWORD)
    ann.sees()
    assert ann.types("/to nobody") == ["There is nobody called nobody here."]
    assert ann.types("/to a?") == [
        "A name holds letters and digits of any language, no spaces and none of @ # : / , \" ' * ? !"
    ]
    assert ann.types("/histroy bob") == ["There is no command HISTROY. Did you mean HISTORY?"]
    assert ann.types("/send bob hi") == ["[..] you to bob: hi"]
    assert ann.types("/history bob") == ["[..] you to bob: hi"]
    assert ann.types("/conversations") == ["bob: 0 unread. Last, ann: hi"]
    assert ann.types("/ping") == ["Here."]
    assert ann.types("/help")[1].strip().startswith("/to bob")
    assert "Messages: SEND, POST, EDIT, RECALL, FORWARD, THREAD" in ann.types("/help commands")
    assert ann.types("/help ping")[0] == "PING"
    assert ann.types("/post bob", "one", "..", ".") == [
        "Type your lines; a line with only a dot sends them.",
        *["[..] you to bob: one", "    ."],
    ]


def test_pasted_lines_are_one_message(network: Network, open_console: OpenConsole, join: Join) -> None:
    bob, ann = join("bob"), open_console("-u", "ann", "--register", password=PASSWORD)

    def pastes(text: str) -> list[str]:
        ann.screen._on_line(text)
        return ann.sees()

    ann.types("/to bob")
    assert pastes("one\n/two") == ["[..] you to bob: one", "    /two"]
    assert pastes("/read\n/quit") == [
        "A command must be one line. To send several lines, choose a conversation with /to first."
    ]
    ann.types("/post bob")
    assert pastes("three\nfour\n.\nfive") == ["[..] you to bob: three", "    four", "[..] you to bob: five"]
    assert bob.texts() == [f"ann: {text}" for text in ("one\n/two", "three\nfour", "five")]


def test_what_happens_to_a_message_is_said(network: Network, open_console: OpenConsole, join: Join) -> None:
    join("bob")
    bob = network.server.login("bob")
    ann = open_console("-u", "ann", "--register", password=PASSWORD)
    bob.call("send_message", to="ann", content="helo")
    ann.sees()
    bob.call("edit_message", to="ann", seq=1, content="hello")
    assert ann.sees() == ["bob: bob changed 1: hello"]
    bob.call("react", to="ann", seq=1, emoji="👍")
    assert ann.sees() == ["bob: bob 👍 to 1"]
    assert ann.types("/react bob 1 🎉") == ["There it is."]
    bob.call("recall_message", to="ann", seq=1)
    assert ann.sees() == ["bob: bob took back 1."]
    assert ann.types("/history bob") == ["[..] bob: (taken back)"]


def test_earlier_pages_are_pointed_to(network: Network, open_console: OpenConsole, join: Join) -> None:
    bob = join("bob")
    ann = open_console("-u", "ann", "--register", password=PASSWORD)
    for number in range(3):
        bob.send("ann", f"{number}")
    ann.sees()
    assert ann.types("/history bob limit=2") == ["(earlier ones: /history bob before=2)", "[..] bob: 1", "[..] bob: 2"]


def test_unread_is_shown_at_the_start_until_a_line_is_typed(
    network: Network, open_console: OpenConsole, join: Join
) -> None:
    bob, _ = join("bob"), join("ann")
    for number in range(22):
        bob.send("ann", f"{number}")
    first = open_console("-u", "ann", password=PASSWORD)
    seen = first.sees()
    assert seen[2:4] == ["bob: 22 unread", "  (2 earlier ones: /history bob)"]
    assert (seen[4], seen[-1], len(seen)) == ("[..] bob: 2", "[..] bob: 21", 24)
    first.ends()
    second = open_console("-u", "ann")
    assert second.sees()[2] == "bob: 22 unread"
    second.types("/to bob")
    second.ends()
    assert open_console("-u", "ann").sees()[2] == "Nothing unread."


def test_a_lost_connection_is_told_once_and_nothing_is_lost(
    network: Network, open_console: OpenConsole, join: Join
) -> None:
    bob, ann = join("bob"), open_console("-u", "ann", "--register", password=PASSWORD)
    ann.types("/to bob")
    network.up = False
    network.links[-1].cut()
    assert ann.sees() == [
        "Offline: The connection to localhost:7373 was lost.",
        "Trying again. What you write is kept, and sent once the connection is back.",
    ]
    network.pass_time(20)
    assert ann.types("hi", "/ping") == [
        "Kept for bob until the connection is back: hi",
        "That needs a connection, and there is none right now.",
    ]
    network.up = True
    network.pass_time(60)
    assert ann.sees() == ["Online again.", "[..] you to bob: hi"]
    assert bob.texts() == ["ann: hi"]


def test_what_could_not_be_sent_before_leaving_is_kept(network: Network, open_console: OpenConsole, join: Join) -> None:
    bob, ann = join("bob"), open_console("-u", "ann", "--register", password=PASSWORD)
    ann.types("/to bob")
    network.up = False
    network.links[-1].cut()
    ann.types("hi")
    assert ann.types("/quit")[-1] == "1 not answered yet; kept here, and sent the next time you chat."
    assert ann.code == [0]
    network.up = True
    assert open_console("-u", "ann").sees()[0] == "1 from last time still to be sent."
    assert bob.texts() == ["ann: hi"]


def test_logging_out_forgets_the_login(network: Network, open_console: OpenConsole, monkeypatch: Any) -> None:
    ann = open_console("-u", "ann", "--register", password=PASSWORD)
    assert ann.types("/logout")[-1] == "Logged out; this machine forgets the login."
    assert ann.code == [0]
    monkeypatch.delenv("IMD_PASSWORD")
    assert open_console("-u", "ann").sees() == ["Password for ann: "]


def test_a_device_logged_out_from_afar_asks_for_the_password(
    network: Network, open_console: OpenConsole, monkeypatch: Any
) -> None:
    ann = open_console("-u", "ann", "--register", password=PASSWORD)
    monkeypatch.delenv("IMD_PASSWORD")
    ann.types("/quit")
    other = network.server.login("ann")
    device = other.call("devices")["devices"][-1]["device"]
    again = open_console("-u", "ann")
    again.sees()
    assert other.call("revoke_device", device=device)["status"] == "success"
    network.pass_time(5)
    assert again.sees()[-1] == "Password for ann: "
    assert again.types(PASSWORD)[-1] == "Online again."


def test_a_changed_certificate_ends_it(network: Network, open_console: OpenConsole, monkeypatch: Any) -> None:
    reason = Failure(CertificateChanged("localhost:7373", "AA:BB", "CC:DD"))

    class Strange(Client):
        def startService(self) -> None:
            self._on_event(GaveUp(reason))

    monkeypatch.setattr(console, "Client", partial(Strange, endpoint=network))
    ann = open_console("-u", "ann", password=PASSWORD)
    seen = ann.sees()
    assert seen[0] == "The certificate of localhost:7373 has changed. Nothing was sent to it."
    assert [line.split() for line in seen[1:3]] == [["before", "AABB"], ["now", "CCDD"]]
    assert ann.code == [1]


# From a pipe.


def test_a_pipe_sends_everything_before_it_ends(network: Network, open_console: OpenConsole, join: Join) -> None:
    bob = join("bob")
    ann = open_console("-u", "ann", "--register", pipe=True, password=PASSWORD)
    ann.screen.dataReceived(b"/to bob\none\ntwo\n/history bob limit=1\nthree")
    assert ann.ends() == 0
    assert bob.texts() == ["ann: one", "ann: two", "ann: three"]
    texts = [line for line in ann.sees() if line.startswith("[..]")]
    assert texts == [f"[..] you to bob: {word}" for word in ("one", "two", "two", "three")]


def test_answering_from_a_pipe_marks_read(network: Network, open_console: OpenConsole, join: Join) -> None:
    bob, _ = join("bob"), join("ann")
    bob.send("ann", "hi")
    open_console("-u", "ann", pipe=True, password=PASSWORD).ends()
    second = open_console(pipe=True)
    assert second.sees()[1] == "bob: 1 unread"
    second.types("/to bob", "hello")
    second.ends()
    assert open_console(pipe=True).sees()[1] == "Nothing unread."


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (["hello"], "To whom? Choose with /to NAME, then write."),
        (["/to nobody", "hello"], "  There is nobody called nobody here."),
        (["/nonsense"], "There is no command NONSENSE. HELP lists them."),
        (["/history nobody"], "There is nobody called nobody here."),
    ],
)
def test_a_pipe_ends_with_1_when_something_was_refused(
    open_console: OpenConsole, lines: list[str], complaint: str
) -> None:
    ann = open_console("-u", "ann", "--register", pipe=True, password=PASSWORD)
    assert complaint in ann.types(*lines)
    assert ann.ends() == 1


def test_a_pipe_ends_with_2_when_there_is_no_answer(network: Network, open_console: OpenConsole, join: Join) -> None:
    bob = join("bob")
    open_console("-u", "ann", "--register", pipe=True, password=PASSWORD).ends()
    network.up = False
    ann = open_console(pipe=True)
    ann.types("/to bob", "kept")
    assert ann.ends() == 2
    assert "1 not answered yet; kept here, and sent the next time you chat." in ann.sees()
    network.up = True
    assert open_console(pipe=True).ends() == 0
    assert bob.texts() == ["ann: kept"]


def test_a_pipe_does_not_wait_for_ever(network: Network, open_console: OpenConsole) -> None:
    network.up = False
    ann = open_console("-u", "ann", pipe=True, password=PASSWORD)
    network.pass_time(60)
    assert ann.code == [2]
    assert ann.sees()[-1] == "localhost:7373 did not answer in time; nothing was done."


@pytest.mark.parametrize(
    ("arguments", "complaint"), [([], "Say who you are"), (["-u", "ann"], "Nobody is there to type")]
)
def test_a_pipe_cannot_be_asked(open_console: OpenConsole, arguments: list[str], complaint: str) -> None:
    ann = open_console(*arguments, pipe=True)
    assert ann.sees()[0].startswith(complaint)
    assert ann.code == [1]


def test_a_pipe_with_a_wrong_password(network: Network, open_console: OpenConsole, join: Join) -> None:
    join("ann")
    ann = open_console("-u", "ann", pipe=True, password="wrong password")
    assert ann.sees() == ["The name or the password is wrong."]
    assert ann.code == [1]


def test_a_second_console_is_turned_away(open_console: OpenConsole, monkeypatch: Any) -> None:
    monkeypatch.setattr(Account, "lock", lambda account: False)
    ann = open_console("-u", "ann", password=PASSWORD)
    assert ann.sees()[0].startswith("ann is already chatting from this machine.")
    assert ann.code == [1]


def test_in_chinese(open_console: OpenConsole, join: Join) -> None:
    bob = join("bob")
    ann = open_console("-u", "ann", "--register", "--lang", "zh", password=PASSWORD)
    assert ann.sees()[-1] == "没有未读消息。"
    assert ann.types("/to 没有这人") == ["这里没有叫 没有这人 的用户。"]
    bob.send("ann", "你好")
    assert ann.sees() == ["[..] bob: 你好"]


def test_the_exit_code_comes_by_a_deferred(open_console: OpenConsole) -> None:
    ann = open_console("-u", "ann", "--register", pipe=True, password=PASSWORD)
    assert isinstance(ann.running, Deferred)
