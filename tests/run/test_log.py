"""The log of `imd run`: what a person sees of it."""

import pytest
from twisted.logger import Logger, LogPublisher

from imd.run import log


@pytest.fixture
def publisher(capsys: pytest.CaptureFixture[str]) -> LogPublisher:  # which first takes the standard output
    return LogPublisher(log.plain())


def logger(namespace: str, publisher: LogPublisher) -> Logger:
    return Logger(namespace=namespace, observer=publisher)


def test_what_imd_says_stands_as_it_is(publisher: LogPublisher, capsys: pytest.CaptureFixture[str]) -> None:
    logger("imd.run", publisher).info("{line}", line="imd listens")
    logger("imd.net.tls.ServerTLS", publisher).info("certificate reloaded")
    logger("imd.run", publisher).debug("detail")
    logger("twisted.internet", publisher).info("Main loop terminated.")
    assert capsys.readouterr().out == "imd listens\ncertificate reloaded\n"


def test_what_goes_wrong_anywhere_is_seen_whole(publisher: LogPublisher, capsys: pytest.CaptureFixture[str]) -> None:
    logger("twisted.internet", publisher).warn("a warning")
    try:
        raise OSError("the disk is gone")
    except OSError:
        logger("imd.store", publisher).failure("commit failed")
    seen = capsys.readouterr().out
    assert "[twisted.internet#warn] a warning" in seen
    assert "[imd.store#critical] commit failed" in seen
    assert "OSError: the disk is gone" in seen
