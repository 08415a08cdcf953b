"""Those who attack, and those who only want to talk, each kind in a process of its own.


python -m tests.rigs.attackers strangers|readers|talkers|garbage|storm PORT '{"seconds": 10, ...}'

A crowd keeps its connections until its input ends; `readers` read until they are told a line. Talkers, garbage and
storm work for a time or a count. Each prints one JSON line when it has what it needs, and one when it ends.
"""

import asyncio
import json
import random
import select
import socket
import ssl
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.rigs.people import PASSWORD, Refused, Wire, tls

PER_ADDRESS = 20
STRANGERS = ("silent", "hello", "drip", "dribble", "ping", "browse")
"""No byte; half a handshake; a handshake byte by byte; and after a handshake: a byte, a PING, a header each second."""

DRIBBLE = {"dribble": b"x", "ping": b"PING\n", "browse": b"X: y\r\n"}
SMALL_BUFFER = 4096
Settings = dict[str, Any]


def say(**figures: Any) -> None:
    """Print one line for the rig."""
    print(json.dumps(figures), flush=True)


def address(number: int) -> str:
    """Give one of many addresses, each for PER_ADDRESS connections."""
    place = 2 + number // PER_ADDRESS
    return f"127.1.{place // 250}.{place % 250 + 1}"


def connect(port: int, number: int, *, small: bool = False) -> socket.socket:
    """Connect from the address of that number."""
    made = socket.socket()
    if small:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    made.settimeout(30)
    made.bind((address(number), 0))
    made.connect(("127.0.0.1", port))
    return made


def client_hello() -> bytes:
    """Give what a handshake begins with."""
    outgoing = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        tls().wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    return outgoing.read()


class Stranger:
    """A connection that never logs in."""

    def __init__(self, port: int, number: int, context: ssl.SSLContext, hello: bytes) -> None:
        self.kind = STRANGERS[number % len(STRANGERS)]
        self.hello = hello
        self.socket = connect(port, number)
        if self.kind in DRIBBLE:
            self.socket = context.wrap_socket(self.socket)
        if self.kind == "hello":
            self.socket.sendall(hello)
        if self.kind == "browse":
            self.socket.sendall(b"GET / HTTP/1.1\r\n")
        self.socket.setblocking(False)

    def dribble(self, second: int) -> None:
        """Send a little; being gone is no surprise."""
        with suppress(OSError):
            if self.kind == "drip":
                self.socket.send(self.hello[second % len(self.hello) :][:1])
            elif self.kind in DRIBBLE:
                self.socket.send(DRIBBLE[self.kind])


def strangers(port: int, settings: Settings) -> None:
    """Connect so many, dribble, until the input ends."""
    context, hello = tls(), client_hello()
    crowd: list[Stranger] = []
    failed = 0

    def one(number: int) -> None:
        nonlocal failed
        try:
            crowd.append(Stranger(port, number, context, hello))
        except OSError:
            failed += 1

    begun = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        for number in range(settings["count"]):
            pool.submit(one, number)
            time.sleep(1 / settings["rate"])
    say(connected=len(crowd), failed=failed, seconds=time.monotonic() - begun)
    second = 0
    while not select.select([sys.stdin], [], [], 1)[0]:
        second += 1
        for each in crowd:
            each.dribble(second)
    say(done=True)


class Reader:
    """A connection that is logged in, and reads only until it stops."""

    def __init__(self, port: int, number: int, context: ssl.SSLContext, token: str) -> None:
        self.socket = context.wrap_socket(connect(port, number, small=True))
        self.socket.sendall(json.dumps({"action": "resume", "token": token, "replay": False}).encode() + b"\n")
        self.socket.recv(4096)
        self.socket.setblocking(False)

    def read(self) -> None:
        """Take what is there."""
        with suppress(OSError):
            while self.socket.recv(65_536):
                pass

    def stop(self, pages: int) -> None:
        """Ask for more than is ever read."""
        with suppress(OSError):
            asked = b'{"action":"history","to":"#crowd","limit":200}\n'
            self.socket.send(asked * pages)


def readers(port: int, settings: Settings) -> None:
    """Read in a busy group until a line comes; then ask for pages, and read no more."""
    context, tokens = tls(), settings["tokens"]
    crowd = [Reader(port, number, context, tokens[number % len(tokens)]) for number in range(settings["count"])]
    say(connected=len(crowd))
    poller = select.epoll()
    for each in crowd:
        poller.register(each.socket, select.EPOLLIN)
    by_number = {each.socket.fileno(): each for each in crowd}
    poller.register(sys.stdin, select.EPOLLIN)
    while sys.stdin.fileno() not in (ready := [number for number, _ in poller.poll()]):
        for number in ready:
            by_number[number].read()
    sys.stdin.readline()
    for each in crowd:
        each.stop(settings["pages"])
    say(stopped=len(crowd))
    sys.stdin.readline()


