"""What waits to be written: pieces of bounded size, whole frames where they fit, and nothing copied over and over."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from imd.net import flow
from imd.net.flow import WRITE_BYTES, WriteQueue


@given(sizes=some.lists(some.integers(1, 3 * WRITE_BYTES), max_size=8))
def test_the_pieces_are_the_frames(sizes: list[int]) -> None:
    queue, frames = WriteQueue(), [bytes([number + 1]) * size for number, size in enumerate(sizes)]
    for frame in frames:
        queue.add(frame)
    assert queue.size == sum(sizes)
    pieces = []
    while piece := queue.piece():
        pieces.append(piece)
    assert b"".join(pieces) == b"".join(frames)
    assert all(len(piece) <= WRITE_BYTES for piece in pieces)
    assert queue.size == 0


class Counted(bytes):
    """A frame that counts how often it is added to others one by one."""

    added = 0

    def __radd__(self, other: bytes) -> bytes:
        Counted.added += 1
        return other + bytes(self)


def test_many_small_frames_are_joined_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue of 1 MiB of short lines is what a slow reader leaves; adding them one by one took the reactor 30 ms."""
    monkeypatch.setattr(flow, "WRITE_BYTES", 1000)
    queue = WriteQueue()
    for _ in range(100):
        queue.add(Counted(b"x" * 100))
    while queue.piece():
        pass
    assert Counted.added == 0


def test_what_is_partly_written_is_finished_or_broken_off() -> None:
    for end in (None, b"|"):
        queue = WriteQueue()
        queue.add(b"x" * (WRITE_BYTES + 5))
        queue.add(b"y")
        queue.piece()
        queue.drop() if end is None else queue.break_off(end)
        assert queue.piece() == (b"xxxxx" if end is None else end)
        assert queue.piece() == b""
