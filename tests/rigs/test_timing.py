"""Who exists is not told by the time a refusal takes; a daemon that tells it is caught."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imd.engine.passwords import Passwords
from imd.testing import PASSWORD, MemoryServer
from tests.chat.authenticator import code
from tests.rigs import kill, timing


@pytest.mark.soak
def test_the_medians_of_two_thousand_tries_are_alike(tmp_path: Path) -> None:
    result = timing.run(tmp_path, 2000, random.randrange(1 << 32))
    print(result.table())
    assert result.spread <= timing.ALLOWED


def test_who_tells_it_is_caught(tmp_path: Path) -> None:
    result = timing.run(tmp_path, 5, 1, kill.broken("hurries"))
    assert result.spread > 1, result.table()


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Give what a server does for a name: its statements, without their values, and its hashes."""
    server, done = MemoryServer(), []
    populate(server)
    verify = Passwords._verify

    def watched(self: Passwords, kept: str, password: str) -> bool:
        done.append(f"hash {kept.rsplit('$', 2)[0]}")
        return verify(self, kept, password)

    class Watched:
        """A connection whose statements are noted."""

        def __getattr__(self, name: str) -> Any:
            return getattr(connection, name)

        def execute(self, sql: str, values: tuple[Any, ...] = ()) -> Any:
            done.append(sql)
            return connection.execute(sql, values)

    def work(name: str) -> list[str]:
        stranger = server.connect()
        done.clear()
        reply = stranger.call("login", username=name, password="wrong", code="123456")
        assert (reply["code"], reply["params"]) == ("invalid_credentials", {})
        stranger.hang_up()
        return list(done)

    pool: Any = server.database.backend.readers
    connection, pool.connection = pool.connection, Watched()
    monkeypatch.setattr(Passwords, "_verify", watched)
    return work


def populate(server: MemoryServer) -> None:
    """Make the accounts that the rig has."""
    for name in ("ann", "dan", "eve", "fay"):
        terminal = server.login(name)
        if name == "eve":
            terminal.call("delete_account", password=PASSWORD)
        if name == "fay":
            secret = terminal.call("factor_add", password=PASSWORD)["secret"]
            assert terminal.call("factor_confirm", code=code(secret, server.server.now()))["status"] == "success"
    server.database.write(lambda tx: tx.execute("UPDATE account SET disabled = 1 WHERE username = 'dan'"), print)
    server.settle()


def test_the_same_work_is_done_for_every_name(work: Callable[[str], list[str]]) -> None:
    done = {kind: work(name) for kind, name in timing.KINDS.items()}
    assert [len([each for each in steps if each.startswith("hash")]) for steps in done.values()] == [1] * len(done)
    assert [len([each for each in steps if "FROM account" in each]) for steps in done.values()] == [1] * len(done)
    assert {tuple(steps) for steps in done.values()} == {tuple(done["known"])}
