"""A small network that hears strokes of drums, frame by frame.

The weights are arrays of a NPZ file, of half precision where they are matrices:
`first`, filters over 3 frames and 5 bands, every second band; `joined`, all of a
frame; some `blocks`, filters over 3 frames that are 1, 2, 4 and so on apart;
`gathered` and `spread`, the mean of the recording that all frames see; `mixed`; `last`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from specnmf.archives import read_arrays
from specnmf.audio.stft import Float32
from specnmf.errors import TemplateError

#: The drums that it hears, in its order.
DRUMS = ("kick", "snare", "hihat", "toms", "ride", "crash", "clap")

#: All that it hears: which strokes of hi-hats are open, too.
HEARD = (*DRUMS, "openhat")

#: Its weights, made by training/train_drums.py.
WEIGHTS = Path(__file__).with_name("network.npz")

#: Frames between the filters of each block, which a file need not have all of, and
#: frames that are heard at a time.
DILATIONS, PIECE = (1, 2, 4, 8), 4096


@cache
def _weights() -> dict[str, Float32]:
    arrays = read_arrays(
        WEIGHTS, most_bytes=1 << 24, error=TemplateError, expected="the network"
    )
    return {name: np.asarray(own, np.float32) for name, own in arrays.items()}


def probabilities(levels: Float32) -> Float32:
    """The probability that a stroke of each drum begins, (n_frames, n_heard).

    Parameters
    ----------
    levels : array, shape (n_frames, 2, n_bands)
        Compressed levels and their rise.
    """
    pieces = range(0, len(levels), PIECE)
    padded = np.pad(levels, ((1, 1), (0, 0), (2, 2)))
    x = np.concatenate([_front(padded[i : i + PIECE + 2]) for i in pieces])
    for number, dilation in enumerate(DILATIONS[: _n_blocks()]):
        x = x + _relu(_along(x, number, dilation))
    song = _relu(_dense(x, "gathered")).mean(axis=0, dtype=np.float64)
    x = x + _relu(_dense(x, "mixed") + _dense(song.astype(np.float32), "spread"))
    return np.asarray(0.5 * (1 + np.tanh(0.5 * _dense(x, "last"))), np.float32)


def _n_blocks() -> int:
    return sum(name.startswith("blocks") for name in _weights()) // 2


def _front(padded: Float32) -> Float32:
    """Filters over frames and bands, and all of a frame joined, (n_frames, width)."""
    W = _weights()["first_weight"]  # (n_filters, 2, frames, bands)
    windows = np.lib.stride_tricks.sliding_window_view(padded, W.shape[2:], (0, 2))
    windows = windows[:, :, ::2].transpose(0, 2, 1, 3, 4)
    flat = windows.reshape(-1, W[0].size)
    y = _relu(flat @ W.reshape(len(W), -1).T + _weights()["first_bias"])
    y = y.reshape(len(windows), -1, len(W)).transpose(0, 2, 1)
    return _relu(_dense(y.reshape(len(windows), -1), "joined"))


def _along(x: Float32, number: int, dilation: int) -> Float32:
    """A block's filters over three frames."""
    W = _weights()[f"blocks_{number}_weight"]  # (width, width, 3)
    padded = np.pad(x, ((dilation, dilation), (0, 0)))
    y = sum(
        padded[i * dilation : i * dilation + len(x)] @ W[:, :, i].T for i in range(3)
    )
    return np.asarray(y + _weights()[f"blocks_{number}_bias"])


def _dense(x: Float32, name: str) -> Float32:
    return np.asarray(x @ _weights()[f"{name}_weight"].T + _weights()[f"{name}_bias"])


def _relu(x: Float32) -> Float32:
    return np.maximum(x, 0)
