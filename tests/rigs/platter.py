"""A disk as a power cut leaves it: what was synced is there; of what was not, anything may be.

The rules are POSIX's and no file system's in particular. A file's bytes and size last once fsync or fdatasync of it
has returned; a name (made, moved, removed) lasts once its directory was synced. Until then each write may be there or
not, or some of its 512-byte sectors, and each change of a name may be there or not.
"""

import random
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import attrs

from tests.rigs.trace import Call

SECTOR = 512


class Change(NamedTuple):
    """A change of a file that is not synced: bytes at an offset, or, without bytes, a new size."""

    begun: float
    offset: int
    data: bytes | None
    size: int = 0


class Naming(NamedTuple):
    """A change of names that is not synced: each name, and the file it stands for afterwards or None."""

    begun: float
    names: tuple[tuple[str, "File | None"], ...]


@attrs.define(eq=False)
class File:
    """One file, whatever its name: what lasts, and what was done since."""

    lasting: bytearray = attrs.field(factory=bytearray)
    pending: list[Change] = attrs.field(factory=list)
    position: int = 0

    def sync(self, begun: float) -> None:
        """Make last what was done before a sync began."""
        kept = [change for change in self.pending if change.begun < begun]
        for change in kept:
            apply(self.lasting, change)
        self.pending = self.pending[len(kept) :]


def apply(content: bytearray, change: Change) -> None:
    """Do a change to a file's content. A hole is filled with zeros."""
    if change.data is None:
        del content[change.size :]
        content.extend(bytes(change.size - len(content)))
        return
    content.extend(bytes(max(0, change.offset - len(content))))
    content[change.offset : change.offset + len(change.data)] = change.data


Choice = Callable[[Change | Naming], bool]


@attrs.define
class Disk:
    """A directory and its parent's word on it. `play` one call after the other; `image` at any point."""

    directory: str
    lasting: dict[str, File] = attrs.field(factory=dict)
    made: bool = False
    """Whether the directory itself lasts in its parent."""

    live: dict[str, File] = attrs.field(factory=dict)
    namings: list[Naming] = attrs.field(factory=list)

    def play(self, call: Call) -> None:
        """Take in a call; a sync is played when it has ended, everything else when it begins."""
        if call.what in {"fsync", "fdatasync"}:
            self._sync(call)
        elif call.what in {"openat", "open", "creat"}:
            self._open(call)
        elif call.what in {"rename", "renameat", "renameat2"}:
            old, new = call.paths
            file = self.live.pop(old)
            self.live[new] = file
            self.namings.append(Naming(call.begun, ((old, None), (new, file))))
        elif call.what in {"unlink", "unlinkat"}:
            if self.live.pop(call.paths[0], None):  # sockets are made by bind, which changes nothing that is kept
                self.namings.append(Naming(call.begun, ((call.paths[0], None),)))
        elif call.what not in {"mkdir", "mkdirat"} and (file := self.live.get(call.paths[0])):
            self._write(file, call)

    def _open(self, call: Call) -> None:
        path = call.paths[-1]
        if not path.startswith(f"{self.directory}/"):
            return
        if path not in self.live:
            if "O_CREAT" not in call.flags:
                return
            self.live[path] = File()
            self.namings.append(Naming(call.begun, ((path, self.live[path]),)))
        self.live[path].position = 0
        if "O_TRUNC" in call.flags:
            self.live[path].pending.append(Change(call.begun, 0, None))

    def _write(self, file: File, call: Call) -> None:
        if call.what == "ftruncate":
            file.pending.append(Change(call.begun, 0, None, call.number))
            return
        offset = call.number if call.number >= 0 else file.position
        file.position = offset + len(call.data) if call.number < 0 else file.position
        file.pending.append(Change(call.begun, offset, call.data))

    def _sync(self, call: Call) -> None:
        path = call.paths[0]
        if path == self.directory:
            kept = [naming for naming in self.namings if naming.begun < call.begun]
            for naming in kept:
                rename(self.lasting, naming)
            self.namings = self.namings[len(kept) :]
        elif self.directory.startswith(f"{path}/"):
            self.made = True
        elif path in self.live:
            self.live[path].sync(call.begun)

    def image(self, keeps: Choice, chance: random.Random, *, torn: bool) -> dict[str, bytes] | None:
        """Give the files of one possible outcome by their paths; None where not even the directory is left."""
        if not self.made and not keeps(Naming(0, ())):
            return None
        names = dict(self.lasting)
        for naming in self.namings:
            if keeps(naming):
                rename(names, naming)
        return {path: _content(file, keeps, chance, torn=torn) for path, file in names.items()}


def rename(names: dict[str, File], naming: Naming) -> None:
    """Do a change of names."""
    for name, file in naming.names:
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


def _content(file: File, keeps: Choice, chance: random.Random, *, torn: bool) -> bytes:
    content = bytearray(file.lasting)
    for change in file.pending:
        if keeps(change):
            for part in _sectors(change, chance) if torn else (change,):
                apply(content, part)
    return bytes(content)


def _sectors(change: Change, chance: random.Random) -> Iterable[Change]:
    """Give some of the sectors of a write."""
    if change.data is None:
        return [change]
    cuts = [0, *range(SECTOR - change.offset % SECTOR, len(change.data), SECTOR), len(change.data)]
    parts = [(begin, end) for begin, end in pairwise(cuts) if chance.random() < 0.7]
    return [Change(change.begun, change.offset + begin, change.data[begin:end]) for begin, end in parts]


def write(image: dict[str, bytes], directory: str, target: Path) -> None:
    """Lay an image down in a directory of its own."""
    target.mkdir()
    for path, content in image.items():
        (target / path.removeprefix(f"{directory}/")).write_bytes(content)
