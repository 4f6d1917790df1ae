"""Judging: which of the places where drums may be struck are strokes.

A first fit with all of them shows how loud each would be. Each is then judged by the
network's own confidence, by this loudness, and by whether strokes repeat.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.drums.hits import Hit
from specnmf.methods.drums.network import DRUMS

#: The weights: of the logit of the network's probability; of the loudness in dB,
#: relative to the median of its drum's sure strokes, and to all strokes at its time; of
#: the repeats one period, half and a quarter of it away; and the constant. Fitted by
#: logistic regression to loops of kits that are not built in
#: (training/weigh_drums.py).
WEIGHTS = {
    "kick": (0.835, 0.184, 0.097, 0.826, 0.721, -1.196, 0.674),
    "snare": (0.868, 0.007, 0.069, 0.25, -0.079, -1.165, 1.164),
    "hihat": (0.743, 0.065, -0.011, 1.306, 0.514, 2.461, -0.605),
}
OTHERS = (1.013, 0.09, -0.05, 0.292, 1.899, -1.515, -1.843)

#: Of drums that the network does not hear. The repeats of their strokes are not known,
#: and count a half.
UNHEARD = (0.0, 0.027, 0.114, 0.886, 1.78, 2.279, -0.33)

N_FEATURES = 7

#: Sure strokes; strokes at one time, in seconds; the faintest loudness in dB.
SURE, TOGETHER, FAINTEST = 0.7, 0.03, -40.0

#: The least judgement at a sensitivity of 0.5, and by how much the sensitivity moves
#: it.
LEAST, REACH = -0.2, 6.0

Float64 = NDArray[np.float64]


def judged(
    hits: Sequence[Hit], loudness: Float64, *, sensitivity: float
) -> list[tuple[int, float]]:
    """The numbers of the hits that are strokes, with their new confidence."""
    scores = judgements(hits, loudness)
    least = LEAST - REACH * (sensitivity - 0.5)
    sure = 1 / (1 + np.exp(-scores))
    return [(int(i), float(sure[i])) for i in np.flatnonzero(scores >= least)]


def judgements(hits: Sequence[Hit], loudness: Float64) -> Float64:
    """The logit of the probability that each hit is a stroke."""
    weights = np.array([_weights_of(hit.drum) for hit in hits])
    features = features_of(hits, loudness)
    return np.asarray((weights.reshape(-1, N_FEATURES) * features).sum(axis=1))


def features_of(hits: Sequence[Hit], loudness: Float64) -> Float64:
    """What each hit is judged by, with a constant, shape (n_hits, N_FEATURES)."""
    p = np.array([hit.confidence for hit in hits])
    logit = np.clip(np.log(np.maximum(p, 1e-4) / np.maximum(1 - p, 1e-6)), -6, 6)
    drums, times = np.array([hit.drum for hit in hits]), [hit.time for hit in hits]
    usual = np.ones(len(hits))
    for drum in dict.fromkeys(drums.tolist()):
        own = drums == drum
        sure = own & (p > SURE)
        usual[own] = np.median(loudness[sure if sure.any() else own])
    together = _sums_near(np.array(times), loudness)
    repeats = np.array([hit.repeats or (0.5,) * 3 for hit in hits]).reshape(-1, 3)
    columns = (
        logit,
        _decibels(loudness / np.maximum(usual, 1e-12)),
        _decibels(loudness / np.maximum(together, 1e-12)),
        *repeats.T,
        np.ones(len(hits)),
    )
    return np.stack(columns, axis=1)


def _weights_of(drum: str) -> tuple[float, ...]:
    return WEIGHTS.get(drum, OTHERS) if drum in DRUMS else UNHEARD


def _sums_near(times: Float64, loudness: Float64) -> Float64:
    """The loudness of all hits at nearly the same time; times rise."""
    first = np.searchsorted(times, times - TOGETHER)
    stop = np.searchsorted(times, times + TOGETHER, side="right")
    sums = np.concatenate([[0.0], np.cumsum(loudness)])
    return np.asarray(sums[stop] - sums[first])


def _decibels(ratios: Float64) -> Float64:
    return np.asarray(np.maximum(20 * np.log10(ratios + 1e-3), FAINTEST))
