"""Tells Twisted of `twistd imd` and of `imd:` endpoints. Every twistd imports it, so it must stay small."""

from typing import Any

from twisted.application.service import ServiceMaker
from twisted.internet.interfaces import IStreamServerEndpoint, IStreamServerEndpointStringParser
from twisted.plugin import IPlugin
from zope.interface import implementer

imd = ServiceMaker(
    "imd",
    "imd.run.service",
    "An instant-messaging daemon: every message kept, once, in order.",
    "imd",
)


@implementer(IPlugin, IStreamServerEndpointStringParser)
class ImdEndpointParser:
    """Parses endpoint strings such as `imd:7373:interface=127.0.0.1`."""

    prefix = "imd"

    def parseStreamServer(self, reactor: Any, *args: str, **kwargs: str) -> IStreamServerEndpoint:
        """Pass the parts on to imd.net.endpoint."""
        from imd.net.endpoint import parse  # not earlier: most processes that load plugins never listen

        return parse(reactor, *args, **kwargs)


imd_endpoint = ImdEndpointParser()
