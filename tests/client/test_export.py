"""`imd export`: a file that is whole and private, or none."""

import hashlib
import os
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from imd_client import export
from imd_client.connection import Connection

from imd.testing import PASSWORD
from tests.client.command_line import options
from tests.client.network import Network, Person

Join = Callable[..., Person]
WRITTEN, REFUSED, UNREACHED = 0, 1, 2


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ann.zip"


@pytest.fixture
def start(network: Network, tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Start `imd export` as ann; gives where its exit code will stand."""
    monkeypatch.setenv("IMD_PASSWORD", PASSWORD)
    monkeypatch.setattr(export, "Connection", partial(Connection, endpoint=network))

    def start(*arguments: str) -> list[int]:
        state = str(tmp_path / "state")
        given = options(export, "--state", state, "--lang", "en", "-u", "ann", *arguments, str(file))
        code: list[Any] = []
        export.main(network.clock, given).addCallback(code.append)
        return code

    return start


@pytest.fixture
def run(network: Network, start: Any, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run it to its end. Gives the exit code and what it said."""

    def run(*arguments: str) -> tuple[int, str]:
        code = start(*arguments)
        for _ in range(200):
            if code:
                break
            network.pass_time(1)
        return code[0], capsys.readouterr().err

    return run


def exchange(join: Join) -> None:
    """Let Ann have said so much that it takes several parts."""
    join("bob")
    ann = join("ann")
    for number in range(60):
        ann.send(
            "bob", f"{number} " + "".join(hashlib.sha512(f"{number} {each}".encode()).hexdigest() for each in range(20))
        )


def whole(file: Path) -> bool:
    with ZipFile(file) as archive:
        return archive.testzip() is None and archive.read("imd-export/conversations/1.jsonl").count(b"\n") == 60


def test_a_file_of_ones_own(run: Any, join: Join, file: Path) -> None:
    exchange(join)
    code, said = run()
    assert code == WRITTEN
    assert said.startswith(f"{file}: {file.stat().st_size} bytes, as of 2026-")
    assert hashlib.sha256(file.read_bytes()).hexdigest() in said
    assert whole(file)
    assert file.stat().st_size > 3 * 32_768
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert left(file) == []


def left(file: Path) -> list[str]:
    return [name for name in os.listdir(file.parent) if name.endswith(".part")]


def test_no_file_is_overwritten(run: Any, join: Join, file: Path) -> None:
    join("ann")
    file.write_text("mine")
    assert run() == (REFUSED, f"{file} already exists, and is not overwritten.\n")
    assert file.read_text() == "mine"


def test_what_an_earlier_run_left_is_in_nobodys_way(run: Any, join: Join, file: Path) -> None:
    exchange(join)
    part = file.with_name("ann.zip.part")
    part.write_text("x" * 1_000_000)
    part.chmod(0o644)
    assert run()[0] == WRITTEN
    assert whole(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_directory_that_is_not_there(run: Any, join: Join, file: Path) -> None:
    join("ann")
    file.parent.rename(file.parent.with_name("elsewhere"))
    try:
        assert run() == (REFUSED, f"{file}: No such file or directory\n")
    finally:
        file.parent.with_name("elsewhere").rename(file.parent)


def test_kept_out(run: Any, join: Join, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    join("ann")
    monkeypatch.setenv("IMD_PASSWORD", "wrong")
    assert run() == (REFUSED, "Not exported: The name or the password is wrong.\n")
    assert not file.exists()
    assert left(file) == []


def test_no_account(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMD_PASSWORD")
    code, said = run()
    assert code == REFUSED
    assert said.startswith("No account is logged in here")


def test_unreachable(network: Network, run: Any, join: Join, file: Path) -> None:
    join("ann")
    network.up = False
    code, said = run("--wait", "5")
    assert code == UNREACHED
    assert said.splitlines()[-1].startswith("Not exported: the server could not be reached.")
    assert not file.exists()
    assert left(file) == []


def test_a_second_run_takes_the_archive_of_the_first(run: Any, join: Join, file: Path) -> None:
    exchange(join)
    _, first = run()
    file.unlink()
    assert run() == (WRITTEN, first)
    assert whole(file)


@pytest.mark.parametrize("after", [b'"export"', b'"export_part"'])
def test_a_connection_that_breaks(
    network: Network, start: Any, join: Join, file: Path, after: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    exchange(join)
    code = start()
    while after not in network.last.transport.value():
        network.last.to_server()
        network.last.to_client()
        network.turn()
    network.last.to_server()
    network.last.cut()
    for _ in range(30):
        network.pass_time(1)
    assert code == [WRITTEN]
    assert whole(file)


def test_what_was_damaged_is_not_kept(run: Any, join: Join, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange(join)
    decode = export.base64.b64decode
    monkeypatch.setattr(export.base64, "b64decode", lambda text: decode(text)[:-1])
    code, said = run()
    assert code == UNREACHED
    assert said.startswith("The data that came is damaged")
    assert not file.exists()
    assert left(file) == []
