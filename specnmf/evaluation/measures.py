"""Scores of one estimate against one reference, over all or frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from specnmf.errors import ParameterError
from specnmf.evaluation.bss_eval import decibels
from specnmf.evaluation.correlation import Array, Signal


def si_sdr(reference: ArrayLike, estimate: ArrayLike) -> float:
    """The scale-invariant signal-to-distortion ratio in dB.

    Signals are (n_channels, n_samples) or (n_samples,), both of the same shape,
    otherwise ParameterError is raised. The mean of each channel is subtracted first;
    one scale applies to all channels. Infinite for a perfect estimate; minus infinity
    for a silent one.

    References
    ----------
    Le Roux, Wisdom, Erdogan and Hershey, "SDR: half-baked or well done?",
    ICASSP 2019, equation 4.
    """
    r, e = np.atleast_2d(reference), np.atleast_2d(estimate)
    if r.shape != e.shape:
        raise ParameterError(
            "reference and estimate must have the same shape, "
            f"got {r.shape} and {e.shape}; cut or pad one"
        )
    energy = _product(e, e)
    own = _product(r, r)
    target = _product(r, e) ** 2 / own if own > 0 else 0.0
    return float(decibels(target, energy - target))


def _product(x: Signal, y: Signal) -> float:
    """The inner product of two signals without their means, in float64."""
    raw = np.einsum("ct,ct->", x, y, dtype=np.float64)
    means = x.mean(axis=1, dtype=np.float64) @ y.mean(axis=1, dtype=np.float64)
    return float(raw - x.shape[1] * means)


def museval_metrics() -> Any:
    """The metrics module of museval; ParameterError if it is not installed."""
    try:
        return import_module("museval.metrics")
    except ImportError as error:
        raise ParameterError(
            "BSS Eval v4 needs museval; run: pip install 'specnmf[museval]'"
        ) from error


def framewise_sdr(
    references: Sequence[Signal], estimates: Sequence[Signal], sr: int
) -> Array:
    """The median SDR over frames of one second in dB, as in museval (v4).

    Signals are (n_channels, n_samples), none of them silent; channels count jointly.
    All values are NaN if there is no frame in which all signals sound.

    References
    ----------
    Stöter, Liutkus and Ito, "The 2018 signal separation evaluation campaign",
    LVA/ICA 2018.
    """
    window = min(sr, references[0].shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        frames, *_ = museval_metrics().bss_eval(
            _channels_last(references),
            _channels_last(estimates),
            window=window,
            hop=window,
            compute_permutation=False,
        )
    heard = frames[:, ~np.isnan(frames).any(axis=0)]
    if heard.shape[1] == 0:
        return np.full(len(references), np.nan)
    return np.asarray(np.median(heard, axis=1))


def _channels_last(signals: Sequence[Signal]) -> Array:
    """Signals in the shape that museval takes: (n_signals, n_samples, n_channels)."""
    return np.stack([signal.T for signal in signals]).astype(np.float64)
