"""What stands round the conversation: the list on the left, the title, the banner, the hints, the foot."""

import pytest
from imd_client import Offline, Online
from imd_client.fullscreen import frame
from imd_client.fullscreen.model import TYPING, Model, Presence
from imd_client.fullscreen.results import Results
from imd_client.fullscreen.styles import theme_here
from imd_client.fullscreen.widths import columns
from twisted.python.failure import Failure

from imd.wire.messages import Message, SendMessage
from imd.wire.presence import IsTyping
from tests.client.fullscreen.models import NOW, arrive, row, said, screen, text


def rows(model: Model, height: int = 5) -> list[str]:
    drawn = frame.sidebar(model, 16, height)
    assert all(columns("".join(piece for _, piece in fragments)) == 16 for fragments in drawn)
    return [text(fragments) for fragments in drawn]


def test_the_conversations() -> None:
    listing = [
        row(1, "bob", unread=2, last=said(1, time="6")),
        row(2, "#技术讨论组", unread=12, mentions=1, last=said(1, time="5")),
        row(3, "carol", last=said(1, time="4")),
        row(4, "#a-very-long-name-of-a-group", unread=1200, last=said(1, time="3")),
        row(5, "dave", last=said(1, time="2")),
    ]
    model = screen(listing=listing)
    model.find(3, "carol").draft.text = "half a thought"
    model.presence |= {"bob": Presence("online"), "carol": Presence("away"), "dave": Presence("offline")}
    assert rows(model) == ["● bob         2", "  #技术讨…  @12", "○ carol       ✎", "  #a-very… 999+", "  dave"]


def test_the_open_one_is_always_in_sight() -> None:
    model = screen(listing=[row(n, f"n{n}", last=said(1, time=f"{99 - n}")) for n in range(1, 20)])
    for name, seen in (("n1", ["n1", "n2", "n3"]), ("n10", ["n9", "n10", "n11"]), ("n19", ["n17", "n18", "n19"])):
        model.open(name, None)
        assert [row.strip() for row in rows(model, 3)] == seen


def test_the_title() -> None:
    model = screen()
    assert text(frame.title(model, 40)) == " imd on localhost:7373"
    model = screen(said(1, to="#team"), listing=[row(1, "#team", title="The team", muted=True)])
    assert text(frame.title(model, 40)) == " #team  The team  (muted)"
    model = screen(said(1))
    model.presence["bob"] = Presence("away", "at lunch")
    assert text(frame.title(model, 40)) == " bob is away: at lunch"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_banner_says_why_and_how_much_waits(language: str) -> None:
    model = screen(language=language)
    assert frame.banner(model, 60) == []
    model.on_event(Offline(Failure(OSError())), 0)
    model.offline_because = {"en": "Nothing listens.\nReally.", "zh": "没有服务。"}[language]
    model.queued(model.account.queue(SendMessage(to="bob", content="hi")))
    shown = text(frame.banner(model, 60))
    assert (
        shown
        == {
            "en": " Offline: Nothing listens. Trying again.       1 to be sent",
            "zh": " 已离线：没有服务。正在重试。                    1 条待发送",
        }[language]
    )
    model.on_event(Online("ann"), 0)
    assert frame.banner(model, 60) == []


def hint(model: Model, typed: str = "", below: int = 0, width: int = 80) -> str:
    fragments = frame.hint(model, width, typed, below, 0)
    return "".join(piece for _, piece in fragments)


MINE, BOBS = said(1, sender="ann"), said(1)


