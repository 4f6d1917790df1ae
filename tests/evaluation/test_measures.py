"""SI-SDR by its definition, and museval behind its door."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from specnmf.errors import ParameterError
from specnmf.evaluation.measures import framewise_sdr, museval_metrics, si_sdr


def test_si_sdr_is_the_ratio_of_the_scaled_target_to_the_rest(rng):
    reference, estimate = rng.standard_normal((2, 1000)).astype(np.float32)
    estimate += 0.5 * reference
    r = reference - reference.mean(dtype=np.float64)
    e = estimate - estimate.mean(dtype=np.float64)
    target = (e @ r) / (r @ r) * r
    expected = 10 * np.log10((target @ target) / ((e - target) @ (e - target)))
    assert si_sdr(reference, estimate) == pytest.approx(expected, abs=1e-6)


def test_si_sdr_of_orthogonal_noise_is_its_level():
    t = np.arange(1000) * 2 * np.pi / 1000
    for level in (0.5, 0.01):
        found = si_sdr(np.sin(3 * t), np.sin(3 * t) + level * np.sin(5 * t))
        assert found == pytest.approx(-20 * np.log10(level))


def test_si_sdr_hears_neither_scale_nor_offset(rng):
    reference, estimate = rng.standard_normal((2, 2, 1000))
    expected = si_sdr(reference, estimate)
    assert si_sdr(3 * reference, estimate) == pytest.approx(expected)
    assert si_sdr(reference, -0.1 * estimate + 5) == pytest.approx(expected)


def test_si_sdr_hears_the_balance_of_channels(rng):
    reference = rng.standard_normal((2, 1000))
    assert si_sdr(reference, reference * [[1], [0.5]]) < 20


def test_si_sdr_of_perfection_and_silence_are_infinite(rng):
    y = rng.standard_normal(1000)
    assert si_sdr(y, y) > 140
    assert si_sdr(y, 0 * y) == -np.inf
    assert si_sdr(0 * y, y) == -np.inf


def test_si_sdr_wants_one_shape():
    with pytest.raises(ParameterError, match=r"got \(1, 5\) and \(1, 4\)"):
        si_sdr(np.ones(5), np.ones(4))


def test_v4_is_musevals(rng):
    museval = pytest.importorskip("museval.metrics")
    references = rng.standard_normal((2, 2, 35_000))
    estimates = references + 0.1 * rng.standard_normal((2, 2, 35_000))
    frames = museval.bss_eval(
        references.transpose(0, 2, 1), estimates.transpose(0, 2, 1), 8000, 8000
    )[0]
    assert frames.shape == (2, 4)
    found = framewise_sdr(list(references), list(estimates), 8000)
    np.testing.assert_allclose(found, np.median(frames, axis=1))
    short = framewise_sdr(list(references), list(estimates), 100_000)
    np.testing.assert_allclose(short, 20, atol=1)


@pytest.fixture
def frames(monkeypatch):
    """A museval whose SDRs of frames are these."""

    def install(sdr):
        fake = SimpleNamespace(bss_eval=lambda *_, **__: (np.array(sdr),))
        monkeypatch.setitem(sys.modules, "museval.metrics", fake)
        monkeypatch.setitem(sys.modules, "museval", SimpleNamespace(metrics=fake))

    return install


def test_v4_is_the_median_over_frames_that_sound(frames):
    nan = np.nan
    frames([[1, nan, 9, 2], [nan, 5, 7, np.inf]])
    found = framewise_sdr([np.ones((1, 9))] * 2, [np.ones((1, 9))] * 2, 2)
    assert found.tolist() == [5.5, np.inf]
    frames([[nan]])
    assert np.isnan(framewise_sdr([np.ones((1, 9))], [np.ones((1, 9))], 2)).all()


def test_a_missing_museval_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "museval", None)
    monkeypatch.delitem(sys.modules, "museval.metrics", raising=False)
    with pytest.raises(ParameterError, match=r"pip install 'specnmf\[museval\]'"):
        museval_metrics()
