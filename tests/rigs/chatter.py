"""One device of somebody who sends numbered messages by imd_client and keeps what arrives, until it is killed.

python -m tests.rigs.chatter SERVER STATE NAME DEVICE PEER COUNT

The next number comes from the outbox itself, which counts what was ever put into it: a kill between two messages is no
gap and no repetition.
"""

import sys
from typing import Any

from imd_client.address import Address
from imd_client.client import Client
from imd_client.connection import Credentials
from imd_client.events import ClientEvent, GaveUp
from imd_client.state import State
from twisted.internet import reactor as the_reactor
from twisted.internet.task import LoopingCall

from imd.wire.messages import SendMessage

reactor: Any = the_reactor
AHEAD = 100
"""How many messages wait in the outbox at most."""


def main(server: str, path: str, name: str, device: str, peer: str, count: int) -> None:
    """Send so many messages, and stay."""
    state = State(path)
    account = state.account(Address.parse(server).name, name)
    credentials = Credentials(password="a password for the rigs", device=device)

    def watch(event: ClientEvent) -> None:
        if isinstance(event, GaveUp):
            print(f"{name} {device} gave up: {event.reason}", flush=True)
            reactor.stop()

    client = Client(account, credentials, watch)

    def fill() -> None:
        row = state.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
        begin = row[0] if row else 0
        room = AHEAD - len(account.waiting())
        for number in range(begin + 1, min(begin + room, count) + 1):
            client.outbox.queue(SendMessage(to=peer, content=f"{name}/{device} {number}"))

    client.startService()
    LoopingCall(fill).start(0.02)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:6], int(sys.argv[6]))
