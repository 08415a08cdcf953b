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


ANSWERING = ("imd/wire", "imd/chat", "imd/store", "imd/engine", "imd/net")
"""Where answers to peers are made."""


def readings(tree: ast.Module) -> list[int]:
    """List where the words of a caught error are read: a library words it otherwise in its next version."""
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name]
    return [node.lineno for handler in handlers for node in ast.walk(handler) if _reads(node, handler.name or "")]


def _reads(node: ast.AST, error: str) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="str" | "repr" | "format"), args=[ast.Name(id=name)]):
            return name == error
        case ast.FormattedValue(value=ast.Name(id=name)) | ast.Attribute(value=ast.Name(id=name), attr="args" | "msg"):
            return name == error
    return False


def test_no_answer_hangs_on_the_words_of_an_error() -> None:
    reading = {path: readings(tree) for path, tree in trees() if path.startswith(ANSWERING)}
    assert len(reading) > 100
    assert not {path: lines for path, lines in reading.items() if lines}


@pytest.mark.parametrize("words", ["str(error)", "error.args[0]", "f'{error}'", "error.msg"])
def test_a_reading_of_an_errors_words_is_found(words: str) -> None:
    code = "try:\n    work()\nexcept ValueError as error:\n    " + f"reply({words})"
    assert readings(ast.parse(code)) == [4]
    assert readings(ast.parse(code.replace(words, "log(error=error)"))) == []
