"""Which SQL is made of our own literals alone: found by reading the source, not by running it.

A statement is `fixed` when everything it is put together from stands in the source as a literal: constants, choices
among them, loops over them. What a function is given is followed to the callers in its module, if it is private.
What is taken from the declared tables is fixed as well: test_tables.py holds that nothing but literals stands there.
"""

import ast
from functools import cache
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
MAKERS = {"marks": 0, "assigned": 1}
"""What writes SQL from other than literals, and how many of its arguments must be fixed: imd/store/transaction.py."""
PUTS_TOGETHER = {"format", "join", "items", "keys", "values", "split", "strip", "rstrip"}
EXECUTES = {"execute", "executemany", "executescript"}
DECLARED = "imd.store.tables"
SELECTS = {"one", "known", "all"}
"""What reads records, and takes the end of a statement as its second argument: imd/store/rows.py."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _bound(target: ast.expr, value: ast.expr) -> list[tuple[str, ast.expr]]:
    """List the names that an assignment binds, each with what it comes from."""
    if isinstance(target, ast.Name):
        return [(target.id, value)]
    if isinstance(target, ast.Starred):
        return _bound(target.value, value)
    if not isinstance(target, ast.Tuple | ast.List):
        return []
    if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts):
        return [pair for one, its in zip(target.elts, value.elts, strict=True) for pair in _bound(one, its)]
    return [pair for one in target.elts for pair in _bound(one, value)]


def _bindings(inside: ast.AST) -> dict[str, list[ast.expr]]:
    """Collect what each name is bound to: by assignments, loops and comprehensions."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(inside):
        pairs: list[tuple[str, ast.expr]] = []
        if isinstance(node, ast.Assign):
            pairs = [pair for target in node.targets for pair in _bound(target, node.value)]
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value:
            pairs = _bound(node.target, node.value)
        elif isinstance(node, ast.For | ast.comprehension):
            pairs = _bound(node.target, node.iter)
        for name, value in pairs:
            found.setdefault(name, []).append(value)
    return found


