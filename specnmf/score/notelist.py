"""Note lists: a score as comma-separated values."""

from __future__ import annotations

import csv
from pathlib import Path

from specnmf.score.notes import Score

COLUMNS = ("start", "duration", "pitch", "velocity", "label")


def write_csv(path: str | Path, score: Score) -> None:
    """Write a score as a table, a row for each note in order of time.

    The columns are start and duration in seconds with six decimals, MIDI pitch,
    velocity from 1 to 127, and the part as label; the file is UTF-8.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    # a name from a file system may hold bytes that no encoding has
    with Path(path).open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for note in score.notes:
            seconds = f"{note.start:.6f}", f"{note.duration:.6f}"
            writer.writerow((*seconds, note.pitch, note.velocity, note.part))
