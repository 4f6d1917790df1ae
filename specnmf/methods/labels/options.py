"""The options of separation by labels."""

from __future__ import annotations

from specnmf.factor.options import FitOptions
from specnmf.options import changed, option


class LabelOptions(FitOptions):
    """How labelled sounds are learned and found."""

    n_components: int = option(
        16, "Templates for each label.", flags=("-k", "--components"), least=1
    )
    n_rest: int = option(
        16,
        "Templates for what no label names; 0: leave no rest.",
        flags=("--rest",),
        least=0,
    )
    transpose: int = option(
        7,
        "Semitones up and down by which templates are borrowed for notes that were "
        "not marked; 0: none.",
        least=0,
        most=24,
    )
    max_iter: int = changed(FitOptions, "max_iter", default=60)
