"""How a text is cut: letters without their accents, Chinese sign by sign, the same for texts and queries."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from imd.store.words import is_sign, words


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Shall we meet at SIX?", "shall we meet at six"),
        ("Crème Brûlée, don't", "creme brulee don t"),
        ("Łódź Straße İstanbul ΣΊΣΥΦΟΣ Ελλάδα", "lodz strasse istanbul σισυφοσ ελλαδα"),
        ("e\u0301te\u0301", "ete"),
        ("会议改到3点", "会 议 改 到 3 点"),
        ("我的iPhone15手机", "我 的 iphone15 手 机"),
        ("ＡＢＣ１２３，好", "abc123 好"),
        ("㐀𠀀々〇", "㐀 𠀀 々 〇"),
        ("がぎ カタカナ ｶﾞ", "が ぎ カ タ カ ナ ガ"),
        ("학교에서", "학 교 에 서"),
        ("हिन्दी में", "हिन्दी में"),
        ("snake_case a.b@c.de", "snake case a b c de"),
        ("👍🏽 ok ❤️ 👨‍👩‍👧", "👍 ok ❤ 👨 👩 👧"),
        ("¿? -- \"'* \n\t\u3000 。，", ""),
    ],
)
def test_a_text_is_cut_into_words(text: str, cut: str) -> None:
    assert words(text) == cut.split()


@given(some.text())
def test_words_are_cut_as_themselves(text: str) -> None:
    """The index is given words with spaces between them, and must find the same ones."""
    for word in words(text):
        assert not word.isspace()
        assert all(not sign.isascii() or sign.isalnum() for sign in word), "the tokenizer of the index would cut it"
        assert not word.isascii() or word == word.lower(), "and make this small"
    assert words(text) == words(text.upper()) or not text.isascii()


@pytest.mark.parametrize(("word", "alone"), [("好", True), ("👍", True), ("a", False), ("好好", False)])
def test_signs_stand_alone(word: str, alone: bool) -> None:
    assert is_sign(word) is alone
