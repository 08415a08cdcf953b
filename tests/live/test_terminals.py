"""The terminals that people have: openssl, ncat, socat, gnutls-cli. Each is a program of Debian's."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.live.daemon import Daemon

TERMINALS = {
    "openssl": "openssl s_client -quiet -connect localhost:{port}",
    "ncat": "ncat --ssl localhost {port}",
    "socat": "socat STDIO OPENSSL:localhost:{port},cafile={certificate}",
    "gnutls-cli": "gnutls-cli --x509cafile={certificate} --port {port} localhost",
}

TYPED = """\
REGISTER alice correct horse battery
LOGIN alice correct horse battery
Quote me on that? No: SEND alice 晚上好 héllo
SEND alice 晚上好 héllo
QUIT
"""


@pytest.mark.parametrize("program", TERMINALS)
def test_a_person_talks_from_it(program: str, daemon: Daemon, tmp_path: Path) -> None:
    assert shutil.which(program), f"{program} is missing; `make test` installs it"
    certificate = daemon.directory / "data" / "certificate.pem"
    command = TERMINALS[program].format(port=daemon.port, certificate=certificate).split()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as terminal:
        assert terminal.stdin is not None
        assert terminal.stdout is not None
        terminal.stdin.write(TYPED.encode())
        terminal.stdin.flush()
        shown = []
        for line in terminal.stdout:
            shown.append(line.decode().rstrip("\r\n"))
            if shown[-1] == "OK QUIT":
                break
        terminal.kill()
    assert "OK REGISTER username=alice" in shown
    assert any(line.startswith("OK LOGIN username=alice") for line in shown)
    assert any(line.startswith("ERR unknown_command") for line in shown)
    assert any(line.startswith("OK SEND conversation=1 seq=1") for line in shown)
    assert shown[-1] == "OK QUIT"
