"""BSS Eval v3: mir_eval's numbers, and cases whose answer is known."""

import mir_eval
import numpy as np
import pytest
import scipy.signal
import soundfile

from specnmf.errors import ParameterError
from specnmf.evaluation import bss_eval as module
from specnmf.evaluation import correlation
from specnmf.evaluation.bss_eval import bss_eval, energy
from specnmf.evaluation.correlation import correlate

pytestmark = pytest.mark.filterwarnings("ignore:mir_eval.separation:FutureWarning")


def mir_eval_scores(references, estimates):
    scores = mir_eval.separation.bss_eval_sources(
        references, estimates, compute_permutation=False
    )
    return scores[:3]


def estimates_of(references, rng, leak=0.3, noise=0.05):
    """Filtered, leaking and noisy estimates."""
    n = len(references)
    mixed = (np.eye(n) + leak * rng.standard_normal((n, n))) @ references
    taps = rng.standard_normal(20) * np.exp(-np.arange(20) / 3)
    filtered = scipy.signal.lfilter(taps, 1, mixed)
    return filtered + noise * references.std() * rng.standard_normal(references.shape)


def noise(rng, n):
    return rng.standard_normal((3, n))


def unequal(rng, n):
    return noise(rng, n) * np.array([[1], [1e-2], [1e-4]])


def tones(rng, n):
    t = np.arange(n) / 44100
    harmonics = np.arange(1, 20)[:, None]
    f0s = (131, 165, 196, 262)
    return np.stack([(np.sin(6.2832 * f * harmonics * t)).sum(0) for f in f0s])


def dull(rng, n):
    """No treble, but for the rounding to 16 bits."""
    sos = scipy.signal.butter(12, 0.1, output="sos")
    y = scipy.signal.sosfilt(sos, noise(rng, n))
    return np.round(20000 * y / np.abs(y).max()) / 32768


@pytest.mark.slow  # mir_eval takes long
@pytest.mark.parametrize("make", [noise, unequal, tones, dull])
def test_the_scores_are_mir_evals(rng, make):
    references = make(rng, 30_000)
    estimates = estimates_of(references, rng)
    expected = mir_eval_scores(references, estimates)
    np.testing.assert_allclose(bss_eval(references, estimates), expected, atol=1e-3)


def test_high_scores_are_mir_evals(rng):
    references = noise(rng, 20_000)
    references[:, -20:] = 0  # the end of what the filter gives
    estimates = estimates_of(references, rng, leak=1e-4, noise=1e-4)
    expected = mir_eval_scores(references, estimates)
    assert np.min(expected) > 55
    np.testing.assert_allclose(bss_eval(references, estimates), expected, atol=1e-3)


@pytest.mark.slow  # mir_eval takes long
@pytest.mark.parametrize("mix", ["P2_Mix02", "P4_Mix01"])
def test_the_scores_of_recordings_are_mir_evals(rng, shared_data, mix):
    folder = shared_data / "bach10" / mix / "ref"
    files = sorted(folder.glob("*.flac"))
    references = np.stack([soundfile.read(file, stop=88200)[0] for file in files])
    estimates = estimates_of(references, rng)
    expected = mir_eval_scores(references, estimates)
    np.testing.assert_allclose(bss_eval(references, estimates), expected, atol=1e-3)


@pytest.mark.parametrize("n_samples", [1, 600, 1000, 2500])
def test_correlations_are_sums_of_products(rng, monkeypatch, n_samples):
    for name, value in {"N_FFT": 64, "SIGNALS": 2, "BLOCKS": 3, "PIECES": 2}.items():
        monkeypatch.setattr(correlation, name, value)
    signals = list(rng.standard_normal((5, 2, n_samples)).astype(np.float32))
    found = correlate(signals, signals[:2], 16)
    mono = np.mean(signals, axis=1, dtype=np.float64)
    for k in range(16):
        expected = mono[:, k:] @ mono[:2, : max(0, n_samples - k)].T
        np.testing.assert_allclose(found[:, :, k], expected, atol=1e-9)
    np.testing.assert_allclose([energy(y) for y in signals], (mono**2).sum(1))


