"""The pepper: the secret that the hashes of keys are made with, so that who reads the store alone can try nothing."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

BYTES = 32
FILE_NAME = "key.pepper"


def hash_with(pepper: bytes, secret: str) -> str:
    """What is stored of a key."""
    return hmac.new(pepper, secret.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def mark_of(pepper: bytes) -> str:
    """What tells this pepper from another, and nothing about it."""
    return hash_with(pepper, "waypost pepper mark")[:32]


def read_pepper(path: Path) -> bytes:
    """The pepper in a file. Raises OSError, and ValueError when there is none in it."""
    pepper = bytes.fromhex(path.read_text(encoding="ascii").strip())
    if len(pepper) != BYTES:
        raise ValueError(f"has {len(pepper)} bytes; {BYTES} are needed, in hexadecimal")
    return pepper


def found_or_drawn_pepper(data_dir: Path) -> bytes:
    """The pepper in the data directory; drawn and on disk when this returns, where there was none.

    Raises OSError, and ValueError for a file with something else in it.
    """
    path = data_dir / FILE_NAME
    try:
        return read_pepper(path)
    except FileNotFoundError:
        pass
    data_dir.mkdir(parents=True, exist_ok=True)
    pepper = secrets.token_bytes(BYTES)
    write_private(path, pepper.hex() + "\n")
    return pepper


def write_private(path: Path, text: str) -> None:
    """A file that only its owner can read, on disk when this returns."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
