"""`imd backup`, `restore` and `verify` as words of a command line."""

from pathlib import Path

import pytest

from imd.run import cli
from imd.testing import MemoryServer


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    server = MemoryServer(path=str(tmp_path / "data" / "imd.sqlite3"))
    server.login("alice")
    server.stop()
    return tmp_path / "data"


def imd(line: str) -> None:
    """Do what a command line says."""
    options = cli.Imd()
    options.parseOptions(line.split())
    options.subOptions.carry_out()


def mistake(line: str) -> str:
    with pytest.raises(SystemExit) as ended:
        imd(line)
    return str(ended.value)


def test_there_and_back(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "secret").write_text("open sesame\n")
    imd(f"backup -d {data} -p {tmp_path}/secret {tmp_path}/sealed")
    assert "(imd.sqlite3)" in capsys.readouterr().out
    assert mistake(f"verify -p {tmp_path}/secret {tmp_path}/sealed") == "0"
    assert "accounts: 1" in capsys.readouterr().out
    imd(f"restore -p {tmp_path}/secret --force -d {data} {tmp_path}/sealed")
    heard = capsys.readouterr().out
    assert f"{data} is as it was at " in heard
    assert f"what was there before is kept in {data}/before-" in heard
    assert mistake(f"verify -d {data}") == "0"


def test_a_passphrase_is_asked_for_at_the_terminal(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "open sesame")
    imd(f"backup -e -d {data} {tmp_path}/sealed")
    assert (tmp_path / "sealed").read_bytes().startswith(b"imd-sealed")
    monkeypatch.setattr("getpass.getpass", lambda prompt: "")
    assert mistake(f"backup -e -d {data} {tmp_path}/sealed").startswith("imd: a passphrase is needed")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("backup", "imd: name the backup's FILE"),
        ("backup one two", "imd: two is one word too many"),
        ("restore", "imd: name the backup's FILE"),
        ("restore --forse x", "imd: option --forse not recognized. Did you mean --force?"),
        ("verify one two", "imd: two is one word too many"),
        ("backup -d /nowhere x", "imd: there is no data directory /nowhere. Name the server's with"),
        ("backup -d DATA /nowhere/x", "imd: cannot write /nowhere/x: No such file or directory"),
        ("backup -d DATA -p /nowhere x", "imd: cannot read /nowhere: "),
        ("restore -d /nowhere /none", "imd: cannot read /none: No such file or directory"),
        ("verify -d /nowhere", "imd: cannot read /nowhere: No such file or directory"),
    ],
)
def test_what_is_wrong_is_one_line(line: str, said: str, data: Path) -> None:
    assert mistake(line.replace("DATA", str(data))).startswith(said)


def test_a_broken_database_ends_with_one(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "imd.sqlite3").write_text("this is no database")
    assert mistake(f"verify -d {data}") == "1"
    assert capsys.readouterr().out.startswith("MEND  ")
