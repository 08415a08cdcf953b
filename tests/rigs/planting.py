"""Faults that can be planted in a module: small changes of its text, each of which should fail some test.

A turned comparison, `and` for `or`, a dropped `not` or statement, a number off by one, two arguments swapped; and in
SQL a turned comparison, a dropped term, another order, another conflict clause. Texts for people and types are left.
"""

import ast
import re
from collections.abc import Iterator
from typing import TypeGuard

import attrs

Span = tuple[int, int]


@attrs.frozen
class Fault:
    """One change: the text from `start` to `stop` becomes `text`. A test that does not run `lines` cannot see it."""

    kind: str
    start: int
    stop: int
    text: str
    lines: Span
    name: str = ""
    """The name that a statement of the module sets; empty within a function."""

    def planted(self, source: bytes) -> bytes:
        """Give the source with the fault in it."""
        return source[: self.start] + self.text.encode() + source[self.stop :]


_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: (r"<", "<="),
    ast.LtE: (r"<=", "<"),
    ast.Gt: (r">", ">="),
    ast.GtE: (r">=", ">"),
    ast.Eq: (r"==", "!="),
    ast.NotEq: (r"!=", "=="),
    ast.Is: (r"\bis\b", "is not"),
    ast.IsNot: (r"\bis\s+not\b", "is"),
    ast.In: (r"\bin\b", "not in"),
    ast.NotIn: (r"\bnot\s+in\b", "in"),
}

_SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|AND|ORDER BY|SET|FROM|JOIN|ON CONFLICT|min|coalesce)\b")
_COLUMN = r"[a-z_]+(?:\.[a-z_]+)?"
_SQL_CHANGES: list[tuple[str, str, str]] = [
    ("comparison", r"(?<![<>])<=", "<"),
    ("comparison", r"<(?![=>])", "<="),
    ("comparison", r">=", ">"),
    ("comparison", r"(?<!<)>(?!=)", ">="),
    ("comparison", r"<>", "="),
    ("comparison", rf"(?<=WHERE |..AND |...ON |...OR )({_COLUMN}) = ", r"\1 <> "),
    ("comparison", r"\bIS NULL\b", "IS NOT NULL"),
    ("comparison", r"\bIS NOT NULL\b", "IS NULL"),
    ("term", rf" AND {_COLUMN} (?:IS (?:NOT )?NULL|(?:[<>=]+) (?:'\w*'|\d+|{_COLUMN})(?![\w(.]))", ""),
    ("term", rf" AND {_COLUMN} [<>=]+ \?", " AND coalesce(?, 0) IS NOT NULL"),
    ("term", r", [a-z_]+ = (?:NULL|\d+|''|excluded\.[a-z_]+)(?![\w(+ ])", ""),
    ("and/or", r"\bAND\b", "OR"),
    ("and/or", r"\bOR\b(?! IGNORE| REPLACE)", "AND"),
    ("order", r" DESC\b", ""),
    ("order", rf"(ORDER BY {_COLUMN})(?! DESC|[\w.(])", r"\1 DESC"),
    ("order", r"\bmin\(", "max("),
    ("order", r"\bmax\(", "min("),
    ("conflict", r" ON CONFLICT [^?]*$", ""),
    ("conflict", r" OR IGNORE\b", ""),
    ("conflict", r" OR REPLACE\b", ""),
    ("column", r"\bSET ([a-z_]+) = (\?|excluded\.[a-z_]+), ([a-z_]+) = ", r"SET \3 = \2, \1 = "),
    ("join", r"\bLEFT JOIN\b", "JOIN"),
    ("number", r"(?<= [+-] )1\b", "2"),
    ("number", r"(?<=[=<>] )0\b", "1"),
]
_LOGS = re.compile(r"\b_?log\.|\bwarnings\.")
_UNSEEN = frozenset({"__repr__", "__str__"})


