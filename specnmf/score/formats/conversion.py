"""Conversion by the libraries of others, in a process that may fail or be ended.

A library that reads files of unknown origin may crash, hang or take all memory. So each
is called by a small program of its own, in `converters`, which gets the path of the
score, has bounds of time and memory, and prints JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from specnmf.errors import ScoreError
from specnmf.score.loading import label

#: In seconds: a symphony takes a few.
MOST_SECONDS = 20

#: The result, in bytes: about a hundred for each of a million notes.
MOST_BYTES = 256 << 20

#: How converters end if the library is missing, or says that a file is damaged.
MISSING, DAMAGED = 3, 4

_FOLDER = Path(__file__).parent / "converters"


def converted(
    name: str, data: bytes, *, needs: str, reads: str, suffix: str = ""
) -> Any:
    """What a converter makes of a score, as JSON has it.

    Raises ScoreError if the package that it ``needs`` is not installed, if the score is
    damaged, or if it takes too much time or memory.
    """
    with tempfile.TemporaryDirectory(prefix="specnmf-") as folder:
        score, found = Path(folder, f"score{suffix}"), Path(folder, "notes.json")
        score.write_bytes(data)
        program = [sys.executable, "-P", str(_FOLDER / f"{name}.py")]
        try:
            done = subprocess.run(  # our own program, and no shell
                [*program, str(score), str(found)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=MOST_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ScoreError(f"takes more than {MOST_SECONDS} s to read") from error
        if done.returncode == MISSING:
            raise ScoreError(
                f"{reads} is read by {needs}, which is not installed; pip install "
                "'specnmf[scores]', or export the score as MusicXML or MIDI"
            )
        if done.returncode or not found.exists():  # libraries may end the process
            raise ScoreError(_reason(done.returncode, done.stderr, needs))
        if found.stat().st_size > MOST_BYTES:
            raise ScoreError("larger than scores are; export it as MIDI")
        return json.loads(found.read_bytes())


def _reason(status: int, errors: bytes, needs: str) -> str:
    lines = errors.decode(errors="replace").strip().splitlines()
    if status == DAMAGED and lines:
        return f"damaged, or not what {needs} reads: {label(lines[-1])}"
    return f"damaged, or not what {needs} reads; export the score as MusicXML or MIDI"
