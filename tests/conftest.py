"""What every test stands on: async tests are awaited, and nothing fails in silence.

pytest passes a test that returns a Deferred without waiting for it, and pytest-twisted does not look at errors that
nobody handles. Here both fail the test, and so do failures in the log and timers left on the reactor.
"""

import functools
import gc
import importlib.metadata
import inspect
from collections.abc import Callable, Iterator

import pytest
import pytest_twisted
from hypothesis import settings
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, globalLogPublisher

# pytest reads Twisted's version from its package before each test: 4 ms.
importlib.metadata.version = functools.cache(importlib.metadata.version)

# No deadline: a busy machine is no fault. `pytest --hypothesis-profile=soak` looks further, `short` less far.
settings.register_profile("imd", deadline=None, max_examples=25)
settings.register_profile("short", deadline=None, max_examples=3)
settings.register_profile("soak", deadline=None, max_examples=250)
settings.load_profile("imd")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let `async def` tests be awaited, and plain ones be caught when they hand back a Deferred nobody waits for."""
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        if inspect.iscoroutinefunction(item.obj):
            item.obj = pytest_twisted.ensureDeferred(item.obj)
        elif not hasattr(item.obj, "hypothesis"):
            item.obj = refuse_deferred(item.obj)
    gc.freeze()  # what is there before the first test need not be looked through after each


def refuse_deferred(test: Callable[..., object]) -> Callable[..., None]:
    """Make a plain test fail when it returns something that would have to be waited for."""

    @functools.wraps(test)
    def watched(*args: object, **kwargs: object) -> None:
        result = test(*args, **kwargs)
        if isinstance(result, Deferred) or inspect.isawaitable(result):
            raise AssertionError("the test returns a Deferred; write it as `async def` and await it")

    return watched


class LoggedFailures(list[LogEvent]):
    """The failures that were logged; a test that expects some takes them out with `expect`."""

    def expect(self, count: int) -> None:
        """Take out so many failures, which must be there."""
        gc.collect()
        assert len(self) == count, [event.get("log_format") for event in self]
        self.clear()


@pytest.fixture(autouse=True)
def logged_failures() -> Iterator[LoggedFailures]:
    """Fail the test when something failed that nobody handled."""
    failures = LoggedFailures()

    def observe(event: LogEvent) -> None:
        if event.get("log_failure") is not None:
            failures.append(event)

    globalLogPublisher.addObserver(observe)
    yield failures
    gc.collect()
    gc.freeze()  # what outlives its test was looked through
    globalLogPublisher.removeObserver(observe)
    assert not failures, [(event.get("log_format"), event.get("log_failure")) for event in failures]


@pytest.fixture(autouse=True)
def no_timers_left() -> Iterator[None]:
    """Fail the test when it leaves a timer on the reactor."""
    before = set(reactor.getDelayedCalls())  # type: ignore[attr-defined]
    yield
    left = [call for call in reactor.getDelayedCalls() if call not in before]  # type: ignore[attr-defined]
    assert not left, left
