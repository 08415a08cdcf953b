"""imd inside another Twisted application, with a command of its own. Start: twistd -ny examples/tavern.tac"""

import os
import secrets

from twisted.application.service import Application
from twisted.internet import reactor

from imd.api import Command, Daemon, Outcome, Reply, command, live, load_config

class Rolled(Reply, frozen=True, kw_only=True):
    result: int

@command("roll", "ROLL sides", sentences={"help": {"en": "Roll a die."}, "reply": {"en": "Rolled."}, "sides": {"en": "faces"}})
class Roll(Command, frozen=True, kw_only=True):
    sides: int = 6
    reply = Rolled

@live(Roll)
def roll(caller, command):
    return Outcome(Rolled(result=secrets.randbelow(max(command.sides, 1)) + 1))

application = Application("tavern")
Daemon(load_config({}, os.environ), reactor).setServiceParent(application)
