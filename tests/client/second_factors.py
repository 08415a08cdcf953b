"""Second factors of people at a server."""

import time
from collections.abc import Callable

from imd.testing import PASSWORD, MemoryServer
from tests.chat.authenticator import code
from tests.live.daemon import Daemon


def second_factor(server: MemoryServer, username: str) -> Callable[[], str]:
    """Give somebody a second factor, registered first if need be. Gives what tells the digits of the moment."""
    terminal = server.login(username)
    secret = terminal.call("factor_add", password=PASSWORD)["secret"]
    assert terminal.call("factor_confirm", code=code(secret, server.server.now(), -1))["status"] == "success"
    terminal.hang_up()
    return lambda: code(secret, server.server.now())


def live_second_factor(daemon: Daemon, username: str) -> Callable[[], str]:
    """Give somebody new a second factor, at a daemon."""
    line = daemon.connect()

    def answer(asked: str) -> str:
        line.say(asked)
        while (heard := line.next_line()) is not None and not heard.startswith(("OK", "ERR")):
            pass
        assert str(heard).startswith("OK"), heard
        return str(heard)

    for asked in ("REGISTER", "LOGIN"):
        answer(f"{asked} {username} {PASSWORD}")
    secret = answer(f"FACTOR ADD {PASSWORD}").split("secret=")[1].split()[0]
    answer(f"FACTOR CONFIRM {code(secret, int(time.time() * 1000), -1)}")
    line.hang_up()
    return lambda: code(secret, int(time.time() * 1000))
