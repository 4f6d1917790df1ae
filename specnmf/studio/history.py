"""What can be undone: versions of a run, one after another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specnmf.record.edits import Edits
    from specnmf.score.notes import Score
    from specnmf.score.regions import Region

#: Steps that can be undone.
MOST_STEPS = 500


@dataclass(frozen=True)
class Version:
    """A run, and what is changed in it and not yet saved.

    Attributes
    ----------
    run : int
        The number of the run that was fitted, among those of the session.
    edits : Edits
        What `specnmf edit` is to do with it.
    notes : Score or None
        As a person changed them, on the excerpt's clock; None: the run's.
    regions : tuple of Region or None
        The same.
    """

    run: int
    edits: Edits
    notes: Score | None = None
    regions: tuple[Region, ...] | None = None


@dataclass
class History:
    """Versions, of which one is the present one.

    Attributes
    ----------
    versions : list of Version
        In order.
    place : int
        Of the present one.
    """

    versions: list[Version]
    place: int = field(default=0)

    @property
    def present(self) -> Version:
        """The version that is shown."""
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
        """Make a version the present one; what was undone is gone.

        It says whether the version is another than before.
        """
        if version == self.present:
            return False
        kept = self.versions[: self.place + 1][-MOST_STEPS:]
        self.versions = [*kept, version]
        self.place = len(self.versions) - 1
        return True

    def move(self, steps: int) -> bool:
        """Go to a version so many steps later, or earlier; say whether there is one."""
        place = self.place + steps
        if not 0 <= place < len(self.versions):
            return False
        self.place = place
        return True
