"""Stems: the colour that stands for each, alike in all figures of a separation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from specnmf.score.notes import Score

#: Hues that the colour-blind tell apart: those of Okabe and Ito, "Color universal
#: design", 2008, that can be seen on white, and two dark ones.
HUES = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7"),
    *("#e69f00", "#56b4e9", "#332288", "#552200"),
)
#: Stands for whatever has no hue of its own.
GREY = "#505050"

#: What a stem is called whose notes several parts play, where parts have the hues.
SEVERAL = "several parts"

_UNNAMED = "notes"
_STEPS = 256


class Palette(NamedTuple):
    """The groups of stems that have a colour, and whose each note is."""

    names: tuple[str, ...]  # of the groups, from the highest to the lowest
    colours: tuple[str, ...]
    notes: NDArray[np.intp]  # the group of each note of the score,
    components: NDArray[np.intp]  # and of each component

    @property
    def of_notes(self) -> list[str]:
        """The colour of each note of the score."""
        return [self.colours[group] for group in self.notes]

    @property
    def legend(self) -> list[tuple[str, str]]:
        """What each colour stands for."""
        return list(zip(self.names, self.colours, strict=True))


def palette(
    score: Score, labels: Sequence[str], components: Sequence[str] = ()
) -> Palette:
    """Give each stem a hue; if there are too many, each part, the largest first.

    The labels are the stems of the notes; a component's stem may have no notes.
    """
    by_note = _groups(score, labels)
    by_component = _component_groups(labels, by_note, components)
    coloured = _with_hues(score, by_note)
    every = dict.fromkeys([*by_note, *by_component])
    others = [group for group in every if group not in coloured]
    rest = others if len(others) < 2 else [f"{len(others)} others"]
    place = {group: index for index, group in enumerate(coloured)}
    place |= dict.fromkeys(others, len(coloured))
    return Palette(
        (*coloured, *rest),
        (*HUES[: len(coloured)], *[GREY] * len(rest)),
        np.array([place[group] for group in by_note], np.intp),
        np.array([place[group] for group in by_component], np.intp),
    )


def shaded(
    shades: NDArray[np.floating], groups: NDArray[np.intp], colours: Sequence[str]
) -> NDArray[np.uint8]:
    """Colour an image: transparent where soft, its group's hue where loud.

    Shades reach from 0, or less, to 1; groups have a shape that fits theirs. Returns
    bytes of the shades' shape and 4.
    """
    ramps = np.stack([ramp(colour) for colour in colours])
    steps = np.clip(shades * (_STEPS - 1), 0, _STEPS - 1).astype(np.intp)
    return np.asarray(ramps[np.broadcast_to(groups, steps.shape), steps])


def ramp(colour: str) -> NDArray[np.uint8]:
    """From transparent by a tint of a colour to a dark shade of it, shape (256, 4)."""
    hue, at = np.array(to_rgb(colour)), np.linspace(0, 1, _STEPS)
    corners = np.stack([0.2 * hue + 0.8, hue, 0.45 * hue])
    ramped = np.stack([np.interp(at, (0, 0.7, 1), c) for c in corners.T], axis=1)
    alpha = np.minimum(1, np.linspace(0, 4, _STEPS))
    ramped = np.column_stack([ramped, alpha])
    return np.asarray(np.rint(255 * ramped), np.uint8)


def _groups(score: Score, labels: Sequence[str]) -> list[str]:
    """The stem of each note, or its part where there are too many stems."""
    if len(set(labels)) <= len(HUES):
        return list(labels)
    return [note.part or _UNNAMED for note in score.notes]


def _component_groups(
    labels: Sequence[str], by_note: Sequence[str], components: Sequence[str]
) -> list[str]:
    """The group of each component: that of all its stem's notes, or SEVERAL."""
    groups: dict[str, str] = {}
    for label, group in zip(labels, by_note, strict=True):
        groups[label] = group if groups.get(label, group) == group else SEVERAL
    return [groups.get(component, component) for component in components]


def _with_hues(score: Score, by_note: Sequence[str]) -> list[str]:
    """The groups with most notes, the highest first and drums last."""
    most = [group for group, _ in Counter(by_note).most_common(len(HUES))]
    heights: dict[str, list[tuple[bool, int]]] = {group: [] for group in most}
    for note, group in zip(score.notes, by_note, strict=True):
        if group in heights:
            heights[group].append((not note.percussion, note.pitch))

    def height(group: str) -> tuple[float, float]:
        pitched, pitches = np.mean(heights[group], axis=0)
        return float(pitched >= 0.5), float(pitches)

    return sorted(most, key=height, reverse=True)
