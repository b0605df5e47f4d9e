# SPDX-License-Identifier: Apache-2.0
"""Folders that are watched for changed files, through the kernel's inotify(7).

Folders and not files: editors and tools put a new file in the old one's place, and a watch on a file would go with
the old one. Only complete changes count: a file closed after writing, moved in, moved out or deleted.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

IN_CLOSE_WRITE, IN_MOVED_FROM, IN_MOVED_TO, IN_DELETE, IN_MOVE_SELF = 0x8, 0x40, 0x80, 0x200, 0x800
IN_ONLYDIR = 0x1000000
CHANGES = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_MOVE_SELF | IN_ONLYDIR


class Watch:
    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), f"inotify: {os.strerror(ctypes.get_errno())}")
        self._folders: dict[Path, int] = {}

    def fileno(self) -> int:
        return int(self._fd)

    def set_folders(self, folders: Iterable[Path]) -> list[str]:
        """Watch these and no others. What can't be watched comes back as problems."""
        wanted = set(folders)
        for folder in self._folders.keys() - wanted:
            self._libc.inotify_rm_watch(self._fd, self._folders.pop(folder))
        return [problem for folder in sorted(wanted) if (problem := self._add(folder))]

    def changed(self) -> bool:
        """Take all that was reported. Names don't matter: a load looks at every file's time and size anyway."""
        seen = False
        with contextlib.suppress(BlockingIOError):
            while os.read(self._fd, 65536):
                seen = True
        return seen

    def close(self) -> None:
        os.close(self._fd)

    def _add(self, folder: Path) -> str:
        """Adding a folder again is how one that was replaced under its name is found."""
        number = self._libc.inotify_add_watch(self._fd, os.fsencode(folder), CHANGES)
        if number < 0:
            self._folders.pop(folder, None)
            return f"can't watch {folder}: {os.strerror(ctypes.get_errno())}"
        self._folders[folder] = number
        return ""
