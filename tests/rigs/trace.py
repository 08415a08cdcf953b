"""What a daemon does to its files, written down by strace: each system call whole, with its bytes and its times."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import attrs

from tests.rigs.kill import Daemon

CHANGING = (
    "openat,open,creat,write,pwrite64,writev,pwritev,ftruncate,truncate,fallocate,fsync,fdatasync,"
    "rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,link,linkat"
)
"""Every call by which a file, its size or its name comes to be another, and those that make it last."""


class Call(NamedTuple):
    """One call that succeeded. `begun` and `ended` are seconds since 1970; one that a kill cut off ends never."""

    begun: float
    ended: float
    what: str
    paths: tuple[str, ...]
    flags: str = ""
    data: bytes = b""
    number: int = -1
    """The offset or the size that was given; -1 for none: a write goes on where the last one ended."""


_LINE = re.compile(r"(?P<task>\d+) +(?P<begun>\d+\.\d+) (?P<rest>.*)")
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(?P<rest>.*)")
_HALF = re.compile(r"(?P<begin>.*) <(?:unfinished|detached) \.\.\.>")
_WHOLE = re.compile(r"(?P<what>\w+)\((?P<given>.*)\) += (?P<result>-?\d+)\S*.*?(?: <(?P<lasted>[\d.]+)>)?$")
_DESCRIPTOR = re.compile(r"\d+<(?P<path>(?:\\x[0-9a-f]{2})*)>")
_QUOTED = re.compile(r'"(?P<bytes>(?:\\x[0-9a-f]{2})*)"(?P<cut>\.\.\.)?')
_LONGEST = 1 << 20


def command(log: Path) -> tuple[str, ...]:
    """Give what a program is started under, so that its calls are written to a file."""
    how = ("-f", "-y", "-xx", "-ttt", "-T", "-s", str(_LONGEST), "-e", "signal=none", "--seccomp-bpf")
    return ("strace", *how, "-o", str(log), "-e", f"trace={CHANGING}")


def read(log: Path, below: Path) -> Iterator[Call]:
    """Read a log: the calls that succeeded, or may have, on this directory and what lies in it."""
    mark = _hex(os.fsencode(below))
    halves: dict[str, tuple[float, str]] = {}
    with log.open() as lines:
        for line in lines:
            found = _LINE.match(line)
            assert found is not None, line
            begun, rest = float(found["begun"]), found["rest"]
            if resumed := _RESUMED.match(rest):
                if found["task"] in halves:
                    begun, start = halves.pop(found["task"])
                    yield from _call(begun, start + resumed["rest"])
            elif mark in rest:
                if half := _HALF.fullmatch(rest):
                    halves[found["task"]] = (begun, half["begin"])
                else:
                    yield from _call(begun, rest)
    for begun, start in halves.values():
        yield from _call(begun, start.removesuffix(")") + ") = 0", cut_off=True)


def _call(begun: float, text: str, *, cut_off: bool = False) -> Iterator[Call]:
    whole = _WHOLE.match(text)
    if whole is None:
        assert " = ?" in text or "= -1" in text, text[-200:]
        return
    if int(whole["result"]) < 0:
        return
    what, given = whole["what"], whole["given"]
    quoted = [_bytes(each["bytes"]) for each in _QUOTED.finditer(given)]
    assert not any(each["cut"] for each in _QUOTED.finditer(given)), "a longer write than strace was told of"
    about = [_bytes(each["path"]) for each in _DESCRIPTOR.finditer(given)]
    numbers = re.findall(r", (-?\d+)(?=,|$)", _QUOTED.sub("", given))
    ended = float("inf") if cut_off else begun + float(whole["lasted"] or 0)
    flags = given if what in {"openat", "open"} else ""
    data, number = b"", -1
    if what in {"write", "pwrite64"}:
        data, paths = (quoted[0] if cut_off else quoted[0][: int(whole["result"])]), about[:1]
        number = int(numbers[-1]) if what == "pwrite64" else -1
    elif what in {"fsync", "fdatasync", "ftruncate"}:
        paths, number = about[:1], int(numbers[-1]) if what == "ftruncate" else -1
    else:
        paths = quoted
    assert what not in {"writev", "pwritev", "fallocate", "truncate", "link", "linkat"}, f"not modelled: {text[:80]}"
    yield Call(begun, ended, what, tuple(os.fsdecode(path) for path in paths), flags, data, number)


def _hex(plain: bytes) -> str:
    return "".join(f"\\x{each:02x}" for each in plain)


def _bytes(shown: str) -> bytes:
    return bytes.fromhex(shown.replace("\\x", ""))


@attrs.define
class Traced(Daemon):
    """A daemon that runs under strace; what ends it must be sent to it, not to strace."""

    def pid(self) -> int:
        """Find the daemon's process."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return int(children.read_text().split()[0])

    def tell(self, how: signal.Signals) -> None:
        """Send it a signal, unless it is gone."""
        with suppress(IndexError, OSError):
            os.kill(self.pid(), how)

    def end(self, how: signal.Signals) -> None:
        """Send it a signal, and wait until it is gone."""
        assert self._process is not None
        self.tell(how)
        self._process.wait(60)

    def kill(self) -> None:
        """Kill -9, whatever its state."""
        if self.running():
            self.end(signal.SIGKILL)
