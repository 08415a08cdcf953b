"""Everything imd's own wire declares, for the tests that go through all of it."""

import importlib
import pkgutil
import sys
from collections.abc import Iterator

import imd.wire
from imd.wire.base import Event, Item, Reply, Spec, registry

for module in pkgutil.iter_modules(imd.wire.__path__, "imd.wire."):
    importlib.import_module(module.name)


def _ours(shape: type) -> bool:
    return shape.__module__.startswith("imd.wire.")


def _below(base: type) -> Iterator[type]:
    for each in base.__subclasses__():
        yield each
        yield from _below(each)


SPECS: list[Spec] = [spec for spec in registry if _ours(spec.shape)]
REPLIES: list[type[Reply]] = [shape for shape in _below(Reply) if _ours(shape)]
EVENTS: list[type[Event]] = [shape for shape in _below(Event) if _ours(shape)]
ITEMS: list[type[Item]] = [shape for shape in _below(Item) if _ours(shape) and not issubclass(shape, Event)]
MODULES = [sys.modules[name] for name in sorted({spec.shape.__module__ for spec in SPECS})]
"""The modules that declare commands."""
