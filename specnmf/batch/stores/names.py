"""Names of files within a store, and URLs."""

from __future__ import annotations

import os
import re

from specnmf.errors import ParameterError

#: Two letters at least: `c://` begins a path on Windows.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_url(location: str | os.PathLike[str]) -> bool:
    """Whether a location begins with a scheme like ``s3://``."""
    return _URL.match(os.fspath(location)) is not None


def check_name(name: str) -> str:
    """Return a name that leads to no place outside of its store.

    Raises
    ------
    ParameterError
        For any other.
    """
    if not is_safe(name):
        raise ParameterError(f"{name!r}: expected the name of a file within its folder")
    return name


def is_safe(name: str) -> bool:
    """Whether a name, on this system, leads to a place within its store."""
    parts = name.replace(os.sep, "/").split("/")
    drive = os.path.splitdrive(name)[0]
    return not ({"", ".", ".."} & set(parts) or drive or "\0" in name)


def within(folder: str, name: str) -> str:
    """The name of a file in a folder; "" is the root."""
    return f"{folder}/{name}" if folder else name


def last(name: str) -> str:
    """What a file is called in its folder."""
    return name.rpartition("/")[2]


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden by the name that it has in its folder."""
    return last(name).startswith(".")