@pytest.mark.parametrize(
    ("message", "role", "keys"),
    [
        (MINE, "", "rex+fpsi"),
        (BOBS, "", "r+fpsd"),
        (BOBS, "admin", "rx+fpsd"),
        (said(1, "", recalled="x"), "", "d"),
        (said(1, sender="ann", kind="sticker"), "", "rx+fpsi"),
    ],
)
def test_what_may_be_done_with_a_message(message: Message, role: str, keys: str) -> None:
    model = screen(message)
    model.current.role = role
    model.current.selected = 1
    fragments = frame.hint(model, 80, "", 0, 0)
    assert "".join(piece for style, piece in fragments if "class:key" in style) == f"{keys}Esc"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_all_keys_of_a_message_fit_on_80_columns(language: str) -> None:
    model = screen(MINE, language=language)
    model.current.selected, model.current.role = 1, "admin"
    assert columns(hint(model)) <= 80


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("/react b", " /react TO SEQ EMOJI   Put an emoji on a message"),
        ("/who read bob", " /who read TO SEQ"),
        ("/to", " /to NAME [text]"),
        ("/nonsense", ""),
        ("/", ""),
        ("hello", ""),
    ],
)
def test_what_is_being_typed(typed: str, shown: str) -> None:
    found = hint(screen(), typed)
    assert found.startswith(shown)
    assert bool(found) == bool(shown)


def test_what_is_being_answered_and_edited() -> None:
    model = screen(said(1, "one\ntwo"), said(2, "mine", sender="ann"))
    model.current.draft.reply_to = 1
    assert hint(model) == " Reply to bob: one"
    model.current.draft.reply_to, model.current.draft.editing = 0, 2
    assert hint(model) == " Edit: mine"


def test_who_types() -> None:
    model = screen(said(1))
    model.on_event(IsTyping(conversation=1, username="bob", to="bob"), 10)
    fragments = frame.hint(model, 80, "", 0, 10 + TYPING - 1)
    assert text(fragments) == " bob is typing …"
    assert frame.hint(model, 80, "", 0, 10 + TYPING + 1) == []
    model.on_event(IsTyping(conversation=1, username="bob", to="bob"), 20)
    arrive(model, said(2))
    assert frame.hint(model, 80, "", 0, 20) == []


def test_there_is_more_below() -> None:
    assert hint(screen(), below=3).startswith(" ↓ 3 more lines below")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_foot_fits(language: str) -> None:
    model = screen(language=language)
    for _ in range(2):
        foot = "".join(piece for _, piece in frame.footer(model, 80))
        assert columns(foot) == 80
        assert foot.endswith(" ann@localhost:7373 ")
        assert "…" not in foot
        arrive(model, said(1))
    assert "Tab" in foot


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("width", "height"), [(59, 19), (171, 45)])
def test_the_keys_fit_beside_the_conversations(language: str, width: int, height: int) -> None:
    lines = frame.key_help(language, width)
    assert len(lines) <= height
    assert all(columns("".join(piece for _, piece in line)) <= width for line in lines)
    assert not any(text(line).strip() in {"group)", "else"} for line in lines)


def test_what_was_found() -> None:
    found = Results("/search tea", [said(seq, f"tea {seq}", to="#team") for seq in range(9, 0, -1)])
    drawn = [text(line) for line in found.lines(30, 4, NOW, "en")]
    assert drawn == [
        " 9 from /search tea",
        " 06:09 #team bob  tea 9",
        " 06:08 #team bob  tea 8",
        " 06:07 #team bob  tea 7",
    ]
    found.more = True
    assert text(found.lines(50, 4, NOW, "en")[0]) == " 9 from /search tea, and there are more"
    for count, seq in ((5, 4), (99, 1), (-1, 2), (-99, 9)):
        found.move(count)
        assert found.message.seq == seq
        marked = [line for line in found.lines(30, 4, NOW, "en") if "class:selected" in line[0][0]]
        assert [text(line).endswith(f"tea {seq}") for line in marked] == [True]


@pytest.mark.parametrize(
    ("environment", "theme"),
    [(None, "dark"), ("15;0", "dark"), ("0;15", "light"), ("0;default;7", "light")],
)
def test_the_theme(environment: str | None, theme: str) -> None:
    assert theme_here({} if environment is None else {"COLORFGBG": environment}) == theme
