"""Everything imd's own wire declares, for the tests that go through all of it."""

from collections.abc import Iterator

from imd.wire import accounts, admin, conversations, messages, receipts, session
from imd.wire.base import Event, Item, Reply, Spec, registry

MODULES = [accounts, admin, conversations, messages, receipts, session]


def _ours(shape: type) -> bool:
    return shape.__module__.startswith("imd.wire.")


def _below(base: type) -> Iterator[type]:
    for each in base.__subclasses__():
        yield each
        yield from _below(each)


SPECS: list[Spec] = [spec for spec in registry if _ours(spec.shape)]
REPLIES: list[type[Reply]] = [shape for shape in _below(Reply) if _ours(shape)]
EVENTS: list[type[Event]] = [shape for shape in _below(Event) if _ours(shape)]
ITEMS: list[type[Item]] = [shape for shape in _below(Item) if _ours(shape)]
