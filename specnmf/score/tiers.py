"""Tiers: labels of one recording in several rows, of which one may be asked for."""

from __future__ import annotations

from specnmf.errors import ScoreError
from specnmf.score.loading import label

#: Tiers that a message names.
_LISTED = 12


class Tiers:
    """The tiers of a file while it is read, and which of them are taken.

    Attributes
    ----------
    asked : str or None
        The name of the tier to take, in any case; None: all of them.
    """

    def __init__(self, asked: str | None = None) -> None:
        self.asked = asked
        self._wanted = None if asked is None else _folded(asked)
        self._names: list[str] = []
        self._taken: list[str] = []
        self._n_points, self._is_found = 0, False

    def takes(self, name: str, *, n_points: int | None = None) -> bool:
        """Whether the regions of a tier are taken; one of points has none."""
        self._names.append(name)
        if self._wanted is not None and _folded(name) != self._wanted:
            return False
        self._is_found = True
        if n_points is not None:
            self._n_points += n_points
            return False
        self._taken.append(name)
        return True

    def check(self) -> None:
        """Raise ScoreError, once all are read, if the one that is asked for is not."""
        if self.asked is None or self._is_found:
            return
        if not self._names:
            raise ScoreError("has no tiers; leave out --tier")
        raise ScoreError(
            f"has no tier {label(self.asked)!r}; the tiers are {_listed(self._names)}"
        )

    @property
    def remarks(self) -> list[str]:
        """What was read and what was left out, of the tiers so far."""
        found = []
        if self.asked is None and len(self._taken) > 1:
            found.append(
                f"labels of {len(self._taken)} tiers are read together "
                f"({_listed(self._taken)}); --tier takes one of them"
            )
        if self._n_points:
            points = "1 point is" if self._n_points == 1 else f"{self._n_points} points"
            points += "" if self._n_points == 1 else " are"
            found.append(f"{points} ignored: only intervals are labels")
        return found


def _folded(name: str) -> str:
    return label(name).casefold()


def _listed(names: list[str]) -> str:
    shown = ", ".join(label(name, longest=40) or "''" for name in names[:_LISTED])
    more = len(names) - _LISTED
    return f"{shown} and {more} more" if more > 0 else shown
