# SPDX-License-Identifier: Apache-2.0
"""Secrets that people or programs hold: how they are made, hashed and compared.

Passwords are argon2id with OWASP's parameters of 19 MiB and two passes, some 20 ms. argon2 lets go of the GIL, but a
gevent server has one thread for all its requests: there the work goes to the hub's own threads, and no other request
waits for it. Tokens are 256 random bits, which need no slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

T = TypeVar("T")
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# What an unknown user's password is compared with, so that he takes as long as a known one.
NOBODY = HASHER.hash(secrets.token_urlsafe())
REMEMBERED_SECONDS, REMEMBERED_MOST = 60, 1024


def hash_of(password: str) -> str:
    return _aside(HASHER.hash, password)


def is_right(password: str, stored: str | None) -> bool:
    """Whether it is the one whose hash is stored. None: nobody's, in the same time."""
    return _aside(_matches, stored or NOBODY, password) and stored is not None


def _matches(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _aside(work: Callable[..., T], *args: str) -> T:
    """The work's result, off the event loop where there is one."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return work(*args)
    import gevent  # type: ignore[import-untyped]  # it has no stubs; and only those who run on it load it

    result: T = gevent.get_hub().threadpool.apply(work, args)
    return result


class Remembered:
    """Pairs of password and hash that were found right within the last minute.

    For HTTP Basic, which sends the password each time. The key is a MAC of both under a key that this process alone
    has. The hash is read from the database each time, so a new password ends the old one at once.
    """

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def is_right(self, password: str, stored: str | None) -> bool:
        mac = hmac.digest(self._key, f"{stored}\0{password}".encode(), "sha256")
        if self._until.get(mac, 0) > time.monotonic():
            return True
        if not is_right(password, stored):
            return False
        self._until[mac] = time.monotonic() + REMEMBERED_SECONDS
        while len(self._until) > REMEMBERED_MOST:
            self._until.popitem(last=False)
        return True


def new_token(prefix: str = "") -> str:
    return prefix + secrets.token_urlsafe(32)


def new_password() -> str:
    return secrets.token_urlsafe(18)


def digest_of(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()
