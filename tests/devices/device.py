"""A device as a good client keeps it: a copy of every conversation, fed by events, mended by sync."""

from typing import Any

import attrs

from imd.testing import PASSWORD, MemoryServer, Terminal

Message = dict[str, Any]


@attrs.define
class Copy:
    """One conversation on one device."""

    rev: int = 0
    messages: dict[int, Message] = attrs.field(factory=dict)
    read_seq: int = 0
    hidden: set[int] = attrs.field(factory=set)
    cleared: int = 0

    def put(self, message: Message) -> None:
        """Put a message in its place, unless its reader wants it no more."""
        if message["seq"] not in self.hidden and message["seq"] > self.cleared:
            self.messages[message["seq"]] = message

    def hide(self, seq: int) -> None:
        """Show a message no more."""
        self.hidden.add(seq)
        self.messages.pop(seq, None)

    def clear(self, seq: int) -> None:
        """Show nothing any more of what was said up to a seq."""
        self.cleared = max(self.cleared, seq)
        self.read_seq = max(self.read_seq, seq)
        self.messages = {each: message for each, message in self.messages.items() if each > self.cleared}

    def unread(self, username: str) -> int:
        """Count what others said after the read pointer."""
        return sum(seq > self.read_seq and each["sender"] != username for seq, each in self.messages.items())


@attrs.define
class Device:
    """Connects and goes away; while it is away it hears nothing, and catches up when it is back."""

    server: MemoryServer
    username: str
    copies: dict[int, Copy] = attrs.field(factory=dict)
    n: int = 0
    terminal: Terminal | None = None
    moved: bool = False
    """Whether it has come into a conversation, or out of one, since it asked for the list."""

    @property
    def online(self) -> bool:
        """Whether it is connected."""
        return self.terminal is not None

    def connect(self) -> None:
        """Log in and fetch what happened meanwhile."""
        self.terminal = self.server.login(self.username, password=PASSWORD, replay=False)
        self._catch_up()

    def leave(self) -> None:
        """Break the connection."""
        assert self.terminal is not None
        self.terminal.hang_up()
        self.terminal = None

    def asks(self, action: str, **fields: Any) -> dict[str, Any]:
        """Give a command, and take in what it changed."""
        reply = self._call(action, **fields)
        if reply["status"] == "success":
            self._catch_up()
        return reply

    def _call(self, action: str, **fields: Any) -> dict[str, Any]:
        assert self.terminal is not None
        self.hear()
        self.terminal.ask(action, **fields)
        lines = self.terminal.objects()
        [reply] = [each for each in lines if "status" in each]
        self._take([each for each in lines if "event" in each])
        return reply

    def hear(self) -> None:
        """Take in the events that came."""
        if self.terminal is not None:
            self._take(self.terminal.objects())

    def _take(self, events: list[dict[str, Any]]) -> None:
        behind: set[int] = set()
        for event in events:
            kind = event.pop("event")
            if kind in {"message", "changed"}:
                copy = self.copies.setdefault(event["conversation"], Copy())
                if event["rev"] == copy.rev + 1:
                    copy.rev += 1
                    for extra in ("what", "by", "emoji"):
                        event.pop(extra, None)
                    copy.put(event)
                elif event["rev"] > copy.rev:
                    behind.add(event["conversation"])
            elif kind == "receipt" and event["own"]:
                copy = self.copies.setdefault(event["conversation"], Copy())
                copy.read_seq = max(copy.read_seq, event["read_seq"])
            elif kind == "account":
                self._own_affair(event)
        if self.moved:
            self.moved = False
            self._catch_up()
        for conversation in behind:
            self._sync(conversation)

    def _own_affair(self, change: dict[str, Any]) -> None:
        if change["n"] != self.n + 1:
            self._account_sync()
        else:
            self._apply(change)

    def _apply(self, change: dict[str, Any]) -> None:
        self.n = change["n"]
        copy = self.copies.setdefault(change.get("conversation", 0), Copy())
        if change["what"] in {"joined", "left"}:
            self.copies.pop(change["conversation"])
            self.moved = True
        elif change["what"] == "hidden":
            copy.hide(change["seq"])
        elif change["what"] == "cleared":
            copy.clear(change["value"])

    def _account_sync(self) -> None:
        more = True
        while more:
            page = self._call("account_sync", after=self.n, limit=3)
            for change in page["changes"]:
                self._apply(change)
            self.n, more = page["n"], page["more"]

    def _sync(self, conversation: int) -> None:
        copy, more = self.copies.setdefault(conversation, Copy()), True
        while more:
            page = self._call("sync", conversation=conversation, after_rev=copy.rev, limit=3)
            if page["status"] == "fail":
                return
            for message in page["messages"]:
                copy.put(message)
            copy.rev, more = page["rev"], page["more"]

    def _catch_up(self) -> None:
        """Bring everything up to date: own affairs, then each conversation that has moved on."""
        self._account_sync()
        listed = {each["conversation"]: each for each in self._call("conversations")["conversations"]}
        self.copies = {number: self.copies.get(number, Copy()) for number in listed}
        for number, each in listed.items():
            copy = self.copies[number]
            copy.read_seq = each["read_seq"]
            if copy.rev < each["last_rev"]:
                self._sync(number)
