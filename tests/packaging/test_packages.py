"""What is built and installed: wheel, sdist, editable install and the bare checkout all give `twistd` the daemon."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
BORROWED = sysconfig.get_path("purelib")
"""Where our own environment's packages lie."""

LEFT_BEHIND = (".venv", ".git", "imd-data", "*_cache", "__pycache__", "dist", ".coverage*", ".hypothesis")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a program away from the checkout, and give what it printed."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("IMD_", "PYTHON"))}
    done = subprocess.run(command, cwd=cwd, env=clean | environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout in which twistd has already left its cache of plugins."""
    copy = tmp_path_factory.mktemp("copy") / "imd"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    (copy / "twisted" / "plugins" / "dropin.cache").write_bytes(b"stale")
    return copy


@pytest.fixture(scope="module")
def built(checkout: Path) -> Path:
    """The directory of a wheel and an sdist."""
    run(sys.executable, "-m", "hatchling", "build", "-d", checkout / "dist", cwd=checkout)
    return checkout / "dist"


@pytest.fixture
def installed(tmp_path: Path) -> Callable[..., Path]:
    """Give the Python of a new environment: imd installed as asked, all else borrowed, nothing downloaded."""

    def install(what: str | Path, *, editable: bool = False, into: Path = tmp_path) -> Path:
        python = into / "venv" / "bin" / "python"
        venv.create(into / "venv", with_pip=False)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
        pip += ["install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed"]
        run(*pip, *["--editable"] * editable, what, cwd=tmp_path, PYTHONPATH=BORROWED)
        site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
        (Path(site) / "borrowed.pth").write_text(BORROWED)
        return python

    return install


def twistd(python: Path, *arguments: str, cwd: Path) -> str:
    """Run an environment's twistd."""
    return run(python, "-c", "from twisted.scripts.twistd import run; run()", *arguments, cwd=cwd)


def lines_about_imd(python: Path, cwd: Path) -> list[str]:
    """List the lines of `twistd --help` that offer imd."""
    return [line for line in twistd(python, "--help", cwd=cwd).splitlines() if line.split()[:1] == ["imd"]]


def test_the_wheel_holds_what_runs(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    for path in ("imd", "client/imd_client", "twisted"):
        there = {file.relative_to(ROOT) for file in (ROOT / path).rglob("*") if file.suffix in (".py", ".sql", ".toml")}
        assert {str(each).removeprefix("client/") for each in there} <= held
    assert not {path for path in held if path.startswith(("tests", "bench", "examples", "tools")) or "dropin" in path}
    assert not held & {"twisted/__init__.py", "twisted/plugins/__init__.py"}


def test_the_sdist_holds_the_checkout(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Makefile", "imd.tac", "LICENSE", "CHANGELOG.md", "README.md", "twisted/plugins/imd_plugin.py"} <= held
    assert {
        "tests/packaging/test_packages.py",
        ".ci/environment",
        "tools/reference.toml",
        "imd/wire/catalog/messages.toml",
    } <= held
    assert not {name for name in held if name.endswith(("dropin.cache", ".pyc")) or "imd-data" in name}


def hint(python: Path, cwd: Path) -> list[str]:
    """Give the words of the command that installs an extra, as an installation says it."""
    return shlex.split(run(python, "-c", "from imd.extras import install; print(install('metrics'))", cwd=cwd))


def test_the_wheel_is_named_so_that_nobody_installs_somebody_elses(
    built: Path, installed: Callable[..., Path], tmp_path: Path
) -> None:
    (wheel,) = built.glob("*.whl")
    assert wheel.name.startswith("imd_server-")
    tmp_path = tmp_path / "it's here"
    python = installed(wheel, into=tmp_path)
    *pip, package = hint(python, tmp_path)
    assert pip == [str(python), "-m", "pip", "install"]
    assert Requirement(package) == Requirement("prometheus-client >= 0.21, < 1")


def test_no_page_and_no_program_installs_by_our_name() -> None:
    """What the index has under `imd` is not ours, and under `imd-server` there may be nothing."""
    rooms = ("imd", "client", "docs", "deploy", "examples", "bench", ".ci", "Makefile", "README.md", "README.zh.md")
    files = [each for room in rooms for each in [ROOT / room, *(ROOT / room).rglob("*")] if each.is_file()]
    assert len(files) > 200
    texts = {each: each.read_text("utf-8") for each in files if each.suffix not in (".png", ".pyc")}
    assert not [
        each for each, text in texts.items() if re.search(r"pip[^\n]* install[^\n]*\bimd(-server)?\b(?!/)", text)
    ]


def test_an_installed_wheel_gives_twistd_the_daemon(
    built: Path, installed: Callable[..., Path], tmp_path: Path
) -> None:
    (wheel,) = built.glob("*.whl")
    python = installed(wheel)
    assert len(lines_about_imd(python, tmp_path)) == 1
    (site,) = (tmp_path / "venv").rglob("site-packages")
    where = run(python, "-c", "import imd, imd_client; print(imd.__file__, imd_client.__file__)", cwd=tmp_path)
    assert where.split() == [str(site / "imd" / "__init__.py"), str(site / "imd_client" / "__init__.py")]
    assert "--data-dir" in twistd(python, "imd", "--help", cwd=tmp_path)
    assert run(tmp_path / "venv" / "bin" / "imd", "--version", cwd=tmp_path).startswith("imd ")


def test_an_editable_install_gives_twistd_the_daemon(
    checkout: Path, installed: Callable[..., Path], tmp_path: Path
) -> None:
    python = installed(checkout, editable=True)
    assert len(lines_about_imd(python, tmp_path)) == 1
    assert len(lines_about_imd(python, checkout)) == 1
    where = run(python, "-c", "import imd, imd_client; print(imd.__file__, imd_client.__file__)", cwd=tmp_path)
    assert where.split() == [str(checkout / "imd/__init__.py"), str(checkout / "client/imd_client/__init__.py")]
    assert not list((tmp_path / "venv").rglob("imd_plugin.py")), "a copy of the plugin would grow stale"
    assert Requirement(hint(python, tmp_path)[-1]) == Requirement("prometheus-client >= 0.21, < 1")


def test_imd_tac_loads_in_a_bare_checkout(checkout: Path, tmp_path: Path) -> None:
    """With Twisted and the dependencies, but imd installed nowhere."""
    bare = tmp_path / "site"
    bare.mkdir()
    for package in Path(BORROWED).iterdir():
        if "imd" not in package.name:
            (bare / package.name).symlink_to(package)
    (tmp_path / "load.py").write_text(  # a file, and not -c, which would have the checkout on its path
        "from twisted.application.service import IServiceCollection, loadApplication\n"
        "application = loadApplication('imd.tac', 'python')\n"
        "(daemon,) = IServiceCollection(application)\n"
        "import imd\n"
        "from imd.extras import install\n"
        "print(imd.__file__, daemon.directory.path, len(list(daemon)))\n"
        "print(install('metrics'))\n"
    )
    settings = {
        "IMD_DATA_DIR": str(tmp_path / "data"),
        "IMD_LISTEN": "imd:0:interface=127.0.0.1",
        "PYTHONPATH": str(bare),
    }
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    printed = run(base, "-S", tmp_path / "load.py", cwd=checkout, **settings)
    told, command = printed.splitlines()
    assert told.split() == [str(checkout / "imd/__init__.py"), str(tmp_path / "data"), "1"]
    assert command == f"{base} -m pip install 'prometheus-client >= 0.21, < 1'"
