"""Every example that HELP shows works, on a server where what it names exists."""

import pytest

from imd.testing import PASSWORD, MemoryServer, Terminal
from imd.wire.base import Spec, registry
from tests.chat.authenticator import code

SPECS = [spec for spec in registry if spec.shape.__module__.startswith("imd.wire.")]
BEFORE = {
    "friend_accept": ["bob FRIEND ADD alice"],
    "friend_decline": ["bob FRIEND ADD alice"],
    "friend_note": ["bob FRIEND ADD alice", "alice FRIEND ADD bob"],
    "friend_remove": ["bob FRIEND ADD alice", "alice FRIEND ADD bob"],
    "announcement_remove": ["alice ANNOUNCEMENT ADD hello"],
    "announcement_seen": ["alice ANNOUNCEMENT ADD hello"],
    "export_part": ["alice EXPORT"],
    "invite_revoke": ["alice INVITE CREATE"],
    "report_resolve": ["bob REPORT alice 1 rude"],
    "revoke_device": [f"other LOGIN alice device=laptop {PASSWORD}"],
    "factor_confirm": [f"alice FACTOR ADD {PASSWORD}"],
    "factor_codes": [f"alice FACTOR ADD {PASSWORD}", "alice FACTOR CONFIRM <code-1>"],
    "factor_remove": [f"alice FACTOR ADD {PASSWORD}", "alice FACTOR CONFIRM <code-1>"],
    "group_approve": ["alice GROUP SET #team join_mode=request", "carol GROUP JOIN #team"],
    "group_create": ["alice GROUP DELETE #team"],
    "group_join": ["alice GROUP LEAVE #team", "bob GROUP INVITE #team alice"],
}
"""What must have happened for an example to make sense: who types which line. <code-1> is an authenticator's last."""


@pytest.fixture
def people() -> dict[str, Terminal]:
    """Alice, an admin; Bob, with whom she talks; Eve, a member of their group; others; and one not logged in."""
    server = MemoryServer()
    people = {name: server.connect() for name in ("alice", "bob", "carol", "eve", "mallory", "other")}
    for name, terminal in people.items():
        terminal.say(f"REGISTER {name} {PASSWORD}")
    server.database.write(lambda tx: tx.execute("UPDATE account SET admin = 1 WHERE username = 'alice'"), print)
    server.settle()
    for name in ("alice", "bob", "carol", "eve", "mallory"):
        people[name].say(f"LOGIN {name} device=phone {PASSWORD}")
    for name, line in (
        ("alice", "SEND bob one"),
        ("bob", "SEND alice two"),
        ("bob", "SEND alice three"),
        ("alice", "GROUP CREATE #team join_mode=open The team"),
        ("bob", "GROUP JOIN #team"),
        ("eve", "GROUP JOIN #team"),
    ):
        types(people[name], line)
    return people


def types(terminal: Terminal, line: str) -> str:
    """Type a line and give the last line of its answer."""
    terminal.server.clock.advance(1)
    terminal.heard()
    terminal.say(line.replace("<code-1>", digits(terminal, -1)))
    return [each for each in terminal.heard() if each.startswith(("OK", "ERR"))][-1]


def digits(terminal: Terminal, steps: int) -> str:
    """Give what an authenticator shows for alice's secret, so many steps of 30 seconds from now."""
    found = terminal.server.database.read(lambda tx: tx.execute("SELECT secret FROM second_factor").fetchone()).result
    return code(found[0], terminal.server.server.now(), steps) if found else ""


NEW = {"register": "newcomer", "user_add": "newcomer"}
"""Commands whose example needs a name that is not taken yet."""


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.action)
def test_an_example_works(people: dict[str, Terminal], spec: Spec) -> None:
    for step in BEFORE.get(spec.action, ()):
        name, line = step.split(" ", 1)
        assert types(people[name], line).startswith("OK"), step
    me = people["other"] if spec.action in {"register", "login", "resume"} else people["alice"]
    line = spec.shape.example
    if spec.action in NEW:
        line = line.replace(line.split()[spec.verb.count(" ") + 1], NEW[spec.action])
    if spec.action.startswith("factor_"):
        line = line.replace("123456", digits(me, 0))
    if spec.action == "resume":
        assert types(me, line).startswith("ERR invalid_credentials"), "nobody's token stands in an example"
    else:
        assert types(me, line).startswith(f"OK {spec.verb}")
