"""Failed logins in the log, as whoever bans addresses finds them by what docs/operate.md says."""

import ipaddress
import re
from pathlib import Path

import pytest
from twisted.internet.address import IPv6Address
from twisted.logger import globalLogPublisher

from imd.run import log
from imd.run.config import load
from imd.testing import PASSWORD, MemoryServer
from tests.net.peer import Peer

PAGE = Path(__file__).parents[2] / "docs" / "operate.md"


def failregex() -> re.Pattern[str]:
    """Give the page's filter, with an address in the place of fail2ban's own word for one."""
    [pattern] = re.findall(r"^ +failregex = (.*)$", PAGE.read_text("utf-8"), re.MULTILINE)
    return re.compile(pattern.replace("<SUBNET>", r"(?P<address>[0-9a-f.:]+(?:/\d+)?)"))


def test_the_filter_of_the_page_finds_them(tmp_path: Path) -> None:
    file = tmp_path / "imd.log"
    observer = log.observer(load({"log_file": str(file)}, {}))
    globalLogPublisher.addObserver(observer)
    try:
        server = MemoryServer()
        server.login("ann").hang_up()
        server.connect("192.0.2.7").call("login", username="ann", password="wrong")
        server.connect("192.0.2.8").call("login", username="nobody", password="wrong")
        peer = Peer(server, IPv6Address("TCP", "2001:db8:0:1::9", 4242))
        peer.send(b"LOGIN ann wrong\n")
        server.login("ann").call("change_password", old="wrong", new=PASSWORD)
    finally:
        globalLogPublisher.removeObserver(observer)
    lines = [line.partition(" ")[2] for line in file.read_text().splitlines()]
    first = next(line for line in lines if "failed" in line)
    lines.append(f"host imd[123]: {first}")  # as it comes from the journal
    found = [match for line in lines if (match := failregex().match(line))]
    assert [str(ipaddress.ip_network(match["address"])) for match in found] == [
        "192.0.2.7/32",
        "192.0.2.8/32",
        "2001:db8:0:1::/64",
        "127.0.0.1/32",
        "192.0.2.7/32",
    ]
    assert ["account 1," in match.string for match in found] == [True, False, True, True, True]


@pytest.mark.parametrize("line", ["login failed from this machine: account 1, invalid_credentials", "imd listens"])
def test_nobody_is_banned_for_another_line(line: str) -> None:
    assert failregex().match(line) is None
