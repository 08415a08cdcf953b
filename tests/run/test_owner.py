"""Commands that root runs on the data of a daemon that is not root: it can start on them afterwards."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pyrage
import pytest

from imd.run import backup, certificates, restore
from imd.run.check import connect_untouched
from imd.run.config import Config, load
from imd.testing import MemoryServer
from tests.run.test_restore import carrying, not_asked

OWNER = 7777
IMD = Path(sys.executable).with_name("imd")

pytestmark = [pytest.mark.long, pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")]


@pytest.fixture
def data() -> Iterator[Path]:
    """A stopped daemon's directory, as systemd leaves it: its user owns all of it. A backup lies beside it."""
    with TemporaryDirectory() as above:  # pytest's own lets nobody else pass
        Path(above).chmod(0o755)
        data = Path(above) / "data"
        data.mkdir(mode=0o700)
        MemoryServer(path=str(data / "imd.sqlite3")).stop()
        certificates.ensure(data / "certificate.pem", data / "key.pem", certificates.utc_now())
        carrying(data, data.parent / "backup")
        for each in (data, *data.rglob("*")):
            os.chown(each, OWNER, OWNER)
        yield data


def of_others(data: Path) -> list[str]:
    """List what lies there and is not its owner's."""
    return [each.name for each in data.rglob("*") if (each.stat().st_uid, each.stat().st_gid) != (OWNER, OWNER)]


def starts(data: Path) -> str:
    """Do as that user what a start does with its files, and say what went wrong."""
    code = (
        "import os, pathlib, sys; from imd.run.directory import DataDirectory; from imd.store import sqlite\n"
        f"os.chdir(sys.argv[1]); os.setgroups([]); os.setgid({OWNER}); os.setuid({OWNER})\n"
        "DataDirectory(pathlib.Path('.')).acquire()\n"
        "[open(name).close() for name in ('certificate.pem', 'key.pem')]\n"
        "sqlite.connect('imd.sqlite3').execute('UPDATE account SET admin = 0')\n"
    )
    return subprocess.run([sys.executable, "-c", code, data], capture_output=True, text=True, check=False).stderr


def test_a_restore_into_its_directory(data: Path) -> None:
    done = restore.restore(data.parent / "backup", data, not_asked, force=True)
    assert done.kept is not None
    assert done.kept.stat().st_uid == OWNER
    assert (data / "imd.lock").exists()
    assert (data / "files" / "2026" / "one").exists()
    assert of_others(data) == []
    assert starts(data) == ""


def test_a_restore_into_an_empty_directory_made_for_it(data: Path) -> None:
    for each in data.iterdir():
        each.unlink()
    restore.restore(data.parent / "backup", data, not_asked)
    assert of_others(data) == []
    assert starts(data) == ""


def backed_up(config: Config) -> None:
    backup.make(config, config.data_dir.parent / "another", [pyrage.x25519.Identity.generate().to_public()])


def administered(config: Config) -> None:
    command = [IMD, "user", "add", "alice", "--data-dir", str(config.data_dir)]
    subprocess.run(command, check=True, capture_output=True)


def administered_first(config: Config) -> None:
    (config.data_dir / "imd.sqlite3").unlink()
    administered(config)


@pytest.mark.parametrize("work", [backed_up, administered, administered_first])
def test_other_commands(data: Path, work: Callable[[Config], None]) -> None:
    work(load({"data_dir": str(data)}, {}))
    assert of_others(data) == []
    assert starts(data) == ""


def test_what_lies_beside_the_database_tells_nobody_what_to_do(data: Path) -> None:
    """A journal can name another file, which SQLite deletes when it has played the journal back."""
    for name in ("imd.sqlite3-wal", "imd.sqlite3-shm"):
        (data / name).unlink(missing_ok=True)
    journal = data / "imd.sqlite3-journal"
    journal.write_bytes(bytes.fromhex("d9d505f920a163d7") + bytes(1016))
    os.chown(journal, OWNER, OWNER)
    with closing(connect_untouched(data / "imd.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM account").fetchone() == (0,)
    assert journal.exists()
    assert not (data / "imd.sqlite3-wal").exists()


def test_a_file_that_lies_elsewhere_too_stays_whose_it_is(data: Path) -> None:
    """The daemon's user may have put the link there."""
    elsewhere = data.parent / "elsewhere"
    elsewhere.touch(0o600)
    (data / "imd.lock").hardlink_to(elsewhere)
    administered(load({"data_dir": str(data)}, {}))
    assert elsewhere.stat().st_uid == 0
