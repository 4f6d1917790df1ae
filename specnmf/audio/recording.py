"""Audio: a recording in memory, and what to know of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.errors import AudioError

Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Audio:
    """A recording in memory.

    Parameters
    ----------
    samples : array, shape (n_channels, n_samples) or (n_samples,)
        Kept as float32; full scale is 1.
    sr : int
        Sample rate in Hz.

    Raises
    ------
    AudioError
        If there are no samples, or the rate is not positive.
    """

    samples: Float32
    sr: int

    def __post_init__(self) -> None:
        samples = np.atleast_2d(np.asarray(self.samples, np.float32))
        if samples.ndim != 2 or 0 in samples.shape:
            raise AudioError(
                f"samples must be (n_channels, n_samples), got shape {samples.shape}"
            )
        if self.sr <= 0:
            raise AudioError(f"the sample rate must be positive, got {self.sr} Hz")
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "sr", int(self.sr))

    @property
    def n_channels(self) -> int:
        """The number of channels."""
        return int(self.samples.shape[0])

    @property
    def n_samples(self) -> int:
        """The number of samples a channel."""
        return int(self.samples.shape[1])

    @property
    def duration(self) -> float:
        """The length in seconds."""
        return self.n_samples / self.sr


def findings(audio: Audio) -> list[str]:
    """What a listener should know before believing a decomposition of this audio."""
    peak = max(float(-audio.samples.min()), float(audio.samples.max()))
    if peak == 0:
        return ["silent: all samples are zero, so all sources will be silent"]
    if all(channel.min() == channel.max() for channel in audio.samples):
        return ["constant: a DC offset and no sound"]
    clipped = sum(_clipped(channel) for channel in audio.samples)
    if clipped:
        return [f"clipped: {clipped} samples in runs at full scale"]
    return []


def _clipped(channel: Float32) -> int:
    """Samples in runs of at least three at full scale."""
    # 16 bits end at 1 - 2**-15 on the positive side.
    full = (channel >= 1 - 2.0**-15) | (channel <= -1)
    return int(np.count_nonzero(full[:-2] & full[1:-1] & full[2:]))
