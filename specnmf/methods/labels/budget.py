"""The memory of a separation by labels, forecast from its options."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.options import window
from specnmf.methods.labels.fitting import CHOICE_FRAMES, KEPT
from specnmf.methods.labels.options import LabelOptions
from specnmf.methods.labels.templates import LEAST_ALONE, frames_alone
from specnmf.methods.memory import Held, Limit, Need

#: Copies of H in the fit; copies of the frames to learn from, with their solver's; and
#: bytes a label for its activity in each frame.
FITTED_H, LEARNED_V, ACTIVITY = 9, 2.6, 80


def limit(
    options: LabelOptions,
    sr: int,
    n_channels: int,
    *,
    n_labels: int = 1,
    n_learned: int = 0,
) -> Limit:
    """The memory limit of a separation by labels.

    Parameters
    ----------
    options : LabelOptions
        As asked for.
    sr, n_channels : int
        Of the recording.
    n_labels : int
        The labels without the rest.
    n_learned : int
        The most frames that templates are learned from at once: `most_learned`.
    """
    plan = partial(
        _plan, sr=sr, n_channels=n_channels, n_labels=n_labels, n_learned=n_learned
    )
    return Limit(options, plan, fewer=("n_components", "-k"))


def most_learned(heard: NDArray[np.bool_], annotated: NDArray[np.bool_]) -> int:
    """The most frames that templates are learned from at once.

    Parameters
    ----------
    heard : array of bool, shape (n_labels, n_frames)
        Where each label is heard, without the rest.
    annotated : array of bool, shape (n_frames,)
        Which frames are annotated.
    """
    alone = frames_alone(heard)
    together = heard[alone.sum(axis=1) < LEAST_ALONE].any(axis=0)
    counts = [np.count_nonzero(annotated & ~heard.any(axis=0)), together.sum()]
    return int(max(*counts, *alone.sum(axis=1), 0))


def _plan(
    options: LabelOptions, *, sr: int, n_channels: int, n_labels: int, n_learned: int
) -> Held:
    """What a recording takes with some options."""
    n_fft, hop_length = window(sr, options.n_fft, options.hop_length)
    n_bins = n_fft // 2 + 1
    marked = n_labels * options.n_components
    offered = marked * (1 + 2 * options.transpose) + options.n_rest
    kept = marked + (round(KEPT * marked) if options.transpose else 0) + options.n_rest
    learning = LEARNED_V * n_bins + FITTED_H * (marked + options.n_rest)
    band = 4 * n_bins if options.is_limited else 0  # V without what is outside
    return Held(
        sr=sr,
        n_channels=n_channels,
        n_fft=n_fft,
        hop_length=hop_length,
        n_components=kept,
        stages=(
            Need(4 * n_learned * learning, band),
            Need(4 * offered * (FITTED_H * CHOICE_FRAMES + 3 * n_bins), band),
            Need(each=4 * FITTED_H * kept + ACTIVITY * (n_labels + 1) + band),
        ),
    )
