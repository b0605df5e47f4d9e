# SPDX-License-Identifier: Apache-2.0
"""Secrets as they lie in the database: AES-256-GCM, bound to the place where they lie, and never in a log.

    version (1 octet) · id of the key (4) · nonce (12) · ciphertext and tag

The first key of secret_key seals, all of them open: put a new one in front, let `fastmdns db reseal` run, then drop the
old one. Without the setting, a key is made in a file beside an SQLite database.
"""

from __future__ import annotations

import base64
import hashlib
import os
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from control.config import KEY_SIZE, secret_keys
from control.errors import Unavailable

VERSION = b"\x01"
KEY_ID, NONCE = 4, 12
HEAD = len(VERSION) + KEY_ID
OWNER_ONLY = 0o600


class Box:
    """Seals and opens with the keys that it was given."""

    def __init__(self, keys: list[bytes]) -> None:
        self._keys = {hashlib.sha256(key).digest()[:KEY_ID]: AESGCM(key) for key in keys}
        self._first = next(iter(self._keys))

    def seal(self, secret: str, place: str) -> bytes:
        nonce = os.urandom(NONCE)
        sealed = self._keys[self._first].encrypt(nonce, secret.encode(), place.encode())
        return VERSION + self._first + nonce + sealed

    def open(self, sealed: bytes, place: str) -> str:
        """The secret; Unavailable where none of the keys sealed it for this place."""
        key = self._keys.get(sealed[len(VERSION) : HEAD])
        if key is None or not sealed.startswith(VERSION):
            raise Unavailable("configuration_error", "secret_key lacks the key that a secret was sealed with")
        try:
            return key.decrypt(sealed[HEAD : HEAD + NONCE], sealed[HEAD + NONCE :], place.encode()).decode()
        except InvalidTag:
            raise Unavailable("configuration_error", "a secret in the database is damaged") from None


@lru_cache(16)
def box(secret_key: str, database_file: Path | None) -> Box:
    """The box of a setting, or of the key beside the database's file."""
    if secret_key:
        return Box(secret_keys(secret_key))
    if database_file is None:
        raise Unavailable("configuration_error", "secrets can't be kept: the setting secret_key is empty")
    return Box(secret_keys(_made_once(database_file.with_name(database_file.name + ".key"))))


def _made_once(file: Path) -> str:
    """The key in the file, which is made where it is not there; of processes that make it at once, one does."""
    if not file.exists():
        ours = file.with_name(f"{file.name}.{os.urandom(8).hex()}")
        ours.touch(OWNER_ONLY, exist_ok=False)
        with ours.open("wb") as written:
            written.write(base64.b64encode(os.urandom(KEY_SIZE)) + b"\n")
            written.flush()
            os.fsync(written.fileno())
        try:
            file.hardlink_to(ours)
        except FileExistsError:
            pass
        finally:
            ours.unlink()
    if file.stat().st_mode & 0o077:
        raise Unavailable("configuration_error", f"{file} can be read by others; chmod 600 it")
    return file.read_text("ascii")
