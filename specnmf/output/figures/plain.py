"""Matplotlib as it comes: figures look alike, whatever a user's settings are.

Those are MPLBACKEND, files called matplotlibrc, and rcParams of the program that calls
us. They stay what they are for everyone else; here they count for nothing.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

#: The settings of figures; names inside an SVG are salted by the second.
SETTINGS: list[Any] = ["default", {"svg.hashsalt": "specnmf"}]

#: What names a user's settings.
VARIABLES = ("MPLBACKEND", "MATPLOTLIBRC")

_LOCK = RLock()


@contextmanager
def plain() -> Iterator[None]:
    """Draw with matplotlib's own settings; one thread at a time, for all share them."""
    with _LOCK, style.context(SETTINGS):
        yield


@contextmanager
def _silent() -> Iterator[None]:
    """Keep back what matplotlib has to say of settings and folders of caches."""
    logger = logging.getLogger("matplotlib")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _unset() -> Iterator[None]:
    """Let there be no settings but matplotlib's own."""
    exists = os.path.exists
    given = {n: os.environ.pop(n) for n in VARIABLES if n in os.environ}

    def is_there(path: Any) -> bool:
        own = "mpl-data" in str(path) or not str(path).endswith("matplotlibrc")
        return own and exists(path)

    os.path.exists = is_there
    try:
        yield
    finally:
        os.path.exists = exists
        os.environ |= given


with _silent():
    try:
        import matplotlib
    except (ValueError, OSError):  # a backend that is not there, or a broken file
        for name in [n for n in sys.modules if n.startswith("matplotlib.")]:
            del sys.modules[name]  # half of it was loaded
        with _unset():
            import matplotlib  # noqa: F401
    from matplotlib import font_manager, style  # noqa: F401
