"""The wire is pure: its tests run without the reactor and its watchers, in a plain call."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool:
    """Call the test. (pytest-twisted 1.14 wraps a parametrised hypothesis test once more for each parameter.)"""
    wanted = pyfuncitem._fixtureinfo.argnames
    pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in wanted})
    return True


@pytest.fixture(autouse=True)
def logged_failures() -> None:
    """Nothing here logs."""


@pytest.fixture(autouse=True)
def no_timers_left() -> None:
    """Nothing here waits."""
