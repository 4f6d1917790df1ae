"""Reading MusicXML: from measures to notes in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from xml.etree.ElementTree import Element

from specnmf.score.loading import PathLike, clock, label, load
from specnmf.score.musicxml_document import MAX_BYTES, document
from specnmf.score.musicxml_measures import Measure, Written, measures
from specnmf.score.notes import Note, Score, numbered
from specnmf.score.repeats import order

#: In seconds: how long a grace note lasts, and sounds before the beat.
GRACE = 0.1

#: Seconds that a quarter note lasts before the first tempo mark: 120 a minute.
DEFAULT_TEMPO = 0.5

#: Places closer than this are one, in quarter notes: thirds add up inexactly.
_SAME = 1e-6


def read_musicxml(path: PathLike) -> Score:
    """The score in a MusicXML file [1]_, packed (``.mxl``) or not, as it sounds.

    Repeats are played, tied notes are one, transposing instruments transposed, tempo
    marks turned into seconds (120 quarter notes a minute before the first), and grace
    notes a tenth of a second before the beat. A part is called as in the file; those
    called alike are numbered. A note's staff is 0 where its part has but one.
    Dynamics are not read.

    Raises ScoreError if the file is missing, damaged or no MusicXML of the kind
    score-partwise, defines entities, holds no notes, or is larger than 64 MB unpacked,
    a million notes, 200 000 measures or a day.

    References
    ----------
    .. [1] W3C Music Notation Community Group, "MusicXML 4.0", 2021.
    """
    return load(path, _notes, max_bytes=MAX_BYTES)


def _notes(data: bytes) -> Iterator[Note]:
    root = document(data)
    written = measures(root)
    names = _names(root)
    played = order([measure.marks for measure in written])
    lengths = [measure.length for measure in written]
    starts = list(accumulate((lengths[k] for k in played), initial=0.0))
    changes = _changes(written, played, starts)
    seconds = clock(DEFAULT_TEMPO, changes, per_second=1)
    for part, note in _joined(written, played, starts):
        start, end = seconds(note.start), seconds(note.end)
        if end == start:
            start, end = max(start - GRACE, 0.0), max(start, GRACE)
        name = names.get(part, part)
        yield Note(
            start, end - start, note.pitch, 80, name, note.percussion, note.staff
        )


def _names(root: Element) -> dict[str, str]:
    """The name of each part, by its id."""
    parts = [
        (p.get("id", ""), p.findtext("part-name")) for p in root.iter("score-part")
    ]
    names = numbered(label(name or "") or label(part) for part, name in parts)
    return {part: name for (part, _), name in zip(parts, names, strict=True)}


def _changes(
    written: Sequence[Measure], played: Sequence[int], starts: Sequence[float]
) -> list[tuple[float, float]]:
    """Where the tempo changes, as played.

    A measure that is played again has the tempo that it had, whatever came between.
    """
    tempo = DEFAULT_TEMPO
    first = []
    for measure in written:
        measure.tempi.sort()
        first.append(tempo)
        if measure.tempi:
            tempo = measure.tempi[-1][1]
    changes = []
    for k, start in zip(played, starts, strict=False):
        changes.append((start, first[k]))
        changes += [(start + place, tempo) for place, tempo in written[k].tempi]
    return changes


def _joined(
    written: Sequence[Measure], played: Sequence[int], starts: Sequence[float]
) -> Iterator[tuple[str, Written]]:
    """The notes as played with their parts, the tied as one, in quarter notes."""
    held: dict[tuple[str, int], Written] = {}
    for k, begin in zip(played, starts, strict=False):
        for part, notes in written[k].notes.items():
            for note in notes:
                note = note._replace(start=begin + note.start, end=begin + note.end)
                key = part, note.pitch
                last = held.pop(key, None)
                if last is not None:
                    if note.tied_back and abs(note.start - last.end) < _SAME:
                        note = note._replace(start=last.start)
                    else:
                        yield part, last
                if note.tied_on:
                    held[key] = note
                else:
                    yield part, note
    yield from ((part, note) for (part, _), note in held.items())
