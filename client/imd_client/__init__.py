"""The imd client: a connection that keeps itself up, an outbox, a cursor, a console, and bots."""

from imd_client.bot import Bot
from imd_client.client import Client
from imd_client.connection import Connection, Credentials
from imd_client.errors import CodeNeeded, LoginNeeded
from imd_client.events import (
    Arrived,
    CaughtUp,
    Changed,
    ContactDeleted,
    GaveUp,
    NotSent,
    Offline,
    Online,
    Restored,
    Trusted,
)
from imd_client.protocol import AnswerLost, Refused
from imd_client.state import Account, State
from imd_client.trust import CertificateChanged

__all__ = [
    "Account",
    "AnswerLost",
    "Arrived",
    "Bot",
    "CaughtUp",
    "CertificateChanged",
    "Changed",
    "Client",
    "CodeNeeded",
    "Connection",
    "ContactDeleted",
    "Credentials",
    "GaveUp",
    "LoginNeeded",
    "NotSent",
    "Offline",
    "Online",
    "Refused",
    "Restored",
    "State",
    "Trusted",
]
