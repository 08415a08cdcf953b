"""The load generator, a process of its own.

python -m bench.load '{"section": "pairs", ...}'    prints the section's figures as JSON
"""

import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ssl import SSLSocket
from typing import Any

import attrs

from bench.link import OPENING, Imd, Poller, Relay, open_link, open_links
from bench.machine import Stopwatch, percentile, resident_kib

PAIRS = 50
WARM_UP_SECONDS = 2.0


def people(count: int, prefix: str) -> list[str]:
    """Name that many users."""
    return [f"{prefix}{number}" for number in range(count)]


SENDERS, RECEIVERS = people(PAIRS, "ann"), people(PAIRS, "bob")
GROUP = "bench"
"""A group that everybody is a member of."""


class Pair:
    """A sender that keeps `window` messages in flight, and the one who receives them."""

    def __init__(self, face: Imd, link: SSLSocket, to: str, run: str) -> None:
        self._face, self._link, self._to, self._run = face, link, to, run
        self.sent = self.answered = self.delivered = 0
        self.going = True

    def send(self, count: int) -> None:
        """Send that many messages at once."""
        numbers = range(self.sent, self.sent + count)
        self._link.send(b"".join(self._face.request(self._to, f"{self._run}-{number}") for number in numbers))
        self.sent += count

    def answer(self, data: bytes) -> None:
        """Count the answers, and send as many messages anew."""
        count = data.count(b"\n")
        self.answered += count
        if self.going:
            self.send(count)

    def delivery(self, data: bytes) -> None:
        """Count what the receiver gets."""
        self.delivered += data.count(b"\n")


def pairs(face: Imd, server: int, window: int, seconds: float) -> dict[str, Any]:
    """Messages a second through 50 pairs: answered to the sender and delivered to the receiver."""
    poller = Poller()
    senders, receivers = open_links(face, SENDERS), open_links(face, RECEIVERS)
    run = f"{time.time_ns()}"
    everyone = [Pair(face, sender, to, run) for sender, to in zip(senders, RECEIVERS, strict=True)]
    for pair, sender, receiver in zip(everyone, senders, receivers, strict=True):
        poller.add(sender, pair.answer)
        poller.add(receiver, pair.delivery)
        pair.send(window)
    _turn_for(poller, WARM_UP_SECONDS)
    before, watch = _totals(everyone), Stopwatch(server)
    taken = _turn_for(poller, seconds)
    after, load = _totals(everyone), watch.load()
    for pair in everyone:
        pair.going = False
    _turn_until(poller, lambda: all(pair.sent == pair.answered == pair.delivered for pair in everyone))
    answered, delivered = (round((now - then) / taken) for now, then in zip(after, before, strict=True))
    return {"answered": answered, "delivered": delivered, "load": attrs.asdict(load)}


def _totals(everyone: list[Pair]) -> tuple[int, int]:
    return sum(pair.answered for pair in everyone), sum(pair.delivered for pair in everyone)


def _turn_for(poller: Poller, seconds: float) -> float:
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds:
        poller.turn()
    return time.perf_counter() - begun


def _turn_until(poller: Poller, reached: Callable[[], bool], seconds: float = 30) -> None:
    """Turn until what is in flight has arrived; raises RuntimeError when it does not."""
    deadline = time.perf_counter() + seconds
    while not reached():
        if time.perf_counter() > deadline:
            raise RuntimeError("not every message was answered once and delivered once")
        poller.turn()


def group(face: Imd, server: int, window: int, seconds: float) -> dict[str, Any]:
    """Deliveries a second in a group of 200 connections, one of which keeps `window` messages in flight."""
    poller = Poller()
    sender, *listeners = open_links(face, [*SENDERS, *RECEIVERS] * 2)
    pair = Pair(face, sender, f"#{GROUP}", f"{time.time_ns()}")
    poller.add(sender, pair.answer)
    for link in listeners:
        poller.add(link, pair.delivery)
    pair.send(window)
    _turn_for(poller, WARM_UP_SECONDS)
    before, watch = pair.delivered, Stopwatch(server)
    taken = _turn_for(poller, seconds)
    delivered, load = pair.delivered - before, watch.load()
    pair.going = False
    _turn_until(poller, lambda: pair.sent == pair.answered and pair.delivered == pair.sent * len(listeners))
    return {"delivered": round(delivered / taken), "load": attrs.asdict(load)}


