"""Asking a person for name, password and whatever else a login needs. Registers new names."""

import attrs
from twisted.python.failure import Failure

from imd.wire import names
from imd.wire.catalog import say
from imd.wire.jsonline import sentence
from imd.wire.refusals import BadName
from imd_client.connection import Credentials
from imd_client.errors import CodeNeeded, LoginNeeded, describe_failure, wants_code
from imd_client.protocol import Refused
from imd_client.view import Screen


@attrs.define
class LoginDialog:
    """Asks on an interactive screen; on a pipe nobody could answer."""

    screen: Screen
    server: str
    language: str

    def say(self, key: str, **params: object) -> str:
        """Return a sentence."""
        return say(f"login_dialog.{key}", self.language, **params)

    async def name(self) -> str:
        """Ask for a name until a valid one is given."""
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

    async def again(self, username: str, credentials: Credentials, failure: Failure) -> bool:
        """Ask for what was missing or wrong in the credentials. Returns False if no answer can help."""
        error = failure.value
        if isinstance(error, LoginNeeded):
            self.screen.show(describe_failure(failure, self.server, self.language))
            credentials.password = await self.password(username)
            return True
        wrong_code = isinstance(error, Refused) and wants_code(error)
        if wrong_code:
            self.screen.show(describe_failure(failure, self.server, self.language))
        if wrong_code or isinstance(error, CodeNeeded):
            credentials.code = (await self.screen.ask(self.say("code", username=username))).strip()
            return bool(credentials.code)
        code = error.code if isinstance(error, Refused) else ""
        if code in {"invite_required", "invite_invalid"}:
            self.screen.show(describe_failure(failure, self.server, self.language))
            credentials.invite = (await self.screen.ask(self.say("invite"))).strip()
            return bool(credentials.invite)
        if code == "weak_password":
            self.screen.show(describe_failure(failure, self.server, self.language))
            credentials.password = await self.password(username)
            while not await self._repeated(credentials):
                credentials.password = await self.password(username)
            return True
        if code != "invalid_credentials":
            return False
        return await self._wrong(username, credentials)

    async def _wrong(self, username: str, credentials: Credentials) -> bool:
        """Name or password is wrong, and the server does not say which: offer to register the name."""
        if credentials.register:
            credentials.register = False
            self.screen.show(self.say("taken", username=username))
        elif await self._yes(self.say("register", username=username)):
            credentials.register = await self._repeated(credentials)
            if credentials.register:
                return True
        credentials.password = await self.password(username)
        return True

    async def _yes(self, question: str) -> bool:
        return (await self.screen.ask(question)).strip().lower() in {"y", "yes", "是", "好"}

    async def _repeated(self, credentials: Credentials) -> bool:
        """Have a new password repeated. An empty answer cancels."""
        while again := await self.screen.ask(self.say("repeat"), secret=True):
            if again == credentials.password:
                return True
            self.screen.show(self.say("differs"))
        return False
