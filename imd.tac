"""imd as a twistd application: `twistd -ny imd.tac`. IMD_ variables configure it; IMD_CONFIG names a file."""

import sys
from pathlib import Path

from twisted.application.service import Application

here = Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here / "client")]  # works in a checkout without an installation

from imd.run.service import Options, makeService  # noqa: E402

options = Options()
options.parseOptions([])
application = Application("imd")
makeService(options).setServiceParent(application)
