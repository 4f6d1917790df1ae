"""The network that hears strokes, and what it hears."""

import numpy as np
import pytest
from drum_loops import loop

from specnmf.audio.recording import Audio
from specnmf.methods.drums import hits, network, patches
from specnmf.methods.drums.network import DILATIONS, DRUMS, HEARD


def plain(levels):
    """The network, neuron by neuron."""
    w = network._weights()
    n, _, bands = levels.shape
    filters = w["first_weight"]
    first = np.zeros((n, len(filters), bands // 2))
    for t in range(n):
        for b in range(bands // 2):
            for dt in range(3):
                for db in range(5):
                    place, frame = 2 * b + db - 2, t + dt - 1
                    if 0 <= place < bands and 0 <= frame < n:
                        own = filters[:, :, dt, db] @ levels[frame, :, place]
                        first[t, :, b] += own
    first = np.maximum(first + w["first_bias"][:, np.newaxis], 0)
    x = first.reshape(n, -1) @ w["joined_weight"].T + w["joined_bias"]
    x = np.maximum(x, 0)
    for number, apart in enumerate(DILATIONS[: network._n_blocks()]):
        W, b = w[f"blocks_{number}_weight"], w[f"blocks_{number}_bias"]
        y = np.tile(b, (n, 1)).astype(float)
        for t in range(n):
            for k in range(3):
                if 0 <= t + (k - 1) * apart < n:
                    y[t] += W[:, :, k] @ x[t + (k - 1) * apart]
        x = x + np.maximum(y, 0)
    song = np.maximum(x @ w["gathered_weight"].T + w["gathered_bias"], 0).mean(axis=0)
    mixed = x @ w["mixed_weight"].T + w["mixed_bias"]
    x = x + np.maximum(mixed + w["spread_weight"] @ song + w["spread_bias"], 0)
    return 1 / (1 + np.exp(-(x @ w["last_weight"].T + w["last_bias"])))


@pytest.fixture
def levels(rng):
    return rng.random((19, 2, patches.N_HEARD)).astype(np.float32) * 3


def test_the_network_is_that_of_its_description(levels):
    found = network.probabilities(levels)
    assert found.shape == (19, len(HEARD))
    assert found == pytest.approx(plain(levels), abs=1e-5)


def test_pieces_do_not_matter(levels, monkeypatch):
    whole = network.probabilities(levels)
    monkeypatch.setattr(network, "PIECE", 5)
    assert network.probabilities(levels) == pytest.approx(whole, abs=1e-6)


def test_the_file_is_small_and_holds_numbers():
    assert network.WEIGHTS.stat().st_size < 250_000
    with np.load(network.WEIGHTS, allow_pickle=False) as arrays:
        assert sum(array.size for array in arrays.values()) < 100_000
        assert all(np.isfinite(array).all() for array in arrays.values())
    assert HEARD[: len(DRUMS)] == DRUMS


def test_how_loud_a_recording_is_does_not_matter():
    audio = loop()
    soft = Audio(0.05 * audio.samples, audio.sr)
    both = [hits.probabilities(own) for own in (audio, soft)]
    assert both[0] == pytest.approx(both[1], abs=1e-3)


def test_levels_rise_from_silence():
    bands = np.ones((4, patches.N_HEARD), np.float32)
    levels, rises = patches.compressed(bands).transpose(1, 0, 2)
    assert rises[:2] == pytest.approx(levels[:2])
    assert (rises[2:] == 0).all()


def test_hi_hats_are_open_where_the_network_hears_it():
    sure, opened = np.array([0.9, 0.9, 0.02]), np.array([0.1, 0.8, 0.005])
    told = hits._notes("hihat", sure, opened)
    assert told == [42, 46, 42]
    assert hits._notes("kick", sure, opened) == [36, 36, 36]


def test_a_tone_that_is_cut_off_is_no_stroke():
    y = np.sin(2 * np.pi * 330 * np.arange(33075) / 22050)
    for part in (y, y[:30000], y[:22050]):
        rising = np.minimum(1, np.arange(len(part)) / 9000) * part
        audio = Audio(0.2 * rising[np.newaxis].astype(np.float32), 22050)
        assert hits.probabilities(audio).max() < 0.5
