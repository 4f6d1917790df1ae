"""Note lists: a score as comma-separated values."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from specnmf.errors import ScoreError
from specnmf.score import note_columns, tables
from specnmf.score.loading import MAX_NOTES, PathLike, label, load
from specnmf.score.midi_names import PROGRAMS
from specnmf.score.notes import Note, Score, check_note
from specnmf.score.tables import Cells

#: A million rows of sixty characters.
MAX_BYTES = 64 << 20

#: Blank lines count, for they take time as well.
MAX_LINES = 2_000_000

_FORM = tables.Form(
    titles={
        **tables.TIMES,
        "pitch": (
            *("pitch", "midipitch", "pitchmidi", "midi", "midinote", "notenumber"),
            *("notepitch", "note", "notename", "pitchname"),
        ),
        "frequency": (
            *("frequency", "freq", "pitchhz", "frequencyhz", "f0", "f0hz", "hz"),
            *("meanfrequency", "averagefrequency"),
        ),
        "value": ("value",),
        "velocity": ("velocity",),
        "level": ("level",),
        "label": ("label", "instrument", "part", "track", "voice"),
        "percussion": ("percussion",),
        "cents": ("cents",),
        "confidence": ("confidence",),
    },
    needed=("pitch", "frequency", "value"),
    expected="expected columns start, duration (or end) and pitch",
    example="start,duration,pitch",
)

_SONIC_VISUALISER = ("time", "value", "duration", "level", "label")

#: The velocity of a note whose table has none.
_VELOCITY = 80.0

#: Columns of how a note was heard, each with its least and its most. What sounds more
#: than a semitone off has another pitch.
_HEARD = {"cents": (-100.0, 100.0), "confidence": (0.0, 1.0)}

#: MIDI's A4, and its frequency in Hz.
_A4, _A4_HZ = 69, 440.0


class _Row(NamedTuple):
    """A note, and the other values of its row."""

    note: Note
    velocity: float
    #: In Sonic Visualiser's tables the unit is not told: MIDI pitch, or Hz.
    value: float | None
    is_share: bool
    #: Whether its pitch is a name.
    is_named: bool = False


def read_csv(path: PathLike) -> Score:
    """The score in a table with one row per note, as from libfmp and `write_csv`.

    The columns are start (or onset, time) and duration (or end) in seconds, and pitch
    as MIDI number, as name (C#4, Bb3; C4 is middle C) or as frequency in Hz. Optional
    are velocity, label (or instrument, part, track, voice), percussion (yes or no),
    cents (-100 to 100) and confidence (0 to 1), the last two blank if unknown. Columns
    may be in any order and case, with others between them. They are separated by
    commas, semicolons or tabs; decimal commas are read if all numbers have them.

    Velocities go up to 127. If none is above 1, they are shares of that, as in libfmp;
    but not if all are 1 between commas, as from `write_csv`. A column ``level`` always
    contains shares, as in Sonic Visualiser. Its column ``value`` contains frequencies
    if any number is above 127, and MIDI pitches if all are whole numbers; the remarks
    tell which. Its tables may lack column names, because their times are recognised by
    the nanoseconds. Frequencies are rounded to semitones.

    Other tables without column names hold start, end or duration, pitch or frequency,
    and velocity or label, in this order; or start, pitch, duration and velocity, as
    from madmom. They are read if their numbers allow only one of these, and the remarks
    tell which. Times in the tables of MusicNet are samples.

    The file is UTF-8 or UTF-16, otherwise the remarks tell the assumed encoding.

    Raises ScoreError if the file is missing, lacks a column, has a row that is not a
    note, is ambiguous, contains no notes, or is larger than 64 MB, a million notes or a
    day.
    """
    remarks: list[str] = []
    return load(
        path, partial(_notes, remarks=remarks), max_bytes=MAX_BYTES, remarks=remarks
    )


def _notes(data: bytes, *, remarks: list[str]) -> Iterable[Note]:
    text, found = tables.text_of(data, _FORM.expected)
    remarks += found
    untitled, text = _titles(text, remarks)
    lines = tables.lines(text, most=MAX_LINES, things="tables of notes")
    delimiter, table = tables.rows(lines, _FORM, untitled=untitled)
    read = tables.parsed(table, _row)
    rows = _pitched(list(islice(read, MAX_NOTES + 1)), remarks)
    if any(row.is_named for row in rows):
        remarks.append("its notes have names, with C4 as middle C")
    if note_columns.counts_samples(text.partition("\n")[0]):
        remarks.append("its times are samples at 44100 Hz, as in MusicNet")
        rows = [_in_seconds(row) for row in rows]
    if not _are_shares(rows, delimiter):
        return (row.note for row in rows)
    return (row.note._replace(velocity=_whole(127 * row.velocity)) for row in rows)


def _titles(text: str, remarks: list[str]) -> tuple[str, str]:
    """The titles of a table that has none, and its text; a remark tells them."""
    if untitled := _untitled(text):
        return untitled, text
    found = None
    if len(text) <= MAX_BYTES and text.count("\n") <= MAX_NOTES:
        found = note_columns.guessed(text)
    if found is None:
        return "", text
    remarks.append(found.remark)
    return found.titles, found.text


def _in_seconds(row: _Row) -> _Row:
    """A row of MusicNet: times in samples, instruments as General MIDI programs."""
    note = row.note
    start, duration = (t / note_columns.MUSICNET_RATE for t in note[:2])
    part = note.part
    if part.isdecimal() and 1 <= int(part[:4]) <= len(PROGRAMS):
        part = PROGRAMS[int(part[:4]) - 1]
    return row._replace(note=note._replace(start=start, duration=duration, part=part))


def _untitled(text: str) -> str:
    """The column names of Sonic Visualiser's notes, or Tony's, if a table has none."""
    first = text[: tables.MAX_LINE].partition("\n")[0]
    delimiter = "\t" if "\t" in first else ","
    cells = first.split(delimiter)
    if len(cells) in (3, 5) and tables.nanoseconds(cells) == (True, False, True):
        return delimiter.join(_SONIC_VISUALISER[: len(cells)])
    return ""


def _row(cells: Cells) -> _Row:
    """The note in the cells of a row."""
    start = tables.seconds(cells, "start")
    tables.check_end(cells, start)
    if "duration" in cells:
        duration = tables.seconds(cells, "duration")
    else:
        duration = tables.seconds(cells, "end") - start
    pitch, value = _A4, None
    named = note_columns.note_pitch(cells.get("pitch", ""))
    if named is not None:
        pitch = named
    elif "pitch" in cells:
        pitch = _midi_pitch(tables.number(cells, "pitch"))
    elif "frequency" in cells:
        pitch = _nearest(tables.number(cells, "frequency"))
    else:
        value = tables.number(cells, "value")
    loudness = next((c for c in ("velocity", "level") if c in cells), None)
    velocity = _VELOCITY if loudness is None else tables.number(cells, loudness)
    most = 1 if loudness == "level" else 127
    if not 0 <= velocity <= most:
        raise ScoreError(f"{loudness} must lie between 0 and {most}, got {velocity}")
    part = label(cells.get("label", ""))
    is_drum = cells.get("percussion", "").strip().lower() in ("1", "yes", "true")
    note = Note(start, duration, pitch, _whole(velocity), part, is_drum)
    check_note(note)
    cents, confidence = _heard(cells, "cents", 0.0), _heard(cells, "confidence", 1.0)
    note = note._replace(cents=cents, confidence=confidence)
    return _Row(note, velocity, value, loudness == "level", named is not None)


def _heard(cells: Cells, column: str, default: float) -> float:
    """A value of a heard note; the default if the cell is blank."""
    if not cells.get(column, "").strip():
        return default
    value = tables.number(cells, column)
    least, most = _HEARD[column]
    if not least <= value <= most:
        raise ScoreError(
            f"{column} must lie between {least:g} and {most:g}, got {value:g}"
        )
    return value


def _midi_pitch(number: float) -> int:
    if not number.is_integer():
        raise ScoreError(f"a MIDI pitch must be a whole number, got {number}")
    return int(number)


def _nearest(frequency: float) -> int:
    """The MIDI pitch of a frequency in Hz."""
    if not 0 < frequency < math.inf:
        raise ScoreError(f"a frequency must be above 0 Hz, got {frequency}")
    return round(_A4 + 12 * math.log2(frequency / _A4_HZ))


def _pitched(rows: Sequence[_Row], remarks: list[str]) -> list[_Row]:
    """Rows with the pitches that their values stand for."""
    values = [row.value for row in rows if row.value is not None]
    if not values:
        return list(rows)
    are_hertz = max(values) > 127
    if not are_hertz and not all(value.is_integer() for value in values):
        raise ScoreError(
            "its values may be frequencies or MIDI pitches; name their column "
            "frequency, or round them and name it pitch"
        )
    to_pitch = _nearest if are_hertz else _midi_pitch
    unit = "frequencies in Hz" if are_hertz else "MIDI pitches"
    remarks.append(f"its values are read as {unit}")
    pitched = []
    for row in rows:
        note = row.note._replace(pitch=to_pitch(row.value or 0.0))
        check_note(note)
        pitched.append(row._replace(note=note))
    return pitched


def _whole(velocity: float) -> int:
    return max(1, round(velocity))


def _are_shares(rows: Sequence[_Row], delimiter: str) -> bool:
    """Whether the velocities go up to 1 rather than to 127."""
    if max((row.velocity for row in rows), default=127) > 1:
        return False
    are_levels = any(row.is_share for row in rows)
    return are_levels or delimiter != "," or any(0 < row.velocity < 1 for row in rows)


def write_csv(path: PathLike, score: Score) -> None:
    """Write a score as a table, one row per note in order of time.

    The columns are start and duration in seconds with six decimals, MIDI pitch,
    velocity from 1 to 127, and the part as label. If the notes were heard, so that some
    are uncertain or out of tune, cents and confidence are added, with one and three
    decimals. The file is UTF-8. Staves and percussion are left out.
    """
    heard = any(note.cents != 0 or note.confidence < 1 for note in score.notes)
    titles = ["start", "duration", "pitch", "velocity", "label"]
    titles += _HEARD if heard else []
    # a name from a file system may hold bytes that no encoding has
    with Path(path).open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(titles)
        for note in score.notes:
            seconds = f"{note.start:.6f}", f"{note.duration:.6f}"
            row = [*seconds, note.pitch, note.velocity, note.part]
            if heard:
                row += [f"{note.cents:.1f}", f"{note.confidence:.3f}"]
            writer.writerow(row)
