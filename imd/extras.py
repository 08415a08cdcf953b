"""How what imd can do without, and is not installed, is installed: with this interpreter's pip, package by package.

Never by imd's own name: only an index that has it under `imd-server` would do, and a checkout comes from none.
"""

import re
import shlex
import sys
import tomllib
from importlib import metadata
from pathlib import Path


def install(extra: str) -> str:
    """Give the command, for a shell, that installs what an extra of pyproject.toml asks for."""
    return shlex.join([sys.executable or "python3", "-m", "pip", "install", *_packages(extra)])


def _packages(extra: str) -> list[str]:
    try:
        declared = metadata.requires("imd-server") or []
    except metadata.PackageNotFoundError:  # a checkout that nobody installed
        project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))["project"]
        found: list[str] = project["optional-dependencies"][extra]
        return found
    ours = re.compile(rf"""(.*?)\s*;\s*extra\s*==\s*["']{extra}["']""")
    return [line[1] for line in map(ours.fullmatch, declared) if line]
