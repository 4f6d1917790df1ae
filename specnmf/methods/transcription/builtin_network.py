"""A small network that hears notes: which pitch sounds, which begins, and how sharp.

The weights are arrays of a NPZ file, of half precision where they are matrices. Each
pitch sees the bins around its partials (`stacking`) through filters over three frames
(`first`). Some blocks follow, each of filters over three frames that are 1, 2, 4 and so
on apart (`along`), and of what pitches see of each other: few channels (`narrowed`),
each with weights by interval (`across`), then all (`widened`). After the second block,
pitches see the mean and the maximum of the moment (`gathered`, `spread`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.archives import read_arrays
from specnmf.errors import TemplateError
from specnmf.methods.transcription.builtin_spectrum import (
    HIGHEST_BIN,
    HOP,
    LOWEST_BIN,
    PER_SEMITONE,
    SR,
)
from specnmf.methods.transcription.salience import LOWEST, N_PITCHES
from specnmf.parallel import cut, workers

Float32 = NDArray[np.float32]
Int = NDArray[np.intp]

#: The weights, made by training/train.py.
WEIGHTS = Path(__file__).with_name("builtin.npz")

#: Bins of the spectrum.
N_BINS = (HIGHEST_BIN - LOWEST_BIN) * PER_SEMITONE + 1

#: What each pitch sees of the spectrum: the bins around these multiples of its
#: frequency.
MULTIPLES = (1 / 3, 1 / 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
AROUND = (-1, 0, 1)
N_STACKED = len(MULTIPLES) * len(AROUND)

#: Semitones within which pitches see each other, as they share partials.
FURTHEST = 31

#: Frames between the filters of each block, and the block that sees the moment.
DILATIONS, SEES_MOMENT = (1, 2, 4, 8, 1), 1

#: Frames on either side of each that the network sees.
REACH = 1 + sum(DILATIONS)

#: Frames that are heard at a time.
PIECE = 256

#: Levels are relative to the loudest within this many seconds, or to this share of the
#: loudest of all; magnitudes below a RANGEth of it hardly count.
LOCAL, LEAST, RANGE = 3.0, 0.01, 1000.0


class Notes(NamedTuple):
    """What the network hears, each (n_frames, N_PITCHES).

    Attributes
    ----------
    sounding, beginning : array of float32
        The probability that a pitch sounds, and that it begins, 0 to 1.
    cents : array of float32
        How much sharper it is than the bins' tuning, where it sounds.
    """

    sounding: Float32
    beginning: Float32
    cents: Float32


def hear(magnitudes: Float32, threads: int | None) -> Notes:
    """What sounds in magnitudes (n_frames, n_bins); threads change no bit of it."""
    weights, reference = _weights(), loudness(magnitudes)[:, np.newaxis]
    n_frames = len(magnitudes)

    def heard(frames: slice) -> Float32:
        first, last = max(0, frames.start - REACH), min(n_frames, frames.stop + REACH)
        seen = levels(magnitudes[first:last], reference[first:last])
        before, after = REACH - (frames.start - first), REACH - (last - frames.stop)
        return _outputs(np.pad(seen, ((before, after), (0, 0))), weights)

    with workers(threads) as mapper:
        parts = mapper(heard, cut(slice(0, n_frames), PIECE))
    out = np.concatenate(parts)
    return Notes(_chances(out[:, 0]), _chances(out[:, 1]), 50 * out[:, 2].clip(-1, 1))


def loudness(magnitudes: Float32) -> Float32:
    """The loudest magnitude around each frame, at least a share of all, (n_frames,)."""
    from scipy.ndimage import maximum_filter1d

    loudest = magnitudes.max(axis=1, initial=0)
    around = maximum_filter1d(loudest, 2 * round(LOCAL * SR / HOP) + 1, mode="nearest")
    reference = np.maximum(around, LEAST * loudest.max()) + np.float32(1e-30)
    return np.asarray(reference, np.float32)


def levels(magnitudes: Float32, reference: Float32) -> Float32:
    """Compressed levels, (n_frames, N_BINS), 0 to 1, of magnitudes (n_frames, n_bins).

    They are relative to ``reference`` (n_frames, 1). Recordings at low rates have fewer
    bins; the others are silent.
    """
    out = np.zeros((len(magnitudes), N_BINS), np.float32)
    relative = magnitudes * (np.float32(RANGE) / reference)
    out[:, : magnitudes.shape[1]] = np.log1p(relative) / np.float32(np.log1p(RANGE))
    return out


def stacking() -> Int:
    """The bins that each pitch sees, (N_STACKED, N_PITCHES); N_BINS where none is."""
    centres = (LOWEST - LOWEST_BIN + np.arange(N_PITCHES)) * PER_SEMITONE
    away = np.rint(12 * PER_SEMITONE * np.log2(MULTIPLES)).astype(np.intp)
    bins = (away[:, np.newaxis] + np.array(AROUND)).reshape(-1, 1) + centres
    return np.where((bins >= 0) & (bins < N_BINS), bins, N_BINS)


def semitones_apart() -> Int:
    """Intervals between pitches, counted from `FURTHEST` below; the last if beyond."""
    pitches = np.arange(N_PITCHES)
    apart = pitches - pitches[:, np.newaxis] + FURTHEST
    beyond = 2 * FURTHEST + 1
    return np.where((apart >= 0) & (apart < beyond), apart, beyond)


@cache
def _weights() -> dict[str, Float32]:
    """The weights; those over intervals as matrices (n, N_PITCHES, N_PITCHES)."""
    arrays = read_arrays(
        WEIGHTS, most_bytes=1 << 24, error=TemplateError, expected="the network"
    )
    weights = {name: np.asarray(own, np.float32) for name, own in arrays.items()}
    for number in range(len(DILATIONS)):
        by_interval = np.pad(weights[f"across_{number}"], ((0, 0), (0, 1)))
        weights[f"across_{number}"] = by_interval[:, semitones_apart()]
    return weights


def _outputs(levels: Float32, weights: dict[str, Float32]) -> Float32:
    """Logits and cents, (n_frames, 3, N_PITCHES), of n_frames + 2 REACH levels."""
    seen = np.pad(levels, ((0, 0), (0, 1)))[:, stacking()]  # (n_frames, n, N_PITCHES)
    x = _relu(_along(seen, "first", 1, weights))
    for number, dilation in enumerate(DILATIONS):
        y = _along(x, f"along_{number}", dilation, weights)
        x = x[dilation:-dilation] + _relu(y)
        y = _relu(_dense(x, f"narrowed_{number}", weights))
        y = np.matmul(y.transpose(1, 0, 2), weights[f"across_{number}"])
        x += _relu(_dense(y.transpose(1, 0, 2), f"widened_{number}", weights))
        if number == SEES_MOMENT:
            y = _relu(_dense(x, "gathered", weights))
            moment = [y.mean(axis=2, keepdims=True), y.max(axis=2, keepdims=True)]
            x += _relu(_dense(np.concatenate(moment, axis=1), "spread", weights))
    return _dense(x + _relu(_dense(x, "mixed", weights)), "last", weights)


def _along(x: Float32, name: str, apart: int, weights: dict[str, Float32]) -> Float32:
    """Filters over three frames; there are fewer frames then, by twice ``apart``."""
    W, n = weights[f"{name}_weight"], len(x) - 2 * apart
    y = np.matmul(W[:, :, 0, 0], x[:n])
    for k in (1, 2):
        y += np.matmul(W[:, :, k, 0], x[k * apart : k * apart + n])
    return np.asarray(y + weights[f"{name}_bias"][:, np.newaxis])


def _dense(x: Float32, name: str, weights: dict[str, Float32]) -> Float32:
    W = weights[f"{name}_weight"].reshape(len(weights[f"{name}_weight"]), -1)
    return np.asarray(np.matmul(W, x) + weights[f"{name}_bias"][:, np.newaxis])


def _chances(logits: Float32) -> Float32:
    chances: Float32 = np.float32(0.5) * (1 + np.tanh(np.float32(0.5) * logits))
    return chances


def _relu(x: Float32) -> Float32:
    return np.maximum(x, np.float32(0), out=x)
