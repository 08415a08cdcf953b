"""The word filter: words are found whole in scripts with spaces, anywhere in others, in whatever spelling."""

import pytest

from imd.chat.base.word_filter import WordFilter, plain
from imd.wire.refusals import Forbidden


def met(words: list[str], content: str) -> bool:
    try:
        WordFilter.of([plain(word) for word in words]).check(content)
    except Forbidden:
        return True
    return False


def test_which_word_it_was_is_not_said() -> None:
    with pytest.raises(Forbidden) as refused:
        WordFilter.of(["casino"]).check("casino")
    assert (refused.value.case, refused.value.params) == ("words", {})


@pytest.mark.parametrize(
    ("word", "content"),
    [
        ("casino", "a CASINO, they say"),
        ("Casino", "casino"),
        ("casino", "ｃａｓｉｎｏ"),
        ("casino", "cas\u200bino\ufeff!"),
        ("casino", "去casino吧"),
        ("casino", "(casino)"),
        ("straße", "STRASSE"),
        ("café", "cafe\u0301"),
        ("казино", "Казино!"),
        ("赌博", "他在网上赌博呢"),
        ("赌博", "赌\u200b博"),
        ("ｶｼﾞﾉ", "カジノ"),
        ("buy now", "please BUY \n  now"),
        ("加v", "请加Ｖ"),
        ("c++", "he writes C++"),
        ("3d", "in 3D"),
    ],
)
def test_what_is_met(word: str, content: str) -> None:
    assert met([word], content)


@pytest.mark.parametrize(
    ("word", "content"),
    [
        ("ass", "first class"),
        ("ass", "assess"),
        ("casino", "casinos"),
        ("казино", "казиного"),
        ("buy now", "buy nowhere"),
        ("buy now", "rebuy now"),
        ("加v", "加vip"),
        ("3d", "13d"),
        ("赌博", "赌 博"),
        ("赌博", "博赌"),
    ],
)
def test_what_is_not_met(word: str, content: str) -> None:
    assert not met([word], content)


def test_one_of_many_is_enough_and_none_are_none() -> None:
    assert met(["x", "赌博", "casino"], "my casino")
    assert not met([], "anything")


def test_a_word_met_as_a_part_is_met_whole_further_on() -> None:
    assert met(["buy now"], "rebuy now, buy now")
