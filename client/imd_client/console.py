"""`imd chat`: the console. A line typed is a message to whom was chosen last, or a /command.

/to bob                  chooses
hi                       [06:25] you to bob: hi        with the time once the server has it
                         [06:26] bob: hello            as it arrives
"""

from datetime import datetime
from typing import Any

from twisted.internet.defer import Deferred, DeferredQueue, race
from twisted.internet.task import deferLater
from twisted.python import usage
from twisted.python.failure import Failure

from imd.wire.catalog import say
from imd.wire.conversations import Conversation
from imd.wire.messages import Message
from imd.wire.receipts import Read
from imd.wire.terminal import harmless, lines
from imd_client import shown
from imd_client.client import Client
from imd_client.commands import Commands
from imd_client.connection import Credentials
from imd_client.entrance import Entrance
from imd_client.happenings import Arrived, CaughtUp, GaveUp, Happening, NotSent, Offline, Online, Trusted
from imd_client.options import ClientOptions, told
from imd_client.place import claim
from imd_client.reasons import reason
from imd_client.screen import Ended, Screen, open_screen
from imd_client.state import Account
from imd_client.waiting import within

MOST_UNREAD = 20
"""How many unread messages of one conversation are shown at the start."""

HURRY = 3
"""Seconds that a person who leaves waits for the last answers."""


class Options(ClientOptions):
    """The command line of `imd chat`."""

    synopsis = "Usage: imd chat [options] [server]"
    optParameters = [["invite", None, None, told("invite")]]
    optFlags = [["register", None, told("register")]]

    def parseArgs(self, server: str | None = None) -> None:
        """Take the server as a plain word too."""
        self["server"] = server or self["server"]


