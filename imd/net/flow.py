"""The valve between a connection and its transport: it closes while the peer is behind in reading."""

from typing import Protocol

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer


class Congestible(Protocol):
    """A connection that can hold its lines back."""

    def congest(self) -> None:
        """Hold them."""

    def relieve(self) -> None:
        """Let them go."""


@implementer(IPushProducer)
class FlowControl:
    """Told by the transport when the peer is behind in reading, and when it has caught up."""

    def __init__(self, connection: Congestible) -> None:
        self._connection = connection

    def pauseProducing(self) -> None:
        """Hold the lines back."""
        self._connection.congest()

    def resumeProducing(self) -> None:
        """Let them go."""
        self._connection.relieve()

    def stopProducing(self) -> None:
        """Have nothing more to do: the connection is gone."""
