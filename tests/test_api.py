"""`imd.api` is all that embedders need: it is documented, and the examples use nothing deeper."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import imd.api

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").iterdir())
PAGE = (ROOT / "docs" / "embedding.md").read_text("utf-8")
PUBLIC = re.compile(r"imd\.(api|testing|wire)\b|imd_client\b")


def imported(tree: ast.Module) -> list[str]:
    """List the modules of ours that a program imports."""
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names += [each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names]
    return [name for name in names if re.match(r"(imd|imd_client)(\.|$)", name)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_import_what_is_public(example: Path) -> None:
    names = imported(ast.parse(example.read_text("utf-8")))
    assert names
    assert [name for name in names if not PUBLIC.match(name)] == []


@pytest.mark.parametrize("line", ["import imd.run.service", "from imd import store", "from imd.net.factory import X"])
def test_an_import_of_something_deeper_is_found(line: str) -> None:
    (name,) = imported(ast.parse(line))
    assert not PUBLIC.match(name)


def test_the_page_documents_every_name() -> None:
    first_cells = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    documented = {name for cell in first_cells for name in re.findall(r"`(\w+)", cell)}
    assert documented >= set(imd.api.__all__)


def test_the_page_documents_only_names_that_are_there() -> None:
    named = re.findall(r"^\| `(\w+)", PAGE, re.MULTILINE)
    assert [name for name in named if name not in imd.api.__all__] == []


def test_the_plugin_of_twistd_does_not_import_it() -> None:
    code = "import sys, twisted.plugins.imd_plugin; sys.exit('imd.api' in sys.modules or 'imd.engine' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
