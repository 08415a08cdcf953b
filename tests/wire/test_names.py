"""Names: PRECIS UsernameCaseMapped, without the characters that imd forbids (PROTOCOL section 4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imd.wire import names
from imd.wire.refusals import BadName

KEPT = [
    ("alice", "alice"),
    ("a", "a"),
    ("Alice", "alice"),
    ("ALICE-B.c_9", "alice-b.c_9"),
    ("ＡＬＩＣＥ", "alice"),
    ("ａｌｉｃｅ", "alice"),
    ("张伟", "张伟"),
    ("張偉", "張偉"),
    ("张Wei", "张wei"),
    ("ｶﾞ", "ガ"),
    ("é", "é"),
    ("e\u0301", "é"),
    ("É", "é"),
    ("ÜBER", "über"),
    ("straße", "straße"),
    ("Ирина", "ирина"),
    ("אב", "אב"),
    ("l·l", "l·l"),
    ("a=b", "a=b"),
    ("x" * 32, "x" * 32),
    ("X" * 32, "x" * 32),
    ("张" * 32, "张" * 32),
    ("e\u0301" * 32, "é" * 32),
]

REFUSED = [
    ("", "empty"),
    ("x" * 33, "long"),
    ("X" * 33, "long"),
    ("张" * 33, "long"),
    ("e\u0301" * 33, "long"),
    ("x" * 100_000, "long"),
    ("a b", "characters"),
    (" ", "characters"),
    ("alice ", "characters"),
    ("a\u00a0b", "characters"),
    ("a\u3000b", "characters"),
    ("a\tb", "characters"),
    ("a\nb", "characters"),
    ("a\0", "characters"),
    ("a\x1b", "characters"),
    ("\u202ealice", "characters"),
    ("a\u200db", "characters"),
    ("a\u200bb", "characters"),
    ("a\u00adb", "characters"),
    ("😀", "characters"),
    ("a😀", "characters"),
    ("①", "characters"),
    ("ﬁ", "characters"),
    ("²", "characters"),
    ("אa", "characters"),
    ("a\ud800", "characters"),
    ("a\ue000", "characters"),
    ("a\uffff", "characters"),
    ("@bob", "characters"),
    ("bob@host", "characters"),
    ("#team", "characters"),
    ("bob＠host", "characters"),
    ("＃team", "characters"),
    *[(f"a{mark}b", "characters") for mark in "@#:/,\"'*?!"],
]


@pytest.mark.parametrize(("typed", "kept"), KEPT, ids=ascii)
def test_a_name_has_one_spelling(typed: str, kept: str) -> None:
    assert names.username(typed) == kept
    assert names.username(kept) == kept


@pytest.mark.parametrize(("typed", "case"), REFUSED, ids=lambda each: ascii(each)[:20])
def test_what_is_no_name_is_refused_with_its_reason(typed: str, case: str) -> None:
    with pytest.raises(BadName) as refused:
        names.username(typed)
    assert refused.value.case == case


@pytest.mark.parametrize(
    "name",
    [
        "张Wei",
        "テストabc",
        "ひらカナ漢字a",
        "a々〆",
        "김철수kim",
        "ㄅㄆ中a",
        "ирина2",
        "राम१",
        "राम1",
        "l·l",
        "zoë\u0301",
        "العربية",
        "ᓄᓇ",
    ],
    ids=ascii,
)
def test_the_letters_of_a_new_name_go_together(name: str) -> None:
    assert names.chosen(name) == names.username(name)


@pytest.mark.parametrize(
    "name", ["аlice", "alicе", "aλ", "김ひ", "ㄅカ", "ㄅ김", "Иあ", "abहि", "bob१", "राम२א"[:4] + "ж", "中ж"], ids=ascii
)
def test_scripts_that_hide_in_one_another_do_not(name: str) -> None:
    assert names.username(name)
    with pytest.raises(BadName) as refused:
        names.chosen(name)
    assert refused.value.case == "scripts"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("  Ann \t of\nthe\u3000woods ", "Ann of the woods"),
        ("\x1b[31mAnn\x07", "[31mAnn"),
        ("\u202eAnn\u2066\ufeff", "Ann"),
        ("👩\u200d🔬 Ann", "👩\u200d🔬 Ann"),
        ("\u200d\u3164 \u2800\u0301", ""),
        ("\u200b", ""),
    ],
    ids=ascii,
)
def test_a_shown_name_is_one_line_that_one_sees(typed: str, shown: str) -> None:
    assert names.one_line(typed) == shown


@given(st.text(max_size=40))
def test_a_name_is_its_own_spelling_and_never_too_long(typed: str) -> None:
    try:
        name = names.username(typed)
    except BadName:
        return
    assert names.username(name) == name
    assert 1 <= len(name) <= names.LONGEST
    assert names.FORBIDDEN.isdisjoint(name)
    assert name.isprintable()
    assert not any(character.isspace() for character in name)
