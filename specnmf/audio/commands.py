"""Commands that error messages advise."""

from __future__ import annotations

import shlex
from pathlib import Path


def converting(path: Path, ending: str, *, before: str = "", after: str = "") -> str:
    """The command that converts a file to WAV, with ``ending`` after its stem."""
    # A name that begins with a hyphen is no option.
    here = "./" if path.name.startswith("-") else ""
    words = ["ffmpeg", *before.split(), "-i", f"{here}{path.name}", *after.split()]
    return shlex.join([*words, f"{here}{path.stem}{ending}.wav"])