def test_the_number_of_threads_changes_nothing(rng, monkeypatch):
    signals = list(rng.standard_normal((3, 1, 90_000)))
    monkeypatch.setattr(correlation, "BLOCKS", 2)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    one = correlate(signals, signals)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    np.testing.assert_array_equal(correlate(signals, signals), one)


def test_progress_ends_at_its_total(rng):
    steps = []
    signals = list(rng.standard_normal((20, 1, 1000)))
    correlate(signals, signals[:1], tell=lambda *step: steps.append(step))
    assert steps == [(1, 2), (2, 2)]


def test_orthogonal_parts_score_by_their_energies(rng):
    basis = np.linalg.qr(rng.standard_normal((500, 3)))[0].T
    target, other, artifact = basis * np.array([[1], [0.1], [0.01]])
    references = np.stack([target, basis[1]])
    estimates = np.stack([target + other + artifact, basis[1]])
    sdr, sir, sar = bss_eval(references, estimates, filter_length=1)
    assert sdr[0] == pytest.approx(10 * np.log10(1 / 0.0101))
    assert sir[0] == pytest.approx(20)
    assert sar[0] == pytest.approx(10 * np.log10(1.01 / 0.0001))
    assert min(sdr[1], sar[1]) > 140


def test_a_filtered_reference_is_perfect(rng):
    references = rng.standard_normal((2, 5000))
    references[:, -512:] = 0
    taps = rng.standard_normal((2, 512)) * np.exp(-np.arange(512) / 50)
    filtered = [
        scipy.signal.lfilter(h, 1, y) for h, y in zip(taps, references, strict=True)
    ]
    assert np.min(bss_eval(references, filtered)) > 100
    early = np.roll(references, -1, axis=1)
    assert np.max(bss_eval(references, early)[0]) < 0


def test_scale_does_not_matter(rng):
    references = noise(rng, 5000)
    estimates = estimates_of(references, rng)
    expected = bss_eval(references, estimates)
    scaled = bss_eval(references * 1e-3, estimates * [[-7], [1e4], [1e-4]])
    np.testing.assert_allclose(scaled, expected, atol=1e-6)


def test_equal_references_are_no_interference(rng):
    y = rng.standard_normal(5000)
    estimates = y + 0.1 * rng.standard_normal((2, 5000))
    sdr, sir, sar = bss_eval([y, y], estimates)
    np.testing.assert_allclose(sdr, sar, atol=1e-3)
    assert sir.min() > 80


def test_a_silent_estimate_has_nothing_of_its_reference(rng):
    scores = bss_eval(noise(rng, 2000)[:1], np.zeros((1, 2000)))
    assert np.ravel(scores).tolist() == [-np.inf] * 3


def test_what_cannot_be_scored_is_named(rng):
    y = noise(rng, 600)
    with pytest.raises(ParameterError, match=r"got shapes \(3, 600\) and \(2, 600\)"):
        bss_eval(y, y[:2])
    with pytest.raises(ParameterError, match="reference 1 is silent"):
        bss_eval(y * [[1], [0], [0]], y)
    with pytest.raises(ParameterError, match="must be finite"):
        bss_eval(y, y * np.nan)
    with pytest.raises(ParameterError, match="filter_length must be at least 1, got 0"):
        bss_eval(y, y, filter_length=0)
    with pytest.raises(ParameterError, match="at most 32 references .*, got 33"):
        bss_eval(np.ones((33, 9)), np.ones((33, 9)))


def test_references_that_cannot_be_told_apart_are_an_error(rng, monkeypatch):
    monkeypatch.setattr(module, "LOADINGS", (0.0,))
    y = np.tile(noise(rng, 600)[:1], (2, 1))
    with pytest.raises(ParameterError, match="too similar to be told apart"):
        bss_eval(y, y)
