"""The memory of layers, forecast from their options."""

from __future__ import annotations

from functools import partial

from specnmf.audio.options import window
from specnmf.methods.layers.options import LayerOptions
from specnmf.methods.memory import Held, Limit, Need

#: Copies of V in the solver of the first layer beside V itself, and of each layer's H.
SOLVER_V, FITTED_H = 0.6, 8

#: Copies of what the last layer factorises, where it follows labels.
LABELLED = 9

#: Numbers of double precision that the joint fit holds for each row of each layer.
TOGETHER = 12


def limit(
    options: LayerOptions, sr: int, n_channels: int, *, labelled: bool = False
) -> Limit:
    """The memory limit of layers, of which the last one may follow labels."""
    return Limit(
        options, partial(_plan, sr=sr, n_channels=n_channels, labelled=labelled)
    )


def _plan(options: LayerOptions, *, sr: int, n_channels: int, labelled: bool) -> Held:
    """What a recording takes with some options."""
    n_fft, hop_length = window(sr, options.n_fft, options.hop_length)
    n_bins = n_fft // 2 + 1
    rows = sum(options.ranks)
    band = 4 * n_bins if options.is_limited else 0  # V without what is outside
    found = 4 * FITTED_H * rows + band
    stages = [Need(each=4 * SOLVER_V * n_bins + found)]
    if labelled:
        below = (n_bins, *options.ranks)[len(options.ranks) - 1]
        stages.append(Need(each=4 * LABELLED * below + found))
    if options.method == "neural":
        stages.append(Need(each=8 * TOGETHER * rows + found))
    return Held(
        sr=sr,
        n_channels=n_channels,
        n_fft=n_fft,
        hop_length=hop_length,
        n_components=options.ranks[0],
        stages=stages,
    )
