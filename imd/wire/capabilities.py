"""Every capability of the wire, in the order a newcomer would learn them: importing this declares all commands."""

from types import ModuleType

from imd.wire import (
    accounts,
    admin,
    conversations,
    groups,
    invitations,
    members,
    messages,
    personal,
    pins,
    reactions,
    receipts,
    session,
)

MODULES: tuple[ModuleType, ...] = (
    session,
    accounts,
    messages,
    reactions,
    pins,
    conversations,
    receipts,
    groups,
    members,
    invitations,
    personal,
    admin,
)
