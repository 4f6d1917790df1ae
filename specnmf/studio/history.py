"""The undo history: versions of a run, one after another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specnmf.record.edits import Edits
    from specnmf.score.notes import Score
    from specnmf.score.regions import Region

#: The number of steps that can be undone.
MOST_STEPS = 500


@dataclass(frozen=True)
class Version:
    """A run with its unsaved changes.

    Attributes
    ----------
    run : int
        The number of the fitted run in the session.
    edits : Edits
        The edits of its stems.
    notes : Score or None
        The corrected notes, in the excerpt's time; None: those of the run.
    regions : tuple of Region or None
        The corrected regions, in the same way.
    """

    run: int
    edits: Edits
    notes: Score | None = None
    regions: tuple[Region, ...] | None = None


@dataclass
class History:
    """Versions, one of which is current.

    Attributes
    ----------
    versions : list of Version
        In order.
    place : int
        The index of the current version.
    """

    versions: list[Version]
    place: int = field(default=0)

    @property
    def present(self) -> Version:
        """The current version."""
        return self.versions[self.place]

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier version."""
        return self.place > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a later version."""
        return self.place + 1 < len(self.versions)

    def add(self, version: Version) -> bool:
        """Make a version the current one; undone versions are dropped.

        Returns whether the version differs from the last one.
        """
        if version == self.present:
            return False
        kept = self.versions[: self.place + 1][-MOST_STEPS:]
        self.versions = [*kept, version]
        self.place = len(self.versions) - 1
        return True

    def move(self, steps: int) -> bool:
        """Move a number of steps in the history; return whether that is possible."""
        place = self.place + steps
        if not 0 <= place < len(self.versions):
            return False
        self.place = place
        return True
