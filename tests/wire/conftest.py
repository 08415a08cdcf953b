"""The wire is pure: its tests run without the reactor and its watchers, in a plain call."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from imd.wire import jsonline


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


@pytest.fixture(params=["as installed", "worded otherwise"])
def wording(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have msgspec's errors say what they say, then something else: no answer may hang on the words."""
    if request.param == "as installed":
        return

    def otherwise(function: Callable[..., Any]) -> Callable[..., Any]:
        def worded(*args: Any, **more: Any) -> Any:
            try:
                return function(*args, **more)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                kind = type(error) if isinstance(error, msgspec.MsgspecError) else msgspec.DecodeError
                raise kind("`Cela` ne va pas (byte 7) - at `$.nowhere`") from error.__cause__

        return worded

    monkeypatch.setattr(jsonline, "_decode", otherwise(jsonline._decode))
    monkeypatch.setattr(msgspec, "convert", otherwise(msgspec.convert))
