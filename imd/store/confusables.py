"""Skeletons: names that look alike have the same one, and only one of them can be taken (Unicode TR39, section 4).

confusables.txt beside this file lists what looks like what. It is made from the file of that name in Unicode's security
data and keeps its date and version:

    python -m imd.store.confusables PATH/TO/confusables.txt

Skeletons are stored with the names, so a newer file needs a migration that computes them again.
"""

import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

DATA = Path(__file__).with_name("confusables.txt")
_JOINERS = dict.fromkeys((0x200C, 0x200D), "")
"""Invisible characters that names in a few scripts may contain."""


def skeleton(name: str) -> str:
    """Return what a name looks like: a key to compare names by, never shown to anybody.

    TR39 maps `0` to a capital O, but names have no capitals: what looks like BOB looks like bob. Hence two passes.
    """
    return _pass(_pass(name).lower())


def _pass(text: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).translate(_look_alikes()))


@cache
def _look_alikes() -> Mapping[int, str]:
    """Load the table when the first name is chosen: most runs of a server need none of its 2,500 entries."""
    return _JOINERS | parsed(DATA.read_text("utf-8").split("\n"))


def parsed(lines: Iterable[str]) -> dict[int, str]:
    """Read lines of a prototype, a tab, and the characters that look like it."""
    pairs = (line.rsplit("\t", 1) for line in lines if "\t" in line)
    return {ord(each): prototype for prototype, alike in pairs for each in alike}


def compact(official: str) -> str:
    """Rewrite Unicode's file in our format, without what no name contains: capitals and compatibility forms."""
    grouped = defaultdict(list)
    for line in official.split("\n"):
        fields = [field.strip() for field in line.partition("#")[0].split(";")]
        if len(fields) == 3:
            source, prototype = ("".join(chr(int(code, 16)) for code in field.split()) for field in fields[:2])
            if source.lower() == source == unicodedata.normalize("NFKC", source) and not source.isspace():
                grouped[prototype].append(source)
    head = [line for line in official.split("\n")[:12] if line.startswith("# ")]
    rows = [f"{prototype}\t{''.join(sorted(alike))}" for prototype, alike in sorted(grouped.items())]
    return "\n".join([*head, *_HEAD, *rows, ""])


_HEAD = (
    "# Made of it by imd.store.confusables: a prototype, a tab, and the characters that look like it.",
    "# Its licence is in confusables.license.txt.",
)


if __name__ == "__main__":
    DATA.write_text(compact(Path(sys.argv[1]).read_text("utf-8")), "utf-8")
