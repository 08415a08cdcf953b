"""Which addresses the limits count as one."""

import ipaddress

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress


def origin(address: IAddress | None) -> str:
    """Return what the limits count as one address: an IPv4 address, or an IPv6 /64, which is usually one customer."""
    if not isinstance(address, IPv4Address | IPv6Address):
        return ""
    host = ipaddress.ip_address(address.host)
    if isinstance(host, ipaddress.IPv4Address):
        return str(host)
    return str(host.ipv4_mapped or ipaddress.IPv6Network((int(host), 64), strict=False))
