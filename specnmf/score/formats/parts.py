"""Parts of scores that are given beat by beat, written into measures."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from specnmf.notation import counted
from specnmf.score.musicxml_measures import Measure, Span, Written
from specnmf.score.repeats import MAX_PASSES

#: Quarter notes by which a measure may be too long, for programs round.
_SLIGHTLY = 0.01


class Struck(NamedTuple):
    """A note of a beat."""

    pitch: int
    #: What a tie goes on with: a string, or a pitch.
    key: Hashable
    #: Whether it goes on with the note before that has this key.
    is_tied: bool = False
    percussion: bool = False


@dataclass
class PartWriter:
    """Writes the voices of a part, one after the other, from the first measure on."""

    part: str
    measures: Sequence[Measure]
    staff: int = 0
    k: int = -1
    place: float = 0.0
    graces: list[list[Written]] = field(default_factory=list)
    #: The measure and the place in it of the last note, by its voice and key.
    last: dict[Hashable, tuple[int, int]] = field(default_factory=dict)
    #: Whether something is in this voice of the measure so far.
    is_begun: bool = False
    #: How many measures hold more than they should.
    n_longer: int = 0

    def begin(self, k: int) -> None:
        """Begin a voice of a measure."""
        self.k, self.place, self.is_begun = k, 0.0, False

    def beat(
        self,
        duration: float,
        notes: Iterable[Struck],
        *,
        grace: bool = False,
        voice: Hashable = 0,
    ) -> None:
        """Write the notes of a beat, in quarter notes; grace notes take no time."""
        own = self.measures[self.k].notes.setdefault(self.part, [])
        written = []
        self.is_begun = True
        if not grace:
            self.end_graces()
        for note in notes:
            end = self.place + (0.0 if grace else duration)
            new = Written(
                *(self.place, end, note.pitch, note.percussion, self.staff),
                tied_back=note.is_tied,
                tied_on=False,
            )
            if note.is_tied:
                self._tie((voice, note.key))
            if grace:
                written.append(new)
            else:
                self.last[voice, note.key] = self.k, len(own)
                own.append(new)
        if grace:
            self.graces.append(written)
        else:
            self.place += duration

    def _tie(self, key: Hashable) -> None:
        """Let the note before go on."""
        if key in self.last:
            k, n = self.last[key]
            notes = self.measures[k].notes[self.part]
            notes[n] = notes[n]._replace(tied_on=True)

    def end_graces(self) -> None:
        """Let the grace notes sound one after the other before the beat."""
        own = self.measures[self.k].notes.setdefault(self.part, [])
        n_graces = len(self.graces)
        for k, notes in enumerate(self.graces):
            before = n_graces - k, n_graces
            own += [n._replace(grace=before, tied_back=False) for n in notes]
        self.graces.clear()

    def end(self, length: float | None = None) -> None:
        """End a voice of a measure, which lasts as long as it says, if it does."""
        self.end_graces()
        measure = self.measures[self.k]
        own = measure.notes.setdefault(self.part, [])
        sounding = max((note.end for note in own), default=0.0)
        ends = max(self.place, sounding), sounding
        if length is not None:
            self.n_longer += max(ends) > length + _SLIGHTLY
            ends = length, min(sounding, length)
        before = measure.spans.get(self.part, Span(0.0, 0.0))
        measure.spans[self.part] = Span(*map(max, before, ends))

    def repeat(self, k: int, length: int) -> None:
        """Play the notes of an earlier measure again, where there are none."""
        if k < length or self.measures[k].notes.get(self.part):
            return
        before = self.measures[k - length]
        if self.part in before.spans:
            self.measures[k].notes[self.part] = list(before.notes.get(self.part, ()))
            self.measures[k].spans[self.part] = before.spans[self.part]


def overfull(writers: Iterable[PartWriter]) -> list[str]:
    """A remark if measures hold more than they should."""
    n_longer = sum(writer.n_longer for writer in writers)
    if not n_longer:
        return []
    return [
        f"{counted(n_longer, 'measure')} with more than the time signature: the next "
        "begins on time"
    ]


def endings(measures: Sequence[Measure], passes: Sequence[frozenset[int]]) -> None:
    """Write a bracket over successive measures that are for the same passes."""
    for k, own in enumerate(passes):
        found = frozenset(n for n in own if 0 < n <= MAX_PASSES), frozenset[int]()
        if own and (k == 0 or passes[k - 1] != own):
            measures[k].marks.begins = found
        if own and (k + 1 == len(passes) or passes[k + 1] != own):
            measures[k].marks.ends = found
