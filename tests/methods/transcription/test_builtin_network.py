"""The network of the built-in transcriber, beside one written as its formulas."""

import numpy as np
import pytest

from specnmf.methods.transcription import builtin_network
from specnmf.methods.transcription.builtin_network import (
    DILATIONS,
    FURTHEST,
    LEAST,
    N_BINS,
    REACH,
    SEES_MOMENT,
    WEIGHTS,
    hear,
    levels,
    loudness,
    semitones_apart,
    stacking,
)
from specnmf.methods.transcription.salience import LOWEST, N_PITCHES


@pytest.fixture
def magnitudes(rng):
    """Peaks over a floor, (n_frames, N_BINS)."""
    return (rng.random((40, N_BINS)) ** 8).astype(np.float32)


def plain(seen, weights):
    """The outputs (n_frames, N_PITCHES, 3) of levels, by loops, in double precision."""
    w = {name: own.astype(float) for name, own in weights.items()}
    n_frames = len(seen)
    x = np.append(seen, np.zeros((n_frames, 1)), axis=1)[:, stacking().T]
    x = filtered(x, w["first_weight"], w["first_bias"], 1)
    for number, apart in enumerate(DILATIONS):
        along = w[f"along_{number}_weight"], w[f"along_{number}_bias"]
        x = x + filtered(x, *along, apart)
        y = dense(x, w, f"narrowed_{number}")
        across = np.zeros_like(y)
        for pitch in range(N_PITCHES):
            for other in range(N_PITCHES):
                interval = pitch - other
                if abs(interval) <= FURTHEST:
                    gain = w[f"across_{number}"][:, interval + FURTHEST]
                    across[:, pitch] += gain * y[:, other]
        x = x + dense(across, w, f"widened_{number}")
        if number == SEES_MOMENT:
            y = dense(x, w, "gathered")
            moment = np.concatenate([y.mean(axis=1), y.max(axis=1)], axis=1)
            x = x + dense(moment, w, "spread")[:, np.newaxis]
    x = x + dense(x, w, "mixed")
    return dense(x, w, "last", relu=False)


def filtered(x, W, bias, apart):
    """Filters over three frames; beyond the first and the last is nothing."""
    padded = np.pad(x, ((apart, apart), (0, 0), (0, 0)))
    y = sum(padded[k * apart : k * apart + len(x)] @ W[:, :, k, 0].T for k in range(3))
    return np.maximum(y + bias, 0)


def dense(x, w, name, *, relu=True):
    y = x @ w[f"{name}_weight"].reshape(len(w[f"{name}_bias"]), -1).T
    y = y + w[f"{name}_bias"]
    return np.maximum(y, 0) if relu else y


def test_it_is_what_the_formulas_say(magnitudes):
    with np.load(WEIGHTS) as arrays:
        weights = dict(arrays)
    seen = levels(magnitudes, loudness(magnitudes)[:, np.newaxis])
    silent = np.zeros((REACH, N_BINS))
    out = plain(np.concatenate([silent, seen, silent]), weights)[REACH:-REACH]
    heard = hear(magnitudes, 1)
    for k, own in enumerate((heard.sounding, heard.beginning)):
        np.testing.assert_allclose(own, 1 / (1 + np.exp(-out[..., k])), atol=1e-5)
    np.testing.assert_allclose(heard.cents, 50 * out[..., 2].clip(-1, 1), atol=1e-2)


def test_pieces_and_threads_change_little_and_nothing(magnitudes, monkeypatch):
    whole = hear(magnitudes, 1)
    for own, other in zip(whole, hear(magnitudes, 3), strict=True):
        np.testing.assert_array_equal(own, other)
    monkeypatch.setattr(builtin_network, "PIECE", 7)
    for own, other in zip(whole[:2], hear(magnitudes, 1)[:2], strict=True):
        np.testing.assert_allclose(own, other, atol=1e-5)


def test_a_frame_sees_no_further_than_the_reach(magnitudes):
    magnitudes[-1, 0] = 2  # the loudest, so that levels stay
    other = magnitudes.copy()
    other[: 40 - 1 - REACH] *= 0.5
    heard = [hear(each, 1).sounding for each in (magnitudes, other)]
    np.testing.assert_array_equal(heard[0][-1], heard[1][-1])
    assert not np.array_equal(heard[0][-2], heard[1][-2])


def test_pitches_see_their_partials():
    seen = stacking()[:, 57 - LOWEST].reshape(-1, 3)  # A3, whose bin is 3 * (57 - 20)
    assert seen[2].tolist() == [110, 111, 112]
    assert seen[3].tolist() == [146, 147, 148]  # an octave above
    assert seen[1].tolist() == [74, 75, 76]  # and below
    assert (stacking()[0, 0], stacking()[-1, -1]) == (N_BINS, N_BINS)  # none there


def test_intervals_are_counted_from_the_furthest_below():
    apart = semitones_apart()
    assert apart[0, 0] == FURTHEST
    assert apart[3, 0] == FURTHEST - 3
    assert apart[0, FURTHEST] == 2 * FURTHEST
    assert apart[0, FURTHEST + 1] == apart[-1, 0] == 2 * FURTHEST + 1


def test_levels_lie_between_0_and_1_whatever_the_loudness(magnitudes):
    seen = levels(magnitudes, loudness(magnitudes)[:, np.newaxis])
    assert seen.min() >= 0
    assert seen.max() <= 1
    loud = 1e4 * magnitudes
    np.testing.assert_allclose(
        levels(loud, loudness(loud)[:, np.newaxis]), seen, atol=1e-4
    )


def test_quiet_passages_are_raised_but_silence_is_not():
    magnitudes = np.full((1000, 5), 1e-4, np.float32)
    magnitudes[0], magnitudes[400:420] = 1, 0.1
    reference = loudness(magnitudes)
    assert reference[410] == pytest.approx(0.1)
    assert reference[700] == pytest.approx(LEAST)


def test_missing_high_bins_are_silent(magnitudes):
    few = magnitudes[:, :200]
    seen = levels(few, loudness(few)[:, np.newaxis])
    assert seen.shape == (40, N_BINS)
    assert not seen[:, 200:].any()
