"""A finished run, as the studio shows it before anything is changed."""

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

#: What can be changed in runs of which tasks. Their notes, or the regions that are
#: marked in them, are what they can be separated again by; what is no run by regions
#: itself becomes one of `label`.
_CHANGED = {
    "notes": ("separate", "transcribe"),
    "regions": ("label", "layers", "decompose"),
    "stems": ("separate", "label", "layers", "decompose"),
}


@dataclass(frozen=True, eq=False)
class Base:
    """A finished run.

    Attributes
    ----------
    folder : path
        Where it is.
    record : Record
        How it was made.
    contents : mapping
        What its page shows.
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
        """What the stems are called."""
        return tuple(stem["name"] for stem in self.stems)

    @property
    def has_stems(self) -> bool:
        """Whether its task makes stems; else there is the recording, and voices."""
        return issubclass(self.record.task.settings, RunSettings)

    @property
    def start(self) -> float:
        """Where in the recording the excerpt begins, in seconds."""
        return self.record.settings.start

    @cached_property
    def notes(self) -> Score:
        """The notes, on the excerpt's clock; the part of each is its stem."""
        from specnmf.output.stored import read_shown

        return read_shown(self.folder)

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """What a person marked, on the excerpt's clock; else where sounds were found.

        The former is in a file beside the recording, which may be gone.
        """
        path = self.record.beside.get("labels")
        if path is not None and _is_as_it_was(self.record):
            from specnmf.score.regions import read_regions

            return _within(read_regions(path), self.start, self.contents["duration"])
        return _told(self.contents["regions"])


def open_base(folder: Path, recording: Path | None = None) -> Base:
    """A finished run.

    Parameters
    ----------
    folder : path
        Where it is.
    recording : path, optional
        Where its recording is now; by default where run.json says.

    Raises
    ------
    OutputError
        If the folder holds none.
    AudioError
        If ``recording`` is not the file that the run was made from.
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
    """Whether all inputs are the files that they were."""
    try:
        record.check_inputs()
    except SpecnmfError:
        return False
    return True


def _within(
    regions: Sequence[Region], start: float, duration: float
) -> tuple[Region, ...]:
    """The regions of an excerpt, on its clock."""
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
    """What of a run can be changed."""
    can = {what: base.kind in kinds for what, kinds in _CHANGED.items()}
    return {**can, "separate": can["notes"] or can["regions"]}


def check_possible(base: Base, what: str) -> None:
    """Raise ParameterError unless this can be changed in a run."""
    if not possible(base)[what]:
        raise ParameterError(f"the {what} of a run of {base.kind} cannot be changed")