class _Finder(ast.NodeVisitor):
    """Walks through a module, and notes where faults can be planted."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.found: list[Fault] = []
        self._starts = [0, *(each.end() for each in re.finditer(rb"\n", source))]
        self._lines: Span = (1, 1)
        self._name = ""
        self._inside = False
        self._bound: set[str] = set()

    def span(self, node: ast.AST) -> Span:
        """Where a node stands, in bytes."""
        assert isinstance(node, ast.expr | ast.stmt)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def add(self, kind: str, start: int, stop: int, text: str) -> None:
        """Note a fault; the lines below it stay where they are."""
        gone = self.source[start:stop].count(b"\n") - text.count("\n")
        name = "" if self._inside else self._name
        self.found.append(Fault(kind, start, stop, text + "\n" * gone, self._lines, name))

    def visit(self, node: ast.AST) -> None:
        """Keep in mind which lines run with this node; leave out what nobody sees."""
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            return  # positions in an f-string are not to be relied on
        if isinstance(node, ast.stmt):
            first = getattr(node, "test", getattr(node, "iter", node))
            self._lines = (node.lineno, (node.end_lineno if not hasattr(node, "body") else first.end_lineno) or 0)
            if isinstance(node, ast.Expr) and _LOGS.search(ast.unparse(node)):
                return
        for each in ("body", "orelse", "finalbody"):
            if isinstance(block := getattr(node, each, None), list):
                self._block(block)
        super().visit(node)

    def _block(self, block: list[ast.stmt]) -> None:
        """Note the statements that can be left out."""
        if not self._inside:
            return
        before = self._lines
        for each in block:
            if self._droppable(each, alone=len(block) == 1):
                self._lines = (each.lineno, each.end_lineno or each.lineno)
                self.add("statement", *self.span(each), "pass")
        self._lines = before

    def _droppable(self, each: ast.stmt, *, alone: bool) -> bool:
        """Say whether a statement does something, and the rest can run without it."""
        if isinstance(each, ast.Raise):
            return True
        if alone or _LOGS.search(ast.unparse(each)):
            return False
        if isinstance(each, ast.Assign):
            return {name.id for name in ast.walk(each) if _is_set(name)} <= self._bound
        if isinstance(each, ast.Expr):
            return not isinstance(each.value, ast.Constant | ast.Yield)
        return isinstance(each, ast.AugAssign | ast.Delete)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Look into a function, but at no annotation."""
        if node.name in _UNSEEN:
            return
        before = self._inside, self._bound
        self._inside = True
        arguments = {each.arg for each in [*node.args.args, *node.args.kwonlyargs]}
        self._bound = before[1] | arguments | _twice(node)
        self._block(node.body)
        for each in node.body:
            self.visit(each)
        self._inside, self._bound = before

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Assign(self, node: ast.Assign) -> None:
        """Remember the name, if this is a constant of the module."""
        if not self._inside and isinstance(node.targets[0], ast.Name):
            self._name = node.targets[0].id
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Look at the value, not at the type."""
        if not self._inside and isinstance(node.target, ast.Name):
            self._name = node.target.id
        if node.value is not None:
            self.visit(node.value)

    def visit_Assert(self, node: ast.Assert) -> None:
        """Leave it: it tells mypy a type."""

    def visit_Expr(self, node: ast.Expr) -> None:
        """Leave docstrings."""
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Turn a comparison."""
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            pattern, other = _COMPARISONS[type(operator)]
            start, stop = self.span(left)[1], self.span(right)[0]
            if place := re.search(pattern.encode(), self.source[start:stop]):
                self.add("comparison", start + place.start(), start + place.end(), other)
            left = right
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """Put `or` for the first `and`, and the other way round."""
        word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        start, stop = self.span(node.values[0])[1], self.span(node.values[1])[0]
        if place := re.search(rf"\b{word}\b".encode(), self.source[start:stop]):
            self.add("and/or", start + place.start(), start + place.end(), other)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """Drop a `not`."""
        if isinstance(node.op, ast.Not):
            self.add("not", self.span(node)[0], self.span(node.operand)[0], "")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Count one too far; turn a yes into a no; change SQL."""
        if isinstance(node.value, bool):
            if self._inside:
                self.add("number", *self.span(node), str(not node.value))
        elif isinstance(node.value, int):
            self.add("number", *self.span(node), str(node.value + 1))
        elif isinstance(node.value, str) and _SQL.search(node.value):
            for kind, text in _changed_sql(node.value):
                self.add(f"SQL {kind}", *self.span(node), f"({text!r})")

    def visit_Call(self, node: ast.Call) -> None:
        """Swap two arguments."""
        for one, other in zip(node.args, node.args[1:], strict=False):
            if not (isinstance(one, ast.Name | ast.Attribute) and isinstance(other, ast.Name | ast.Attribute)):
                continue
            (start, end), (begin, stop) = self.span(one), self.span(other)
            first, between, second = self.source[start:end], self.source[end:begin], self.source[begin:stop]
            if self._inside and first not in (second, b"tx"):
                self.add("arguments", start, stop, (second + between + first).decode())
        self.generic_visit(node)


def _twice(function: ast.AST) -> set[str]:
    """The names that a function sets more than once: it can do without one of them."""
    names = [each.id for each in ast.walk(function) if _is_set(each)]
    return {name for name in names if names.count(name) > 1}


def _is_set(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _changed_sql(sql: str) -> Iterator[tuple[str, str]]:
    """Give what a piece of SQL becomes, change by change."""
    for kind, pattern, other in _SQL_CHANGES:
        for place in re.finditer(pattern, sql):
            yield kind, sql[: place.start()] + place.expand(other) + sql[place.end() :]


def faults(source: bytes) -> list[Fault]:
    """List the faults that can be planted in a module, in the order of its text. Each can be compiled."""
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    return sorted((each for each in finder.found if _compiles(each.planted(source))), key=lambda each: each.start)


def _compiles(source: bytes) -> bool:
    try:
        compile(source, "planted", "exec")
    except SyntaxError:
        return False
    return True
