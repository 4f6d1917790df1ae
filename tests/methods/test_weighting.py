"""Models weighted by the parts of a recording: what they make of overlaps."""

import numpy as np
import pytest

from specnmf import Audio, Note, ParameterError, Score, ScoreSettings
from specnmf.audio.models import FactorModels
from specnmf.audio.neighbours import FineModels
from specnmf.factor.factorization import Factorization
from specnmf.methods import by_score
from specnmf.methods.weighting import LEAST_MASK, SOFTNESS, weighted_models

SR = 8000


@pytest.fixture
def models():
    """Two stems alike, and one that is silent in the second half of the frames."""
    W = np.ones((5, 3))
    H = np.array([[1.0] * 4, [1.0] * 4, [2.0, 2, 0, 0]])
    return FactorModels(Factorization(W, H, ("drum", "tone", "rest")))


def fitted(score, y, **options):
    settings = ScoreSettings(max_iter=3, **options)
    labels = by_score.label_notes(score, settings)
    return by_score.fit_stems(Audio(y, SR), score, labels, settings), settings


@pytest.fixture
def band():
    """A held tone, and a drum over it."""
    rng = np.random.default_rng(4)
    t = np.arange(2 * SR) / SR
    y = 0.2 * np.sin(2 * np.pi * 440 * t)
    y += rng.standard_normal(len(t)) * np.exp(-((t - 0.9) % 2) / 0.02)
    score = Score(
        (
            Note(0.0, 2.0, 69, part="tone"),
            Note(0.9, 0.1, 38, part="drum", percussion=True),
        )
    )
    return score, y.astype(np.float32)


def test_powers_are_weighted_by_the_masks(models):
    mask = np.linspace(0, 1, 20, dtype=np.float32).reshape(4, 5)
    found = weighted_models(models, [mask, 1 - mask, None])
    drum, tone, rest = found.magnitudes(slice(1, 3))
    expected = np.maximum(mask[1:3], LEAST_MASK) ** SOFTNESS
    np.testing.assert_allclose(drum[0] ** 2, expected, rtol=1e-5)
    expected = np.maximum(1 - mask[1:3], LEAST_MASK) ** SOFTNESS
    np.testing.assert_allclose(tone[0] ** 2, expected, rtol=1e-5)
    np.testing.assert_allclose(rest[0, 0] ** 2, 4 * 0.5**SOFTNESS, rtol=1e-5)
    assert found.names == models.names
    assert not isinstance(found, FineModels)
    total = found.total(slice(1, 3), [drum, tone, rest])
    np.testing.assert_allclose(total, drum + tone + rest, rtol=1e-6)


def test_stems_are_of_the_part_that_their_notes_tell(band):
    score, y = band
    stems, _ = fitted(score, y, residual=True)
    found = {name: stems.part_of(name) for name in stems.names}
    assert found == {"tone": "harmonic", "drum": "percussive", "residual": None}
    both, _ = fitted(score, y, groups={"all": ["tone", "drum"]})
    assert both.part_of("all") is None


@pytest.mark.parametrize("options", [{}, {"mask_power": 1.0}, {"residual": True}])
def test_weighted_stems_still_add_up(band, options):
    score, y = band
    stems, settings = fitted(score, y, hpss=True, **options)
    blocks = [block.copy() for _, block in stems.stream(settings)]
    total = np.concatenate(blocks, axis=-1).sum(axis=0)
    np.testing.assert_allclose(total[0], y, atol=2e-6)


def test_the_drum_keeps_less_of_the_tone(band):
    score, y = band
    heard = {}
    for hpss in (False, True):
        stems, settings = fitted(score, y, hpss=hpss)
        drum = stems.names.index("drum")
        blocks = [block[drum, 0].copy() for _, block in stems.stream(settings)]
        spectrum = np.abs(np.fft.rfft(np.concatenate(blocks)))
        heard[hpss] = spectrum[round(440 * len(y) / SR)]
    assert heard[True] < heard[False]


def test_the_models_of_the_book_are_not_weighted():
    with pytest.raises(ParameterError, match="model fmp has no hpss"):
        ScoreSettings(hpss=True, model="fmp")
