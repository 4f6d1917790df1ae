"""ABC tunes: fields, barlines and voices, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from specnmf.errors import ScoreError
from specnmf.notation import counted
from specnmf.score.formats import abc_fields
from specnmf.score.formats.abc_voice import LENGTH, NOTE, Voice, length, unit_of
from specnmf.score.formats.parts import PartWriter
from specnmf.score.loading import MAX_NOTES, label
from specnmf.score.musicxml_measures import Measure
from specnmf.score.musicxml_signs import passes
from specnmf.score.musicxml_tempo import Tempo, whole
from specnmf.score.notes import numbered
from specnmf.score.repeats import MAX_MEASURES

#: What a line of music is made of; the first that fits counts.
_SIGNS = tuple(
    (name, re.compile(pattern, re.DOTALL))
    for name, pattern in (
        ("inline", r"\[([A-Za-z]):([^\[\]]*)\]"),
        ("bar", r"(:*)(?:\[?\|+\]?|(?<=:):)(?:\||\])*(:*)\s*(?:\[?(\d[\d,\- ]*))?"),
        ("ending", r"\[\s*(?:(\d[\d,\- ]*)|\"([^\"]*)\")"),
        ("chord", r"\[((?:[^\[\]|:\"]|\"[^\"]*\")*)\]" + LENGTH),
        ("note", NOTE.pattern),
        ("rest", r"([zxZX])" + LENGTH),
        ("graces", r"\{/?([^{}]*)\}"),
        ("tuplet", r"\((\d)(?::(\d?))?(?::(\d?))?"),
        ("broken", r"([<>]{1,3})"),
        ("tie", r"-"),
        ("overlay", r"&"),
        ("other", r"![^!\n]*!|\+[^+\n]{1,20}\+|\"([^\"]*)\"|[^\S\n]+|."),
    )
)

#: Annotations begin so; other words in quotes are chord symbols.
_ANNOTATION = "^_<>@"

#: The most times that a repeat is played.
_MOST_TIMES = 99


@dataclass
class TuneReader:
    """Reads a tune line by line."""

    measures: list[Measure] = field(default_factory=list)
    voices: dict[str, Voice] = field(default_factory=dict)
    current: str = ""
    in_body: bool = False
    key: dict[str, int] = field(default_factory=dict)
    shift: int = 0
    unit: float | None = None
    metre: str = "4/4"
    rate: float | None = None
    n_chords: int = 0
    unread: set[str] = field(default_factory=set)

    def line(self, line: str) -> None:
        """Read a line: a field, an instruction, or music."""
        if line.startswith("%%"):
            self.directive(line[2:].split())
        elif re.match(r"[A-Za-z]:", line) and not line.startswith("|"):
            self.field(line[0], line[2:].strip())
        elif self.in_body and not line.startswith("+:"):
            self.music(line)

    def directive(self, words: list[str]) -> None:
        """Follow an instruction that changes which notes sound."""
        if words[:1] == ["propagate-accidentals"] and len(words) > 1:
            self.voice().propagates = words[1]
        if [w.lower() for w in words[:1]] != ["midi"] or len(words) < 3:
            return
        if words[1] == "channel" and words[2] == "10":
            self.voice().is_kit = True
        elif words[1] == "transpose":
            self.voice().shift += abc_fields.shift({"transpose": words[2]})

    def field(self, name: str, text: str) -> None:
        """Read a field, for all voices in the head, in the body for the current one."""
        match name:
            case "K":
                self.set_key(text)
            case "M":
                self.set_metre(text)
            case "L":
                self.set_unit(abc_fields.fraction(text))
            case "Q":
                self.set_tempo(text)
            case "V":
                self.begin_voice(text)
            case "I":
                self.directive(text.split())
            case "P" if not self.in_body and len(text) > 1:
                self.unread.add("not played: the order of its parts (P:)")
            case "m":
                self.unread.add("its macros (m:) are not read")

    def set_key(self, text: str) -> None:
        """Set the key, which ends the head of a tune."""
        own = abc_fields.settings(text)
        if self.in_body:
            self.voice().finish()
            voice = self.voice()
            if re.match(r"[A-GH]|none|exp", text):
                voice.key = abc_fields.key(text)
                voice.altered.clear()
            if own.keys() & {"transpose", "octave", "clef"}:
                voice.shift = abc_fields.shift(own)
            return
        self.key = abc_fields.key(text)
        self.shift = abc_fields.shift(own)
        self.in_body = True
        for voice in self.voices.values():
            voice.key, voice.metre, voice.unit = dict(self.key), self.metre, self.unit
            voice.shift += self.shift

    def set_metre(self, text: str) -> None:
        """Set the metre."""
        if self.in_body:
            self.voice().finish()
            self.voice().metre = text
        else:
            self.metre = text

    def set_unit(self, unit: float | None) -> None:
        """Set the unit of length."""
        if self.in_body:
            self.voice().finish()
            self.voice().unit = unit
        else:
            self.unit = unit

    def set_tempo(self, text: str) -> None:
        """Set the tempo, from the beginning or from here on."""
        unit = self.voice().unit if self.in_body else self.unit
        rate = abc_fields.tempo(text, unit or unit_of(self.metre))
        if rate is None:
            return
        if not self.in_body:
            self.rate = rate
            return
        self.voice().finish()
        writer = self.voice().writer
        mark = Tempo(writer.place, True, 60 / rate)
        if mark not in self.measure(writer.k).tempi:
            self.measure(writer.k).tempi.append(mark)

    def begin_voice(self, text: str) -> None:
        """Go on with a voice, or begin it; a star does not belong to its name."""
        name, _, rest = text.strip().partition(" ")
        if self.in_body and self.voices:
            self.voice().finish()
        known = name in self.voices
        self.current = name
        own = abc_fields.settings(rest)
        voice = self.voice()
        if own or not known:
            voice.name = label(own.get("name", "")) or voice.name
            voice.is_kit |= own.get("clef", rest).startswith("perc")
            if not known:
                voice.shift = self.shift
            voice.shift += abc_fields.shift(own)

    def voice(self) -> Voice:
        """The current voice."""
        if self.current not in self.voices:
            writer = PartWriter(self.current, self.measures)
            voice = Voice(writer, key=dict(self.key), metre=self.metre, unit=self.unit)
            voice.shift = self.shift
            self.voices[self.current] = voice
            self.begin_measure(voice)
        return self.voices[self.current]

    def measure(self, k: int) -> Measure:
        """A measure, which is as long as what is in it."""
        self.check(k + 1)
        while k >= len(self.measures):
            number = str(len(self.measures) + 1)
            self.measures.append(Measure(number, implicit=True))
        return self.measures[k]

    def check(self, n_measures: int) -> None:
        """Raise ScoreError if there are too many measures."""
        if n_measures > MAX_MEASURES:
            raise ScoreError(f"has more than {MAX_MEASURES} measures")

    def begin_measure(self, voice: Voice) -> None:
        """Begin the next measure of a voice."""
        self.measure(voice.writer.k + 1)
        voice.writer.begin(voice.writer.k + 1)
        voice.altered.clear()
        voice.layer = 0

    def music(self, line: str) -> None:
        """Read a line of music."""
        for sign, found in _signs(line):
            voice = self.voice()
            match sign:
                case "inline":
                    self.field(found[1], found[2].strip())
                case "bar":
                    self.bar(voice, found)
                case "ending":
                    self.ending(voice, found[1] or found[2] or "")
                case "chord":
                    voice.chord(found[1], found[2])
                case "note":
                    voice.note(found)
                case "rest":
                    self.rest(voice, found)
                case "graces":
                    voice.graces(found[1])
                case "tuplet":
                    voice.begin_tuplet(int(found[1]), found[2], found[3])
                case "broken":
                    voice.break_rhythm(found[1])
                case "tie":
                    voice.tie()
                case "overlay":
                    voice.overlay()
                case _ if found[1] and found[1][0] not in _ANNOTATION:
                    self.n_chords += 1
            if voice.n_beats > 2 * MAX_NOTES:
                raise ScoreError(f"holds more than {MAX_NOTES} notes")
        self.voice().broken = 1.0  # broken rhythm does not reach over a line

    def rest(self, voice: Voice, found: re.Match[str]) -> None:
        """Begin a rest, or write one of whole measures."""
        if found[1] in "zx":
            voice.beat(length(found[2]), [], [])
            return
        voice.finish()
        n_measures = max(whole(found[2], 1), 1)
        self.check(n_measures)
        for k in range(n_measures):
            if k:
                self.end_measure(voice)
            voice.writer.beat(4 * (abc_fields.metre(voice.metre) or 1.0), [])

    def bar(self, voice: Voice, found: re.Match[str]) -> None:
        """End a measure, and begin a repeat or an ending, or end one."""
        voice.finish()
        writer = voice.writer
        signs = found[0].partition(found[3])[0] if found[3] else found[0]
        left, right = len(found[1]), len(found[2])
        if "|" not in signs:  # :: alone
            left = right = (left + right + signs.count(":")) // 2
        if not voice.is_empty():
            self.end_measure(voice)
            if "||" in signs or "|]" in signs or "[|" in signs:
                self.end_ending(voice)
        if left and writer.k > 0:
            marks = self.measure(writer.k - 1).marks
            marks.backward = max(marks.backward, min(left + 1, _MOST_TIMES))
            self.end_ending(voice)
        if right:
            self.end_ending(voice)
            self.measure(writer.k).marks.forward = True
        if found[3]:
            self.ending(voice, found[3])

    def ending(self, voice: Voice, text: str) -> None:
        """Begin an ending with the current measure."""
        voice.finish()
        if not voice.is_empty():
            self.end_measure(voice)
        self.end_ending(voice)
        marks = self.measure(voice.writer.k).marks
        marks.begins = marks.begins or (passes(text), frozenset())
        voice.in_ending = True

    def end_ending(self, voice: Voice) -> None:
        """End an ending with the measure before."""
        if voice.in_ending and voice.writer.k > 0:
            marks = self.measure(voice.writer.k - 1).marks
            marks.ends = marks.ends or (frozenset(), frozenset())
        voice.in_ending = False

    def end_measure(self, voice: Voice) -> None:
        """End a measure, and begin the next."""
        voice.writer.end()
        self.begin_measure(voice)

    def finished(self, remarks: list[str]) -> tuple[list[Measure], dict[str, str]]:
        """The measures and the names of the voices by their key; remarks are added."""
        for voice in self.voices.values():
            voice.finish()
            if not voice.is_empty():
                self.end_measure(voice)
            self.end_ending(voice)
        if self.measures and self.rate is not None:
            self.measures[0].tempi.insert(0, Tempo(0.0, True, 60 / self.rate))
        if self.n_chords:
            remarks.append(f"not played: {counted(self.n_chords, 'chord symbol')}")
        if n_microtones := sum(v.n_microtones for v in self.voices.values()):
            found = counted(n_microtones, "microtone")
            remarks.append(f"{found}, read as the nearest semitone")
        remarks += sorted(self.unread)
        given = [v.name or label(k) or "tune" for k, v in self.voices.items()]
        return self.measures, dict(zip(self.voices, numbered(given), strict=True))


def _signs(line: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Yield what a line of music is made of."""
    place = 0
    while place < len(line):
        for name, pattern in _SIGNS:
            if found := pattern.match(line, place):
                yield name, found
                place = found.end()
                break
