"""The connection as a session sees it: what net gives and engine uses."""

from typing import Protocol


class Connection(Protocol):
    """Takes the lines a session has for its peer."""

    congested: bool
    """Whether the peer is behind in reading."""

    def ready(self) -> bool:
        """Say whether the peer can take more: a reply or a page that need not be made yet waits for it."""

    def send(self, line: bytes) -> None:
        """Queue a line, without its end."""

    def flush(self) -> None:
        """Write what is queued."""

    def hang_up(self) -> None:
        """Send what is queued and close."""

    def forget(self) -> None:
        """Drop what is held back for a peer that is behind, and do not wait long for it to read the rest."""

    def listen(self, attentive: bool) -> None:
        """Go on or stop reading."""

    def known(self, logged_in: bool) -> None:
        """Learn whether the connection is somebody's, or a stranger's."""
