"""Count the way of a request through the code: python -m bench.walk

Calls of imd's functions, and how often the next one called lies in another file or in another room (net, engine, chat,
store, wire). `in` ends with the handler, `out` begins when it is done: for a write, with the commit.
"""

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import imd
from imd.chat.base.limits import Limits
from imd.testing import MemoryServer, Terminal

ROOT = Path(imd.__file__).parent
ROOMS = ("net", "engine", "chat", "store", "wire")
COMMITTED = "_written"
"""The function in store/db.py that takes a committed group in."""

Step = tuple[str, str]
"""A file and a function."""


class Walk:
    """The functions that a request calls, in their order."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def _note(self, frame: FrameType, event: str, arg: Any) -> None:
        code = frame.f_code
        if event != "call" or (code.co_name.startswith("<") and code.co_name != "<lambda>"):
            return
        path = Path(code.co_filename)
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in ROOMS:
            self.steps.append((str(path.relative_to(ROOT)), code.co_name))

    def record(self, request: Callable[[], None]) -> None:
        """Record what a request calls."""
        sys.setprofile(self._note)
        try:
            request()
        finally:
            sys.setprofile(None)

    def halves(self, handler: str) -> tuple[list[Step], list[Step]]:
        """Give the way in, and the way out."""
        names = [name for _, name in self.steps]
        begun = names.index(handler)
        done = names.index(COMMITTED) if COMMITTED in names else begun + 1
        return self.steps[: begun + 1], self.steps[done:]


def changes(steps: list[Step], part: Callable[[str], str]) -> int:
    """Count the steps into another part than the one before."""
    parts = [part(file) for file, _ in steps]
    return sum(one != other for one, other in itertools.pairwise(parts))


def counted(steps: list[Step]) -> str:
    """Write calls, changes of file and changes of room."""
    rooms = changes(steps, lambda file: file.split("/")[0])
    return f"{len(steps):3} calls {changes(steps, str):3} files {rooms:3} rooms"


def people() -> dict[str, Terminal]:
    """Log five people in, who are a group and have talked."""
    server = MemoryServer(Limits(requests_per_second=0))
    found = {name: server.login(name) for name in ("ann", "bob", "cid", "dan", "eve")}
    found["ann"].call("group_create", handle="#team", join_mode="open")
    for name in ("bob", "cid", "dan", "eve"):
        found[name].call("group_join", to="#team")
    for to in ("bob", "#team"):
        found["ann"].call("send_message", to=to, content="hello", client_id=to)
    for terminal in found.values():
        terminal.heard()
    return found


REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "direct message": ("send_message", {"to": "bob", "content": "hi", "client_id": "1"}),
    "group of five": ("send_message", {"to": "#team", "content": "hi", "client_id": "2"}),
    "ping": ("ping", {}),
    "history": ("history", {"to": "bob"}),
}


def main() -> None:
    """Print the table, and with an argument the steps of each request whose name has it."""
    ann = people()["ann"]
    for name, (action, fields) in REQUESTS.items():
        walk = Walk()
        walk.record(lambda action=action, fields=fields: ann.ask(action, **fields))
        inwards, outwards = walk.halves(action)
        print(f"{name:15} in {counted(inwards)}   out {counted(outwards)}")
        if sys.argv[1:] and sys.argv[1] in name:
            print("\n".join(f"    {file}: {function}" for file, function in [*inwards, ("", "..."), *outwards]))


if __name__ == "__main__":
    main()
