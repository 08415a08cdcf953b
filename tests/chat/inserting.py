"""Which tables a handler may add rows to: found by reading the source from the handler down to the SQL."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import attrs

from tests.store.source import sources

INSERTS = re.compile(r"\bINSERT INTO (\w+)")
Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


@attrs.frozen
class Place:
    """Something that a module defines at its top: a function, a class or a constant."""

    module: str
    name: str


def _names(node: Scope) -> list[str]:
    if isinstance(node, ast.Assign):
        return [each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)]
    if isinstance(node, ast.AnnAssign):
        return [node.target.id] if isinstance(node.target, ast.Name) else []
    return [node.name]


@cache
def _defined(module: str) -> dict[str, ast.AST]:
    """List what a module defines at its top, and what it imports from ours."""
    source = sources().get(f"{module.replace('.', '/')}.py") or sources().get(f"{module.replace('.', '/')}/__init__.py")
    if source is None:
        return {}
    found: dict[str, ast.AST] = {}
    for node in source.tree.body:
        if isinstance(node, Scope):
            found |= dict.fromkeys(_names(node), node)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("imd."):
            found |= {each.asname or each.name: node for each in node.names}
    return found


def _resolved(module: str, name: str) -> tuple[str, str]:
    """Follow a name through imports to (module, name); the name is empty for a module."""
    node = _defined(module).get(name)
    if not isinstance(node, ast.ImportFrom):
        return module, name
    own = next(each.name for each in node.names if (each.asname or each.name) == name)
    if _defined(f"{node.module}.{own}"):
        return f"{node.module}.{own}", ""
    return _resolved(str(node.module), own)


def _inside(place: Place) -> Iterator[ast.AST]:
    """Walk through a definition, without what decorates it: that is called when the module is imported."""
    node = _defined(place.module)[place.name]
    decorators = {each for top in getattr(node, "decorator_list", []) for each in ast.walk(top)}
    return (each for each in ast.walk(node) if each not in decorators)


def _used(place: Place) -> Iterator[Place]:
    """List what a definition refers to, calls or passes on."""
    for node in _inside(place):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module, name = _resolved(place.module, node.value.id)
            if not name and node.attr in _defined(module):
                yield Place(*_resolved(module, node.attr))
        elif isinstance(node, ast.Name):
            module, name = _resolved(place.module, node.id)
            if name in _defined(module):
                yield Place(module, name)


def inserts(module: str, name: str) -> dict[str, str]:
    """List the tables that a function may add rows to, each with the function that has the SQL."""
    found: dict[str, str] = {}
    seen, to_see = set(), [Place(module, name)]
    while to_see:
        place = to_see.pop()
        if place in seen or place.module.startswith("imd.wire"):
            continue
        seen.add(place)
        for node in _inside(place):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= dict.fromkeys(INSERTS.findall(node.value), f"{place.module}.{place.name}")
        to_see += _used(place)
    return found
