"""A run with its unsaved edits, as the page shows it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from specnmf.errors import ParameterError
from specnmf.output.selection import Group
from specnmf.record.plan import untouched, work_out
from specnmf.score.notes import Note, Score
from specnmf.score.regions import Region
from specnmf.studio.base import Base
from specnmf.studio.history import Version
from specnmf.studio.messages import COLUMNS, Row, note_of

if TYPE_CHECKING:
    from specnmf.methods.regrouping import NewStem

#: The index of the column ``stem``.
STEM = list(COLUMNS).index("stem")

#: Decibels between the bytes 0 and 255 of a stem's level.
_LEVEL_SPAN = 60.0


@dataclass(frozen=True)
class Placed:
    """A stem as shown on the page.

    Attributes
    ----------
    name : str
        Its name.
    group : int
        The index of its group.
    members : tuple of int
        The stems of the run that it is the sum of, numbered through all groups.
    gain, pan : float
        In dB, and from -1 (left) to 1 (right).
    """

    name: str
    group: int
    members: tuple[int, ...]
    gain: float
    pan: float


@dataclass(frozen=True, eq=False)
class Preview:
    """A version of a run, prepared for the page.

    Raises
    ------
    ParameterError
        When it is read, if its edits do not fit the run.
    """

    base: Base
    version: Version

    @cached_property
    def stems(self) -> tuple[Placed, ...]:
        """The stems of all groups, one after another."""
        groups, first = self.base.contents["groups"], 0
        named = [Group([s["name"] for s in g["stems"]], g["name"]) for g in groups]
        everything = [range(len(group.names)) for group in named]
        plan = work_out(untouched(named, everything), self.version.edits)
        placed: list[Placed] = []
        for number, (old, new) in enumerate(zip(named, plan.groups, strict=True)):
            placed += (_placed(stem, number, first) for stem in new.stems)
            first += len(old.names)
        return tuple(placed)

    def check(self) -> None:
        """Raise ParameterError if the edits do not fit the run."""
        n_channels = self.base.contents["n_channels"]
        if any(stem.pan for stem in self.stems) and n_channels != 2:
            raise ParameterError(
                f"pan needs a recording with 2 channels, this one has {n_channels}"
            )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the stems."""
        return tuple(stem.name for stem in self.stems)

    @cached_property
    def places(self) -> dict[int, int]:
        """The shown stem that contains each stem of the run."""
        return {m: n for n, stem in enumerate(self.stems) for m in stem.members}

    @cached_property
    def score(self) -> Score:
        """The notes; the part of each is a stem of the run, before edits."""
        notes = self.version.notes
        return self.base.notes if notes is None else notes

    @cached_property
    def columns(self) -> Mapping[str, Sequence[float]]:
        """The notes in the form of the page."""
        if self.version.notes is not None:
            return _columns(self.version.notes, self._place_of)
        told = self.base.contents["notes"]
        return {**told, "stem": [self.places.get(stem, -1) for stem in told["stem"]]}

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """The regions, with the shown names."""
        regions = self.version.regions
        own = self.base.regions if regions is None else regions
        return tuple(region._replace(name=self._shown(region.name)) for region in own)

    def contents(self, urls: Sequence[str | None]) -> dict[str, Any]:
        """The contents of the page, with the URL of each stem's sound."""
        groups = self.base.contents["groups"]
        shown: list[dict[str, Any]] = [{**group, "stems": []} for group in groups]
        for stem, url in zip(self.stems, urls, strict=True):
            own = [self.base.stems[member] for member in stem.members]
            changes = {"name": stem.name, "gain": stem.gain, "pan": stem.pan}
            served = {"url": url, "sound": None, "file": None}
            entry = {**_together(own), **changes, **served}
            shown[stem.group]["stems"].append(entry)
        templates = self.base.contents["templates"]
        return {
            **self.base.contents,
            "groups": shown,
            "files": [],  # only the sound of stems is served
            "mixes": [],
            "sound": {"mode": "served", "why": None},
            "notes": self.columns,
            "regions": [region._asdict() for region in self.regions],
            "templates": [
                {**each, "stem": self.places.get(each["stem"], -1)}
                for each in templates
            ],
        }

    def with_notes(self, rows: Sequence[Row]) -> Score:
        """Notes of a page, by the stems of the run.

        Notes of a merged stem go to its first member. Unchanged notes keep the values
        that the page does not get.
        """
        known = self._untouched()
        return Score(
            tuple(known.get(row) or note_of(row, self._part(row)) for row in rows)
        )

    def with_regions(self, regions: Sequence[Region]) -> tuple[Region, ...]:
        """Regions with the shown names, renamed to the names in the run."""
        first = {stem.name: stem.members[0] for stem in reversed(self.stems)}
        return tuple(
            region._replace(name=self.base.names[first[region.name]])
            if region.name in first
            else region
            for region in regions
        )

    def _part(self, row: Row) -> str:
        """The stem of the run to which a note of the page belongs; empty: none."""
        stem = int(row[STEM])
        return "" if stem < 0 else self.base.names[self.stems[stem].members[0]]

    def _untouched(self) -> dict[Row, Note]:
        """The notes, by the values that the page got."""
        notes = self.score.notes
        told = [self.columns[name] for name in COLUMNS]
        if any(len(column) != len(notes) for column in told):
            return {}
        return dict(zip(zip(*told, strict=True), notes, strict=True))

    def shown_notes(self) -> Score:
        """The notes; the part of each is the shown stem, or empty."""
        shown = {self.base.names[m]: self.names[n] for m, n in self.places.items()}
        return Score(
            tuple(
                note._replace(part=shown.get(note.part, ""))
                for note in self.score.notes
            )
        )

    def _place_of(self, part: str) -> int:
        """The index of the shown stem with a part of the run; -1: none."""
        if part not in self.base.names:
            return -1
        return self.places.get(self.base.names.index(part), -1)

    def _shown(self, name: str) -> str:
        """The shown name of a stem of the run; other names stay."""
        place = self._place_of(name)
        return name if place < 0 else self.names[place]


