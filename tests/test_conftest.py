"""The watchers of conftest.py watch: each is seen to fail once."""

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail, succeed

from tests.conftest import LoggedFailures, refuse_deferred

pytest_plugins = ["pytester"]


def test_a_test_that_returns_a_deferred_fails() -> None:
    with pytest.raises(AssertionError, match="returns a Deferred"):
        refuse_deferred(lambda: succeed(None))()


async def test_an_async_test_is_awaited() -> None:
    waiting: Deferred[str] = Deferred()
    reactor.callLater(0.01, waiting.callback, "awaited")  # type: ignore[attr-defined]
    assert await waiting == "awaited"


def test_an_unhandled_error_in_a_deferred_is_seen(logged_failures: LoggedFailures) -> None:
    fail(RuntimeError("nobody handles this"))
    logged_failures.expect(1)


def test_the_watchers_fail_a_test(pytester: pytest.Pytester, request: pytest.FixtureRequest) -> None:
    pytester.makeconftest(request.config.rootpath.joinpath("tests/conftest.py").read_text("utf-8"))
    pytester.makepyfile(
        """
        from twisted.internet import reactor
        from twisted.internet.defer import fail, succeed

        def test_bare():
            return succeed(None)

        async def test_async_fails():
            assert await succeed(1) == 2

        def test_unhandled():
            fail(RuntimeError())

        def test_timer():
            reactor.callLater(5, print)

        async def test_good():
            assert await succeed(1) == 1
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=3, failed=2, errors=2)
