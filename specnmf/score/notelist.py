"""Note lists: a score as comma-separated values."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from specnmf.errors import ScoreError
from specnmf.score import tables
from specnmf.score.loading import MAX_NOTES, PathLike, decoded, label, load
from specnmf.score.notes import Note, Score, check_note
from specnmf.score.tables import Cells

#: A million rows of sixty characters.
MAX_BYTES = 64 << 20

#: Blank lines count, for they take time as well.
MAX_LINES = 2_000_000

#: What each column may be called; of several that a table has, the first counts.
_TITLES: tables.Titles = {
    "start": ("start", "onset"),
    "duration": ("duration",),
    "end": ("end", "offset"),
    "pitch": ("pitch",),
    "velocity": ("velocity",),
    "label": ("label", "instrument", "part", "track", "voice"),
    "percussion": ("percussion",),
}

_EXPECTED = "expected columns start, duration (or end) and pitch"

#: The velocity of a note whose table has none.
_VELOCITY = 80.0


def read_csv(path: PathLike) -> Score:
    """The score in a table with a row for each note, as libfmp and `write_csv` have it.

    The columns are start (or onset) and duration (or end) in seconds, pitch as a MIDI
    number, and where there are such, velocity, label (or instrument, part, track,
    voice) and percussion (yes or no): in any order and case, others between them.
    Commas, semicolons or tabs part them; with the latter, numbers may have decimal
    commas.

    Velocities go up to 127. Where none is above 1, they are shares of that, as libfmp
    has them; but not where all are 1 between commas, as `write_csv` has them. The file
    is UTF-8, UTF-16 with a byte order mark, or Latin-1.

    Raises ScoreError if the file is missing, lacks a column, has a row that is no note,
    holds no notes, or is larger than 64 MB, a million notes or a day.
    """
    return load(path, _notes, max_bytes=MAX_BYTES)


def _notes(data: bytes) -> Iterable[Note]:
    has_mark = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = decoded(data, "utf-16" if has_mark else "utf-8-sig")
    delimiter = tables.delimiter(text.partition("\n")[0])
    lines = tables.lines(text, most=MAX_LINES, things="tables of notes")
    rows = tables.rows(lines, delimiter, _TITLES, needed="pitch", expected=_EXPECTED)
    notes = list(islice(tables.parsed(rows, _note), MAX_NOTES + 1))
    if not _are_shares([velocity for _, velocity in notes], delimiter):
        return (note for note, _ in notes)
    return (note._replace(velocity=_whole(127 * share)) for note, share in notes)


def _note(cells: Cells) -> tuple[Note, float]:
    """The note of a row, and its velocity as the row has it."""
    columns = cells.keys() - tables.WORDS
    numbers = {c: tables.number(cells, c) for c in _TITLES if c in columns}
    start, pitch = numbers["start"], numbers["pitch"]
    duration = numbers.get("duration", numbers.get("end", start) - start)
    velocity = numbers.get("velocity", _VELOCITY)
    if not pitch.is_integer():
        raise ScoreError(f"a MIDI pitch is a whole number, got {pitch}")
    if not 0 <= velocity <= 127:
        raise ScoreError(f"a velocity lies between 0 and 127, got {velocity}")
    part = label(cells.get("label", ""))
    is_drum = cells.get("percussion", "").strip().lower() in ("1", "yes", "true")
    note = Note(start, duration, int(pitch), _whole(velocity), part, is_drum)
    check_note(note)
    return note, velocity


def _whole(velocity: float) -> int:
    return max(1, round(velocity))


def _are_shares(velocities: Sequence[float], delimiter: str) -> bool:
    """Whether the velocities go up to 1 rather than to 127."""
    if max(velocities, default=127) > 1:
        return False
    return delimiter != "," or any(0 < velocity < 1 for velocity in velocities)


def write_csv(path: PathLike, score: Score) -> None:
    """Write a score as a table, a row for each note in order of time.

    The columns are start and duration in seconds with six decimals, MIDI pitch,
    velocity from 1 to 127, and the part as label; the file is UTF-8. Staves are left
    out, and what is percussion.
    """
    # a name from a file system may hold bytes that no encoding has
    with Path(path).open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("start", "duration", "pitch", "velocity", "label"))
        for note in score.notes:
            seconds = f"{note.start:.6f}", f"{note.duration:.6f}"
            writer.writerow((*seconds, note.pitch, note.velocity, note.part))
