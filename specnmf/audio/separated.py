"""Separated: what a separation in memory gives, a dict that can be heard."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from typing import Any

from specnmf.audio.recording import Audio

#: Where what notebooks show is made: below this module, so found when it is asked for.
PLAYER = "specnmf.output.page.notebook:stems_html"


class Separated(dict[str, Audio]):
    """Sources by name: a dict of Audio, which a notebook shows as a player.

    Parameters
    ----------
    sources : mapping of str to Audio, or iterable of pairs
        As for dict.
    notes : Score, optional
        For the player to show: the part of each note is its source.
    """

    def __init__(
        self,
        sources: Mapping[str, Audio] | Iterable[tuple[str, Audio]] = (),
        *,
        notes: Any = None,
    ) -> None:
        super().__init__(sources)
        self.notes = notes

    def copy(self) -> Separated:
        """The same sources in another dict."""
        return Separated(self, notes=self.notes)

    def __repr__(self) -> str:
        """One line: the names, and the sound of the first."""
        first = next(iter(self.values()), None)
        names = ", ".join(map(repr, self))
        return f"Separated({names}: {first!r} each)" if self else "Separated()"

    def _repr_html_(self) -> str | None:
        """The player, in a notebook; None, and so the repr, where there is no sound."""
        html: str | None = pkgutil.resolve_name(PLAYER)(self, self.notes)
        return html
