"""How a server may be named."""

import pytest
from imd_client.address import Address
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, UNIXClientEndpoint
from twisted.internet.testing import MemoryReactorClock


@pytest.mark.parametrize(
    ("text", "name", "host", "port"),
    [
        ("localhost", "localhost:7373", "localhost", 7373),
        (" Chat.Example:443 ", "chat.example:443", "chat.example", 443),
        ("tls:localhost:17373", "localhost:17373", "localhost", 17373),
        ("10.0.0.5", "10.0.0.5:7373", "10.0.0.5", 7373),
        ("[::1]:99", "[::1]:99", "::1", 99),
        ("[::1]", "[::1]:7373", "::1", 7373),
        ("聊天.例子", "聊天.例子:7373", "聊天.例子", 7373),
    ],
)
def test_a_host(text: str, name: str, host: str, port: int) -> None:
    address = Address.parse(text)
    assert (address.name, address.host, address.port) == (name, host, port)
    assert isinstance(address.endpoint(MemoryReactorClock()), HostnameEndpoint)


@pytest.mark.parametrize(
    ("text", "kind"), [("unix:/run/imd.sock", UNIXClientEndpoint), ("tcp:10.0.0.5:7373", TCP4ClientEndpoint)]
)
def test_any_other_endpoint(text: str, kind: type) -> None:
    address = Address.parse(text)
    assert (address.name, address.host) == (text, "")
    assert isinstance(address.endpoint(MemoryReactorClock()), kind)


@pytest.mark.parametrize(
    "text", ["", "a b", "host:0", "host:99999", "foo:bar", "::1", "[::1", "tcp:host:port", "unix:"]
)
def test_what_is_no_server(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whatever Twisted says about an endpoint it does not know
        Address.parse(text)
