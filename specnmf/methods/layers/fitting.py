"""Layers of a spectrogram (placeholder)."""

from __future__ import annotations

from typing import Any

import numpy as np

from specnmf.factor.iterate import Counted
from specnmf.factor.layers.hierarchical import hierarchical_nmf
from specnmf.factor.layers.neural import neural_nmf
from specnmf.factor.options import BETAS


def fit_layers(V, settings, marks, *, stages):
    options: dict[str, Any] = {
        "max_iter": settings.max_iter,
        "tol": settings.tol,
        "rng": settings.seed,
        "threads": settings.threads,
    }
    together = settings.method == "neural"
    total = settings.max_iter * (len(settings.ranks) + together)
    with stages.stage("factorise", total) as step:
        tell = Counted(lambda i, loss: step(min(i, total), note=f"loss {loss:.5g}"))
        found = hierarchical_nmf(
            V,
            settings.ranks,
            beta=settings.beta,
            solver=settings.solver,
            callback=tell,
            **options,
            **_said(V, marks, settings, settings.beta),
        )
        if together:
            found = neural_nmf(
                V,
                settings.ranks,
                start=found,
                restarts=1,
                callback=tell,
                **options,
                **_said(V, marks, settings, BETAS["euclidean"]),
            )
    return found, tell.count


def _said(V, marks, settings, beta):
    if marks is None:
        return {}
    weight = float(np.power(V, max(beta, 0.0), dtype=np.float64).sum())
    return {
        "labels": marks.heard,
        "label_mask": marks.annotated,
        "label_weight": settings.label_weight * weight / marks.heard.sum(),
    }
