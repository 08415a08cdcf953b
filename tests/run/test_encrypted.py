"""Sealed files: what went in comes out, and nothing else is taken for it."""

import io

import pytest

from imd.run import encrypted

CHUNK, TAG = encrypted.CHUNK_BYTES, encrypted.TAG_BYTES
HEAD = len(encrypted.MAGIC) + encrypted.SALT_BYTES


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real key takes 128 MiB and half a second."""
    monkeypatch.setattr(encrypted, "Scrypt", lambda **setting: Cheap(setting["salt"]))


class Cheap:
    def __init__(self, salt: bytes) -> None:
        self.salt = salt

    def derive(self, passphrase: bytes) -> bytes:
        return (passphrase + self.salt)[:32].ljust(32, b"\0")


def seal(data: bytes, passphrase: str = "open sesame") -> bytes:
    file = io.BytesIO()
    with encrypted.Encryptor(file, passphrase) as sealer:
        for start in range(0, len(data), 10_000):
            sealer.write(data[start : start + 10_000])
    return file.getvalue()


def unseal(data: bytes, passphrase: str = "open sesame") -> bytes:
    return encrypted.Decryptor(io.BytesIO(data), passphrase).readall() or b""


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7])
def test_what_goes_in_comes_out(size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    made = seal(data)
    assert unseal(made) == data
    assert len(made) == HEAD + size + TAG * max(1, -(-size // CHUNK))


def test_two_seals_of_one_thing_differ() -> None:
    assert seal(b"the same") != seal(b"the same")


THREE = bytes(3 * CHUNK)
PIECE = CHUNK + TAG


@pytest.mark.parametrize(
    "spoil",
    [
        lambda made: made[:-1],
        lambda made: made + b"\0",
        lambda made: made[: HEAD + PIECE],
        lambda made: made[: HEAD + 2 * PIECE],
        lambda made: made[:HEAD] + made[HEAD + PIECE :],
        lambda made: made[:HEAD] + made[HEAD + PIECE : HEAD + 2 * PIECE] + made[HEAD : HEAD + PIECE],
        lambda made: made[:HEAD],
        lambda made: made[: HEAD - 1] + bytes([made[HEAD - 1] ^ 1]) + made[HEAD:],
        lambda made: made[:HEAD] + bytes([made[HEAD] ^ 1]) + made[HEAD + 1 :],
        lambda made: made[:-1] + bytes([made[-1] ^ 1]),
    ],
    ids=["end", "more", "one", "two", "first", "swapped", "none", "salt", "bit", "tag"],
)
def test_what_was_changed_is_not_read(spoil: "object") -> None:
    assert callable(spoil)
    with pytest.raises(encrypted.DecryptionError):
        unseal(spoil(seal(THREE)))


def test_another_passphrase_opens_nothing() -> None:
    with pytest.raises(encrypted.DecryptionError):
        unseal(seal(b"secret"), "open barley")
    assert b"secret" not in seal(b"secret")


def test_the_real_key_is_scrypts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    made = seal(b"once")
    assert unseal(made) == b"once"


def test_sealed_files_are_known_by_their_beginning() -> None:
    for data, known in [(seal(b""), True), (b"\x1f\x8b", False), (b"", False)]:
        file = io.BytesIO(data)
        assert encrypted.is_encrypted(file) is known
        assert file.tell() == 0
