"""Plays: whole conversations as text files, which run in memory and over TLS.

    given register=invite          a setting of the server, before anybody connects
    alice connects                 a new connection; `operator` gets the operator's socket
    alice > SEND bob hello         types a line
    alice & PING                   a line that goes out together with the next `>`
    bob < * alice: hello           reads a line: … stands for anything, <token> for a word that is kept
    alice > RESUME <token>         … and said again
    alice > FACTOR CONFIRM <code:secret>    an authenticator's digits for a kept secret; <code+1:secret>: its next
    31 seconds pass                more than one, and the play runs in memory only
    bob is gone                    the server closed the connection
    bob hangs up                   bob did

A play fails on a line that does not come, on one that differs, and on one that nobody heard.
"""

import re
from pathlib import Path
from typing import Protocol

import attrs

from tests.chat.authenticator import code

HERE = Path(__file__).parent
_STEP = re.compile(r"(?P<actor>\w+) (?P<does>[><&]|connects|is gone|hangs up)(?: (?P<line>.*))?")
_PASS = re.compile(r"([\d.]+) seconds? pass(?:es)?")
_KEPT = re.compile(r"<(\w+)>")
_CODE = re.compile(r"<code([+-]\d)?:(\w+)>")


class Actor(Protocol):
    """One connection, as a play uses it."""

    def send(self, data: bytes) -> None:
        """Send bytes."""

    def next_line(self, patience: float) -> str | None:
        """Give the next line; None when none comes within so many seconds."""

    def is_gone(self) -> bool:
        """Say whether the server closed the connection."""

    def hang_up(self) -> None:
        """Close it from this side."""


class Stage(Protocol):
    """Where a play runs."""

    def connect(self, name: str) -> Actor:
        """Connect an actor."""

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""

    def now(self) -> int:
        """Give the server's time, in milliseconds since 1970."""


@attrs.frozen
class Play:
    """A play's text, cut into steps."""

    name: str
    settings: dict[str, str]
    steps: list[tuple[int, str]]

    @property
    def needs_memory(self) -> bool:
        """Whether time must be moved by hand: nobody waits for more than a second."""
        passing = (_PASS.fullmatch(step) for _, step in self.steps)
        return any(float(found[1]) > 1 for found in passing if found)


def load(path: Path) -> Play:
    """Read a play."""
    settings, steps = {}, []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.startswith("given "):
            key, _, value = line.removeprefix("given ").partition("=")
            settings[key] = value
        elif line.strip() and not line.startswith("#"):
            steps.append((number, line))
    return Play(path.stem, settings, steps)


def plays() -> list[Play]:
    """Read all plays."""
    return [load(path) for path in sorted(HERE.glob("*.play"))]


@attrs.define
class Performance:
    """One run of a play."""

    play: Play
    stage: Stage
    actors: dict[str, Actor] = attrs.Factory(dict)
    kept: dict[str, str] = attrs.Factory(dict)
    held: dict[str, str] = attrs.Factory(dict)

    def run(self) -> None:
        """Run every step; AssertionError says which line of the play failed."""
        for number, step in self.play.steps:
            try:
                self._step(step)
            except AssertionError as failed:
                raise AssertionError(f"{self.play.name}.play, line {number}: {step}\n{failed}") from None
        for name, actor in self.actors.items():
            unheard = actor.next_line(0.1)
            assert unheard is None, f"{self.play.name}.play: nobody heard {name} < {unheard}"

    def _step(self, step: str) -> None:
        if passing := _PASS.fullmatch(step):
            self.stage.pass_time(float(passing[1]))
            return
        parts = _STEP.fullmatch(step)
        assert parts, "not a step"
        name, does, line = parts["actor"], parts["does"], parts["line"] or ""
        if does == "connects":
            self.actors[name] = self.stage.connect(name)
        elif does == "&":
            self.held[name] = self.held.get(name, "") + self._filled(line) + "\n"
        elif does == ">":
            data = self.held.pop(name, "") + self._filled(line) + "\n"
            self.actors[name].send(data.encode())
        elif does == "<":
            self._hear(name, line)
        elif does == "is gone":
            assert self.actors.pop(name).is_gone(), f"{name} is still connected"
        else:
            self.actors.pop(name).hang_up()

    def _filled(self, line: str) -> str:
        line = _CODE.sub(lambda match: code(self.kept[match[2]], self.stage.now(), int(match[1] or 0)), line)
        return _KEPT.sub(lambda match: self.kept[match[1]], line)

    def _hear(self, name: str, expected: str) -> None:
        heard = self.actors[name].next_line(10)
        assert heard is not None, "nothing came"
        pattern = re.escape(expected).replace("…", ".*")
        for word in _KEPT.findall(expected):
            known = re.escape(self.kept[word]) if word in self.kept else rf"(?P<{word}>[^\s\"]+)"
            pattern = pattern.replace(f"<{word}>", known, 1)
        match = re.fullmatch(pattern, heard)
        assert match, f"heard:   {heard}"
        self.kept.update(match.groupdict())
