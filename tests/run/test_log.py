"""The log of `imd run`: what a person sees of it."""

import pytest
from twisted.logger import Logger, LogPublisher

from imd.run import log


def logger(namespace: str) -> Logger:
    """Make a logger that only the plain log hears."""
    return Logger(namespace=namespace, observer=LogPublisher(log.plain()))


def test_what_imd_says_stands_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    logger("imd.run").info("{line}", line="imd listens")
    logger("imd.net.tls.ServerTLS").info("certificate reloaded")
    logger("imd.run").debug("detail")
    logger("twisted.internet").info("Main loop terminated.")
    assert capsys.readouterr().out == "imd listens\ncertificate reloaded\n"


def test_what_goes_wrong_anywhere_is_seen_whole(capsys: pytest.CaptureFixture[str]) -> None:
    logger("twisted.internet").warn("a warning")
    try:
        raise OSError("the disk is gone")
    except OSError:
        logger("imd.store").failure("commit failed")
    seen = capsys.readouterr().out
    assert "[twisted.internet#warn] a warning" in seen
    assert "[imd.store#critical] commit failed" in seen
    assert "OSError: the disk is gone" in seen
