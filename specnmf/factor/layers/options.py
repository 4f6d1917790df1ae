"""The options of factorisations in layers."""

from __future__ import annotations

from typing import Literal

from specnmf.factor.options import BETAS, SolverOptions
from specnmf.options import FIT, changed, option

Loss = Literal["reconstruction", "energy"]
LabelLoss = Literal["l2", "cross-entropy"]


class LayerFit(SolverOptions, group=FIT):
    """What layers and their labels are fitted by, one after the other."""

    restarts: int = option(1, "Starts, of which the best is kept.", least=1)
    label_weight: float = option(1.0, "How much the label term counts.", least=0)
    beta: float = changed(SolverOptions, "beta", default=BETAS["euclidean"])


class NeuralFit(LayerFit, group=FIT):
    """What all layers are fitted by together."""

    restarts: int = changed(LayerFit, "restarts", default=5)
    max_iter: int = changed(LayerFit, "max_iter", default=500)
    tol: float = changed(LayerFit, "tol", default=1e-5)
    loss: Loss = option("reconstruction", "The data term.")
    label_loss: LabelLoss = option("l2", "The label term.")
