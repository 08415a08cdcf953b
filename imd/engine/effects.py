"""Applying effects: one table says when each kind is applied, and how."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from imd.chat.base.effects import (
    ApplyPolicy,
    CloseConnection,
    DropDevices,
    Effect,
    Follow,
    Schedule,
    SetAdmin,
    SetLanguage,
    ShowPresence,
    SignIn,
    SignOut,
    Unfollow,
)


class When(Enum):
    """When an effect is applied: before the reply, or before or after the events go out."""

    BEFORE_REPLY = auto()
    BEFORE_TELLING = auto()
    AFTER_TELLING = auto()


Apply = Callable[[Any, Any, Any], None]
"""Takes the server, the session that asked (or None) and the effect. Their modules import this one, hence `Any`."""


def _drop_devices(server: Any, session: Any, effect: DropDevices) -> None:
    server.hub.drop_devices(effect.account, effect.devices, besides=session)
    identity = session and session.identity  # it ends last, so that its reply has been sent
    if identity and identity.account == effect.account and identity.device in effect.devices:
        session.revoke()


_ON_SESSION = frozenset({SetLanguage, SignIn, SignOut, CloseConnection})
"""Effects on the session that asked. They do nothing where a command was asked without one."""

_TABLE: dict[type, dict[When, Apply]] = {
    SetLanguage: {When.BEFORE_REPLY: lambda server, session, effect: session.choose_language(effect.language)},
    SignIn: {
        When.BEFORE_REPLY: lambda server, session, effect: session.prefer_language(effect.language),
        When.AFTER_TELLING: lambda server, session, effect: session.sign_in(effect),
    },
    SignOut: {When.AFTER_TELLING: lambda server, session, effect: session.sign_out()},
    CloseConnection: {When.AFTER_TELLING: lambda server, session, effect: session.hang_up()},
    # An account that starts to follow a topic receives the events of this outcome; one that stops still does.
    Follow: {
        When.BEFORE_TELLING: lambda server, session, effect: server.hub.follow(effect.account, effect.topic, effect.seq)
    },
    Unfollow: {When.AFTER_TELLING: lambda server, session, effect: server.hub.unfollow(effect.account, effect.topic)},
    DropDevices: {When.AFTER_TELLING: _drop_devices},
    SetAdmin: {When.AFTER_TELLING: lambda server, session, effect: server.hub.set_admin(effect.account, effect.admin)},
    ApplyPolicy: {When.AFTER_TELLING: lambda server, session, effect: server.apply_policy(effect)},
    ShowPresence: {
        When.AFTER_TELLING: lambda server, session, effect: server.online.change(effect.account, effect.chosen)
    },
    Schedule: {When.AFTER_TELLING: lambda server, session, effect: server.jobs.schedule(effect.at)},
}


def apply(when: When, effects: tuple[Effect, ...], server: Any, session: Any = None) -> None:
    """Apply those effects that are due at this moment, in order."""
    for effect in effects:
        run = _TABLE[type(effect)].get(when)
        if run and (session is not None or type(effect) not in _ON_SESSION):
            run(server, session, effect)
