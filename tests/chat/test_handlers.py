"""Every command has its one handler."""

import inspect

import pytest

from imd.chat.base.handlers import HANDLERS, Lane, live
from imd.chat.session import help_command
from imd.wire.base import Right, Spec, registry
from imd.wire.refusals import UnknownCommand
from imd.wire.session import AskHelp, Hello, Ping, Quit
from tests.chat.rules import Rules


def test_a_second_handler_is_a_fault_in_the_program() -> None:
    with pytest.raises(ValueError, match="two handlers"):
        live(Ping)(lambda caller, command: None)


@pytest.mark.parametrize("spec", list(registry), ids=lambda spec: spec.action)
def test_handlers_are_what_their_lane_says(spec: Spec) -> None:
    handler = HANDLERS[spec.shape]
    assert inspect.iscoroutinefunction(handler.run) is (handler.lane is Lane.SLOW)
    assert len(inspect.signature(handler.run).parameters) == (2 if handler.lane is Lane.LIVE else 3)


@pytest.mark.parametrize("action", ["login", "resume", "logout"])
def test_a_command_that_changes_the_caller_is_not_pipelined(action: str) -> None:
    assert HANDLERS[registry.actions[action].shape].lane is Lane.SLOW


def test_help_shows_what_one_may_do(rules: Rules) -> None:
    everyone = {each.action for each in rules.asks(rules.stranger(), AskHelp()).commands}
    admin = {each.action for each in rules.asks(rules.person("root", admin=True), AskHelp()).commands}
    assert admin == set(registry.actions)
    assert admin - everyone == {spec.action for spec in registry if spec.right is Right.ADMIN}
    assert {"user_add", "audit_list"} <= admin - everyone


@pytest.mark.parametrize("asked", ["send", "SEND", "/send", "send_message", " Send ", "USER ADD"])
def test_help_for_one_command(rules: Rules, asked: str) -> None:
    [page] = rules.asks(rules.stranger(), AskHelp(command=asked)).commands
    assert page.action in {"send_message", "user_add"}


def test_help_for_none(rules: Rules) -> None:
    refused = rules.refuses(rules.stranger(), AskHelp(command="sned"))
    assert isinstance(refused, UnknownCommand)
    assert refused.params["suggestion"] == "SEND"


def test_hello_tells_the_limits_that_hold(rules: Rules) -> None:
    reply = rules.asks(rules.stranger(), Hello(lang="zh"))
    assert reply.protocol == "imd/1"
    assert reply.limits["content_bytes"] == rules.limits.content_bytes
    assert rules.does(rules.stranger(), Hello()).effects == ()
    assert len(rules.does(rules.stranger(), Hello(lang="zh")).effects) == 1


def test_ping_and_quit(rules: Rules) -> None:
    assert rules.does(rules.stranger(), Ping()).effects == ()
    assert len(rules.does(rules.stranger(), Quit()).effects) == 1


def test_handlers_can_be_called_as_functions(rules: Rules) -> None:
    assert help_command(rules.stranger(), AskHelp(command="PING")).reply.commands[0].action == "ping"
