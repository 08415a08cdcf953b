"""imd as a twistd application: `twistd -ny imd.tac`. Configuration comes from IMD_... variables (IMD_CONFIG names a file)."""

import sys
from pathlib import Path

from twisted.application.service import Application

here = Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here / "client")]  # a bare checkout, installed nowhere

from imd.run.service import Options, makeService  # noqa: E402

options = Options()
options.parseOptions([])
application = Application("imd")
makeService(options).setServiceParent(application)
