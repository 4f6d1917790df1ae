"""Guitar Pro 6 to 8: the XML in their files, as measures.

Every bar, voice, beat and note is stored once and named by its number; bars that sound
the same share their voices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple
from xml.etree.ElementTree import Element

from specnmf.errors import ScoreError
from specnmf.score.formats import tablature
from specnmf.score.formats.parts import PartWriter, Struck, endings, overfull
from specnmf.score.loading import MAX_NOTES, label
from specnmf.score.musicxml_document import tree
from specnmf.score.musicxml_drums import SNARE
from specnmf.score.musicxml_measures import Measure
from specnmf.score.musicxml_tempo import VALUES, Tempo, number, whole

_KEPT = frozenset(
    (
        *("GPIF", "MasterTrack", "Anacrusis", "Automations", "Automation", "Type"),
        *(
            "Bar",
            "Value",
            "Position",
            "Tracks",
            "Track",
            "Name",
            "InstrumentSet",
            "Elements",
        ),
        *("Articulations", "Articulation", "OutputMidiNumber", "GeneralMidi"),
        *("Properties", "Property", "Pitches", "Fret", "Staves", "Staff", "MasterBars"),
        *("MasterBar", "Time", "Repeat", "AlternateEndings", "Bars", "Directions"),
        *("Target", "Jump", "TripletFeel", "Voices", "SimileMark", "Voice", "Beats"),
        *("Beat", "Rhythm", "Notes", "GraceNotes", "Note", "Tie", "String", "Number"),
        *("Step", "Octave", "Element", "Variation", "InstrumentArticulation"),
        *("Rhythms", "NoteValue", "AugmentationDot", "PrimaryTuplet"),
        "SecondaryTuplet",
    )
)

#: Quarter notes in the beat of a tempo, by its code.
_BEATS = {1: 0.5, 2: 1.0, 3: 1.5, 4: 2.0, 5: 3.0}

#: The General MIDI drum of each of Guitar Pro 6's elements, by its variation.
_DRUMS = (
    *((36, 36, 36), (38, 38, 37), (56, 56, 56), (56, 56, 56), (56, 56, 56)),
    *((43, 43, 43), (45, 45, 45), (47, 47, 47), (48, 48, 48), (50, 50, 50)),
    *((42, 46, 46), (44, 44, 44), (57, 57, 57), (49, 49, 49), (55, 55, 55)),
    *((51, 51, 53), (52, 52, 52)),
)

#: The measures that a sign of repetition refers back.
_SIMILE = {"Simple": 1, "FirstOfDouble": 2, "SecondOfDouble": 2}


class _Track(NamedTuple):
    """A staff of a track."""

    part: str
    staff: int
    is_kit: bool
    #: The open strings as they sound, with the capo.
    strings: tuple[int, ...]
    #: The General MIDI drums of its kit, by their number in it.
    drums: tuple[int, ...]


@dataclass
class GpifReader:
    """Reads a score: its measures, and the names of its parts by their key."""

    root: Element
    names: dict[str, str] = field(default_factory=dict)
    measures: list[Measure] = field(default_factory=list)
    n_notes: int = 0
    known: dict[tuple[str, _Track], tuple[Struck, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bars = self._by_id("Bars/Bar")
        self.voices = self._by_id("Voices/Voice")
        self.beats = self._by_id("Beats/Beat")
        self.notes = self._by_id("Notes/Note")
        self.has_upbeat = self.root.find("MasterTrack/Anacrusis") is not None
        rhythms = self._by_id("Rhythms/Rhythm")
        self.durations = {key: _duration(own) for key, own in rhythms.items()}

    def _by_id(self, path: str) -> dict[str, Element]:
        return {e.get("id", ""): e for e in self.root.iterfind(path)}

    def read(self, remarks: list[str]) -> None:
        """Read the measures and the names of the parts; remarks are added."""
        bars = self.root.findall("MasterBars/MasterBar")
        self.measures = [Measure(str(k)) for k in range(1, len(bars) + 1)]
        self._marks(bars)
        self._tempi()
        columns = [bar.findtext("Bars", "").split() for bar in bars]
        writers = []
        for n, track in enumerate(self._tracks()):
            writer = PartWriter(track.part, self.measures, track.staff)
            writers.append(writer)
            for k, column in enumerate(columns):
                if n < len(column) and column[n] in self.bars:
                    self._bar(self.bars[column[n]], writer, track, k)
        remarks += overfull(writers)
        if any(_swings(bar) for bar in bars):
            remarks.append("not played: its swing; notes are where they are written")

    def _marks(self, bars: Sequence[Element]) -> None:
        """The time signatures, repeats, endings and jumps."""
        signs = []
        passes = []
        for k, (bar, measure) in enumerate(zip(bars, self.measures, strict=True)):
            measure.nominal = _nominal(bar.findtext("Time", ""))
            repeat = bar.find("Repeat")
            if repeat is not None:
                ends = repeat.get("end") == "true"
                times = max(whole(repeat.get("count"), 2), 2) if ends else 0
                opens = repeat.get("start") == "true"
                tablature.repeat(measure.marks, opens=opens, times=times)
            numbers = bar.findtext("AlternateEndings", "").split()
            passes.append(frozenset(whole(number, 0) for number in numbers))
            for target in bar.iterfind("Directions/Target"):
                tablature.place(measure.marks, target.text or "")
                signs.append((k, target.text or ""))
            signs += [(k, j.text or "") for j in bar.iterfind("Directions/Jump")]
        endings(self.measures, passes)
        tablature.jumps(self.measures, signs)

    def _tempi(self) -> None:
        for mark in self.root.iterfind("MasterTrack/Automations/Automation"):
            if mark.findtext("Type", "").strip() != "Tempo":
                continue
            k = whole(mark.findtext("Bar"), 0)
            values = mark.findtext("Value", "").split()
            if not values or k >= len(self.measures):
                continue
            rate = number(values[0], "tempo")
            beat = _BEATS.get(whole(values[1], 2) if len(values) > 1 else 2, 1.0)
            if not 0 < rate * beat < 1e6:
                raise ScoreError(f"damaged: a tempo of {rate:g}")
            measure = self.measures[k]
            share = number(mark.findtext("Position", "0"), "position of a tempo")
            place = min(max(share, 0.0), 1.0) * (measure.nominal or 4.0)
            measure.tempi.append(Tempo(place, True, 60 / (rate * beat)))

    def _tracks(self) -> Iterator[_Track]:
        """Yield the staves of all tracks, in the order of the bars' numbers."""
        for k, track in enumerate(self.root.iterfind("Tracks/Track")):
            self.names[str(k)] = label(track.findtext("Name", "")) or f"Track {k + 1}"
            kinds = track.find("GeneralMidi"), track.findtext("InstrumentSet/Type", "")
            is_kit = kinds[1].strip() == "drumKit" or (
                kinds[0] is not None and kinds[0].get("table") == "Percussion"
            )
            drums = tuple(
                whole(drum.text, 0) for drum in track.iterfind(".//OutputMidiNumber")
            )
            staves = track.findall("Staves/Staff")
            for n, staff in enumerate(staves or [track], 1):
                own = n if len(staves) > 1 else 0
                yield _Track(str(k), own, is_kit, _strings(staff), drums)

    def _bar(self, bar: Element, writer: PartWriter, track: _Track, k: int) -> None:
        for n, voice in enumerate(bar.findtext("Voices", "").split()):
            if voice not in self.voices:
                continue
            writer.begin(k)
            for key in self.voices[voice].findtext("Beats", "").split():
                if key in self.beats:
                    self._beat(self.beats[key], writer, track, n)
            is_upbeat = k == 0 and self.has_upbeat
            writer.end(None if is_upbeat else self.measures[k].nominal)
        if length := _SIMILE.get(bar.findtext("SimileMark", "").strip(), 0):
            writer.repeat(k, length)

    def _beat(
        self, beat: Element, writer: PartWriter, track: _Track, voice: int
    ) -> None:
        rhythm = beat.find("Rhythm")
        key = "" if rhythm is None else rhythm.get("ref", "")
        if key not in self.durations:
            raise ScoreError("damaged: a beat without a length")
        keys = beat.findtext("Notes", "").split()
        self.n_notes += 1 + len(keys)
        if self.n_notes > 2 * MAX_NOTES:  # few bars may be there many times
            raise ScoreError(f"holds more than {MAX_NOTES} notes")
        notes = [
            struck
            for key in keys
            if key in self.notes
            for struck in self._struck(key, track)
        ]
        is_grace = beat.find("GraceNotes") is not None
        writer.beat(self.durations[key], notes, grace=is_grace, voice=voice)

    def _struck(self, key: str, track: _Track) -> tuple[Struck, ...]:
        """What sounds of a note, which many beats may name."""
        if (key, track) not in self.known:
            self.known[key, track] = tuple(_struck(self.notes[key], track))
        return self.known[key, track]


