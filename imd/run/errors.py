"""Errors that an operator can fix, told in one line of their language instead of a traceback."""

from imd.wire import catalog
from imd.wire.terminal import block


class OperatorError(Exception):
    """Something outside the program is wrong; str() is the sentence `[error.CASE]` of the catalog."""

    def __init__(self, case: str, **params: object) -> None:
        super().__init__(block(catalog.say(f"error.{case}", catalog.language_here(), **params)))
        self.case = case

    def exit(self) -> SystemExit:
        """Make the exception that ends the process with this line on stderr and exit code 1."""
        return SystemExit(f"imd: {self}")
