"""What an operator must mend before imd can go on: one clear line, in their language, instead of a traceback."""

from imd.wire import catalog
from imd.wire.terminal import block


class OperatorError(Exception):
    """Something outside the program is wrong; str() is the sentence, from `[error.CASE]` of the catalog."""

    def __init__(self, case: str, **params: object) -> None:
        super().__init__(block(catalog.say(f"error.{case}", catalog.language_here(), **params)))
        self.case = case

    def exit(self) -> SystemExit:
        """Give what ends the process with this line on stderr and status 1."""
        return SystemExit(f"imd: {self}")
