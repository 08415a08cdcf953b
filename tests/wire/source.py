"""How the source uses the catalog's sentences: found by reading it, not by running it."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

import attrs

from imd.wire.refusals import CODES

ROOT = Path(__file__).parents[2]
REFUSALS = {shape.__name__: shape for shape in CODES.values()}


@attrs.frozen
class Said:
    """One use of a sentence: where, its key or case (or several), and the params given; None where they are dynamic."""

    where: str
    keys: tuple[str, ...]
    params: frozenset[str] | None
    refusal: str = ""


@cache
def trees() -> list[tuple[str, ast.Module]]:
    """Parse the daemon, the client and the tools."""
    files = sorted([*ROOT.glob("imd/**/*.py"), *ROOT.glob("client/**/*.py"), *ROOT.glob("tools/*.py")])
    return [(str(file.relative_to(ROOT)), ast.parse(file.read_text("utf-8"))) for file in files]


@cache
def _nodes() -> list[tuple[str, ast.AST]]:
    return [(f"{path}:{getattr(node, 'lineno', 0)}", node) for path, tree in trees() for node in ast.walk(tree)]


def _constants(node: ast.AST) -> tuple[str, ...]:
    """List the strings an argument may be: one, or the two of a conditional; none where it is computed."""
    if isinstance(node, ast.IfExp):
        return _constants(node.body) + _constants(node.orelse)
    return (node.value,) if isinstance(node, ast.Constant) and isinstance(node.value, str) else ()


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _params(call: ast.Call) -> frozenset[str] | None:
    given = [keyword.arg for keyword in call.keywords]
    return None if None in given else frozenset(name for name in given if name)


def said() -> list[Said]:
    """List the calls of say() whose key stands there."""
    return [
        Said(where, _constants(node.args[0]), _params(node))
        for where, node in _nodes()
        if isinstance(node, ast.Call) and _name(node.func) == "say" and node.args and _constants(node.args[0])
    ]


def refused() -> list[Said]:
    """List the refusals that are made, with their cases."""
    uses = []
    for where, node in _nodes():
        made: Any = node
        if isinstance(made, ast.Call) and _name(made.func) in REFUSALS:
            cases = _constants(made.args[0]) if made.args else ("",)
            uses.append(Said(where, cases, _params(made), _name(made.func)))
        elif isinstance(made, ast.Raise) and made.exc and _name(made.exc) in REFUSALS:
            uses.append(Said(where, ("",), frozenset(), _name(made.exc)))
    return uses


@cache
def prefixes() -> set[str]:
    """List the beginnings of keys that are put together: `console.` of say(f"console.{key}")."""
    return {
        node.values[0].value
        for _, node in _nodes()
        if isinstance(node, ast.JoinedStr)
        and isinstance(node.values[0], ast.Constant)
        and isinstance(node.values[0].value, str)
        and node.values[0].value.endswith(".")
    }


@cache
def strings() -> set[str]:
    """List every string that stands in the source."""
    return {node.value for _, node in _nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str)}
