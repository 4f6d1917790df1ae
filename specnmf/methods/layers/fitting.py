"""Layers of a recording: fitted one after another, then possibly all together."""

from __future__ import annotations

from typing import Any

import numpy as np

from specnmf.audio.stft import Float32
from specnmf.factor.iterate import Callback, Counted
from specnmf.factor.layers.hierarchical import hierarchical_nmf
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.neural import neural_nmf
from specnmf.factor.options import BETAS
from specnmf.methods.components.fitting import check_room
from specnmf.methods.layers.options import LayerOptions
from specnmf.score.marks import Marks


def fit_layers(
    V: Float32,
    options: LayerOptions,
    marks: Marks | None = None,
    *,
    callback: Callback | None = None,
) -> tuple[Layers, int]:
    """Factorise a spectrogram in layers.

    If all layers were learned together from a random start, the last one would dominate
    and the first would not find notes. So the joint fit starts from the sequential one.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames), float32
        Magnitudes.
    marks : Marks, optional
        Labels that the last layer is to follow.
    callback : callable, optional
        Called as ``callback(iteration, loss)``, with iterations counted over all
        layers; their number is about `expected_iterations`.

    Returns
    -------
    layers : Layers
    n_iterations : int
        The number of iterations.

    Raises
    ------
    ParameterError
        If the recording is too short for so many components.
    """
    check_room(options.ranks[0], V, instead="smaller --ranks")
    tell = Counted(callback)
    common: dict[str, Any] = {
        "max_iter": options.max_iter,
        "tol": options.tol,
        "rng": options.seed,
        "threads": options.threads,
        "callback": tell,
    }
    found = hierarchical_nmf(
        V,
        options.ranks,
        beta=options.beta,
        solver=options.solver,
        **common,
        **_said(V, marks, options, options.beta),
    )
    if options.method == "neural":
        said = _said(V, marks, options, BETAS["euclidean"])
        found = neural_nmf(V, options.ranks, start=found, restarts=1, **common, **said)
    return found, tell.count


def expected_iterations(options: LayerOptions) -> int:
    """The number of iterations of `fit_layers`, unless it stops early."""
    together = options.method == "neural"
    return options.max_iter * (len(options.ranks) + together)


def _said(
    V: Float32, marks: Marks | None, options: LayerOptions, beta: float
) -> dict[str, Any]:
    """The labels, scaled so that at weight 1 they count as much as V."""
    if marks is None:
        return {}
    weight = float(np.power(V, max(beta, 0.0), dtype=np.float64).sum())
    return {
        "labels": marks.heard,
        "label_mask": marks.annotated,
        "label_weight": options.label_weight * weight / marks.heard.sum(),
    }
