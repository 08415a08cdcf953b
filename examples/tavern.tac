"""imd inside another Twisted application, with a command of its own. Start: twistd -ny examples/tavern.tac"""

import os
import secrets

from twisted.application.service import Application
from twisted.internet import reactor

from imd.chat.base.effects import Outcome
from imd.chat.base.handlers import live
from imd.run.config import load
from imd.run.service import Daemon
from imd.wire.base import Command, Reply, command

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
Daemon(load({}, os.environ), reactor).setServiceParent(application)
