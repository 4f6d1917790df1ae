"""Kernels: compiled when they are first called, and kept for the next process.

Numba keeps them beside the package, or in the user's folder of caches. Where it can
write to neither, where the disk is full or what is kept is broken, it raises errors of
its own; here such a kernel is compiled anew, and `remarks` says why.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Where kernels are kept when no folder can be written: a place that never is.
NOWHERE = os.path.join(os.devnull + ".none", "specnmf")  # noqa: PTH118  # numba's text

#: How what is said of kernels that are not kept begins.
NOT_KEPT = "compiled kernels cannot be kept"

_remarks: list[str] = []


def remarks() -> list[str]:
    """What to know of this process's kernels: a line, or nothing if they are kept."""
    return list(_remarks)


def njit(*, cache: bool = True, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Numba's ``njit``, with a cache that stops nothing when it fails.

    Parameters
    ----------
    cache : bool
        Whether the kernel is kept, where that is possible.
    **options
        Numba's.
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
    """Let packages load whose kernels cannot be kept, such as librosa's.

    Numba raises an error when such a kernel is declared. With a folder of last resort,
    it raises none before one is called.
    """
    from numba.core.caching import CacheImpl

    classes: list[Any] = CacheImpl._locator_classes
    if _Nowhere not in classes:
        classes.append(_Nowhere)


class _Nowhere:
    """What numba takes for a kernel's folder if it finds no other."""

    @classmethod
    def from_function(cls, function: Any, file: str) -> _Nowhere:
        """A place for any function."""
        return cls()

    def ensure_cache_path(self) -> None:
        """Raise OSError, for nothing can be written here."""
        raise OSError("the package and the user's cache folder cannot be written")

    def get_cache_path(self) -> str:
        """A folder that is not there."""
        return NOWHERE

    def get_source_stamp(self) -> None:
        """Nothing, for nothing is kept."""

    def get_disambiguator(self) -> str:
        """Nothing, for nothing is kept."""
        return ""


class _Cache:
    """The cache of one kernel, as numba asks and tells it: its own, made forgiving."""

    def __init__(self, function: Callable[..., Any]) -> None:
        from numba.core.caching import FunctionCache

        self.kept, self.obstacle = None, ""
        try:
            self.kept = FunctionCache(function)
        except (RuntimeError, OSError) as error:  # NUMBA_CACHE_LOCATOR_CLASSES
            self.obstacle = str(error)
            return
        if not _trusted(self.kept.cache_path, function.__code__.co_filename):
            self.obstacle = f"{self.kept.cache_path} is another user's"

    @property
    def cache_path(self) -> str | None:
        """The folder, if there is one."""
        return None if self.kept is None else str(self.kept.cache_path)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """A kernel for these types that was kept, or None."""
        if self.kept is None or self.obstacle:
            return None
        try:
            return self.kept.load_overload(signature, target)
        except Exception:  # unpickling a broken file may raise anything
            self.flush()
            return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep a kernel for these types."""
        if self.kept is not None and not self.obstacle:
            try:
                self.kept.save_overload(signature, compiled)
            except OSError as error:
                self.obstacle = error.strerror or str(error)
        self._tell()

    def flush(self) -> None:
        """Forget what is kept."""
        if self.kept is not None:
            try:
                self.kept.flush()
            except OSError as error:
                self.obstacle = error.strerror or str(error)

    def _tell(self) -> None:
        """Say, once in a process, why kernels that are compiled are not kept."""
        if self.obstacle and not _remarks:
            _remarks.append(
                f"{NOT_KEPT} ({self.obstacle}), so each process compiles them anew; "
                "set NUMBA_CACHE_DIR to a folder of your own"
            )
            warnings.warn(_remarks[0], UserWarning, stacklevel=2)


def _trusted(folder: str, source: str) -> bool:
    """Whether a folder, whose files are run, is of someone whose code runs anyhow.

    That is this user, root, or whoever owns the kernel's source.
    """
    if not (hasattr(os, "geteuid") and Path(folder).exists()):
        return True
    trusted = {os.geteuid(), 0}
    if Path(source).exists():  # not in a package that is a ZIP
        trusted.add(Path(source).stat().st_uid)
    return Path(folder).stat().st_uid in trusted
