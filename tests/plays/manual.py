"""The manual as a play: its blocks are what one person after another types and reads; 123456 is what an app shows."""

import re
from pathlib import Path

from tests.plays.play import Play

_PIECE = re.compile(r"```console\n(.*?)\n```|^\*(?:Ten seconds later|十秒之后)[:：]\*$", re.DOTALL | re.MULTILINE)
_HEARD = ("OK", "ERR ", "- ", "* ", '{"status"', '{"event"')


def manual(path: Path) -> Play:
    """Read a manual: `# Name` at the head of a block says whose terminal it is, after `$ openssl` a new one."""
    text = path.read_text("utf-8")
    steps: list[tuple[int, str]] = []
    here: set[str] = set()
    for piece in _PIECE.finditer(text):
        number = text.count("\n", 0, piece.start()) + 1
        if piece[1] is None:
            steps.append((number, "11 seconds pass"))
            continue
        head, *lines = piece[1].split("\n")
        name = head.rsplit("# ", 1)[1]
        if head.startswith("$"):
            steps += [(number, f"{name} is gone")] * (name in here) + [(number, f"{name} connects")]
            here.add(name)
        posting = 0
        for place, line in enumerate(lines, number + 2):
            # Behind POST comes one line of the server's; what follows is typed, up to the dot.
            typed = posting > 1 or not line.startswith(_HEARD)
            line = line.replace("123456", "<code:secret>") if typed else line.replace(" secret=…", " secret=<secret>")
            steps.append((place, f"{name} {'>' if typed else '<'} {line}"))
            posting = 0 if line == "." else posting + 1 if posting or line.startswith("POST ") else 0
    return Play(path.name, {}, steps)
