"""The rules of the connection itself: hello, help, ping, quit."""

import attrs

import imd
from imd.chat.base.context import Caller
from imd.chat.base.effects import CloseConnection, Effect, Outcome, SetLanguage
from imd.chat.base.handlers import live
from imd.wire import jsonline
from imd.wire import session as wire
from imd.wire.base import Done, Right, registry
from imd.wire.capabilities import MODULES

_ORDER = {module.__name__: number for number, module in enumerate(MODULES)}
"""The order in which HELP lists the commands. Those of another application come last."""

FEATURES = ["replay", "sync", "resume", "client_id"]


@live(wire.Hello)
def hello(caller: Caller, command: wire.Hello) -> Outcome[wire.Greeting]:
    """Introduce the server, and set the session's language."""
    effects: tuple[Effect, ...] = (SetLanguage(command.lang),) if command.lang else ()
    reply = wire.Greeting(
        server=f"imd {imd.__version__}",
        protocol="imd/1",
        epoch=caller.epoch,
        limits=attrs.asdict(caller.limits),
        features=FEATURES,
    )
    return Outcome(reply, effects=effects)


@live(wire.AskHelp)
def help_command(caller: Caller, command: wire.AskHelp) -> Outcome[wire.Help]:
    """Explain one command, or list those that the caller may use."""
    if command.command:
        typed = command.command.strip().lstrip("/")
        spec = registry.verbs.get(typed.upper()) or registry.actions.get(typed.lower())
        if spec is None:
            raise jsonline.unknown(typed.upper())
        return Outcome(wire.Help(commands=[wire.explained(spec, caller.language)]))
    allowed = [spec for spec in registry if spec.right is not Right.ADMIN or caller.admin]
    allowed.sort(key=lambda spec: _ORDER.get(spec.shape.__module__, len(_ORDER)))
    return Outcome(wire.Help(commands=[wire.explained(spec, caller.language) for spec in allowed]))


@live(wire.Ping)
def ping(caller: Caller, command: wire.Ping) -> Outcome[Done]:
    """Answer that the server is there."""
    return Outcome(Done())


@live(wire.Quit)
def quit_command(caller: Caller, command: wire.Quit) -> Outcome[Done]:
    """End the session."""
    return Outcome(Done(), effects=(CloseConnection(),))
