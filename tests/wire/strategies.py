"""Hypothesis strategies made from the declared types, and a text encoder of the tests' own."""

from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from imd.wire.base import Command, Spec
from imd.wire.textline import quoted

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
"""What JSON carries: everything but NUL and half surrogate pairs."""

ONE_LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]))
"""What can be typed in one line."""


def _text(info: inspect.StrType, alphabet: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    longest = info.max_length if info.max_length is not None else 40
    return alphabet.map(lambda text: text[:longest]).filter(lambda text: len(text) >= (info.min_length or 0))


def values(info: inspect.Type, text: st.SearchStrategy[str] = ANY_TEXT) -> st.SearchStrategy[Any]:
    """Draw values of a type that msgspec described."""
    match info:
        case inspect.AnyType():
            return st.one_of(st.integers(min_value=0, max_value=2**31), _text(inspect.StrType(), text))
        case inspect.StrType():
            return _text(info, text)
        case inspect.IntType():
            return st.integers(min_value=info.ge, max_value=info.le)
        case inspect.FloatType():
            return st.floats(allow_nan=False, allow_infinity=False)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.LiteralType():
            return st.sampled_from(info.values)
        case inspect.UnionType():
            return st.one_of([values(each, text) for each in info.types])
        case inspect.ListType():
            return st.lists(values(info.item_type, text), max_size=3)
        case inspect.DictType():
            return st.dictionaries(values(info.key_type, text), values(info.value_type, text), max_size=3)
        case inspect.StructType():
            return structs(info.cls, text)
    raise AssertionError(f"no strategy for {info}")


def _fields(shape: type, text: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    described = inspect.type_info(shape)
    assert isinstance(described, inspect.StructType)
    wanted = {field.name: values(field.type, text) for field in described.fields if field.required}
    optional = {field.name: values(field.type, text) for field in described.fields if not field.required}
    return st.fixed_dictionaries(wanted, optional=optional)


def structs(shape: type, text: st.SearchStrategy[str] = ANY_TEXT) -> st.SearchStrategy[Any]:
    """Draw structs of a class, their fields by their types."""
    return _fields(shape, text).map(lambda fields: shape(**fields))


@st.composite
def commands(draw: st.DrawFn, spec: Spec, text: st.SearchStrategy[str] = ANY_TEXT) -> Command:
    """Draw one command; one that is about a conversation names it in one way only."""
    fields = draw(_fields(spec.shape, text))
    for name, other in spec.shape.stand_ins.items():
        if (fields.get(name) is None) == (fields.get(other) is None):
            fields |= draw(st.sampled_from([{name: "bob", other: None}, {name: None, other: 7}]))
    return spec.shape(**fields)


def as_json(spec: Spec, command: Command, **more: Any) -> bytes:
    """Write a command as a JSON line."""
    return msgspec.json.encode({"action": spec.action, **more, **msgspec.structs.asdict(command)})


def as_text(spec: Spec, command: Command, tag: str = "") -> bytes:
    """Write a command as a text line: key=value first, then the positional words, then the rest."""
    given = {name: value for name, value in msgspec.structs.asdict(command).items() if value is not None}
    pairs = [f"{name}={quoted(value)}" for name, value in given.items() if name not in spec.takes]
    words = [quoted(given[name]) for name in spec.takes if name in given and name != spec.rest]
    rest = [given[spec.rest]] if given.get(spec.rest) else []
    return " ".join([*([f"@{tag}"] if tag else []), spec.verb, *pairs, *words, *rest]).encode()


def typeable(spec: Spec, command: Command) -> bool:
    """Say whether a text line can hold this command: its rest must not look like anything else."""
    rest = getattr(command, spec.rest) if spec.rest else "x"
    needed = {field.name: field.required for field in msgspec.structs.fields(spec.shape)}
    keys = tuple(f"{name}=" for name in spec.shape.__struct_fields__)
    if not rest:
        return not needed[spec.rest]
    return not rest.startswith((" ", "\t", "\u3000", *keys)) and not (rest.endswith("\r"))
