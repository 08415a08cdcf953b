"""A server in memory with a large group, most of whose members are online; its reactor turns one by one."""

import json
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.python.failure import Failure

from imd.chat.base.limits import Limits
from imd.chat.base.passwords import fingerprint
from imd.testing import EPOCH, MemoryServer, MemoryTransport

UNHURRIED = Limits(requests_per_second=0, unauthenticated_per_address=10**9, unauthenticated=10**9, connections=10**10)


class Member:
    """A member's connection, and the messages received on it."""

    def __init__(self, large: "LargeGroup", account: int) -> None:
        self.account = account
        self.transport = MemoryTransport("127.0.0.1")
        protocol = large.server.factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 54321))
        assert protocol is not None
        self.protocol = protocol
        self.protocol.makeConnection(self.transport)
        self.seqs: list[int] = []
        self.resume(account)

    def ask(self, action: str, **fields: Any) -> None:
        self.protocol.dataReceived(json.dumps({"action": action, **fields}).encode() + b"\n")

    def resume(self, account: int) -> None:
        self.ask("resume", token=f"token {account}")

    def hear(self) -> bool:
        """Read what arrived. True if anything did."""
        data = self.transport.value()
        self.transport.clear()
        for line in data.splitlines():
            message = json.loads(line)
            assert message.get("status") != "fail", message
            if message.get("event") == "message":
                self.seqs.append(message["seq"])
        return bool(data)

    def hang_up(self) -> None:
        self.protocol.connectionLost(Failure(ConnectionResetError()))


class LargeGroup:
    """A server with a group of many, all but the last hundred of them online."""

    def __init__(self, members: int) -> None:
        self.server = MemoryServer(UNHURRIED)
        self.clock = self.server.clock
        tx = self.server.database.backend.writer.connection
        people = range(1, members + 1)
        tx.executemany(
            "INSERT INTO account (id, username, display_name, password_hash, admin, disabled, created)"
            " VALUES (?, ?, '', '', 0, 0, 0)",
            ((each, f"name{each}") for each in people),
        )
        tx.executemany(
            "INSERT INTO device (account, label, token_hash, created, last_seen) VALUES (?, 'phone', ?, ?, ?)",
            ((each, fingerprint(f"token {each}"), EPOCH, EPOCH) for each in people),
        )
        tx.execute(
            "INSERT INTO conversation (id, kind, handle, members, last_seq, last_rev, created)"
            " VALUES (1, 'group', 'team', ?, 0, 0, 0)",
            (members,),
        )
        tx.executemany(
            "INSERT INTO member (conversation, account, name, delivered_seq, read_seq) VALUES (1, ?, ?, 0, 0)",
            ((each, f"name{each}") for each in people),
        )
        self.people = [Member(self, each) for each in people[:-100]]
        while self.turn():
            pass
        self.hear()

    def turn(self) -> bool:
        """Run what is due in one turn of the reactor, but not what it schedules. True if anything was due."""
        due = [call for call in self.clock.getDelayedCalls() if call.getTime() <= self.clock.seconds()]
        for call in due:
            if call.active():
                self.clock.calls.remove(call)
                call.called = 1
                call.func(*call.args, **call.kw)
        return bool(due)

    def hear(self) -> int:
        """Let all members read what arrived, and return for how many something did."""
        return sum(member.hear() for member in self.people)
