"""Audio in memory, and what there is to know of it."""

import numpy as np
import pytest

from specnmf import Audio, AudioError
from specnmf.audio.recording import Survey


def test_findings_tell_silence_offset_and_clipping(rng):
    noise = rng.standard_normal(1000).astype(np.float32) * 0.1
    loud = np.where(np.arange(1000) % 100 < 5, 1.0, noise)
    assert Audio(noise, 8000).findings() == []
    assert Audio(noise * 0, 8000).findings()[0].startswith("silent")
    assert Audio(noise * 0 + 0.2, 8000).findings()[0].startswith("constant")
    assert Audio(loud, 8000).findings() == ["clipped: 30 samples in runs at full scale"]


@pytest.mark.parametrize("length", [1, 2, 3, 7, 1000])
def test_findings_are_the_same_block_by_block(rng, length):
    samples = np.clip(rng.standard_normal((2, 1000)), -1, 1).astype(np.float32)
    samples[:, 500:510] = -1
    survey = Survey(2)
    for first in range(0, 1000, length):
        survey.add(samples[:, first : first + length])
    assert survey.n_samples == 1000
    assert survey.findings() == Audio(samples, 8000).findings() != []


@pytest.mark.parametrize(
    ("samples", "sr", "message"),
    [
        (
            np.zeros((2, 0)),
            8000,
            r"\(n_channels, n_samples\), got shape \(2, 0",
        ),
        (np.zeros((1, 2, 3)), 8000, "got shape"),
        (np.zeros(4), 0, "rate must be positive, got 0 Hz"),
    ],
)
def test_audio_checks_itself(samples, sr, message):
    with pytest.raises(AudioError, match=message):
        Audio(samples, sr)
