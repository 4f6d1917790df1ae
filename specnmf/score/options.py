"""The options of scores: what makes a stem, and how a score meets a recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from specnmf.checks import whole_or_auto
from specnmf.options import Options, option

By = Literal["part", "hand", "pitch", "note"]
Align = Literal["auto", "always", "never"]
Groups = Mapping[str, Sequence[str]]


def parse_groups(groups: Any) -> Groups:
    """The groups that a command line or a TOML file asks for: see `grouping`."""
    from specnmf.score import grouping

    return grouping.parse_groups(groups)


@dataclass(frozen=True, kw_only=True)
class StemOptions(Options):
    """What makes a stem."""

    by: By = option("part", "What makes a stem.")
    groups: Mapping[str, Sequence[str]] = option(
        {},
        "Stems to join, such as strings=violin*,viola; repeatable.",
        flags=("--group",),
        parse=parse_groups,
        metavar="NAME=STEM,...",
    )
    split: int = option(
        60, "The right hand's lowest MIDI pitch; 60 is middle C.", least=0, most=128
    )


@dataclass(frozen=True, kw_only=True)
class AlignOptions(Options):
    """How a score is brought to the time and key of a recording."""

    align: Align = option(
        "auto", "Warp the score to the recording: if they disagree, always or never."
    )
    transpose: int | Literal["auto"] = option(
        0,
        "Semitones that the recording sounds above the score, or auto.",
        least=-48,
        most=48,
        parse=partial(whole_or_auto, expected="auto or a whole number"),
        metavar="[auto|SEMITONES]",
    )
