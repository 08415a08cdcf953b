"""Screens without a terminal: what is typed comes from the test, what is shown stays with it."""

import attrs
from imd_client.screen import LineScreen, TerminalModes
from twisted.internet.testing import StringTransport


@attrs.define
class FakeModes(TerminalModes):
    """Modes of no real descriptor; `changes` holds what was asked of them."""

    terminal: bool = True
    changes: list[str] = attrs.Factory(list)

    def __attrs_post_init__(self) -> None:
        pass

    def set_echo(self, on: bool) -> None:
        self.changes.append("shown" if on else "hidden")

    def restore(self) -> None:
        self.changes.append("restored")


class Transport(StringTransport):
    def loseConnection(self) -> None:
        super().loseConnection()
        self.protocol.connectionLost()  # type: ignore[attr-defined]


def connect(screen: LineScreen) -> LineScreen:
    """Give a screen a transport."""
    transport = Transport()
    transport.protocol = screen  # type: ignore[attr-defined]
    screen.makeConnection(transport)
    return screen


def written(screen: LineScreen) -> str:
    """Take what was shown since the last time."""
    text: str = screen.transport.value().decode()
    screen.transport.clear()
    return text
