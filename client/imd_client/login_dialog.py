"""The first conversation with a person: who are you, and what is your password. Registers a name that is new."""

import attrs
from twisted.python.failure import Failure

from imd.wire import names
from imd.wire.catalog import say
from imd.wire.jsonline import sentence
from imd.wire.refusals import BadName
from imd_client.connection import CodeNeeded, Credentials, LoginNeeded, wants_code
from imd_client.errors import reason
from imd_client.protocol import Refused
from imd_client.screen_protocol import Dialogue


@attrs.define
class Entrance:
    """Asks on a screen where a person sits; on a pipe there is nobody to ask."""

    screen: Dialogue
    server: str
    language: str

    def say(self, key: str, **params: object) -> str:
        """Give a sentence."""
        return say(f"entrance.{key}", self.language, **params)

    async def name(self) -> str:
        """Ask for a name until it is one."""
        self.screen.show(self.say("hello", server=self.server))
        while True:
            typed = (await self.screen.ask(self.say("name"))).strip()
            try:
                if typed:
                    return names.username(typed)
            except BadName as refusal:
                self.screen.show(sentence(refusal, self.language))

    async def password(self, username: str) -> str:
        """Ask for the password."""
        while not (password := await self.screen.ask(self.say("password", username=username), secret=True)):
            pass
        return password

    async def again(self, username: str, mine: Credentials, failure: Failure) -> bool:
        """Ask for what was missing or wrong in the credentials. False if no answer could help."""
        fault = failure.value
        if isinstance(fault, LoginNeeded):
            self.screen.show(reason(failure, self.server, self.language))
            mine.password = await self.password(username)
            return True
        wrong_code = isinstance(fault, Refused) and wants_code(fault)
        if wrong_code:
            self.screen.show(reason(failure, self.server, self.language))
        if wrong_code or isinstance(fault, CodeNeeded):
            mine.code = (await self.screen.ask(self.say("code", username=username))).strip()
            return bool(mine.code)
        code = fault.code if isinstance(fault, Refused) else ""
        if code in {"invite_required", "invite_invalid"}:
            self.screen.show(reason(failure, self.server, self.language))
            mine.invite = (await self.screen.ask(self.say("invite"))).strip()
            return bool(mine.invite)
        if code == "weak_password":
            self.screen.show(reason(failure, self.server, self.language))
            mine.password = await self.password(username)
            while not await self._repeated(mine):
                mine.password = await self.password(username)
            return True
        if code != "invalid_credentials":
            return False
        return await self._wrong(username, mine)

    async def _wrong(self, username: str, mine: Credentials) -> bool:
        """The name or the password is wrong: the server does not say which, so ask whether the name is to be new."""
        if mine.register:
            mine.register = False
            self.screen.show(self.say("taken", username=username))
        elif await self._yes(self.say("register", username=username)):
            mine.register = await self._repeated(mine)
            if mine.register:
                return True
        mine.password = await self.password(username)
        return True

    async def _yes(self, question: str) -> bool:
        return (await self.screen.ask(question)).strip().lower() in {"y", "yes", "是", "好"}

    async def _repeated(self, mine: Credentials) -> bool:
        """Let a new password be typed a second time. An empty answer takes it back."""
        while again := await self.screen.ask(self.say("repeat"), secret=True):
            if again == mine.password:
                return True
            self.screen.show(self.say("differs"))
        return False
