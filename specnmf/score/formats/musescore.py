"""MuseScore files: from the program's own XML to notes in seconds.

The elements are those that MuseScore 3 and 4 write [1]_. Pitches are stored as they
sound, but for lines of octaves.

References
----------
.. [1] MuseScore, "File formats: MSCX", handbook of MuseScore 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple
from xml.etree.ElementTree import Element

from specnmf.errors import ScoreError
from specnmf.score import musicxml
from specnmf.score.formats.musescore_signs import RepeatedMeasures, jumps, signs
from specnmf.score.formats.musescore_staff import StaffReader
from specnmf.score.loading import PathLike, label, load
from specnmf.score.musicxml_document import MAX_BYTES, Packing, tree, unpacked
from specnmf.score.musicxml_measures import Measure, Span
from specnmf.score.musicxml_tempo import whole
from specnmf.score.notes import Note, Score, numbered

_PACKED = Packing("MuseScore file", ".mscz", (".mscx",))

#: The oldest version whose files have voices in their measures.
_FIRST_VERSION = 3

_KEPT = frozenset(
    (
        *("museScore", "Score", "Part", "Staff", "trackName", "Instrument", "longName"),
        *("useDrumset", "Measure", "voice", "startRepeat", "endRepeat", "irregular"),
        *("multiMeasureRest", "measureRepeatCount", "MeasureRepeat", "RepeatMeasure"),
        *("subtype", "Jump", "jumpTo", "playUntil", "continueAt", "playRepeats"),
        *("Marker", "label", "TimeSig", "sigN", "sigD", "stretchN", "stretchD"),
        *("Tempo", "tempo", "Tuplet", "normalNotes", "actualNotes", "endTuplet"),
        *("Chord", "Rest", "durationType", "duration", "dots", "Note", "pitch", "play"),
        *("Spanner", "next", "prev", "location", "measures", "fractions", "Ottava"),
        *("Volta", "endings", "move", "staffMove", "acciaccatura", "appoggiatura"),
        *("grace4", "grace16", "grace32", "grace8after", "grace16after"),
        "grace32after",
    )
)


def read_musescore(path: PathLike) -> Score:
    """The score in a file of MuseScore 3 or 4 (``.mscz``, ``.mscx``), as it sounds.

    Repeats, ties, grace notes, tempo and drums are as `read_musicxml` has them. Notes
    that are set not to play are left out. Swing, tremolos, ornaments and gradual
    changes of tempo are not played.

    Raises ScoreError if the file is missing, damaged, of MuseScore 1 or 2, defines
    entities, contains no notes, or is as large as MusicXML may not be.
    """
    remarks: list[str] = []
    notes = partial(_notes, remarks=remarks)
    return load(path, notes, max_bytes=MAX_BYTES, remarks=remarks)


def _notes(data: bytes, remarks: list[str]) -> Iterator[Note]:
    if data.startswith(b"PK\x03\x04"):
        data = unpacked(data, remarks, _PACKED)
    root = tree(data, remarks, _KEPT)
    if root.tag in ("score-partwise", "score-timewise"):
        yield from musicxml.read_notes(data, remarks)
        return
    _check(root)
    score = root.find("Score")
    if score is None:
        raise ScoreError("damaged: holds no score")
    parts = _parts(score)
    written = _measures(score, parts, remarks)
    yield from musicxml.performed(written, _names(parts), remarks)


def _check(root: Element) -> None:
    if root.tag != "museScore":
        raise ScoreError(
            f"expected a MuseScore file, found {label(root.tag)}; export the score as "
            "MusicXML"
        )
    version = root.get("version", "")
    if whole(version.partition(".")[0], 0) < _FIRST_VERSION:
        raise ScoreError(
            f"written by MuseScore 1 or 2 (version {label(version) or 'unknown'}); "
            "open it in MuseScore 3 or 4 and save it, or use File > Export > MusicXML"
        )


class _Part(NamedTuple):
    """A part, the numbers of its staves, and whether it is a drum kit."""

    name: str
    staves: list[str]
    is_kit: bool


def _parts(score: Element) -> list[_Part]:
    """The parts of a score; staves without an id are numbered through."""
    parts, n_staves = [], 0
    for element in score.iterfind("Part"):
        staves = element.findall("Staff")
        ids = [s.get("id", str(n_staves + k)) for k, s in enumerate(staves, 1)]
        n_staves += len(staves)
        kit = element.findtext("Instrument/useDrumset", "0").strip() not in ("", "0")
        parts.append(_Part(_part_name(element), ids, kit))
    return parts


def _part_name(part: Element) -> str:
    """The name on the page, otherwise that in the mixer."""
    for path in ("Instrument/longName", "trackName", "Instrument/trackName"):
        found = part.find(path)
        if found is not None and (name := label("".join(found.itertext()))):
            return name
    return "Part"


def _names(parts: list[_Part]) -> dict[str, str]:
    """The name of each part, by its place among them."""
    names = numbered(part.name for part in parts)
    return {str(k): name for k, name in enumerate(names)}


def _measures(score: Element, parts: list[_Part], remarks: list[str]) -> list[Measure]:
    """The measures of a score with the notes of all parts and the marks of repeats."""
    staves = {s.get("id", ""): s for s in score.iterfind("Staff")}
    elements = {own: _sounding(staff) for own, staff in staves.items()}
    found = [Measure() for _ in range(max(map(len, elements.values()), default=0))]
    for k, part in enumerate(parts):
        for number, own in enumerate(part.staves, 1):
            reader = StaffReader(part.is_kit, number if len(part.staves) > 1 else 0)
            reader.read(elements.get(own, ()), found)
            _add(reader, str(k), found)
            remarks += [f"{part.name}: {remark}" for remark in reader.remarks()]
    for measures in elements.values():
        for k, element in enumerate(measures):
            signs(element, found, k)
        jumps(measures, found)
    return found


def _sounding(staff: Element) -> list[Element]:
    """The measures of a staff, without the long rests that stand for several."""
    own = staff.findall("Measure")
    return [measure for measure in own if measure.find("multiMeasureRest") is None]


def _add(reader: StaffReader, part: str, found: list[Measure]) -> None:
    """Add the notes of a staff to those of its part."""
    RepeatedMeasures(reader.repeated).fill(reader.written)
    for measure, notes, end in zip(found, reader.written, reader.ends, strict=False):
        sounding = max((note.end for note in notes), default=0.0)
        before = measure.spans.get(part, Span(0.0, 0.0))
        spans = max(end, sounding, before.end), max(sounding, before.sounding)
        measure.spans[part] = Span(*spans)
        if notes:
            measure.notes.setdefault(part, []).extend(notes)