def gpif(data: bytes, remarks: list[str]) -> GpifReader:
    """The measures and the names of the parts in Guitar Pro's XML; remarks are added.

    Raises ScoreError if it is damaged, defines entities, or is too large.
    """
    root = tree(data, remarks, _KEPT)
    if root.tag != "GPIF":
        raise ScoreError(f"expected a Guitar Pro file, found {label(root.tag)}")
    reader = GpifReader(root)
    reader.read(remarks)
    return reader


def _swings(bar: Element) -> bool:
    return bar.findtext("TripletFeel", "NoTripletFeel").strip() != "NoTripletFeel"


def _nominal(signature: str) -> float | None:
    """The quarter notes of a time signature, such as 6/8."""
    beats, _, unit = signature.strip().partition("/")
    n_beats, value = whole(beats, 0), whole(unit, 0)
    return 4 * n_beats / value if n_beats and value else None


def _duration(rhythm: Element) -> float:
    """The quarter notes of a rhythm."""
    kind = rhythm.findtext("NoteValue", "").strip().lower()
    if kind not in VALUES:
        raise ScoreError(f"damaged: a note of value {label(kind)!r}")
    dots = rhythm.find("AugmentationDot")
    n_dots = 0 if dots is None else whole(dots.get("count"), 0)
    value = VALUES[kind] * (2 - 0.5 ** min(n_dots, 9))
    for tuplet in ("PrimaryTuplet", "SecondaryTuplet"):
        own = rhythm.find(tuplet)
        if own is not None:
            actual, normal = whole(own.get("num"), 0), whole(own.get("den"), 0)
            value *= normal / actual if actual and normal else 1.0
    return value


