"""Senders and readers that know the wire contract alone: TLS sockets and JSON, nothing of imd's own code.

A sender never gives up: after a lost connection it resumes and sends what was not answered again, in the same order,
under the same client ids.
"""

import asyncio
import json
import logging
import random
import ssl
from typing import Any

import attrs

from tests.rigs.journal import Acknowledged, Delivery, Journal, Kept, Reading, Sent

LINE = 1 << 20
PASSWORD = "a password for the rigs"
AGAIN_SECONDS = 0.02

logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of writes on lost connections: here they are the point


def tls() -> ssl.SSLContext:
    """Make a context that takes the daemon's self-made certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Refused(Exception):
    """The daemon answered `fail` to what it must take."""


class NotNow(ConnectionError):
    """The daemon answered `unavailable`: the same again, later."""


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "Wire":
        """Connect; raises OSError when the daemon is down."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=tls(), limit=LINE))

    def write(self, request: dict[str, Any]) -> None:
        """Send a request; on a lost connection nothing happens, and reading finds it lost."""
        self._writer.write(json.dumps(request).encode() + b"\n")

    async def read(self) -> dict[str, Any]:
        """Wait for the next object; raises OSError when the connection is lost, in the middle of a line too."""
        line = b""
        while not line.startswith(b"{"):  # a greeting, for people
            line = await self._reader.readline()
            if not line.endswith(b"\n"):
                raise ConnectionResetError
        found: dict[str, Any] = json.loads(line)
        if found.get("status") == "fail":
            raise NotNow(found) if found["code"] == "unavailable" else Refused(found)
        return found

    async def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and wait for its reply; events in between are not for us."""
        self.write(request)
        while "status" not in (reply := await self.read()):
            pass
        return reply

    def close(self) -> None:
        """Drop the connection."""
        self._writer.transport.abort()


async def token(port: int, name: str, *, register: bool = True) -> str:
    """Register somebody, log in, and give the token."""
    wire = await Wire.open(port)
    if register:
        await wire.ask(action="register", username=name, password=PASSWORD)
    given: str = (await wire.ask(action="login", username=name, password=PASSWORD))["token"]
    wire.close()
    return given


@attrs.define
class Sender:
    """Somebody who sends without pause, to each of their targets in turn."""

    name: str
    token: str
    targets: list[str]
    journal: Journal
    chance: random.Random
    going: bool = True
    _unanswered: dict[str, Sent] = attrs.field(factory=dict, init=False)

    async def live(self, port: int) -> None:
        """Send until `going` ends and everything is answered."""
        while self.going or self._unanswered:
            try:
                wire = await Wire.open(port)
            except OSError:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            try:
                await self._talk(wire)
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(AGAIN_SECONDS)
            finally:
                wire.close()

    async def _talk(self, wire: Wire) -> None:
        wire.write({"action": "resume", "token": self.token, "replay": False})
        for sent in self._unanswered.values():
            self._send(wire, sent)
        while self.going or self._unanswered:
            window = self.chance.randint(1, 8)
            while self.going and len(self._unanswered) < window:
                self._send(wire, self._next())
            self._hear(await wire.read())

    def _next(self) -> Sent:
        number = len(self.journal.sent)
        content = f"{self.name} {number} " + "x" * self.chance.choice((0, 10, 20, 50, 50, 100, 100, 2000))
        to = self.targets[number % len(self.targets)]
        sent = Sent(self.name, f"{self.name}-{number}", to, content)
        self.journal.sent.append(sent)
        self._unanswered[sent.client_id] = sent
        return sent

    def _send(self, wire: Wire, sent: Sent) -> None:
        wire.write(
            {
                "action": "send_message",
                "id": sent.client_id,
                "to": sent.to,
                "client_id": sent.client_id,
                "content": sent.content,
            }
        )

    def _hear(self, said: dict[str, Any]) -> None:
        if said.get("event") == "message":
            told = Delivery(said["conversation"], said["seq"], said["sender"], said["content"])
            self.journal.told.append(told)
        elif said.get("action") == "send_message":
            del self._unanswered[said["id"]]
            answer = Acknowledged(self.name, said["id"], said["conversation"], said["seq"], said["duplicate"])
            self.journal.acknowledged.append(answer)


async def read_everything(port: int, name: str, token: str) -> list[Reading]:
    """Read all conversations of somebody, each in both ways."""
    wire = await Wire.open(port)
    await wire.ask(action="resume", token=token, replay=False)
    readings = []
    for each in (await wire.ask(action="conversations"))["conversations"]:
        number = each["conversation"]
        readings.append(Reading(name, "history", number, await _history(wire, number)))
        readings.append(Reading(name, "sync", number, await _sync(wire, number)))
    wire.close()
    return readings


async def _history(wire: Wire, conversation: int) -> list[Kept]:
    found: list[Kept] = []
    more = True
    while more:
        after = found[-1].seq if found else 0
        page = await wire.ask(action="history", conversation=conversation, after=after, limit=200)
        found += map(_kept, page["messages"])
        more = page["more"]
    return found


async def _sync(wire: Wire, conversation: int) -> list[Kept]:
    found: list[Kept] = []
    rev, more = 0, True
    while more:
        page = await wire.ask(action="sync", conversation=conversation, after_rev=rev, limit=500)
        found += map(_kept, page["messages"])
        rev, more = page["rev"], page["more"]
    return found


def _kept(message: dict[str, Any]) -> Kept:
    return Kept(
        message["conversation"], message["seq"], message["sender"], message["content"], message.get("client_id")
    )
