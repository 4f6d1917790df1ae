"""The options of factorisations in layers."""

from __future__ import annotations

from typing import Literal

from specnmf.factor.options import BETAS, SolverOptions
from specnmf.options import FIT, changed, option

Loss = Literal["reconstruction", "energy"]
LabelLoss = Literal["l2", "cross-entropy"]


class LayerFit(SolverOptions, group=FIT):
    """How layers are fitted one after the other, and their labels."""

    restarts: int = option(1, "Number of starts; the best result is kept.", least=1)
    label_weight: float = option(1.0, "Weight of the label term.", least=0)
    beta: float = changed(SolverOptions, "beta", default=BETAS["euclidean"])


class NeuralFit(LayerFit, group=FIT):
    """How all layers are fitted together."""

    restarts: int = changed(LayerFit, "restarts", default=5)
    max_iter: int = changed(LayerFit, "max_iter", default=500)
    tol: float = changed(LayerFit, "tol", default=1e-5)
    loss: Loss = option("reconstruction", "Data term of the cost.")
    label_loss: LabelLoss = option("l2", "Label term of the cost.")
