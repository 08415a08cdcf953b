"""The watchers of conftest.py watch: each is seen to fail once."""

import sys

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


def test_whoever_starts_the_tests_changes_nothing_for_them(
    pytester: pytest.Pytester, request: pytest.FixtureRequest
) -> None:
    pytester.makeconftest(request.config.rootpath.joinpath("tests/conftest.py").read_text("utf-8"))
    pytester.makepyfile(
        """
        import locale, os, signal, subprocess, sys

        def test_surroundings():
            strange = {"IMD_LISTEN", "LC_ALL", "XDG_STATE_HOME", "COLUMNS", "NO_COLOR", "PYTHONPATH", "https_proxy"}
            assert not strange & set(os.environ)
            assert (os.environ["LANG"], os.environ["TZ"], locale.getencoding()) == ("C.UTF-8", "UTC", "UTF-8")
            assert os.listdir(os.environ["HOME"]) == []
            assert os.umask(0o022) == 0o022

        def test_signals_of_programs():
            ignored = "import signal as s; print([n for n in (2, 13, 1, 15, 17) if s.getsignal(n) is s.SIG_IGN])"
            found = subprocess.run([sys.executable, "-c", ignored], capture_output=True, text=True).stdout
            assert found.strip() == "[13]", "Python itself ignores SIGPIPE"
            assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())
        """
    )
    strange = "IMD_LISTEN=tcp:1 LC_ALL=zh_CN.UTF-8 XDG_STATE_HOME=/x COLUMNS=20 NO_COLOR=1 PYTHONPATH=/x https_proxy=x"
    begin = f"trap '' INT HUP TERM CHLD; umask 0; export {strange}; unset HOME"
    result = pytester.run("bash", "-c", f'{begin}; exec "$0" -m pytest -p no:cacheprovider', sys.executable)
    result.assert_outcomes(passed=2)
