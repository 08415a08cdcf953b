"""A file sealed with a passphrase: nobody reads it without, and no bit of it changes unnoticed.

    imd-sealed-1\\n, 16 bytes of salt, then chunks: 64 KiB and the last one's rest, each 16 bytes longer for its tag

scrypt makes the key of passphrase and salt, AES-256-GCM seals each chunk. The nonce is the chunk's number and whether
it is the last: chunks can neither change places nor be left out, nor can the end be cut off. A salt is used once, and
so is a key.
"""

import io
import os
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"imd-sealed-1\n"
SALT_BYTES = 16
CHUNK_BYTES = 65_536
TAG_BYTES = 16


class DecryptionError(Exception):
    """The passphrase is wrong, or the file is not what was sealed."""


def is_encrypted(file: IO[bytes]) -> bool:
    """Say whether a file begins like a sealed one; it is read from the beginning afterwards."""
    begins = file.read(len(MAGIC)) == MAGIC
    file.seek(0)
    return begins


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    """Make the key as OWASP's Password Storage Cheat Sheet sets scrypt: N=2^17, r=8, p=1, which takes 128 MiB."""
    return AESGCM(Scrypt(salt=salt, length=32, n=2**17, r=8, p=1).derive(passphrase.encode()))


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class Encryptor(io.RawIOBase):
    """Writes into a sealed file. Closing it seals the last chunk, and leaves the file itself open."""

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        salt = os.urandom(SALT_BYTES)
        file.write(MAGIC + salt)
        self._file = file
        self._cipher = _cipher(passphrase, salt)
        self._number = 0
        self._waiting = bytearray()

    def writable(self) -> bool:
        """Be there to be written."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes in; all but the last chunk are sealed at once."""
        self._waiting += data
        while len(self._waiting) > CHUNK_BYTES:
            self._seal(bytes(self._waiting[:CHUNK_BYTES]), last=False)
            del self._waiting[:CHUNK_BYTES]
        return len(data)

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last), chunk, None))
        self._number += 1

    def close(self) -> None:
        """Seal what is left."""
        if not self.closed:
            self._seal(bytes(self._waiting), last=True)
        super().close()


class Decryptor(io.RawIOBase):
    """Reads a sealed file. Raises DecryptionError at the first chunk that does not hold."""

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        head = file.read(len(MAGIC) + SALT_BYTES)
        self._file = file
        self._cipher = _cipher(passphrase, head[len(MAGIC) :])
        self._number = 0
        self._ahead = file.read(CHUNK_BYTES + TAG_BYTES)
        self._opened = b""
        self._over = False

    def readable(self) -> bool:
        """Be there to be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Give the next bytes."""
        while not self._opened and not self._over:
            self._opened = self._open()
        given, self._opened = self._opened[: len(buffer)], self._opened[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)

    def _open(self) -> bytes:
        chunk, self._ahead = self._ahead, self._file.read(CHUNK_BYTES + TAG_BYTES)
        self._over = not self._ahead
        try:
            opened = self._cipher.decrypt(_nonce(self._number, self._over), chunk, None)
        except (InvalidTag, ValueError):
            raise DecryptionError from None
        self._number += 1
        return opened