def _strings(staff: Element) -> tuple[int, ...]:
    """The open strings of a staff, with its capo, from the lowest."""
    pitches, capo = "", 0
    for own in staff.iterfind("Properties/Property"):
        if own.get("name") == "Tuning":
            pitches = own.findtext("Pitches", "")
        elif own.get("name") == "CapoFret":
            capo = whole(own.findtext("Fret"), 0)
    return tuple(whole(pitch, 0) + capo for pitch in islice(pitches.split(), 64))


def _struck(note: Element, track: _Track) -> Iterator[Struck]:
    """Yield the note, if it is known what sounds."""
    own = {p.get("name"): p for p in note.iterfind("Properties/Property")}
    string = _value(own, "String", "String")
    pitch = _drum(note, own, track) if track.is_kit else _pitch(own, track)
    tie = note.find("Tie")
    is_tied = tie is not None and tie.get("destination") == "true"
    if pitch is not None:
        key = pitch if string is None or track.is_kit else -1 - string
        yield Struck(pitch, key, is_tied, track.is_kit)


def _pitch(own: dict[str | None, Element], track: _Track) -> int | None:
    """The pitch of a note: of its string and fret, otherwise as it is told."""
    string, fret = _value(own, "String", "String"), _value(own, "Fret", "Fret")
    if string is not None and fret is not None and string < len(track.strings):
        return track.strings[string] + fret
    step, octave = _value(own, "Tone", "Step"), _value(own, "Octave", "Number")
    if step is not None and octave is not None:
        return step + 12 * octave
    return _value(own, "Midi", "Number")


def _drum(note: Element, own: dict[str | None, Element], track: _Track) -> int | None:
    """The General MIDI drum of a note."""
    element = _value(own, "Element", "Element")
    if element is not None:
        variation = _value(own, "Variation", "Variation") or 0
        known = _DRUMS[element] if element < len(_DRUMS) else (SNARE,) * 3
        return known[variation if variation < len(known) else 0]
    number = whole(note.findtext("InstrumentArticulation"), -1)
    if 0 <= number < len(track.drums) and track.drums[number]:
        return track.drums[number]
    return _value(own, "Midi", "Number")


def _value(own: dict[str | None, Element], name: str, tag: str) -> int | None:
    found = whole(own[name].findtext(tag), -1) if name in own else -1
    return None if found < 0 else found
