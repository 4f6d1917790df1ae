"""The options of factorisations in layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from specnmf.checks import check_between, check_falling, whole_numbers
from specnmf.factor.layers.options import LayerFit
from specnmf.factor.options import Solver, SolverOptions
from specnmf.options import changed, option

LayerMethod = Literal["sequential", "neural"]


class LayerOptions(SolverOptions):
    """How many layers there are, and how they are learned."""

    ranks: Sequence[int] = option(
        (32, 8, 3),
        "Components of each layer, from the sound up; each fewer.",
        parse=whole_numbers,
        metavar="N,N,...",
        shown="32,8,3",
    )
    method: LayerMethod = option(
        "sequential", "One layer after another, or all together."
    )
    label_weight: float = option(
        LayerFit.label_weight,
        "How much labels count beside the sound; 1: as much.",
        least=0,
    )
    stems: Sequence[int] | None = option(
        None,
        "Layers to write as sound, 1 the finest; by default all.",
        parse=whole_numbers,
        metavar="N,N,...",
    )
    beta: float = changed(
        LayerFit,
        "beta",
        help="Divergence of the sequential method.",
        shown="euclidean",
    )
    solver: Solver = changed(
        SolverOptions, "solver", help="Solver of the sequential method."
    )
    max_iter: int = changed(
        SolverOptions, "max_iter", help="The most iterations of a layer."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_falling("ranks", self.ranks)
        for layer in self.stems or ():
            check_between("stems", layer, 1, len(self.ranks))