def _placed(stem: NewStem, group: int, first: int) -> Placed:
    members = tuple(first + member for member in stem.members)
    return Placed(stem.name, group, members, stem.gain, stem.pan)


def _columns(score: Score, place_of: Any) -> dict[str, list[float]]:
    """Notes as columns of numbers, rounded to visible and audible precision."""
    notes = score.notes
    places = {part: place_of(part) for part in score.parts}
    return {
        "start": [round(note.start, 6) for note in notes],
        "end": [round(note.start + note.duration, 6) for note in notes],
        "pitch": [note.pitch for note in notes],
        "velocity": [note.velocity for note in notes],
        "confidence": [round(note.confidence, 4) for note in notes],
        "cents": [round(note.cents, 2) for note in notes],
        "percussion": [int(note.percussion) for note in notes],
        "stem": [places[note.part] for note in notes],
    }


def _together(stems: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The properties of a sum of stems."""
    first = dict(stems[0])
    if len(stems) == 1:
        return first
    rms = _sum([None if s["rms"] is None else s["rms"] ** 2 for s in stems])
    return {
        **first,
        "share": _sum([stem["share"] for stem in stems]),
        "rms": None if rms is None else rms**0.5,
        "pitch": _shared([stem["pitch"] for stem in stems]),
        "note": _shared([stem["note"] for stem in stems]),
        "notes": _sum([stem["notes"] for stem in stems]),
        "levels": _louder([stem["levels"] for stem in stems]),
        "scores": None,
    }


def _sum(values: Sequence[Any]) -> Any:
    """The sum of the known values; None if none is known."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _shared(values: Sequence[Any]) -> Any:
    """The common value, or None."""
    return values[0] if all(value == values[0] for value in values) else None


def _louder(levels: Sequence[str | None]) -> str | None:
    """The level of a sum of stems, from the bytes of each: their powers add up."""
    known = [np.frombuffer(base64.b64decode(each), np.uint8) for each in levels if each]
    if not known:
        return None
    steps = 255 * 10 / _LEVEL_SPAN
    power = sum(np.where(own > 0, 10 ** (own / steps), 0.0) for own in known)
    level = steps * np.log10(np.maximum(power, 1.0))
    data = np.clip(np.rint(level), 0, 255).astype(np.uint8)
    return base64.b64encode(data.tobytes()).decode()
