"""The migration rig: a schema change that is killed at any statement, or whose power is cut, leaves the old or the new.

python -m tests.rigs.migrating --images 1000

It begins with every older schema, filled with rows. A child process is killed before each statement of each change;
then the database must be, row by row, what one of the versions is, and the next start must bring it to the newest. The
same for images of a power cut, made from the system calls of the whole change.
"""

import argparse
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs

from imd.store import migrations, sqlite
from tests.rigs import platter, trace
from tests.rigs.powerloss import MEMORY

Apply = Callable[[sqlite3.Connection, int, str], None]
Content = dict[str, list[Any]]
ROWS = 40
ABOUT_A_CHANGE = 6
"""Statements beside a change's own: the version is looked at, it begins, it is numbered, it is committed."""

CHOICE = re.compile(r"CHECK \((\w+) IN \('(\w+)'")
"""Columns that take certain values alone, with the first of them."""


class Dying:
    """A connection whose process is killed before its n-th statement."""

    def __init__(self, connection: sqlite3.Connection, left: int) -> None:
        self._connection, self._left = connection, left

    def execute(self, *args: Any) -> sqlite3.Cursor:
        """Execute, or die."""
        self._left -= 1
        if self._left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._connection.execute(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def content(path: Path) -> tuple[int, Content]:
    """Read a whole database: its version, its schema, every row."""
    with closing(sqlite.connect(str(path))) as connection:
        (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
        found: Content = {"": [verdict]}
        schema = connection.execute("SELECT name, type, sql FROM sqlite_master ORDER BY name, type").fetchall()
        for name, kind, sql in schema:
            found[name] = [sql]
            if kind == "table":
                found[name] += sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
        return migrations.version(connection), found


def old_database(path: Path, version: int) -> None:
    """Make a database of an older version, with rows in each table from the version that brought it."""
    with closing(sqlite.connect(str(path))) as connection:
        for number, script in migrations.available()[:version]:
            migrations._apply(connection, number, script)
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute("BEGIN")
            for table in tables(connection):
                _fill(connection, table)
            connection.execute("COMMIT")


def tables(connection: sqlite3.Connection) -> list[str]:
    """List the tables that hold rows of ours: not those that a search index keeps for itself."""
    virtual = connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%'").fetchall()
    found = connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE TABLE%'").fetchall()
    return [name for (name,) in found if not any(name.startswith(f"{owner}_") for (owner,) in virtual)]


def _fill(connection: sqlite3.Connection, table: str) -> None:
    (there,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    columns = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
    (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    choices = dict(CHOICE.findall(sql))
    insert = f'INSERT OR IGNORE INTO "{table}" VALUES ({", ".join("?" * len(columns))})'
    for row in range(0 if there else 1, ROWS + 1 if not there else 0):
        numeric = [("INT" in kind.upper(), name) for _, name, kind, *_ in columns]
        values = [row if number else choices.get(name, f"{name} {row}") for number, name in numeric]
        connection.execute(insert, values)


def killed(path: Path, statement: int, apply: Apply) -> bool:
    """Migrate in a child that is killed before a statement. False where the change has fewer."""
    child = os.fork()
    if child == 0:
        try:
            migrations._apply = apply
            with closing(sqlite.connect(str(path))) as connection:
                migrations.migrate(Dying(connection, statement))  # type: ignore[arg-type]
        except BaseException:
            traceback.print_exc()
            os._exit(1)  # else the child would go on as its parent
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended > 0:
        raise RuntimeError(f"the change failed before statement {statement}")
    return ended == -signal.SIGKILL


@attrs.define
class Result:
    """What a run came to."""

    begun_from: int = 0
    statements: int = 0
    images: int = 0
    faults: list[str] = attrs.field(factory=list)

    def table(self) -> str:
        """Write the figures down."""
        rows = [
            f"| {name} | {count:,} |"
            for name, count in (
                ("older schemas begun from", self.begun_from),
                ("statements killed at", self.statements),
                ("images of a power cut", self.images),
                ("neither the old nor the new version, whole", len(self.faults)),
            )
        ]
        return "\n".join(["| | |", "|---|---|", *rows, *(fault[:200] for fault in self.faults[:5])])


@attrs.define
class Rig:
    """All changes from one older version."""

    place: Path
    version: int
    result: Result
    apply: Apply = migrations._apply
    versions: dict[int, Content] = attrs.field(factory=dict, init=False)
    old: Path = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.old = self.place / f"old{self.version}"
        self.old.mkdir()
        old_database(self.old / "imd.sqlite3", self.version)
        target = self._copy("whole")
        for number, script in [(self.version, ""), *migrations.available()[self.version :]]:
            if script:
                with closing(sqlite.connect(str(target))) as connection:
                    migrations._apply(connection, number, script)
            self.versions[number] = content(target)[1]
        self.result.begun_from += 1

    def _copy(self, name: str) -> Path:
        target = self.place / f"{name}{self.version}"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.old, target)
        return target / "imd.sqlite3"

    def kill_at_each_statement(self) -> None:
        """Kill at the first, the second, ... until the next change is through; each has a start of its own."""
        script = migrations.available()[self.version][1]
        for statement in range(len(list(migrations.statements(script))) + ABOUT_A_CHANGE):
            if killed(target := self._copy("killed"), statement, self.apply):
                self.result.statements += 1
                self._judge(target, f"from {self.version}, statement {statement}")

    def cut_power(self, count: int, chance: random.Random) -> None:
        """Record a change's system calls, and look at images of what a power cut may leave."""
        target = self._copy("cut")
        log = self.place / f"calls{self.version}"
        program = "import sys; from imd.store import migrations as m, sqlite as s; m.migrate(s.connect(sys.argv[1]))"
        subprocess.run([*trace.command(log), sys.executable, "-c", program, str(target)], check=True)
        disk = platter.Disk(str(target.parent), made=True)
        for path in self.old.iterdir():
            disk.live[str(target.parent / path.name)] = platter.File(bytearray(path.read_bytes()))
        disk.lasting = dict(disk.live)
        for number, image in enumerate(images(disk, list(trace.read(log, target.parent)), count, chance)):
            place = self.place / f"image{self.version}"
            platter.write(image, str(target.parent), place)
            self._judge(place / "imd.sqlite3", f"from {self.version}, image {number}")
            shutil.rmtree(place)
        self.result.images += count

    def _judge(self, path: Path, name: str) -> None:
        try:
            version, found = content(path)
            if found != self.versions.get(version):
                self.result.faults.append(f"{name}: a half version {version}")
                return
            with closing(sqlite.connect(str(path))) as connection:
                migrations.migrate(connection)
            newest = max(self.versions)
            if content(path) != (newest, self.versions[newest]):
                self.result.faults.append(f"{name}: the next start makes something else of it")
        except sqlite3.Error as error:
            self.result.faults.append(f"{name}: {error!r}")


def images(
    disk: platter.Disk, calls: list[trace.Call], count: int, chance: random.Random
) -> Iterator[dict[str, bytes]]:
    """Give images evenly over the calls."""
    played = 0
    for number in range(count):
        cut = 1 + (len(calls) - 1) * (number + 1) // count
        for call in calls[played:cut]:
            disk.play(call)
        played = cut
        share = chance.choice([0.0, 0.0, 1.0, chance.random(), chance.random()])
        image = disk.image(lambda change, share=share: chance.random() < share, chance, torn=chance.random() < 0.5)  # type: ignore[misc]
        assert image is not None
        yield image


def run(count: int, seed: int, apply: Apply = migrations._apply, latest: int = 0) -> Result:
    """Begin with every older schema, or with the latest so many; so many images of each."""
    result, newest = Result(), migrations.available()[-1][0]
    with tempfile.TemporaryDirectory(prefix="imd-migrating-", dir=MEMORY) as place:
        for version in range(newest)[-latest:]:
            rig = Rig(Path(place), version, result, apply)
            rig.kill_at_each_statement()
            if count:
                rig.cut_power(count, random.Random(seed))
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Kill schema changes, and cut their power.")
    parser.add_argument("--images", type=int, default=1000, help="from each older schema")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    result = run(options.images, options.seed)
    print(f"seed {options.seed}\n{result.table()}")
    sys.exit(bool(result.faults))
