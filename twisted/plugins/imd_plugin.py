"""Tells twistd that `imd` exists. Read at every start of any twistd, so it imports nothing heavy."""

from twisted.application.service import ServiceMaker

imd = ServiceMaker(
    "imd",
    "imd.run.service",
    "An instant-messaging daemon: every message kept, once, in order.",
    "imd",
)
