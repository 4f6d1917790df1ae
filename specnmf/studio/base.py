"""A finished run, as the studio shows it before any change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specnmf.errors import ParameterError, SpecnmfError
from specnmf.record.edit import with_song
from specnmf.record.record import Record, read_record
from specnmf.tasks.settings import RunSettings

if TYPE_CHECKING:
    from specnmf.score.notes import Score
    from specnmf.score.regions import Region

#: The editable parts of runs, by task. A run can be separated again by its notes or
#: regions; if its task takes no regions, the new run is of `label`.
_CHANGED = {
    "notes": ("separate", "transcribe", "drums"),
    "regions": ("label", "layers", "decompose"),
    "stems": ("separate", "label", "layers", "decompose", "drums"),
}


@dataclass(frozen=True, eq=False)
class Base:
    """A finished run.

    Attributes
    ----------
    folder : path
        The folder of the run.
    record : Record
        How it was made.
    contents : mapping
        The contents of its page.
    """

    folder: Path
    record: Record
    contents: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The name of its task."""
        return self.record.task.name

    @cached_property
    def stems(self) -> Sequence[Mapping[str, Any]]:
        """The stems of all groups, one after another."""
        return [stem for group in self.contents["groups"] for stem in group["stems"]]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the stems."""
        return tuple(stem["name"] for stem in self.stems)

    @property
    def has_stems(self) -> bool:
        """Whether its task makes stems; else there are the recording and voices."""
        return issubclass(self.record.task.settings, RunSettings)

    @property
    def start(self) -> float:
        """The start of the excerpt in the recording, in seconds."""
        return self.record.settings.start

    @cached_property
    def notes(self) -> Score:
        """The notes, in the excerpt's time; the part of each is its stem."""
        from specnmf.output.stored import read_shown

        return read_shown(self.folder)

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """The marked regions, in the excerpt's time; else the regions that were found.

        The marked regions are in an input file, which may be missing.
        """
        path = self.record.beside.get("labels")
        if path is not None and _is_as_it_was(self.record):
            from specnmf.score.regions import read_regions

            tier = getattr(self.record.settings, "tier", None)
            found = read_regions(path, tier=tier)
            return _within(found, self.start, self.contents["duration"])
        return _told(self.contents["regions"])


def open_base(folder: Path, recording: Path | None = None) -> Base:
    """A finished run.

    Parameters
    ----------
    folder : path
        The folder of the run.
    recording : path, optional
        The recording, if it was moved; by default the path in run.json.

    Raises
    ------
    OutputError
        If the folder is not a run.
    AudioError
        If ``recording`` is not the recording of the run.
    """
    from specnmf.output.page.contents import read_contents

    record = read_record(folder)
    if recording is not None:
        record = with_song(record, recording)
        record.check_input()
    defaults = vars(record.task.settings())
    contents = read_contents(folder, recording=recording, defaults=defaults)
    return Base(folder, record, contents)


def _is_as_it_was(record: Record) -> bool:
    """Whether all inputs are unchanged."""
    try:
        record.check_inputs()
    except SpecnmfError:
        return False
    return True


def _within(
    regions: Sequence[Region], start: float, duration: float
) -> tuple[Region, ...]:
    """The regions of an excerpt, in its time."""
    moved = (
        region._replace(
            start=max(0.0, region.start - start),
            end=min(duration, region.end - start),
        )
        for region in regions
    )
    return tuple(region for region in moved if region.end > region.start)


def _told(regions: Sequence[Mapping[str, Any]]) -> tuple[Region, ...]:
    from specnmf.score.regions import Region

    return tuple(Region(each["start"], each["end"], each["name"]) for each in regions)


def possible(base: Base) -> dict[str, bool]:
    """The editable parts of a run."""
    can = {what: base.kind in kinds for what, kinds in _CHANGED.items()}
    return {**can, "separate": can["notes"] or can["regions"]}


def check_possible(base: Base, what: str) -> None:
    """Raise ParameterError unless this part of a run is editable."""
    if not possible(base)[what]:
        raise ParameterError(f"the {what} of a run of {base.kind} cannot be edited")
