"""What every test stands on: async tests are awaited, and nothing fails in silence.

pytest passes a test that returns a Deferred without waiting for it, and pytest-twisted does not look at errors that
nobody handles. Here both fail the test, and so do failures in the log and timers left on the reactor.

Nor does a test depend on who runs it, where and from what: `settle` comes before all else, in every process of pytest,
and the programs that tests start inherit it.
"""

import functools
import gc
import importlib.metadata
import inspect
import locale
import os
import re
import signal
import tempfile
import time
from collections.abc import Callable, Iterator

import pytest
import pytest_twisted
from hypothesis import settings
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, globalLogPublisher

_OF_THE_CALLER = re.compile(
    r"(IMD|XDG|LC|LISTEN|WATCHDOG|SSL|OPENSSL)_.*|LANG|LANGUAGE|NOTIFY_SOCKET|TMUX"
    r"|TERM|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|CLICOLOR.*|(https?|all|no)_proxy|POSIXLY_CORRECT"
    r"|PYTHON(PATH|IOENCODING|UTF8|WARNINGS|STARTUP|SAFEPATH|OPTIMIZE|DEVMODE|HASHSEED)",
    re.IGNORECASE,
)
"""What a caller may have set that imd, Python or the tools of the tests go by."""


def settle(home: str) -> None:
    """Put this process, and so its children, into the surroundings that the tests are written for."""
    for name in [name for name in os.environ if _OF_THE_CALLER.fullmatch(name)]:
        del os.environ[name]
    os.environ |= {"LANG": "C.UTF-8", "TERM": "xterm", "TZ": "UTC", "HOME": home}
    if os.access("/tmp", os.W_OK | os.X_OK):  # a longer path may be too long for a socket
        os.environ["TMPDIR"] = tempfile.tempdir = "/tmp"
    time.tzset()
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    os.umask(0o022)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_DFL)


_home = tempfile.TemporaryDirectory(prefix="imd-home-")
settle(_home.name)

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
