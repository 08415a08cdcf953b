"""Completion: commands, what they take, names, emoji."""

import pytest
from imd_client.fullscreen import emoji
from imd_client.fullscreen.completion import Completions
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import fragment_list_to_text

from imd.wire.catalog import say

NAMES = ["bob", "#team", "Bert", "李雷"]


def completed(text: str) -> list[str]:
    """Give the lines that a line may become."""
    found = Completions(lambda: NAMES, "en").get_completions(Document(text), CompleteEvent())
    return [text[: len(text) + each.start_position] + each.text for each in found]


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ("/rea", ["/react ", "/read "]),
        ("/who", ["/who read ", "/whoami "]),
        ("/who ", ["/who read "]),
        ("/who read b", ["/who read bob ", "/who read Bert "]),
        ("/qu", ["/quit "]),
        ("/to b", ["/to bob ", "/to Bert "]),
        ("/to #", ["/to #team "]),
        ("/react 李", ["/react 李雷 "]),
        ("/react bob 2 :thumbsu", ["/react bob 2 👍"]),
        ("/react bob 2 赞", ["/react bob 2 👍"]),
        ("/forward bob 2 #", ["/forward bob 2 #team "]),
        ("/history bob li", ["/history bob limit="]),
        ("/mute bob on=", ["/mute bob on=true ", "/mute bob on=false "]),
        ("/send bob kind=st", ["/send bob kind=sticker "]),
        ("/help hist", ["/help history"]),
        ("/user ad", []),
        ("/nonsense b", []),
        ("hello b", []),
        ("hello @b", ["hello @bob ", "hello @Bert "]),
        ("hello @al", ["hello @all "]),
        ("//rea", []),
        ("well :thumbsu", ["well 👍"]),
        ("太好了:thumbsu", ["太好了👍"]),
        ("太好了：赞", []),
        ("太好了 ：赞", ["太好了 👍"]),
        ("：赞", ["👍"]),
        ("他说：ok", []),
        ("他说:好", []),
        ("10:joy", []),
        ("/edit bob 2 @李", []),
        ("x" * 20_000 + " :thumbsu", ["x" * 20_000 + " 👍"]),
    ],
)
def test_what_is_offered(typed: str, lines: list[str]) -> None:
    assert completed(typed)[: len(lines) + 1] == lines


def test_a_command_says_what_it_does() -> None:
    (found,) = Completions(list, "zh").get_completions(Document("/whoam"), CompleteEvent())
    assert fragment_list_to_text(found.display_meta) == say("help.whoami", "zh")


def test_any_emoji_by_a_part_of_its_name() -> None:
    assert ("🐧", "penguin") in emoji.matching("pengu")
    assert list(emoji.matching("zzzz")) == []


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("well done :tada:", "well done 🎉"),
        (":赞: :joy::joy:", "👍 😂😂"),
        (":PENGUIN:", "🐧"),
        ("太好了:tada:", "太好了🎉"),
        ("他说：好：没问题", "他说：好：没问题"),
        ("at 10:30:45", "at 10:30:45"),
        (":nothing_like_it:", ":nothing_like_it:"),
        ("http://[::1]:7373/", "http://[::1]:7373/"),
    ],
)
def test_names_between_colons_are_sent_as_emoji(text: str, sent: str) -> None:
    assert emoji.replace_names(text) == sent
