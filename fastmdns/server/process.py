# SPDX-License-Identifier: Apache-2.0
"""What every process of the server does about itself: signals, limits, privileges, its parent's death.

Signals never run code: set_wakeup_fd writes their numbers into a pipe, and the process's own loop reads them there.
A child whose parent dies gets TERM from the kernel (PR_SET_PDEATHSIG): it closes its listening sockets at once, so a
new master can bind, and drains what runs; its own deadline ends it for certain.
"""

from __future__ import annotations

import ctypes
import grp
import os
import pwd
import resource
import signal
from collections.abc import Iterable
from pathlib import Path

from fastmdns.errors import ConfigError

PR_SET_PDEATHSIG, PR_SET_NAME, PR_SET_NO_NEW_PRIVS = 1, 15, 38
EXIT_OK, EXIT_FAILED, EXIT_CANNOT_BOOT = 0, 1, 3


def _prctl(option: int, argument: int | bytes) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, argument, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl: {os.strerror(ctypes.get_errno())}")


class Signals:
    """The signals of a process as a readable descriptor."""

    def __init__(self, wanted: Iterable[signal.Signals], ignored: Iterable[signal.Signals] = ()) -> None:
        self.reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for one in wanted:
            signal.signal(one, lambda signum, frame: None)
        for one in ignored:
            signal.signal(one, signal.SIG_IGN)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def fileno(self) -> int:
        return self.reader

    def take(self) -> list[int]:
        """Numbers that came since the last time."""
        try:
            return list(os.read(self.reader, 1024))
        except BlockingIOError:
            return []

    def close(self) -> None:
        signal.set_wakeup_fd(-1)
        os.close(self.reader)
        os.close(self._writer)


def fork() -> int:
    """os.fork() with all signals blocked, so none is lost between the fork and the child's own Signals. The child must
    never return to its caller's caller. 0 in the child."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def become_child(parent: int, title: str) -> None:
    """First thing in a child."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we asked to be told
        os._exit(EXIT_FAILED)
    _prctl(PR_SET_NAME, title.encode()[:15])


def raise_file_limit() -> None:
    """As many descriptors as the hard limit gives: the default soft limit serves select(2), which nothing here uses."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def ids_from_config(user: str, group: str) -> tuple[int, int] | None:
    """(uid, gid) to become; None to stay."""
    if not user and not group:
        return None
    try:
        entry = pwd.getpwnam(user) if user else pwd.getpwuid(os.getuid())
        gid = grp.getgrnam(group).gr_gid if group else entry.pw_gid
    except KeyError as error:
        raise ConfigError(f"user or group unknown: {error}") from None
    return entry.pw_uid, gid


def drop_privileges(user: str, group: str) -> None:
    """For good, and for all children. Whoever we are, no later exec can gain any."""
    ids = ids_from_config(user, group)
    if ids is not None and ids != (os.getuid(), os.getgid()):
        uid, gid = ids
        try:
            os.setgroups([gid])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
        except PermissionError:
            raise ConfigError(f"can't become user {user or uid}: only root can") from None
    _prctl(PR_SET_NO_NEW_PRIVS, 1)


def prepare_folder(folder: Path, user: str, group: str) -> None:
    """The store's folder exists and belongs to whom we'll become."""
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        ids = ids_from_config(user, group)
        if ids is not None and os.geteuid() == 0:
            for path in (folder, *folder.iterdir()):
                os.chown(path, *ids, follow_symlinks=False)
    except OSError as error:
        raise ConfigError(f"can't use {folder} as the store: {error.strerror}") from None