async def _talk(port: int, settings: Settings) -> list[float]:
    """Send in pairs at a steady pace; give how long each message took to reach the other."""
    tokens: list[str] = settings["tokens"]
    names: list[str] = settings["names"]
    wires = [await Wire.open(port) for _ in tokens]
    for wire, token in zip(wires, tokens, strict=True):
        await wire.ask(action="resume", token=token, replay=False)
    sent: dict[str, float] = {}
    took: list[float] = []
    until = time.monotonic() + settings["seconds"]

    async def send(wire: Wire, number: int) -> None:
        count = 0
        while time.monotonic() < until:
            mark = f"{number}-{count}"
            sent[mark] = time.perf_counter()
            wire.write({"action": "send_message", "to": names[number ^ 1], "content": mark})
            count += 1
            if number == 0 and count % settings["group_every"] == 0:
                wire.write({"action": "send_message", "to": "#crowd", "content": "x" * 1000})
            await asyncio.sleep(settings["pause"] * random.uniform(0.5, 1.5))

    async def hear(wire: Wire) -> None:
        while True:
            said = await wire.read()
            if said.get("event") == "message" and said["content"] in sent:
                took.append(time.perf_counter() - sent[said["content"]])

    hearing = [asyncio.create_task(hear(wire)) for wire in wires]
    await asyncio.gather(*(send(wire, number) for number, wire in enumerate(wires)))
    await asyncio.sleep(1)
    for task in hearing:
        task.cancel()
    return took


def talkers(port: int, settings: Settings) -> None:
    """Talk in pairs, for a time."""
    took = sorted(asyncio.run(_talk(port, settings)))
    say(messages=len(took), **{name: took[int(len(took) * share)] * 1000 for name, share in QUANTILES.items()})


QUANTILES = {"p50": 0.5, "p99": 0.99, "most": 0.99999}


def metronome(port: int, settings: Settings) -> None:
    """Wake up every 50 ms until the input ends, and tell how late: what this machine does to a process that is idle."""
    late = []
    while not select.select([sys.stdin], [], [], 0)[0]:
        due = time.perf_counter() + 0.05
        time.sleep(0.05)
        late.append((time.perf_counter() - due) * 1000)
    late.sort()
    say(**{name: late[int(len(late) * share)] for name, share in QUANTILES.items()})


def _reset(made: socket.socket) -> None:
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    made.close()


def _garbage_once(port: int, number: int, context: ssl.SSLContext, hello: bytes, chance: random.Random) -> None:
    made = connect(port, number)
    with suppress(OSError):
        how = chance.random()
        if how < 0.1:
            made = context.wrap_socket(made)
            made.sendall(chance.choice((b"GET / HTTP/1.0\r\n\r\n", b"PING\n", b'{"action":"login"}\n', b"x" * 9000)))
        elif how < 0.3:
            made.sendall(hello[: chance.randrange(len(hello))])
        elif how < 0.7:
            made.sendall(chance.randbytes(chance.randrange(1, 600)))
        if how < 0.1 or chance.random() < 0.2:
            made.settimeout(0.02)
            made.recv(100)
    _reset(made) if chance.random() < 0.5 else made.close()


def garbage(port: int, settings: Settings) -> None:
    """Connect, send noise, close: so many times."""
    context, hello = tls(), client_hello()
    kinds: Counter[str] = Counter()
    lock, numbers = threading.Lock(), iter(range(settings["count"]))

    def work(seed: int) -> None:
        chance = random.Random(seed)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                _garbage_once(port, chance.randrange(20_000), context, hello, chance)
            except OSError as error:
                kinds[type(error).__name__] += 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    say(failed=dict(kinds))


async def _storm(port: int, settings: Settings) -> Counter[str]:
    """Log in on many connections at once, right and wrong, again and again."""
    answers: Counter[str] = Counter()
    until = time.monotonic() + settings["seconds"]
    context = tls()

    async def one(number: int) -> None:
        await asyncio.sleep(number / settings["parallel"])
        while time.monotonic() < until:
            try:
                streams = await asyncio.open_connection("127.0.0.1", port, ssl=context, local_addr=(address(number), 0))
                wire = Wire(*streams)
                try:
                    await asyncio.wait_for(attempt(wire, number), 30)
                finally:
                    wire.close()
            except OSError as error:
                answers[type(error).__name__] += 1
                await asyncio.sleep(0.1)

    async def attempt(wire: Wire, number: int) -> None:
        for turn in range(3):
            right = (number + turn) % 2
            name, password = (f"user{number % settings['people']}", PASSWORD) if right else (f"nobody{number}", "x" * 9)
            try:
                await wire.ask(action="login", username=name, password=password, replay=False)
                answers["success"] += 1
                return
            except Refused as refused:
                answers[refused.args[0]["code"]] += 1

    await asyncio.gather(*(one(number) for number in range(settings["parallel"])))
    return answers


def storm(port: int, settings: Settings) -> None:
    """Log in, and log in, and log in."""
    say(answers=asyncio.run(_storm(port, settings)))


def take_precedence() -> None:
    """Go before whatever else this machine does, as if on a machine of one's own; root may."""
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text("-15")


KINDS: dict[str, Callable[[int, Settings], None]] = {
    "strangers": strangers,
    "readers": readers,
    "talkers": talkers,
    "metronome": metronome,
    "garbage": garbage,
    "storm": storm,
}

if __name__ == "__main__":
    kind, port, settings = sys.argv[1:]
    if kind in ("talkers", "metronome"):
        take_precedence()
    KINDS[kind](int(port), json.loads(settings))