def latency(face: Imd, server: int, count: int, pause: float) -> dict[str, Any]:
    """Microseconds from a message's sending to its delivery, one at a time, the server otherwise idle."""
    poller = Poller()
    links = open_links(face, [SENDERS[0], RECEIVERS[0]])
    pair = Pair(face, links[0], RECEIVERS[0], f"{time.time_ns()}")
    pair.going = False
    poller.add(links[0], pair.answer)
    poller.add(links[1], pair.delivery)
    watch, taken = Stopwatch(server), []
    for _ in range(count):
        begun = time.perf_counter()
        pair.send(1)
        _turn_until(poller, lambda: pair.delivered == pair.sent)
        taken.append(time.perf_counter() - begun)
        _turn_until(poller, lambda: pair.answered == pair.sent)
        time.sleep(pause)
    figures = {f"p{percent}": round(percentile(taken, percent) * 1e6) for percent in (50, 99)}
    return {**figures, "load": attrs.asdict(watch.load())}


def idle(face: Imd, server: int, counts: list[int]) -> dict[str, Any]:
    """KiB of the server's resident memory for each idle logged-in connection, at each of the counts."""
    first = open_links(face, SENDERS)  # what grows once, with the first connections, is not theirs
    more: list[SSLSocket] = []
    time.sleep(1)
    empty, watch, figures = resident_kib(server), Stopwatch(server), {}
    for count in counts:
        users = [(SENDERS + RECEIVERS)[number % (2 * PAIRS)] for number in range(len(more), count)]
        more += open_links(face, users)
        time.sleep(1)
        figures[str(count)] = round((resident_kib(server) - empty) / count, 1)
    for link in first + more:
        link.close()
    return {**figures, "load": attrs.asdict(watch.load())}


def resumes(face: Imd, server: int, seconds: float) -> dict[str, Any]:
    """Resumes a second, each from nothing: connection, full TLS handshake, login by token, goodbye."""
    deadline = time.perf_counter() + seconds

    def work(user: str) -> int:
        done = 0
        while time.perf_counter() < deadline:
            open_link(face, user).close()
            done += 1
        return done

    watch, begun = Stopwatch(server), time.perf_counter()
    with ThreadPoolExecutor(OPENING) as pool:
        done = sum(pool.map(work, SENDERS[:OPENING]))
    return {"resumes": round(done / (time.perf_counter() - begun)), "load": attrs.asdict(watch.load())}


def search(face: Imd, server: int, queries: dict[str, list[str]], count: int) -> dict[str, Any]:
    """Microseconds from a query to its whole answer, one at a time, the server otherwise idle."""
    poller = Poller()
    links = open_links(face, [SENDERS[0], RECEIVERS[0]])
    answers = 0

    def answer(data: bytes) -> None:
        nonlocal answers
        answers += data.count(b"\n")

    poller.add(links[0], answer)
    poller.add(links[1], lambda data: None)
    watch, figures = Stopwatch(server), {}
    everything: list[float] = []
    for kind, asked in queries.items():
        taken: list[float] = []
        for number in range(count):
            begun, wanted = time.perf_counter(), answers + 1
            links[0].send(face.search(RECEIVERS[0], asked[number % len(asked)]))
            _turn_until(poller, lambda wanted=wanted: answers == wanted)
            taken.append(time.perf_counter() - begun)
        figures[f"{kind} p50"] = round(percentile(taken, 50) * 1e6)
        everything += taken
    figures["any of these p99"] = round(percentile(everything, 99) * 1e6)
    return {**figures, "load": attrs.asdict(watch.load())}


SECTIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "pairs": pairs,
    "group": group,
    "latency": latency,
    "idle": idle,
    "resumes": resumes,
    "search": search,
}


def main(order: str) -> None:
    """Do what the order says: its section, on its core, against its server."""
    wanted = json.loads(order)
    os.sched_setaffinity(0, {wanted.pop("core")})
    speak = Relay if wanted.pop("relay") else Imd
    face = speak(wanted.pop("port"), wanted.pop("tokens"))
    print(json.dumps(SECTIONS[wanted.pop("section")](face, **wanted)))


if __name__ == "__main__":
    main(sys.argv[1])
