"""Exchange the names of two folders, in one step where the system supports it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

#: From Linux' fcntl.h, and from macOS' stdio.h.
_RENAME_EXCHANGE, _RENAME_SWAP = 2, 2

#: From Linux' fcntl.h: names are relative to the current folder.
_AT_FDCWD = -100

#: The errors of systems without support; sandboxes forbid unknown calls.
_CANNOT = {
    *(errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP),
    *(errno.EPERM, errno.EACCES),
}

#: The errors for a name that is taken.
_TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR}


def exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two folders; return whether that is supported.

    Both names have a folder at all times. OSError if the exchange is supported but
    failed.
    """
    swap = _swap()
    if swap is None:
        return False
    error = swap(os.fsencode(one), os.fsencode(other))
    if error in _CANNOT:
        return False
    if error:
        raise OSError(error, os.strerror(error), str(one))
    return True


def move(folder: Path, target: Path) -> bool:
    """Rename a folder to a free name or that of an empty folder; return if that worked.

    No system renames a folder over a file, or over a folder that is not empty.
    """
    try:
        if os.name == "nt" and target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        folder.rename(target)
    except OSError as error:
        if error.errno in _TAKEN and os.path.lexists(target):
            return False
        raise
    return True


@cache
def _swap() -> Callable[[bytes, bytes], int] | None:
    """A function of the system that exchanges two names, if there is one.

    It returns 0 or an errno. Python has none (3.14).
    """
    import ctypes

    names = {"linux": "renameat2", "darwin": "renamex_np"}
    if sys.platform not in names:
        return None
    function = getattr(ctypes.CDLL(None, use_errno=True), names[sys.platform], None)
    if function is None:  # a C library older than the system call
        return None
    is_linux = sys.platform == "linux"

    def swap(one: bytes, other: bytes) -> int:
        cwd = ctypes.c_int(_AT_FDCWD)
        if is_linux:
            flag = ctypes.c_uint(_RENAME_EXCHANGE)
            failed = function(cwd, one, cwd, other, flag)
        else:
            failed = function(one, other, ctypes.c_uint(_RENAME_SWAP))
        return ctypes.get_errno() if failed else 0

    return swap
