"""Kernels: compiled when they are first called, and cached for the next process.

Numba caches them beside the package, or in the user's cache folder. If it can write to
neither, if the disk is full or the cache is broken, it raises errors of its own; here
such a kernel is compiled again, and `remarks` tells why.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: The cache folder if none can be written: a path that never exists.
NOWHERE = os.path.join(os.devnull + ".none", "specnmf")  # noqa: PTH118  # numba's text

#: The beginning of the remark on kernels that are not cached.
NOT_KEPT = "compiled kernels cannot be cached"

_remarks: list[str] = []


def remarks() -> list[str]:
    """Remarks on the kernels of this process: one line, or none if they are cached."""
    return list(_remarks)


def njit(*, cache: bool = True, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Numba's ``njit``, with a cache whose errors stop nothing.

    Parameters
    ----------
    cache : bool
        Whether to cache the kernel, if that is possible.
    **options
        Options of numba.
    """
    import numba

    prepare()

    def compiled(function: Callable[..., Any]) -> Any:
        kernel = numba.njit(**options)(function)
        if cache and kernel is not function:  # as it is with NUMBA_DISABLE_JIT
            kernel._cache = _Cache(function)
        return kernel

    return compiled


def prepare() -> None:
    """Let packages load whose kernels cannot be cached, such as librosa.

    Numba raises an error when such a kernel is declared. With a folder of last resort,
    the error comes only when a kernel is called.
    """
    from numba.core.caching import CacheImpl

    classes: list[Any] = CacheImpl._locator_classes
    if _Nowhere not in classes:
        classes.append(_Nowhere)


class _Nowhere:
    """The cache folder for numba if it finds no other."""

    @classmethod
    def from_function(cls, function: Any, file: str) -> _Nowhere:
        """A place for any function."""
        return cls()

    def ensure_cache_path(self) -> None:
        """Raise OSError, because nothing can be written here."""
        raise OSError(
            "the package folder and the user's cache folder cannot be written"
        )

    def get_cache_path(self) -> str:
        """A folder that does not exist."""
        return NOWHERE

    def get_source_stamp(self) -> None:
        """Nothing, because nothing is cached."""

    def get_disambiguator(self) -> str:
        """Nothing, because nothing is cached."""
        return ""


class _Cache:
    """The cache of one kernel with numba's interface; errors are caught."""

    def __init__(self, function: Callable[..., Any]) -> None:
        from numba.core.caching import FunctionCache

        self.kept, self.obstacle = None, ""
        try:
            self.kept = FunctionCache(function)
        except (RuntimeError, OSError) as error:  # NUMBA_CACHE_LOCATOR_CLASSES
            self.obstacle = str(error)
            return
        if not _trusted(self.kept.cache_path, function.__code__.co_filename):
            self.obstacle = f"{self.kept.cache_path} belongs to another user"

    @property
    def cache_path(self) -> str | None:
        """The folder, if there is one."""
        return None if self.kept is None else str(self.kept.cache_path)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """A cached kernel for these types, or None."""
        if self.kept is None or self.obstacle:
            return None
        try:
            return self.kept.load_overload(signature, target)
        except Exception:  # unpickling a broken file may raise anything
            self.flush()
            return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Cache a kernel for these types."""
        if self.kept is not None and not self.obstacle:
            try:
                self.kept.save_overload(signature, compiled)
            except OSError as error:
                self.obstacle = error.strerror or str(error)
        self._tell()

    def flush(self) -> None:
        """Delete what is cached."""
        if self.kept is not None:
            try:
                self.kept.flush()
            except OSError as error:
                self.obstacle = error.strerror or str(error)

    def _tell(self) -> None:
        """Say, once per process, why compiled kernels are not cached."""
        if self.obstacle and not _remarks:
            _remarks.append(
                f"{NOT_KEPT} ({self.obstacle}), so each process compiles them again; "
                "set NUMBA_CACHE_DIR to a folder that you can write to"
            )
            warnings.warn(_remarks[0], UserWarning, stacklevel=2)


def _trusted(folder: str, source: str) -> bool:
    """Whether a cache folder, whose files are executed, belongs to a trusted user.

    That is this user, root, or the owner of the kernel's source.
    """
    if not (hasattr(os, "geteuid") and Path(folder).exists()):
        return True
    trusted = {os.geteuid(), 0}
    if Path(source).exists():  # not in a package that is a ZIP
        trusted.add(Path(source).stat().st_uid)
    return Path(folder).stat().st_uid in trusted
