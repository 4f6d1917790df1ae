"""The options of factorisations in layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from specnmf.audio.options import BandOptions
from specnmf.checks import check_between, check_falling, whole_numbers
from specnmf.factor.layers.options import LayerFit
from specnmf.factor.options import Solver, SolverOptions
from specnmf.methods.memory import MemoryOptions
from specnmf.options import changed, option

LayerMethod = Literal["sequential", "neural"]


class LayerOptions(BandOptions, MemoryOptions, SolverOptions):
    """The number of layers, and how they are learned."""

    ranks: Sequence[int] = option(
        (32, 8, 3),
        "Number of components of each layer, in decreasing order.",
        parse=whole_numbers,
        metavar="N,N,...",
        shown="32,8,3",
    )
    method: LayerMethod = option(
        "sequential",
        "sequential: fit one layer after another; neural: then all layers together.",
    )
    label_weight: float = option(
        LayerFit.label_weight,
        "Weight of the labels relative to the sound.",
        least=0,
    )
    stems: Sequence[int] | None = option(
        None,
        "Layers to write as sound; 1 is the finest; by default all.",
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
        SolverOptions, "max_iter", help="Maximum number of iterations per layer."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_falling("ranks", self.ranks)
        for layer in self.stems or ():
            check_between("stems", layer, 1, len(self.ranks))
