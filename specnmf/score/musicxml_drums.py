"""MusicXML drums: the General MIDI [1]_ drum of a note without a pitch.

References
----------
.. [1] MIDI Manufacturers Association, "General MIDI System Level 1", 1991.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from specnmf.score.musicxml_tempo import whole

#: The drum of a note of which nothing is known: the snare.
SNARE = 38

#: MIDI's channel of percussion, counted from 1 as MusicXML does.
_PERCUSSION = "10"

#: Names of drums in English, Italian, German and French; the first match counts.
_NAMED = tuple(
    (re.compile(pattern), drum)
    for pattern, drum in (
        (r"(pedal|foot).*hi ?hat|hi ?hat.*(pedal|foot)", 44),
        (r"open.*hi ?hat|hi ?hat.*open", 46),
        (r"hi ?hat", 42),
        (r"ride.*bell", 53),
        (r"\bride\b", 51),
        (r"splash", 55),
        (r"china|chinese cymbal", 52),
        (r"cymbal|\bcrash|becken|piatti", 49),
        (r"bass ?drum|\bkick|gran cassa|grosse caisse|gro(ß|ss)e trommel", 36),
        (r"(side|cross) ?stick|rim ?shot", 37),
        (r"snare|side ?drum|caisse claire|kleine trommel|rullante", 38),
        (r"floor tom", 43),
        (r"high tom", 50),
        (r"low tom", 45),
        (r"\btoms?\b", 47),
        (r"\bclaps?\b", 39),
        (r"tambourine|tamburin|tamburello", 54),
        (r"cow ?bell", 56),
        (r"vibra ?slap", 58),
        (r"high bongo|bongo.*high", 60),
        (r"bongo", 61),
        (r"conga", 63),
        (r"low timbale", 66),
        (r"timbale", 65),
        (r"agogo", 67),
        (r"cabasa", 69),
        (r"maraca|shaker", 70),
        (r"guiro", 73),
        (r"claves", 75),
        (r"(wood|temple) ?block", 76),
        (r"cuica", 79),
        (r"triang", 81),
    )
)

#: The drums written at a place of the staff, the usual first, as drum kits are [2]_.
#:
#: .. [2] N. Weinberg, "Guide to Standardized Drumset Notation", 1998.
_PLACED = {
    "D4": (44,), "E4": (36, 35), "F4": (36, 35), "G4": (41, 43), "A4": (43, 41),
    "B4": (45, 47), "C5": (38, 40), "D5": (45, 47), "E5": (48, 50), "F5": (51, 50),
    "G5": (42, 46), "A5": (49, 57), "B5": (57, 55), "C6": (52,),
}  # fmt: skip

#: The same where the note's head is a cross.
_CROSSED = _PLACED | {"C5": (37,), "E5": (56, 46)}


@dataclass
class Kit:
    """The drums of a part."""

    name: str = ""
    #: The drum of each instrument of whose drum something is said, by its id.
    drums: dict[str, int] = field(default_factory=dict)
    n_instruments: int = 0
    #: Those that play on MIDI's channel of percussion.
    percussive: set[str] = field(default_factory=set)
    #: How many notes were read by their place, and how many had none.
    placed: Counter[str] = field(default_factory=Counter)

    def drum(self, note: Element) -> int:
        """The drum of a note."""
        instrument = note.find("instrument")
        own = "" if instrument is None else instrument.get("id", "")
        if own in self.drums:
            return self.drums[own]
        if self.n_instruments <= 1 and self.drums:
            return next(iter(self.drums.values()))
        named = _by_name(self.name) if not self.drums else None
        return self._by_place(note) if named is None else named

    def plays(self, note: Element) -> bool:
        """Whether a note belongs to the drums, although it is written with a pitch."""
        instrument = note.find("instrument")
        own = "" if instrument is None else instrument.get("id", "")
        return own in self.drums and own in self.percussive

    def _by_place(self, note: Element) -> int:
        crossed = note.findtext("notehead", "").strip() in ("x", "cross", "circle-x")
        drums = (_CROSSED if crossed else _PLACED).get(_place(note), ())
        self.placed["by place" if drums else "snare"] += 1
        known = [drum for drum in drums if drum in self.drums.values()]
        return (*known, *drums, SNARE)[0]

    def remarks(self) -> list[str]:
        """Remarks on what was assumed."""
        said = {
            "by place": "chosen by their place on the staff",
            "snare": "played as snare",
        }
        return [
            f"{n} notes name no known drum: {said[how]}"
            for how, n in sorted(self.placed.items())
        ]


def kits(root: Element) -> dict[str, Kit]:
    """The drums of each part, by its id."""
    return {part.get("id", ""): _kit(part) for part in root.iter("score-part")}


def _kit(part: Element) -> Kit:
    kit = Kit(part.findtext("part-name") or "")
    names = {}
    for instrument in part.iterfind("score-instrument"):
        sound = instrument.findtext("instrument-sound") or ""
        name = f"{instrument.findtext('instrument-name') or ''} {sound}"
        names[instrument.get("id", "")] = name
    keys = {i.get("id", ""): i for i in part.iterfind("midi-instrument")}
    kit.n_instruments = len(names | keys)
    for own in names | keys:
        drum = _numbered(keys.get(own))
        if drum is None:
            drum = _by_name(names.get(own, ""))
        if drum is not None:
            kit.drums[own] = drum
        if own in keys and keys[own].findtext("midi-channel") == _PERCUSSION:
            kit.percussive.add(own)
    return kit


def _numbered(instrument: Element | None) -> int | None:
    """The General MIDI drum of an instrument, whose number counts from 1."""
    text = None if instrument is None else instrument.findtext("midi-unpitched")
    number = whole(text, 0)
    return number - 1 if 1 <= number <= 128 else None


def _by_name(name: str) -> int | None:
    words = re.sub(r"[\s._-]+", " ", name.casefold())
    return next((drum for known, drum in _NAMED if known.search(words)), None)


def _place(note: Element) -> str:
    """The place of a note on the staff, such as C5."""
    for kind in ("unpitched/display-", "pitch/"):
        step, octave = note.findtext(f"{kind}step"), note.findtext(f"{kind}octave")
        if step and octave:
            return step.strip() + octave.strip()
    return ""
