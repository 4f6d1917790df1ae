"""Writing MusicXML: notes of a recording in the nearest note values.

partitura spells pitches, finds the key, ties, tuplets and rests, and writes the file;
it does not find note values. It is installed by ``specnmf[musicxml]``.
"""

from __future__ import annotations

import warnings
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.errors import ScoreError
from specnmf.score.beats import Beats
from specnmf.score.loading import PathLike
from specnmf.score.notes import Note, Score, parts_from, pitched_parts

Float64 = NDArray[np.float64]

#: Into what notes divide a beat: sixteenths or triplets; and the beats of a bar.
SIXTEENTHS, TRIPLETS, BAR = 4, 3, 4

#: Triplets are written where notes miss them by less than this share of the squares by
#: which they miss sixteenths. By chance it is 16/9.
CLEARLY = 0.5


class _Value(NamedTuple):
    """A note as written, in units."""

    start: int
    end: int
    pitch: int
    part: str
    voice: int


def can_write() -> bool:
    """Whether partitura is installed."""
    return find_spec("partitura") is not None


def write_musicxml(
    path: PathLike, score: Score, beats: Beats, *, parts: Sequence[str] = ()
) -> None:
    """Write a score as MusicXML: in sixteenths or in triplets, four beats per bar.

    Parameters
    ----------
    path : path
        The file.
    score : Score
        The notes; percussion is left out.
    beats : Beats
        The beats of the recording, written as quarter notes. The first bar begins with
        the last beat at or before the start.
    parts : sequence of str
        The parts that come first, in this order; the others follow in order of their
        first notes.

    Raises
    ------
    ScoreError
        If partitura is not installed, or if no note has a pitch.
    """
    if not can_write():
        raise ScoreError(
            f"{path}: writing MusicXML needs partitura; run: "
            "pip install 'specnmf[musicxml]'"
        )
    pitched = pitched_parts(score)
    by_part = [pitched[part] for part in parts_from(score, parts) if part in pitched]
    begun = [note.start for own in by_part for note in own]
    units = _units(beats.positions(begun))
    values = [value for own in by_part for value in _values(own, beats, units)]
    if not values:
        raise ScoreError(f"{path}: the score has no pitched notes to write")
    # partitura warns of notes that it must tie, and of Python's deprecations
    warnings.filterwarnings("ignore", module="partitura|lark|specnmf.score.musicxml")
    from partitura import save_musicxml
    from partitura.score import Score as Written

    spelled, key = _spelled(values, units)
    bar = units * BAR
    end = -(-max(value.end for value in values) // bar) * bar
    parts = [
        _part(
            number,
            name,
            [(value, spelling) for value, spelling in spelled if value.part == name],
            key,
            round(beats.bpm),
            units,
            end,
        )
        for number, name in enumerate(dict.fromkeys(v.part for v in values), 1)
    ]
    save_musicxml(Written(parts), str(path))


def _units(begun: Float64) -> int:
    """The number of units per beat."""
    four, three = (
        np.square(begun - np.rint(begun * units) / units).sum()
        for units in (SIXTEENTHS, TRIPLETS)
    )
    return TRIPLETS if three < CLEARLY * four else SIXTEENTHS


def _values(notes: Sequence[Note], beats: Beats, units: int) -> Iterator[_Value]:
    """Yield the notes of a part in units, in voices where several sound at once."""
    starts = _nearest([note.start for note in notes], beats, units)
    ends = _nearest([note.start + note.duration for note in notes], beats, units)
    onsets = sorted({*starts})
    free: list[tuple[int, int]] = []
    taken: set[tuple[int, int]] = set()
    for start, end, note in sorted(zip(starts, ends, notes, strict=True)):
        place = bisect_right(onsets, start)
        # what reaches but a unit into the next note is legato
        if place < len(onsets) and end - onsets[place] == 1:
            end -= 1
        end = max(end, start + 1)
        if (start, note.pitch) not in taken:
            taken.add((start, note.pitch))
            voice = _voice(free, start, end)
            yield _Value(start, end, note.pitch, note.part, voice)


def _nearest(seconds: Sequence[float], beats: Beats, units: int) -> list[int]:
    """Times in units."""
    nearest: list[int] = np.rint(beats.positions(seconds) * units).astype(int).tolist()
    return nearest


def _voice(free: list[tuple[int, int]], start: int, end: int) -> int:
    """The first voice that rests, or has a chord of the same times; else a new one."""
    for number, (begun, until) in enumerate(free):
        if until <= start or (begun, until) == (start, end):
            free[number] = start, end
            return number + 1
    free.append((start, end))
    return len(free)


def _spelled(
    values: Sequence[_Value], units: int
) -> tuple[list[tuple[_Value, Any]], str]:
    """The notes with their names, and the key, from partitura."""
    from partitura.musicanalysis import estimate_key, estimate_spelling

    ordered = sorted(values, key=lambda value: (value.start, value.pitch))
    table = np.array(
        [(v.start / units, (v.end - v.start) / units, v.pitch) for v in ordered],
        dtype=[("onset_beat", "f4"), ("duration_beat", "f4"), ("pitch", "i4")],
    )
    names = estimate_spelling(table)
    with np.errstate(invalid="ignore"):  # where all pitches are alike, any key will do
        key = estimate_key(table)
    return list(zip(ordered, names, strict=True)), key


def _part(
    number: int,
    name: str,
    notes: Sequence[tuple[_Value, Any]],
    key: str,
    tempo: int,
    units: int,
    end: int,
) -> Any:
    """A part for partitura, in bars."""
    from partitura import score
    from partitura.utils import estimate_clef_properties, key_name_to_fifths_mode

    part = score.Part(f"P{number}", part_name=name, quarter_duration=units)
    pitches = np.array([value.pitch for value, _ in notes])
    part.add(score.Clef(staff=1, **estimate_clef_properties(pitches)), 0)
    part.add(score.KeySignature(*key_name_to_fifths_mode(key)), 0)
    part.add(score.TimeSignature(BAR, 4), 0, end)
    part.add(score.Tempo(tempo), 0)
    for count, (value, spelling) in enumerate(notes):
        note = score.Note(
            step=str(spelling["step"]),
            octave=int(spelling["octave"]),
            alter=int(spelling["alter"]) or None,
            voice=value.voice,
            staff=1,
            id=f"p{number}n{count}",
        )
        part.add(note, value.start, value.end)
    score.add_measures(part)
    for first in range(0, end, units * BAR):  # fill_rests fails where a bar is empty
        last = first + units * BAR
        if not any(first < value.end and value.start < last for value, _ in notes):
            part.add(score.Rest(voice=1, staff=1), first, last)
    score.tie_notes(part)
    score.find_tuplets(part)
    score.fill_rests(part)
    return part
