"""docs/security.md says what is so: every requirement is answered, every test named exists, every link leads on."""

import ast
import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")

SECTIONS = """
1.1 22 1.2 1111122223 1.3 112222222223 1.4 222 1.5 123 2.1 122 2.2 112 2.3 12223 2.4 23 3.1 3 3.2 113 3.3 12223
3.4 11222233 3.5 11122333 3.6 3 3.7 22333 4.1 12233 4.2 23333 4.3 22 4.4 1222 5.1 2 5.2 112333 5.3 113 5.4 222
6.1 122 6.2 111111112222 6.3 11223333 6.4 112233 6.5 22222333 6.6 2223 6.7 33 6.8 2222 7.1 222 7.2 1111 7.3 22
7.4 11222 7.5 223 7.6 22 8.1 1233 8.2 1123 8.3 133 8.4 23 9.1 111 9.2 1222 10.1 22 10.2 223 10.3 22223
10.4 1111122222233333 10.5 22222 10.6 22 10.7 222 11.1 2233 11.2 22233 11.3 11233 11.4 1222 11.5 23 11.6 23 11.7 33
12.1 12233 12.2 11 12.3 22223 13.1 2333 13.2 222223 13.3 2233 13.4 1222233 14.1 22 14.2 12223333 14.3 122
15.1 12233 15.2 12233 15.3 1222222 15.4 3333 16.1 2 16.2 22222 16.3 2222 16.4 222 16.5 2223 17.1 23 17.2 22223333
17.3 22
"""
"""The sections of ASVS 5.0.0, and the level of each of their requirements."""

ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| ([^|]+) \| (met|part|not met|n/a) \| (.+) \|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def wanted() -> list[tuple[str, str]]:
    return [
        (f"{section}.{number}", level)
        for section, levels in re.findall(r"(\d+\.\d+) (\d+)", SECTIONS)
        for number, level in enumerate(levels, 1)
        if level in "12"
    ]


@cache
def defined_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_requirement_is_answered_once_in_its_order() -> None:
    assert [(row[0], row[1]) for row in ROW.findall(PAGE)] == wanted()
    assert Counter(level for _, level in wanted()) == {"1": 70, "2": 183}


def test_the_sum_is_right() -> None:
    counted = Counter(row[3] for row in ROW.findall(PAGE))
    said = (
        f"{counted.total()} requirements: {counted['met']} met, {counted['part']} in part,"
        f" {counted['not met']} not met, {counted['n/a']} not applicable."
    )
    assert said in PAGE


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(PAGE)
    assert len(set(named)) > 100
    assert "::" not in NAMED.sub("", PAGE), "a test that is named otherwise"
    assert not [f"{path}::{name}" for path, name in named if name not in defined_in(path)]


def test_what_is_met_says_how_it_is_seen() -> None:
    """By a test, a page, or the checks of the source; or, for a few, by there being nothing to test."""
    silent = {
        number
        for number, _, _, verdict, why in ROW.findall(PAGE)
        if verdict == "met" and not re.search(r"`tests/|\]\(|`make test`|bandit|^As \d", why)
    }
    assert silent == {"6.2.10", "11.2.1"}


@pytest.mark.parametrize("page", ["docs/security.md", "SECURITY.md"])
def test_every_link_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        linked = (ROOT / page).parent / path if path else ROOT / page
        assert linked.exists(), target
        headings = re.findall(r"^#+ (.+)$", linked.read_text("utf-8"), re.MULTILINE)
        assert not anchor or anchor in {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


def test_every_dependency_is_listed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.match(r"[\w-]+", each)[0] for each in project["dependencies"]}  # type: ignore[index]
    table = PAGE.partition("## Dependencies")[2].partition("Extras:")[0]
    assert set(re.findall(r"^\| ([a-z0-9-]+) \|", table, re.MULTILINE)) - {"package"} == needed
    extras = {
        re.match(r"\w+(-\w+)?", each)[0]
        for name in ("console", "acme", "metrics", "encryption")
        for each in project["optional-dependencies"][name]
    }  # type: ignore[index]
    assert not {each for each in extras if f"`{each}`" not in PAGE}