class Stop(Exception):
    """There is no going on. `code` is what the program ends with; the text is for people."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


class Console:
    """One run of the console."""

    client: Client
    credentials: Credentials
    commands: Commands

    def __init__(self, reactor: Any, options: Options) -> None:
        self.reactor = reactor
        self.options = options
        self.language = options.language
        self.typed: DeferredQueue[str | GaveUp | None] = DeferredQueue()
        self.screen: Screen = open_screen(self.typed.put, reactor)
        self.entrance = Entrance(self.screen, options.place, self.language)
        self._entering: Deferred[Any] | None = None
        self._caught_up: Deferred[None] = Deferred()
        self._here = False
        self._offline = False
        self._on_screen: dict[int, int] = {}
        """Conversation -> the highest seq by others that is shown and not marked read."""

    def say(self, key: str, **params: object) -> None:
        """Show a sentence."""
        self.screen.show(say(f"console.{key}", self.language, **params))

    async def run(self) -> int:
        """Do it all; gives the exit code."""
        try:
            return await self._chat()
        except (Stop, usage.UsageError) as stop:
            self.screen.show(str(stop))
            return stop.code if isinstance(stop, Stop) else 1
        except Ended:
            return 1
        finally:
            await self.screen.close()

    async def _chat(self) -> int:
        account = await self._account()
        self.client = Client(account, self.credentials, self._happened, reactor=self.reactor)
        self.commands = Commands(self.screen, self.client, self.language, self.options["wait"], self.reactor)
        if waiting := len(account.waiting()):
            self.say("waiting", count=waiting)
        try:
            if account.token() is None:
                await self._log_in()
            else:
                self.client.startService()
            self.screen.prompt("> ")
            while (line := await self.typed.get()) is not None:
                if isinstance(line, GaveUp):
                    await self._let_in(line.reason)
                    self.client.connection.startService()
                elif not await self._line(line):
                    break
            return await self._leave()
        finally:
            await self.client.stopService()

    # Coming in.

    async def _account(self) -> Account:
        state = self.options.open_state()
        account = self.options.account(state)
        if account is None and not self.screen.interactive:
            raise Stop(self.entrance.say("no_name"))
        account = account or state.account(self.options.place, await self.entrance.name())
        if not claim(account):
            raise Stop(self.entrance.say("busy", username=account.username))
        self.credentials = self.options.credentials(
            "console", register=bool(self.options["register"]), invite=self.options["invite"] or ""
        )
        if account.token() is None and not self.credentials.password:
            if not self.screen.interactive:
                raise Stop(self.entrance.say("no_password"))
            self.credentials.password = await self.entrance.password(account.username)
        return account

    async def _log_in(self) -> None:
        """Log in for the first time; until that succeeded there is nothing to type."""
        start = self.client.startService
        while True:
            self._entering = Deferred()
            start()
            patience: Deferred[Any] = Deferred()
            if not self.screen.interactive:
                patience = deferLater(self.reactor, self.options["wait"])
            which, gave_up = await race([self._entering, patience])
            if which == 1:
                raise Stop(say("console.no_answer", self.language, server=self.options.place), 2)
            self._entering = None
            if gave_up is None:
                return
            await self._let_in(gave_up.reason)
            start = self.client.connection.startService

    async def _let_in(self, failure: Failure) -> None:
        """Ask the person for what was wrong, if that can help."""
        username = self.client.account.username
        if self.screen.interactive and await self.entrance.again(username, self.credentials, failure):
            return
        raise Stop(reason(failure, self.options.place, self.language).strip("\n"))

    # Being there.

    async def _line(self, line: str) -> bool:
        if self.screen.interactive:
            self._mark_read(*self._on_screen)
        return await self.commands.typed(line)

    def _mark_read(self, *conversations: int) -> None:
        for conversation in conversations:
            if seq := self._on_screen.pop(conversation, 0):
                self.client.marks.move(Read(conversation=conversation, seq=seq))

    def _happened(self, happening: Happening) -> None:
        match happening:
            case Trusted(server, fingerprint):
                self.say("trusted", server=server, first=fingerprint[:48], second=fingerprint[48:])
            case Online(username):
                self._came_online(username)
            case Offline(why):
                self._went_offline(why)
            case GaveUp() if self._entering is not None:
                self._entering.callback(happening)
            case GaveUp():
                self.typed.put(happening)
            case Arrived(message) if self._here:
                self._show(message)
            case CaughtUp(listing) if not self._here:
                self._here = True
                self._show_unread(listing)
                self._caught_up.callback(None)
            case NotSent(item, refused):
                self.commands.refused += 1
                content = harmless(lines(item.content)[0])
                self.say("not_sent", to=item.to, reason=harmless(refused.message), content=content)

    def _came_online(self, username: str) -> None:
        if not self._here:
            self.say("welcome", username=username, server=self.options.place)
            if self.screen.interactive:
                self.say("hint")
        elif self._offline:
            self.say("online")
        self._offline = False
        if self._entering is not None:
            self._entering.callback(None)

    def _went_offline(self, why: Failure) -> None:
        if not self._offline:
            key = "unreachable" if self._entering is not None else "offline"
            self.say(key, reason=reason(why, self.options.place, self.language))
        self._offline = True

    def _show(self, message: Message) -> None:
        me = self.client.account.username
        self.screen.show(shown.message(message, me, datetime.now().astimezone(), self.language))
        if message.sender != me:
            self._on_screen[message.conversation] = message.seq
        elif not self.screen.interactive:
            self._mark_read(message.conversation)

    def _show_unread(self, listing: list[Conversation]) -> None:
        """Show what was not read yet, conversation by conversation, the one with the latest message last."""
        unread = [each for each in reversed(listing) if each.unread]
        if not unread:
            self.say("nothing_unread")
        for each in unread:
            self.say("unread", to=each.to, count=each.unread)
            account = self.client.account
            messages = [
                one for one in account.after(each.conversation, each.read_seq) if one.sender != account.username
            ]
            if (earlier := len(messages) - MOST_UNREAD) > 0:
                self.say("earlier", to=each.to, count=earlier)
            for message in messages[-MOST_UNREAD:]:
                self._show(message)

    # Going.

    async def _leave(self) -> int:
        """Wait for the last answers; nobody waits for ever."""
        self.screen.prompt("")
        seconds = HURRY if self.screen.interactive else self.options["wait"]
        if self.client.connection.online or not self.screen.interactive:
            settled: Deferred[Any] = Deferred.fromCoroutine(
                within(seconds, Deferred.fromCoroutine(self._settle()), self.reactor)
            )
            given_up: Deferred[Any] = Deferred.fromCoroutine(self._given_up())
            _, gave_up = await race([settled, given_up])
            if isinstance(gave_up, GaveUp):
                raise Stop(reason(gave_up.reason, self.options.place, self.language).strip("\n"))
        waiting = len(self.client.account.waiting())
        if waiting:
            self.say("still_queued", count=waiting)
        if self.screen.interactive:
            return 0
        return 1 if self.commands.refused else 2 if waiting or not self._here else 0

    async def _given_up(self) -> GaveUp:
        """Wait for the connection to give up; what else was typed does not count any more."""
        while not isinstance(last := await self.typed.get(), GaveUp):
            pass
        return last

    async def _settle(self) -> None:
        await self._caught_up
        await self.client.outbox.flushed()
        await self.client.marks.flush()


def main(reactor: Any, options: Options) -> Deferred[int]:
    """Run the console. Fires with the exit code: from a pipe 0 = all stored, 1 = something refused, 2 = unknown."""
    return Deferred.fromCoroutine(Console(reactor, options).run())
