"""The options of separation by labels."""

from __future__ import annotations

from specnmf.audio.options import BandOptions
from specnmf.factor.options import FitOptions
from specnmf.methods.memory import MemoryOptions
from specnmf.options import WHAT, Options, changed, option

#: The suffixes of files with labels, and what they may be.
LABEL_SUFFIXES = (
    *(".txt", ".csv", ".tsv", ".lab", ".srt", ".vtt", ".textgrid", ".TextGrid"),
    ".eaf",
)
LABEL_KINDS = (
    "an Audacity label track, a table with start,end,name, a Praat TextGrid, an ELAN "
    "file or subtitles."
)


class TierOptions(Options, group=WHAT):
    """Which labels of a file to take."""

    tier: str | None = option(
        None,
        "Take only the labels of this tier of a Praat TextGrid or ELAN file; by "
        "default all.",
        added=True,
    )


class LabelOptions(BandOptions, MemoryOptions, FitOptions):
    """The options of learning and finding labelled sounds."""

    n_components: int = option(
        16, "Number of templates per label.", flags=("-k", "--components"), least=1
    )
    n_rest: int = option(
        16,
        "Number of templates for other sounds, the stem rest; 0: no rest.",
        flags=("--rest",),
        least=0,
    )
    transpose: int = option(
        7,
        "Also try the templates transposed by up to this many semitones, for notes "
        "that are not marked; 0: do not.",
        least=0,
        most=24,
    )
    bounds: bool = option(
        True,
        "Keep each sound between the lowest and the highest frequency of its "
        "selections, if a table of Raven has them.",
        added=True,
        older=False,
    )
    max_iter: int = changed(FitOptions, "max_iter", default=60)