@attrs.define(eq=False)
class Source:
    """One module."""

    path: str
    tree: ast.Module
    _within: dict[ast.AST, Function] = attrs.field(init=False, factory=dict)
    _top: dict[str, list[ast.expr]] = attrs.field(init=False)
    _asked: set[tuple[int, str]] = attrs.field(init=False, factory=set)

    def __attrs_post_init__(self) -> None:
        for function in ast.walk(self.tree):  # outer functions come first
            if isinstance(function, Function):
                self._within |= dict.fromkeys(ast.walk(function), function)
        alone = [node for node in self.tree.body if not isinstance(node, Function | ast.ClassDef)]
        self._top = _bindings(ast.Module(body=alone, type_ignores=[]))

    def unfixed(self) -> list[str]:
        """List where SQL is executed that is not fixed."""
        return [
            f"{self.path}:{node.lineno}: {ast.unparse(each)}"
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call)
            for each in _sql(node)
            if not self.fixed(each)
        ]

    def fixed(self, node: ast.expr) -> bool:
        """Say whether an expression is made of literals."""
        match node:
            case ast.Constant():
                return True
            case ast.Name():
                return self._name_is_fixed(node)
            case ast.Attribute():
                return self._declared(node) or self._field_is_fixed(node.attr)
            case ast.Call():
                return self._call_is_fixed(node)
            case ast.FormattedValue() if node.format_spec is not None and ast.unparse(node.format_spec) == "f'd'":
                return True  # a number, or an error
            case ast.FormattedValue() | ast.Subscript() | ast.Starred():
                return self.fixed(node.value)  # of a subscript: whichever is chosen
            case ast.BinOp():
                return self.fixed(node.left) and self.fixed(node.right)
            case ast.IfExp():
                return self.fixed(node.body) and self.fixed(node.orelse)
            case ast.JoinedStr():
                return all(map(self.fixed, node.values))
            case ast.Tuple() | ast.List() | ast.Set():
                return all(map(self.fixed, node.elts))
            case ast.Dict():
                return all(self.fixed(each) for each in [*node.keys, *node.values] if each)
            case ast.GeneratorExp() | ast.ListComp():
                return self.fixed(node.elt)
            case ast.DictComp():
                return self.fixed(node.value)
        return False

    def _call_is_fixed(self, call: ast.Call) -> bool:
        name = _name(call.func)
        if name in MAKERS:
            return all(map(self.fixed, call.args[: MAKERS[name]]))
        if isinstance(call.func, ast.Attribute) and name in PUTS_TOGETHER:
            return all(map(self.fixed, [call.func.value, *call.args, *(each.value for each in call.keywords)]))
        if isinstance(call.func, ast.Attribute) and self._declared(call.func):
            return all(map(self.fixed, call.args))
        return name in ("tuple", "frozenset", "sorted") and all(map(self.fixed, call.args))

    def _declared(self, node: ast.expr) -> bool:
        """Say whether something is taken from the declared tables."""
        while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
            node = node.func if isinstance(node, ast.Call) else node.value
        if not isinstance(node, ast.Name):
            return False
        function = self._within.get(node)
        if function and _place(function, node.id) is not None:
            return False
        values = (_bindings(function).get(node.id, []) if function else []) or self._top.get(node.id, [])
        return all(map(self._declared, values)) if values else self._of_tables(node.id)

    def _of_tables(self, name: str) -> bool:
        return any(
            f"{node.module}.{each.name}".startswith(DECLARED)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom)
            for each in node.names
            if (each.asname or each.name) == name
        )

    def _name_is_fixed(self, node: ast.Name) -> bool:
        function = self._within.get(node)
        asked = (id(function), node.id)
        if asked in self._asked:  # `query += more`: what it is made from is being looked at already
            return True
        self._asked.add(asked)
        try:
            values = _bindings(function).get(node.id, []) if function else []
            if function and (place := _place(function, node.id)) is not None:
                given = function.name.startswith("_") and self._given(function.name, place, node.id)
                return given and all(map(self.fixed, values))
            values = values or self._top.get(node.id, [])
            return all(map(self.fixed, values)) if values else self._imported(node.id)
        finally:
            self._asked.discard(asked)

    def _given(self, function: str, place: int, name: str) -> bool:
        """Say whether all callers of a private function give it something fixed."""
        calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call) and _name(node.func) == function]
        given = [
            call.args[place] if len(call.args) > place else next(k.value for k in call.keywords if k.arg == name)
            for call in calls
        ]
        return bool(given) and all(map(self.fixed, given))

    def _field_is_fixed(self, field: str) -> bool:
        """Say whether a field of one of this module's own records is always made of literals."""
        for shape in ast.walk(self.tree):
            fields = [each.target.id for each in getattr(shape, "body", []) if _declares(each)]
            if isinstance(shape, ast.ClassDef) and field in fields:
                return self._given(shape.name, fields.index(field), field)
        return False

    def _imported(self, name: str) -> bool:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and any((each.asname or each.name) == name for each in node.names):
                source = sources().get(f"{(node.module or '').replace('.', '/')}.py")
                return source is not None and source.fixed(ast.Name(name))
        return False


def _sql(call: ast.Call) -> list[ast.expr]:
    """List the arguments of a call that are SQL."""
    name, method = _name(call.func), isinstance(call.func, ast.Attribute)
    if name in EXECUTES:
        return call.args[:1]
    if name == "Select":
        return [*call.args[1:], *(each.value for each in call.keywords)]
    return call.args[1:2] if method and name in SELECTS else []


def _declares(node: ast.stmt) -> bool:
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)


def _place(function: Function, name: str) -> int | None:
    """Give which of the arguments of a call is a parameter."""
    names = [each.arg for each in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]]
    if name not in names:
        return None
    return names.index(name) - (names[0] in ("self", "cls"))


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@cache
def sources() -> dict[str, Source]:
    """Parse all that is shipped."""
    files = {f"imd/{path.relative_to(ROOT / 'imd')}": path for path in ROOT.glob("imd/**/*.py")}
    files |= {str(path.relative_to(ROOT / "client")): path for path in ROOT.glob("client/**/*.py")}
    return {name: Source(name, ast.parse(path.read_text("utf-8"))) for name, path in sorted(files.items())}
