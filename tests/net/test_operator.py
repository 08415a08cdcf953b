"""The operator's own socket: an admin without an account, whom nobody counts, greets or hurries."""

from twisted.internet.address import UNIXAddress

from imd.chat.base.limits import Limits
from imd.net.factory import OperatorFactory
from imd.testing import MemoryServer
from tests.net.peer import Peer


class OperatorPeer(Peer):
    def __init__(self, server: MemoryServer) -> None:
        address = UNIXAddress(None)
        super().__init__(server, address)
        self.end()
        self.gone = False
        self.protocol = OperatorFactory(server.server).buildProtocol(address)
        self.transport = type(self.transport)(address)
        self.protocol.makeConnection(self.transport)


def test_an_operator_may_administer_and_is_nobody() -> None:
    server = MemoryServer()
    server.login("ann")
    operator = OperatorPeer(server)
    operator.send(b"USER LIST\nINVITE CREATE\nWHOAMI\nUSER DISABLE ann\n")
    answers = [line for line in operator.read().decode().split("\r\n") if line[:2] in ("OK", "ER")]
    assert [answer.split()[:3] for answer in answers] == [
        ["OK", "USER", "LIST"],
        ["OK", "INVITE", "CREATE"],
        ["ERR", "auth_required", "Please"],
        ["OK", "USER", "DISABLE"],
    ]


def test_an_operator_is_not_greeted_hurried_or_counted() -> None:
    server = MemoryServer(Limits(unauthenticated_per_address=1))
    operators = [OperatorPeer(server) for _ in range(5)]
    server.pass_time(3600)
    for operator in operators:
        assert operator.read() == b""
        operator.send(b"PING\n")
        assert operator.read() == b"OK PING\r\n"
    assert not server.factory.server.admission._strangers


def test_an_operator_is_told_that_the_server_stops() -> None:
    server = MemoryServer()
    operator = OperatorPeer(server)
    operator.send(b"PING\n")
    operator.read()
    done = server.factory.goodbye()
    assert operator.read().startswith(b"* Closing: ")
    assert done.called
