"""Rules for the source that is shipped, which ruff and bandit cannot tell apart finely enough."""

import ast
import re

import pytest

from tests.wire.source import ROOT, trees

TESTS_OF_OTHERS = "imd/testing.py"


def guards(tree: ast.Module) -> list[int]:
    """List the asserts that do more than tell mypy a type: `python -O` leaves them out."""
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert) and not _tells_a_type(node.test)]


def _tells_a_type(test: ast.expr) -> bool:
    match test:
        case ast.Compare(ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return True
        case ast.Call(func=ast.Name(id="isinstance")):
            return True
    return False


def test_no_assert_guards_anything() -> None:
    guarding = {path: guards(tree) for path, tree in trees() if path != TESTS_OF_OTHERS}
    assert not {path: lines for path, lines in guarding.items() if lines}


@pytest.mark.parametrize("code", ["assert names <= known", "assert len(x) == 2", "assert not taken", "assert x"])
def test_an_assert_that_guards_is_found(code: str) -> None:
    assert guards(ast.parse(code)) == [1]


def test_every_exception_has_a_reason() -> None:
    comments = [
        (path, line.strip())
        for path, _ in trees()
        for line in (ROOT / path).read_text("utf-8").splitlines()
        if re.search(r"# (noqa|nosec|type: ignore)", line)
    ]
    assert comments
    bare = [
        each for each in comments if not re.search(r"# (noqa: \w+|nosec \w+|type: ignore\[[\w-]+\])  # \w", each[1])
    ]
    assert not bare
