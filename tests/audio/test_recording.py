"""Audio in memory, and what there is to know of it."""

import numpy as np
import pytest

from specnmf import Audio, AudioError
from specnmf.audio.recording import findings


def test_findings_tell_silence_offset_and_clipping(rng):
    noise = rng.standard_normal(1000).astype(np.float32) * 0.1
    loud = np.where(np.arange(1000) % 100 < 5, 1.0, noise)
    assert findings(Audio(noise, 8000)) == []
    assert findings(Audio(noise * 0, 8000))[0].startswith("silent")
    assert findings(Audio(noise * 0 + 0.2, 8000))[0].startswith("constant")
    assert findings(Audio(loud, 8000)) == ["clipped: 30 samples in runs at full scale"]


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
