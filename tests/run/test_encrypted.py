"""Encrypted files: what went in comes out; `age` reads what we write, and we what it writes; memory stays flat."""

import base64
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest

from imd.run import encrypted
from imd.run.errors import OperatorError
from tests.run.identities import ALICE, BOB, PASSPHRASE, PROTECTED

CHUNK = 65_536

age = pytest.mark.skipif(shutil.which("age") is None, reason="age is not here (Debian: age)")


def not_asked() -> str:
    raise AssertionError("nobody need be asked for a passphrase")


def encrypt(data: bytes, *identities: Any) -> bytes:
    file = io.BytesIO()
    with encrypted.encrypting(file, [each.to_public() for each in identities or (ALICE,)]) as body:
        for start in range(0, len(data), 10_000):
            body.write(data[start : start + 10_000])
    return file.getvalue()


def decrypt(data: bytes, identity: Any = ALICE) -> bytes:
    with encrypted.decrypting(io.BytesIO(data), [identity]) as body:
        return body.read()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7, 2_000_000])
def test_what_goes_in_comes_out(size: int) -> None:
    data = os.urandom(size)
    made = encrypt(data, ALICE, BOB)
    assert decrypt(made) == decrypt(made, BOB) == data
    assert size < 100 or data[:100] not in made
    assert encrypt(data) != encrypt(data)


HEAD = encrypt(b"").index(b"\n--- ") + 60
"""Where the header, whose length does not change, is over and the nonce begins."""

PIECE = CHUNK + 16


