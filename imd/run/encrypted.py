"""Encrypted backups in the age format (age-encryption.org/v1), which `age` and other programs open as well.

A backup is encrypted to recipients, so a server that makes one needs no secret; the identity of one of them opens it.
An identity file may itself be encrypted with a passphrase, as `age -p` does. This needs the extra `encryption`.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from typing import IO, Any

from imd.extras import install
from imd.run.errors import OperatorError

STARTS = (b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----")

LONGEST_START = max(map(len, STARTS))

Identities = Sequence[Any]


class DecryptionError(Exception):
    """No identity opens the file, or it is damaged."""


def _age() -> Any:
    try:
        return import_module("pyrage")
    except ImportError:
        raise OperatorError("encryption_extra", command=install("encryption")) from None


def is_encrypted(start: bytes) -> bool:
    """Say whether a file that starts like this is encrypted."""
    return start.startswith(STARTS)


def recipient(text: str) -> Any:
    """Read a recipient, `age1...`. Raises OperatorError, which does not repeat what may be an identity by mistake."""
    age = _age()
    try:
        return age.x25519.Recipient.from_str(text)
    except age.RecipientError:
        raise OperatorError("recipient") from None


def identities(path: Path, passphrase: Callable[[], str]) -> Identities:
    """Read an identity file; asks for the passphrase of one that is encrypted. Raises OperatorError."""
    age = _age()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OperatorError("unreadable", path=path, reason=error.strerror) from None
    try:
        if is_encrypted(data):
            data = age.passphrase.decrypt(data, passphrase())
        lines = [line.strip() for line in data.decode("ascii", "replace").splitlines()]
        found = [age.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except age.DecryptError:
        raise OperatorError("identity.passphrase", path=path) from None
    except age.IdentityError:
        found = []
    if not found:
        raise OperatorError("identity.none", path=path)
    return found


def make_identity(path: Path) -> str:
    """Write a new identity into a file, as `age-keygen` does, and give its recipient. Raises OperatorError."""
    identity = _age().x25519.Identity.generate()
    public, now = str(identity.to_public()), datetime.now(UTC).isoformat(timespec="seconds")
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"# created: {now}\n# public key: {public}\n{identity}\n")
    except OSError as error:
        raise OperatorError("backup.unwritten", path=path, reason=error.strerror) from None
    return public


class _File:
    """A file that keeps its OSError: age raises one of its own, with the text of it alone."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.error: OSError | None = None

    def read(self, size: int) -> bytes:
        with self._kept():
            return self.file.read(size)

    def write(self, data: bytes) -> int:
        with self._kept():
            return self.file.write(data)

    def flush(self) -> None:
        with self._kept():
            self.file.flush()

    @contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.error = error
            raise


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    outlet, inlet = os.pipe()
    return open(outlet, "rb"), open(inlet, "wb")  # each end is closed by the thread that uses it


@contextmanager
def encrypting(file: IO[bytes], recipients: Sequence[Any]) -> Iterator[IO[bytes]]:
    """Give a file to write to; what is written arrives in `file`, encrypted. Raises the OSError of that one."""
    age, target, failures = _age(), _File(file), list[Exception]()
    outlet, inlet = _pipe()

    def encrypt() -> None:
        with outlet:  # its end is the writer's BrokenPipeError
            try:
                age.encrypt_io(outlet, target, recipients)
            except Exception as error:
                failures.append(target.error or error)

    thread = Thread(target=encrypt, name="encrypt")
    thread.start()
    try:
        try:
            with inlet:
                yield inlet
        finally:
            thread.join()
    except BrokenPipeError:
        if not failures:
            raise
    if failures:
        raise failures[0]


@contextmanager
def decrypting(file: IO[bytes], identities: Identities) -> Iterator[IO[bytes]]:
    """Give a file to read: `file`, decrypted. Raises DecryptionError, or the OSError of `file`, when it was read."""
    age, source, failures, stopped = _age(), _File(file), list[Exception](), Event()
    outlet, inlet = _pipe()

    def decrypt() -> None:
        try:
            age.decrypt_io(source, inlet, identities)
        except Exception as error:
            if not stopped.is_set():  # else it is only that nobody reads on
                failures.append(error)
        with suppress(OSError):
            inlet.close()  # after the failure is noted: the reader asks for it at this end

    thread = Thread(target=decrypt, name="decrypt")
    thread.start()
    try:
        try:
            yield outlet
        finally:
            stopped.set()
            outlet.close()
            thread.join()
    except Exception:
        if not failures:
            raise
    if failures:
        raise source.error or DecryptionError from failures[0]
