"""MusicXML parts: read element by element into the measures that all parts share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from specnmf.errors import ScoreError
from specnmf.score import musicxml_signs, musicxml_tempo
from specnmf.score.loading import label
from specnmf.score.musicxml_drums import Kit, kits
from specnmf.score.musicxml_measures import Measure, Span, Written
from specnmf.score.musicxml_tempo import VALUES, number, whole
from specnmf.score.repeats import RepeatMarks

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

#: How many measures a sign repeats.
_LENGTHS = frozenset("12345678")

#: The staff of a note that does not say it, and all staves of a part.
_FIRST, _ALL = 1, 0


def measures(root: Element, remarks: list[str]) -> list[Measure]:
    """The measures of a score with the contents of all parts; remarks are added."""
    known = kits(root)
    found: list[Measure] = []
    common = _divisions(root)
    for part in root.iterfind("part"):
        name = part.get("id", "")
        kit = known.setdefault(name, Kit(label(name)))
        scribe = _Scribe(name, kit, _divisions(part) or common)
        elements = part.findall("measure")
        found += [Measure() for _ in elements[len(found) :]]
        for k, element in enumerate(elements):
            scribe.write(element, found, k)
        remarks += scribe.remarks()
    return found


def _divisions(element: Element) -> float:
    """The first divisions of a quarter note in a part or a score; 0 if there are none.

    They hold from the beginning of the part, because they may come after its first
    notes.
    """
    first = element.find(".//attributes[divisions]")
    return 0.0 if first is None else _read_divisions(first)


def _read_divisions(element: Element) -> float:
    found = _number(element, "divisions", 0.0)
    if found <= 0:
        raise ScoreError(f"damaged: {found} divisions per quarter note")
    return found


@dataclass
class _Scribe:
    """Writes the measures of a part, from their elements, into those of all parts."""

    part: str
    kit: Kit
    divisions: float
    #: What the time signature asks for, in quarter notes.
    nominal: float | None = None
    #: By staff: semitones, and whether an octave lower or higher sounds with it.
    transpositions: dict[int, tuple[int, int]] = field(default_factory=dict)
    percussion: set[int] = field(default_factory=set)
    #: By staff, of how many measures the pattern is that is repeated: in this measure,
    #: and from it on.
    repeated: dict[int, int] = field(default_factory=dict)
    patterns: dict[int, int] = field(default_factory=dict)
    #: The notes of each measure before, and of this.
    written: list[list[Written]] = field(default_factory=list)
    place: float = 0.0
    last_start: float = 0.0
    measure: Measure = field(default_factory=Measure)
    #: The marks of the measure before, of this and of the next.
    around: Sequence[RepeatMarks] = ()
    #: Grace notes, together if struck together, whose beat has not come yet.
    graces: list[list[Written]] = field(default_factory=list)
    #: The differences from the written score, and their numbers.
    found: Counter[str] = field(default_factory=Counter)

    def write(self, element: Element, into: list[Measure], k: int) -> None:
        self.measure = into[k]
        self.around = [
            into[n].marks if 0 <= n < len(into) else RepeatMarks()
            for n in (k - 1, k, k + 1)
        ]
        self.measure.number = self.measure.number or element.get("number", "")
        self.measure.implicit |= element.get("implicit") == "yes"
        self.place = self.last_start = end = 0.0
        self.written.append([])
        self.repeated = dict(self.patterns)
        tempi, self.measure.tempi = self.measure.tempi, []
        for child in element:
            self.read(child)
            end = max(end, self.place)
        self.end_graces()
        self.measure.tempi += tempi  # of marks at one place the first part's counts
        self.repeat()
        own = self.written[-1]
        if self.measure.nominal is None:
            self.measure.nominal = self.nominal
        sounding = max((note.end for note in own), default=0.0)
        self.measure.spans[self.part] = Span(max(end, sounding), sounding)
        if own:
            self.measure.notes[self.part] = own

    def read(self, element: Element) -> None:
        match element.tag:
            case "attributes":
                self.attributes(element)
            case "note":
                self.note(element)
            case "backup":
                self.end_graces()
                back = self.duration(element, self.place)
                self.place = max(self.place - back, 0.0)
            case "forward":
                self.place += self.duration(element, 0.0)
            case "direction":
                self.direction(element)
            case "sound":
                self.sound(element, 0.0)
            case "barline":
                at_end = self.place > 0
                musicxml_signs.barline(element, self.around, at_end=at_end)

    def attributes(self, element: Element) -> None:
        if element.find("divisions") is not None:
            self.divisions = _read_divisions(element)
        for time in element.iterfind("time"):
            self.nominal = _nominal(time)
        for clef in element.iterfind("clef"):
            staff = _staff(clef)
            is_percussion = clef.findtext("sign", "").strip() == "percussion"
            (self.percussion.add if is_percussion else self.percussion.discard)(staff)
        for transpose in element.iterfind("transpose"):
            if "number" not in transpose.attrib:
                self.transpositions.clear()
            self.transpositions[_staff(transpose, _ALL)] = _transposition(transpose)
        for style in element.iterfind("measure-style"):
            self.style(style)

    def style(self, element: Element) -> None:
        """Begin or end a pattern of measures that is repeated."""
        staff = _staff(element, _ALL)
        sign = element.find("measure-repeat")
        if sign is not None and sign.get("type") == "stop":
            self.patterns.pop(staff, None)
            if self.place == 0:
                self.repeated.pop(staff, None)
        elif sign is not None:
            text = (sign.text or "").strip()
            length = int(text) if text in _LENGTHS else 1
            self.repeated[staff] = self.patterns[staff] = length
        sign = element.find("beat-repeat")
        if sign is not None and sign.get("type") != "stop":
            self.found["signs that repeat a beat, not played"] += 1

    def repeat(self) -> None:
        """Play the measures that a repeat sign stands for, where there are no notes."""
        own = self.written[-1]
        for staff, length in self.repeated.items():
            if len(self.written) > length and not _on(own, staff):
                own += _on(self.written[-1 - length], staff)

    def duration(self, element: Element, otherwise: float) -> float:
        """A duration in quarter notes."""
        if element.find("duration") is None:
            return otherwise
        duration = _number(element, "duration", 0.0)
        if duration < 0:
            raise ScoreError(f"damaged: a duration of {duration:g}")
        return duration / (self.divisions or 1.0)

    def note(self, element: Element) -> None:
        is_grace = element.find("grace") is not None
        duration = 0.0
        if not is_grace:
            duration = self.duration(element, self.value(element))
            self.end_graces()
        if element.find("chord") is None:
            self.last_start = self.place
            self.place += duration
        if element.find("cue") is not None:
            return
        start, ties = self.last_start, _ties(element)
        notes = [
            Written(
                *(start, start + duration, pitch, percussion),
                staff=round(_number(element, "staff", 0.0)),
                tied_back="stop" in ties,
                tied_on="start" in ties,
            )
            for pitch, percussion in self.pitches(element)
        ]
        if not is_grace:
            self.written[-1] += notes
        elif element.find("chord") is not None and self.graces:
            self.graces[-1] += notes
        else:
            self.graces.append(notes)

    def end_graces(self) -> None:
        """Let the grace notes sound one after the other before the beat."""
        n_graces = len(self.graces)
        for k, notes in enumerate(self.graces):
            before = n_graces - k, n_graces
            self.written[-1] += [note._replace(grace=before) for note in notes]
        self.graces.clear()

    def value(self, element: Element) -> float:
        """The length of a note without duration: as it looks, or the whole measure."""
        rest = element.find("rest")
        kind = element.findtext("type")
        if kind is None:
            return self.nominal or 0.0 if rest is not None else 0.0
        value = VALUES.get(kind.strip(), 0.0) * (2 - 0.5 ** len(element.findall("dot")))
        actual = _number(element, "time-modification/actual-notes", 1.0)
        normal = _number(element, "time-modification/normal-notes", 1.0)
        return value * normal / actual if actual > 0 and normal > 0 else value

    def pitches(self, element: Element) -> Iterator[tuple[int, bool]]:
        """Yield the pitches that sound, or a General MIDI drum; and whether a drum."""
        pitch = element.find("pitch")
        staff = round(_number(element, "staff", _FIRST))
        if pitch is None and element.find("unpitched") is None:
            return
        if pitch is None or staff in self.percussion or self.kit.plays(element):
            yield self.kit.drum(element), True
            return
        step = pitch.findtext("step", "").strip()
        if step not in _STEPS:
            raise ScoreError(f"damaged: a note {label(step)!r}")
        alter = _number(pitch, "alter", 0.0)
        if not alter.is_integer():
            self.found["quarter tones, read as the nearest semitone"] += 1
        octave = round(_number(pitch, "octave", 0.0))
        here = self.transpositions.get(staff, self.transpositions.get(_ALL, (0, 0)))
        sounding = 12 * (octave + 1) + _STEPS[step] + round(alter) + here[0]
        yield sounding, False
        if here[1] and 0 <= sounding + here[1] <= 127:
            yield sounding + here[1], False

    def direction(self, element: Element) -> None:
        musicxml_signs.direction(element, self.measure.marks)
        is_moved = element.find("offset[@sound='yes']") is not None
        offset = self.offset(element) if is_moved else 0.0
        for sound in element.iterfind("sound"):
            self.sound(sound, offset)
        mark = element.find("direction-type/metronome")
        if mark is not None and element.find("sound[@tempo]") is None:
            self.measure.tempi += musicxml_tempo.shown(mark, self.place + offset)

    def sound(self, element: Element, offset: float) -> None:
        if element.find("offset") is not None:
            offset = self.offset(element)
        self.measure.tempi += musicxml_tempo.sounding(element, self.place + offset)
        musicxml_signs.sound(element, self.measure.marks)

    def offset(self, element: Element) -> float:
        return _number(element, "offset", 0.0) / (self.divisions or 1.0)

    def remarks(self) -> list[str]:
        """Remarks on what was assumed."""
        name = label(self.kit.name) or label(self.part)
        return [f"{name}: {n} {what}" for what, n in self.found.items()] + [
            f"{name}: {remark}" for remark in self.kit.remarks()
        ]


def _nominal(time: Element) -> float | None:
    """The length of a measure by a time signature, in quarter notes; None if unclear.

    The number of beats may be a sum, and the signature may be made of several.
    """
    found = 0.0
    pairs = time.findall("beats"), time.findall("beat-type")
    for beats, unit in zip(*pairs, strict=False):
        numbers = [whole(text, -1) for text in (beats.text or "").split("+")]
        value = whole(unit.text, 0)
        if min(numbers) < 0 or value == 0:
            return None
        found += sum(numbers) * 4 / value
    return found or None


def _transposition(element: Element) -> tuple[int, int]:
    """The semitones by which a part sounds higher, and the octave added, if any."""
    octaves = round(_number(element, "octave-change", 0.0))
    semitones = round(_number(element, "chromatic", 0.0)) + 12 * octaves
    double = element.find("double")
    if double is None:
        return semitones, 0
    return semitones, 12 if double.get("above") == "yes" else -12


def _ties(note: Element) -> set[str | None]:
    """The ties of a note, as it sounds, otherwise as it is drawn."""
    ties = note.findall("tie") or note.findall("tied")
    types = {tie.get("type") for tie in ties}
    return types | ({"start", "stop"} if "continue" in types else set())


def _on(notes: Sequence[Written], staff: int) -> list[Written]:
    """The notes on a staff, or on all."""
    return [note for note in notes if staff in (_ALL, note.staff or _FIRST)]


def _staff(element: Element, otherwise: int = _FIRST) -> int:
    return whole(element.get("number"), otherwise)


def _number(element: Element, tag: str, otherwise: float) -> float:
    """The number in a child of an element."""
    text = element.findtext(tag)
    return otherwise if text is None else number(text, tag)
