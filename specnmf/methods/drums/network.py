"""A small network that hears strokes of drums, frame by frame."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from specnmf.archives import read_arrays
from specnmf.audio.stft import Float32
from specnmf.errors import TemplateError

#: What it hears, in its order.
DRUMS = ("kick", "snare", "hihat", "toms", "ride", "crash", "clap")

#: Its weights, made by audio_examples/make_drum_network.py.
WEIGHTS = Path(__file__).with_name("network.npz")


@cache
def _layers() -> tuple[tuple[Float32, Float32], ...]:
    arrays = read_arrays(
        WEIGHTS, most_bytes=1 << 24, error=TemplateError, expected="the network"
    )
    numbers = range(len(arrays) // 2)
    return tuple(
        (arrays[f"W{i}"].astype(np.float32), arrays[f"b{i}"].astype(np.float32))
        for i in numbers
    )


def probabilities(inputs: Float32) -> Float32:
    """The probability that a stroke of each drum begins, (n_frames, n_drums)."""
    state = inputs
    *hidden, last = _layers()
    for W, b in hidden:
        state = np.maximum(state @ W + b, 0)
    W, b = last
    return np.asarray(0.5 * (1 + np.tanh(0.5 * (state @ W + b))), np.float32)
