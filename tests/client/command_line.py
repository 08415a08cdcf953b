"""The command lines of the client, read by a plain argparse parser."""

import argparse
from types import ModuleType
from typing import Any


def given(command: ModuleType, *arguments: str) -> argparse.Namespace:
    """Read a command line."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    command.add_arguments(parser)
    return parser.parse_args(arguments)


def options(command: ModuleType, *arguments: str) -> Any:
    """Read a command line, and check it."""
    return command.Options(given(command, *arguments))
