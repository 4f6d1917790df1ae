"""MEI and Humdrum scores, as the engraver Verovio plays them."""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from specnmf.score import musicxml
from specnmf.score.formats.conversion import converted
from specnmf.score.loading import PathLike, label, load
from specnmf.score.midi_chunks import midi_data
from specnmf.score.midi_strokes import PERCUSSION
from specnmf.score.midi_tracks import Track, read_track
from specnmf.score.musicxml_measures import SAME, Measure, Span, Written
from specnmf.score.musicxml_signs import passes
from specnmf.score.musicxml_tempo import Tempo
from specnmf.score.notes import Note, Score, numbered

#: A symphony in MEI takes three million.
MAX_BYTES = 16 << 20

#: In ticks: Verovio lets a note end so much earlier than it is written.
_EARLIER = 1

#: The barlines that open and close repeats.
_OPENS, _CLOSES = ("rptstart", "rptboth"), ("rptend", "rptboth")


def read_mei(path: PathLike) -> Score:
    """The score in a file of the Music Encoding Initiative (``.mei``), as it sounds.

    It is read by Verovio [1]_, which needs ``specnmf[scores]``: repeats are played,
    ties joined, transposing instruments transposed, and movements played one after the
    other. Times are as exact as a 240th of a quarter note. Pedals, trills and fermatas
    are not played.

    Raises ScoreError if the file is missing, damaged, contains no notes, or is larger
    than 16 MB, or takes more than 20 s or a gigabyte to read; or if Verovio is not
    installed.

    References
    ----------
    .. [1] L. Pugin, R. Zitellini and P. Roland, "Verovio: A Library for Engraving MEI
       Music Notation into SVG", ISMIR 2014.
    """
    return _read(path, ".mei", "MEI")


def read_humdrum(path: PathLike) -> Score:
    """The score in a Humdrum file of ``**kern`` (``.krn``), read as `read_mei` does."""
    return _read(path, ".krn", "Humdrum")


def _read(path: PathLike, suffix: str, kind: str) -> Score:
    remarks: list[str] = []
    notes = partial(_notes, suffix=suffix, kind=kind, remarks=remarks)
    return load(Path(path), notes, max_bytes=MAX_BYTES, remarks=remarks)


def _notes(
    data: bytes, *, suffix: str, kind: str, remarks: list[str]
) -> Iterator[Note]:
    found = converted("engraving", data, needs="Verovio", reads=kind, suffix=suffix)
    file = midi_data(base64.b64decode(found["midi"]))
    tracks = [read_track(number, chunk) for number, chunk in enumerate(file.tracks, 1)]
    measures = _measures(found["measures"])
    if not measures:
        return
    starts = [own["start"] for own in found["measures"]]
    parts, names = _parts(found["parts"], tracks)
    for track in tracks:
        for tick, tempo in track.tempi:
            k, place = _place(starts, tick / file.division)
            measures[k].tempi.append(Tempo(place, True, tempo / 1e6))
        part, staff = parts.get(track.number, ("", 0))
        for channel, strokes in track.strokes.items():
            for stroke in strokes:
                k, place = _place(starts, stroke.start / file.division)
                ticks = stroke.end + _EARLIER - stroke.start
                is_drum = channel == PERCUSSION
                measures[k].notes.setdefault(part, []).append(
                    Written(
                        *(place, place + ticks / file.division, stroke.pitch, is_drum),
                        *(staff, False, False),
                    )
                )
    _span(measures, [*starts, found["end"]])
    remarks += _remarks(found, measures)
    yield from musicxml.performed(measures, names, remarks)


def _place(starts: Sequence[float], quarters: float) -> tuple[int, float]:
    """The measure of a time in quarter notes, and the place in it."""
    k = max(bisect_right(starts, quarters + SAME) - 1, 0)
    return k, max(quarters - starts[k], 0.0)


def _measures(found: Sequence[Mapping[str, Any]]) -> list[Measure]:
    """Empty measures with the marks that send the player elsewhere."""
    measures = [Measure(own["number"], implicit=True) for own in found]
    marks = [measure.marks for measure in measures]
    before: Mapping[str, Any] = {"movement": None, "ending": None, "right": ""}
    for k, (own, mark) in enumerate(zip(found, marks, strict=True)):
        opens = own["left"] in _OPENS or before["right"] in _OPENS
        mark.forward = opens or own["movement"] != before["movement"]
        mark.backward = 2 * (own["right"] in _CLOSES)
        mark.words, mark.signs = list(own["words"]), set(own["signs"])
        if own["ending"] is not None and own["ending"] != before["ending"]:
            mark.begins = passes(own["ending"]), frozenset()
        following = found[k + 1]["ending"] if k + 1 < len(found) else None
        if own["ending"] is not None and own["ending"] != following:
            mark.ends = passes(own["ending"]), frozenset()
        before = own
    return measures


def _span(measures: Sequence[Measure], bounds: Sequence[float]) -> None:
    """Let all measures last as long as they do in the score."""
    for measure, (start, end) in zip(measures, pairwise(bounds), strict=True):
        length = max(end - start, 0.0)
        measure.spans = {part: Span(length, length) for part in (*measure.notes, "")}


def _remarks(found: Mapping[str, Any], measures: Sequence[Measure]) -> Iterator[str]:
    if found["movements"] > 1:
        yield f"{found['movements']} movements, one after the other"
    if found["has_order"] and not any(m.marks.backward for m in measures):
        yield "not played: the order of its sections"


def _parts(
    staves: Sequence[tuple[str, int]], tracks: Sequence[Track]
) -> tuple[dict[int, tuple[str, int]], dict[str, str]]:
    """The key of each track's part and its staff, and the names of the parts.

    The first track holds the tempo only.
    """
    if len(staves) != len(tracks) - 1:
        staves = [(track.name.decode(errors="replace"), 0) for track in tracks[1:]]
    found: dict[int, tuple[str, int]] = {}
    given: dict[str, str] = {}
    for track, (name, staff) in zip(tracks[1:], staves, strict=True):
        if staff <= 1:
            key = str(len(given))
            given[key] = label(name) or f"Part {len(given) + 1}"
        found[track.number] = key, staff
    return found, dict(zip(given, numbered(given.values()), strict=True))
