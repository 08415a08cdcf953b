"""The server: what stands behind every session, and can be asked without one."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from imd.chat.base.context import Caller
from imd.chat.base.handlers import HANDLERS
from imd.engine.encoded_event import EncodedEvent
from imd.engine.server import Server
from imd.testing import MemoryServer, Terminal
from imd.wire import catalog, jsonline, textline
from imd.wire.admin import InviteCreate, UserDisable
from imd.wire.base import Command, registry
from imd.wire.conversations import History
from imd.wire.messages import SendMessage
from imd.wire.receipts import Replayed
from imd.wire.refusals import NoSuchUser
from imd.wire.session import Hello, Quit
from tests.engine.late import LateServer


@pytest.fixture
def server() -> LateServer:
    return LateServer()


def operator(server: LateServer) -> Caller:
    return Caller(now=server.server.now(), limits=server.server.limits, admin=True)


def asks(server: LateServer, command: Command, identity: Caller | None = None) -> Any:
    """Give the reply, or the failure."""
    answers: list[Any] = []
    Deferred.fromCoroutine(server.server.ask(command, identity or operator(server))).addBoth(answers.append)
    server.settle()
    [answer] = answers
    return answer


def test_a_command_without_a_handler_is_a_fault_in_the_program(
    server: LateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(HANDLERS, registry.actions["ping"].shape)
    with pytest.raises(ValueError, match="ping"):
        Server(database=server.database, reactor=server.clock)


def test_a_command_without_words_is_a_fault_in_the_program(server: LateServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(catalog._sentences, "help.ping")
    with pytest.raises(ValueError, match=r"help\.ping \(en\)"):
        Server(database=server.database, reactor=server.clock)


def test_what_is_asked_without_a_session_is_told_and_carried_out(server: LateServer) -> None:
    ann = server.login("ann")
    ann.heard()
    bot = Caller(now=server.server.now(), limits=server.server.limits, account=1, username="ann")
    asks(server, SendMessage(to="ann", content="from a program"), bot)
    assert [each["content"] for each in ann.objects()] == ["from a program"]
    asks(server, UserDisable(username="ann"))
    assert ann.closed


@pytest.mark.parametrize("command", [History(to="nobody"), SendMessage(to="nobody", content="x")])
def test_a_refusal_is_raised(server: LateServer, command: Command) -> None:
    assert asks(server, command).type is NoSuchUser


def test_the_operator_makes_invites_where_nobody_may_register(server: LateServer) -> None:
    server.server.registration = "invite"
    invite = asks(server, InviteCreate(admin=True))
    stranger: Terminal = server.connect()
    fields = {"username": "ann", "password": "correct horse battery"}
    assert stranger.call("register", **fields)["code"] == "invite_required"
    assert stranger.call("register", **fields, invite=invite.invite)["status"] == "success"


def test_an_event_is_encoded_once_a_dialect_and_language(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[str] = []
    for dialect in (jsonline.JsonDialect, textline.TextDialect):
        write = dialect.event

        def counted(self: object, event: object, language: str, write: object = write) -> bytes:
            encoded.append(f"{type(self).__name__} {language}")
            return write(self, event, language)  # type: ignore[operator,no-any-return]

        monkeypatch.setattr(dialect, "event", counted)
    told = EncodedEvent((1,), Replayed(count=0))
    for _ in range(3):
        for language in ("en", "zh"):
            for dialect in (jsonline.DIALECT, textline.DIALECT):
                told.line(dialect, language)
    assert encoded == ["JsonDialect ", "TextDialect en", "TextDialect zh"]


def test_everybody_hears_in_their_own_dialect_and_language() -> None:
    server = MemoryServer()
    ann = server.login("ann")
    programs, person, chinese = server.login("bob"), server.login("bob"), server.login("bob")
    person.say("PING")
    chinese.say("HELLO lang=zh")
    for each in (programs, person, chinese):
        each.heard()
    programs.call("send_message", to="ann", content="hi")
    assert person.heard() == ["* you to ann: hi"]
    assert chinese.heard() == ["* 你对 ann：hi"]
    assert ann.objects()[-1]["content"] == "hi"


@pytest.mark.parametrize("command", [Quit(), Hello(lang="zh")])
def test_what_is_for_a_session_does_nothing_without_one(server: LateServer, command: Command) -> None:
    asked = Deferred.fromCoroutine(server.server.ask(command, operator(server)))
    assert isinstance(asked.result, command.reply)
