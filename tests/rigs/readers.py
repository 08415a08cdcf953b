"""Coverage-guided fuzzing of the pure readers by atheris (extra `soak`): whatever the bytes, an answer can be written.

python -m tests.rigs.readers -runs=100000 -seed=1

What follows the module's name goes to libFuzzer. Without atheris it says so and ends with status 3.
"""

import sys
import tempfile
from pathlib import Path

try:
    import atheris
except ImportError:
    atheris = None

if atheris is not None:
    with atheris.instrument_imports(include=["imd.wire", "imd.net.sniff"]):
        from imd.net import sniff
        from imd.wire import jsonline, names, terminal, textline
        from imd.wire.reader import LineReader
        from imd.wire.refusals import Refusal

from imd.extras import install
from tests.rigs.malformed import NOISE, WITHOUT_ATHERIS, valid


def one_input(data: bytes) -> None:
    """Read some bytes in every way."""
    sniff.face(None, data)
    reader = LineReader(content_limit=200)
    for line in data.split(b"\n"):
        request = reader.feed(line.removesuffix(b"\r"))
        if request is None or request.notice:
            continue
        assert (request.command is None) is (request.refusal is not None)
        if request.refusal is not None:
            for dialect in (jsonline.DIALECT, textline.DIALECT):
                assert b"\n" not in dialect.refusal(request, request.refusal, "zh")
    text = data.decode("utf-8", "replace")
    assert "\x1b" not in terminal.harmless(text)
    terminal.edited(text)
    try:
        name = names.username(text)
    except Refusal:
        return
    assert names.username(name) == name


def main() -> int:
    """Begin with every command's example and some noise."""
    if atheris is None:
        print(f"atheris is not installed: {install('soak')}")
        return WITHOUT_ATHERIS
    with tempfile.TemporaryDirectory(prefix="imd-corpus-") as corpus:
        for number, line in enumerate([*valid(), *NOISE]):
            (Path(corpus) / str(number)).write_bytes(line)
        atheris.Setup([*sys.argv, "-max_len=2000", "-verbosity=0", corpus], one_input)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