@pytest.mark.parametrize(
    "spoil",
    [
        lambda made: made[:-1],
        lambda made: made + b"\0",
        lambda made: made[: -PIECE - 20],
        lambda made: made[: HEAD + 16],
        lambda made: made[:HEAD],
        lambda made: made[:40] + bytes([made[40] ^ 1]) + made[41:],
        lambda made: made[: HEAD + PIECE] + bytes([made[HEAD + PIECE] ^ 1]) + made[HEAD + PIECE + 1 :],
        lambda made: made[:-1] + bytes([made[-1] ^ 1]),
    ],
    ids=["end", "more", "last", "none", "header", "key", "bit", "tag"],
)
def test_what_was_changed_is_not_read(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(encrypted.DecryptionError):
        decrypt(spoil(encrypt(bytes(3 * CHUNK))))


def test_another_identity_opens_nothing() -> None:
    with pytest.raises(encrypted.DecryptionError):
        decrypt(encrypt(b"secret"), BOB)


def test_a_reader_that_stops_early_ends_it() -> None:
    made = encrypt(bytes(2_000_000))
    with encrypted.decrypting(io.BytesIO(made), [ALICE]) as body:
        assert body.read(10) == bytes(10)
    with pytest.raises(KeyError), encrypted.decrypting(io.BytesIO(made), [ALICE]):
        raise KeyError("an error of the reader's own is not taken for a damaged file")


def test_the_disks_error_is_the_one_that_is_raised() -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    def fill() -> None:
        with encrypted.encrypting(Full(), [ALICE.to_public()]) as body:
            for _ in range(100):
                body.write(bytes(CHUNK))

    with pytest.raises(OSError, match="No space left on device") as error:
        fill()
    assert error.value.errno == 28

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"), encrypted.decrypting(Broken(), [ALICE]) as body:
        body.read()


def test_encrypted_files_are_known_by_their_beginning() -> None:
    armored = pyrage.encrypt(b"", [ALICE.to_public()], armored=True)
    for data, known in [(encrypt(b""), True), (armored, True), (b"\x1f\x8b", False), (b"", False)]:
        assert encrypted.is_encrypted(data[: encrypted.LONGEST_START]) is known
    assert decrypt(armored) == b""


def test_memory_stays_flat(tmp_path: Path) -> None:
    """A hundred MiB go through a process that has little more than it had for one."""
    script = (
        "import resource, sys; from pathlib import Path; import pyrage; from imd.run import encrypted\n"
        "key, file = pyrage.x25519.Identity.generate(), Path(sys.argv[1])\n"
        "def peak():\n"
        "    with file.open('wb') as to, encrypted.encrypting(to, [key.to_public()]) as body:\n"
        "        for _ in range(mib): body.write(bytes(2**20))\n"
        "    with file.open('rb') as made, encrypted.decrypting(made, [key]) as body:\n"
        "        while body.read(2**20): pass\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "mib = 1; small = peak(); mib = 100; print(peak() - small)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "f"], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 8, "MiB"


def test_an_identity_is_made(tmp_path: Path) -> None:
    public = encrypted.make_identity(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    [identity] = encrypted.identities(tmp_path / "key", not_asked)
    assert str(identity.to_public()) == public == str(encrypted.recipient(public))
    assert str(identity) not in public
    with pytest.raises(OperatorError, match=f"cannot write {tmp_path}/key: File exists"):
        encrypted.make_identity(tmp_path / "key")


@pytest.mark.parametrize("armored", [False, True])
def test_an_identity_may_have_a_passphrase(tmp_path: Path, armored: bool) -> None:
    file = tmp_path / "key.age"
    body = PROTECTED.split("-----")[2]
    file.write_bytes(PROTECTED.encode() if armored else base64.b64decode(body))
    assert list(map(str, encrypted.identities(file, lambda: PASSPHRASE))) == [str(ALICE), str(BOB)]
    with pytest.raises(OperatorError, match="the passphrase is wrong, the file is damaged, or"):
        encrypted.identities(file, lambda: "open barley")


@pytest.mark.parametrize("content", ["", "# nothing\n", "what is this\n", "\xff", str(ALICE.to_public())], ids=range(5))
def test_what_is_no_identity(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content, "latin-1")
    with pytest.raises(OperatorError, match=f"{tmp_path}/key holds no age identity"):
        encrypted.identities(tmp_path / "key", not_asked)
    with pytest.raises(OperatorError, match=f"cannot read {tmp_path}/none: No such file or directory"):
        encrypted.identities(tmp_path / "none", not_asked)


@pytest.mark.parametrize("text", ["", "bob", "age1bob", str(ALICE), "ssh-ed25519 AAAA"], ids=range(5))
def test_what_is_no_recipient(text: str) -> None:
    with pytest.raises(OperatorError, match="must be an age recipient") as error:
        encrypted.recipient(text)
    assert "SECRET" not in str(error.value)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyrage", None)
    for attempt in (
        lambda: encrypted.recipient("age1"),
        lambda: encrypted.identities(tmp_path, not_asked),
        lambda: encrypted.make_identity(tmp_path / "key"),
    ):
        with pytest.raises(OperatorError, match=r"encrypted backups need another package: .* install .*pyrage"):
            attempt()


# -- the program `age`


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """An identity made by age itself."""
    subprocess.run(["age-keygen", "-o", tmp_path / "key"], check=True, capture_output=True)
    return tmp_path / "key"


@age
def test_age_reads_what_we_write(tmp_path: Path, key: Path) -> None:
    [identity], data = encrypted.identities(key, not_asked), os.urandom(200_000)
    (tmp_path / "ours").write_bytes(encrypt(data, BOB, identity))
    done = subprocess.run(["age", "--decrypt", "-i", key, tmp_path / "ours"], check=True, capture_output=True)
    assert done.stdout == data
    encrypted.make_identity(tmp_path / "mine")
    public = subprocess.run(["age-keygen", "-y", tmp_path / "mine"], check=True, capture_output=True, text=True)
    assert public.stdout.strip() in (tmp_path / "mine").read_text()


@age
@pytest.mark.parametrize("armor", [[], ["--armor"]])
def test_we_read_what_age_writes(key: Path, armor: list[str]) -> None:
    [identity], data = encrypted.identities(key, not_asked), os.urandom(200_000)
    command = ["age", *armor, "--recipient", str(identity.to_public())]
    done = subprocess.run(command, input=data, check=True, capture_output=True)
    assert decrypt(done.stdout, identity) == data


@age
def test_we_read_an_identity_that_age_gave_a_passphrase(tmp_path: Path, key: Path) -> None:
    command = f"age --passphrase --output {tmp_path}/key.age {key}"
    twice = b"open sesame\n" * 2
    subprocess.run(["script", "-qec", command, "/dev/null"], input=twice, check=True, capture_output=True, timeout=60)
    [protected], [plain] = (encrypted.identities(file, lambda: "open sesame") for file in (tmp_path / "key.age", key))
    assert str(protected) == str(plain)
