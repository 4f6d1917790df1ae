"""Reading MusicXML: from measures to notes in seconds."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from heapq import heappop, heappush
from itertools import accumulate
from xml.etree.ElementTree import Element

from specnmf.errors import ScoreError
from specnmf.score import endings, musicxml_signs, musicxml_tempo
from specnmf.score.loading import MAX_NOTES, PathLike, clock, label, load
from specnmf.score.musicxml_document import MAX_BYTES, document
from specnmf.score.musicxml_measures import SAME, Measure, Written, lengths
from specnmf.score.musicxml_parts import measures
from specnmf.score.musicxml_tempo import DEFAULT_TEMPO
from specnmf.score.notes import Note, Score, numbered
from specnmf.score.repeats import order

#: No piece has so many quarter notes: they would last a day at a thousand a second.
MOST_QUARTERS = 1e8

#: In seconds: how long a grace note lasts, and sounds before the beat; and how long all
#: of those before a beat last at most.
GRACE, GRACES = 0.1, 0.5


def read_musicxml(path: PathLike) -> Score:
    """The score in a MusicXML file [1]_, packed (``.mxl``) or not, as it sounds.

    Repeats are played, tied notes are joined, transposing instruments transposed, and
    tempo marks converted to seconds (120 quarter notes per minute before the first).
    Grace notes sound one after the other before the beat, for a tenth of a second each.
    Each measure is played at least once, or a remark of the score names it; other
    remarks tell what was assumed if repeat signs, endings, jumps or drums are unclear.
    Parts have their names from the file; equal names are numbered. The staff of a note
    is 0 if its part has only one. Dynamics are not read.

    Raises ScoreError if the file is missing, damaged or not MusicXML, defines entities,
    contains no notes, or is larger than 64 MB unpacked, a million notes, 200 000
    measures or a day.

    References
    ----------
    .. [1] W3C Music Notation Community Group, "MusicXML 4.0", 2021.
    """
    remarks: list[str] = []
    notes = partial(read_notes, remarks=remarks)
    return load(path, notes, max_bytes=MAX_BYTES, remarks=remarks)


def read_notes(data: bytes, remarks: list[str]) -> Iterator[Note]:
    """The notes in the contents of a MusicXML file; remarks are added."""
    root = document(data, remarks)
    written = measures(root, remarks)
    yield from performed(written, _names(root), remarks)


def performed(
    written: Sequence[Measure], names: Mapping[str, str], remarks: list[str]
) -> Iterator[Note]:
    """The notes of measures as they are played, in seconds; remarks are added.

    ``names`` are those of the parts, by what the measures call them.
    """
    played = _played(written, remarks)
    durations = list(lengths(written))
    starts = list(accumulate((durations[k] for k in played), initial=0.0))
    changes = _changes(written, durations, played, starts)
    seconds = clock(DEFAULT_TEMPO, changes, per_second=1)
    for part, note in _joined(written, durations, played, starts):
        start, end = _times(note, seconds)
        name = names.get(part, part)
        yield Note(
            start, end - start, note.pitch, 80, name, note.percussion, note.staff
        )


def _times(note: Written, seconds: Callable[[float], float]) -> tuple[float, float]:
    """The start and end of a note; without a duration, a grace note before its beat."""
    start, end = seconds(note.start), seconds(note.end)
    if end > start:
        return start, end
    before, n_graces = note.grace if note.grace[1] else (1, 1)
    length = min(GRACE, GRACES / n_graces)
    first = max(start - n_graces * length, 0.0)
    start = first + (n_graces - before) * length
    return start, start + length


def _names(root: Element) -> dict[str, str]:
    """The name of each part, by its id."""
    parts = [
        (p.get("id", ""), p.findtext("part-name")) for p in root.iter("score-part")
    ]
    names = numbered(label(name or "") or label(part) for part, name in parts)
    return {part: name for (part, _), name in zip(parts, names, strict=True)}


def _played(written: Sequence[Measure], remarks: list[str]) -> list[int]:
    """The measures in the order in which they are played; remarks are added."""
    marks = [measure.marks for measure in written]
    names = [label(m.number) or str(k) for k, m in enumerate(written, 1)]
    remarks += musicxml_signs.obey_words(marks, names)
    remarks += endings.settle(marks, names)
    played = order(marks)
    heard = set(played)
    left = [name for k, name in enumerate(names) if k not in heard]
    if left:
        remarks.append(f"{endings.named(left)}: never played, by the repeat signs")
    return played


def _changes(
    written: Sequence[Measure],
    durations: Sequence[float],
    played: Sequence[int],
    starts: Sequence[float],
) -> list[tuple[float, float]]:
    """The changes of tempo, as played.

    A measure that is played again has its earlier tempo, whatever came in between.
    """
    begins = list(accumulate(durations, initial=0.0))
    tempi = musicxml_tempo.changes(
        mark._replace(place=max(begin + mark.place, 0.0))
        for begin, measure in zip(begins, written, strict=False)
        for mark in measure.tempi
    )
    places = [place for place, _ in tempi]
    found = []
    for k, start in zip(played, starts, strict=False):
        first = bisect_right(places, begins[k] + SAME)
        found.append((start, tempi[first - 1][1]))
        for place, tempo in tempi[first : bisect_left(places, begins[k + 1] - SAME)]:
            found.append((start + place - begins[k], tempo))
    return found


def _joined(
    written: Sequence[Measure],
    durations: Sequence[float],
    played: Sequence[int],
    starts: Sequence[float],
) -> Iterator[tuple[str, Written]]:
    """The notes as played with their parts, tied notes joined, in quarter notes."""
    ties = _Ties()
    for k, begin in zip(played, starts, strict=False):
        yield from ties.ended(begin)
        for part, notes in written[k].notes.items():
            until = written[k].spans[part].end
            for note in notes:
                end = note.end
                if note.tied_on and abs(end - until) < SAME:
                    # where a part miscounts, its ties go on from the end of the measure
                    end = durations[k] if note.start < durations[k] else end
                yield from ties.joined(
                    part, note._replace(start=begin + note.start, end=begin + end)
                )
    yield from ties.ended(math.inf)


class _Ties:
    """The tied notes that may go on, by part, pitch and end."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, int, int], list[Written]] = {}
        self.ends: list[tuple[float, tuple[str, int, int]]] = []

    def joined(self, part: str, note: Written) -> Iterator[tuple[str, Written]]:
        """A note, joined with the notes tied to it, unless it goes on itself."""
        if note.tied_back:
            for place in {_tick(note.start - SAME), _tick(note.start + SAME)}:
                if before := self.held.get((part, note.pitch, place)):
                    note = note._replace(start=before.pop().start)
                    break
        if not note.tied_on:
            yield part, note
            return
        key = part, note.pitch, _tick(note.end)
        self.held.setdefault(key, []).append(note)
        heappush(self.ends, (note.end, key))
        if len(self.ends) > MAX_NOTES:
            yield from self.ended(math.inf)

    def ended(self, place: float) -> Iterator[tuple[str, Written]]:
        """The notes that have ended before a place, and do not go on."""
        while self.ends and self.ends[0][0] < place - SAME:
            _, key = heappop(self.ends)
            own = self.held.get(key)
            if own:
                yield key[0], own.pop()
            if not own:
                self.held.pop(key, None)


def _tick(place: float) -> int:
    """A place in quarter notes as a whole number, to find notes that begin there."""
    if not place < MOST_QUARTERS:
        raise ScoreError(
            f"damaged: a note ends {place:.3g} quarter notes after the start"
        )
    return round(place * 1024)
