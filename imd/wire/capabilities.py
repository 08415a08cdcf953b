"""Every capability of the wire, in the order a newcomer would learn them: importing this declares all commands."""

from types import ModuleType

from imd.wire import (
    accounts,
    admin,
    announcements,
    audit,
    conversations,
    friends,
    groups,
    invitations,
    members,
    messages,
    personal,
    pins,
    policies,
    presence,
    profiles,
    reactions,
    receipts,
    reports,
    session,
    status,
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
    profiles,
    friends,
    presence,
    personal,
    reports,
    announcements,
    admin,
    policies,
    audit,
    status,
)
