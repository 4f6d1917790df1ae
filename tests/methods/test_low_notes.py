"""Low notes: a bass is named, and a drum is not, whatever the window."""

import numpy as np
import pytest
from scipy.optimize import nnls

from specnmf import Audio, Factorization, nmf, starts, stft
from specnmf.audio.pitch import estimate_pitches
from specnmf.audio.stft import FRAMES, Grid, magnitude
from specnmf.methods import low_notes
from specnmf.methods.low_notes import longer, pitches_by, pitches_in

SR, STEP = 44100, 0.4  # seconds from a note to the next


def tone(midi, amplitudes, seconds=STEP):
    """A plucked note of these partials."""
    t = np.arange(round(seconds * SR)) / SR
    hz = 440 * 2 ** ((midi - 69) / 12)
    partials = (
        a * np.sin(2 * np.pi * m * hz * t + m**2) for m, a in enumerate(amplitudes, 1)
    )
    return sum(partials) * np.exp(-t / 0.5) * np.minimum(1, (seconds - t) / 0.02)


def line(notes, amplitudes):
    return np.concatenate([tone(note, amplitudes) for note in notes])


def kick(rng, seconds=STEP):
    """A falling sine with a click."""
    t = np.arange(round(seconds * SR)) / SR
    fall = np.sin(2 * np.pi * (48 * t - 3 * np.exp(-t / 0.03))) * np.exp(-t / 0.12)
    return fall + 0.2 * rng.standard_normal(len(t)) * np.exp(-t / 0.004)


def known(notes):
    """The activations of notes that sound in turn: the factors of each note's own."""

    def factors(y, grid):
        V = magnitude(Audio(y.astype(np.float32)[None], SR), grid)
        turn = np.minimum(grid.times // STEP, len(notes) - 1).astype(int)
        different = sorted(set(notes))
        H = np.array([np.array(notes)[turn] == note for note in different], float)
        W = np.stack([V[:, h > 0].mean(axis=1) for h in H], axis=1)
        return different, Factorization(W, H)

    return factors


@pytest.mark.parametrize("n_fft", [1024, 2048, 4096])
@pytest.mark.parametrize(
    "amplitudes",
    [
        [1, 0.6, 0.4, 0.3, 0.2],
        [0.2, 1, 0.7, 0.4, 0.3, 0.2],
        list(1 / np.arange(1, 30)),
    ],
)
def test_every_note_of_a_bass_line_is_named(n_fft, amplitudes):
    notes = [28, 31, 33, 35, 38, 40, 43, 45] * 2
    y = line(notes, amplitudes)
    audio = Audio(y.astype(np.float32)[None], SR)
    grid = Grid.of(audio, n_fft)
    different, factors = known(notes)(y, grid)
    pitches = pitches_in(audio, grid, factors)
    np.testing.assert_allclose(pitches, different, atol=0.5)


def test_what_nmf_finds_of_a_bass_line_is_named():
    notes = [28, 33, 36, 40] * 3
    y = line(notes, [1, 0.6, 0.4, 0.3, 0.2])
    audio = Audio(y.astype(np.float32)[None], SR)
    V = stft(audio).magnitude()
    found = nmf(V, starts.random(V, 4, rng=1), beta=1.0, tol=0)
    pitches = pitches_in(audio, Grid.of(audio), found)
    assert sorted(np.rint(pitches)) == sorted(set(notes))


def test_a_kick_drum_has_no_pitch(rng):
    y = np.concatenate([kick(rng) for _ in range(8)])
    audio = Audio(y.astype(np.float32)[None], SR)
    V = stft(audio).magnitude()
    found = nmf(V, starts.random(V, 2, rng=0), beta=1.0)
    assert np.isnan(pitches_in(audio, Grid.of(audio), found)).all()


def test_templates_are_the_least_squares_of_the_longer_window(rng, monkeypatch):
    monkeypatch.setattr(low_notes, "SWEEPS", 2000)
    HH = rng.random((4, 30))
    B, G = HH @ rng.normal(size=(30, 12)), HH @ HH.T
    allowed = rng.random((4, 12)) > 0.3
    found = low_notes._least_squares(rng.random((4, 12)), B, G, allowed)
    for bin_, here in enumerate(allowed.T):
        root = np.linalg.cholesky(G[np.ix_(here, here)])
        expected = np.zeros(4)
        expected[here] = nnls(root.T, np.linalg.solve(root, B[here, bin_]))[0]
        np.testing.assert_allclose(found[:, bin_], expected, atol=1e-6)


def test_a_component_is_named_by_what_it_sounds_itself():
    y = line([48] * 6, [1, 1, 0.02, 0.02])
    audio = Audio(y.astype(np.float32)[None], SR)
    grid = Grid.of(audio)
    V = magnitude(audio, grid)
    low = grid.frequencies < 1.5 * 440 * 2 ** ((48 - 69) / 12)
    W = np.where(np.stack([low, ~low], axis=1), V.mean(axis=1)[:, None], 0)
    H = np.tile(V.mean(axis=0) / V.mean(), (2, 1))
    pitches = pitches_in(audio, grid, Factorization(W, H))
    np.testing.assert_allclose(pitches, [48, 60], atol=0.5)


def test_activations_of_a_longer_frame_are_a_weighted_mean(rng):
    grid = Grid(8000, 8000, 256, 64)
    long = longer(grid)
    assert (long.n_fft, long.hop_length) == (2048, 512)
    H = rng.random((2, grid.n_frames))
    weights = np.hanning(2 * 16 + 3)[1:-1]
    padded = np.pad(H, ((0, 0), (16, 40)))
    for frames in (slice(0, long.n_frames), slice(3, 7)):
        found = low_notes._activations(H, frames, grid, long)
        for column, frame in enumerate(range(frames.start, frames.stop)):
            seen = padded[:, 8 * frame : 8 * frame + 33]
            expected = seen @ weights / weights.sum()
            np.testing.assert_allclose(found[:, column], expected)


@pytest.mark.parametrize(
    ("sr", "n_fft", "hop_length", "expected"),
    [
        (44100, 2048, 512, (8192, 2048)),
        (44100, 8192, 2048, (8192, 2048)),
        (44100, 16384, 300, (16384, 300)),
        (22050, 2048, 512, (4096, 1024)),
        (96000, 4096, 1024, (16384, 4096)),
        (8000, 2048, 512, (2048, 512)),
        (44100, 2048, 700, (8192, 1400)),
        (44100, 2048, 2048, (8192, 2048)),
        (44100, 3000, 1, (12000, 3000)),
    ],
)
def test_a_short_window_is_doubled_until_it_is_long(sr, n_fft, hop_length, expected):
    long = longer(Grid(sr, 10 * sr, n_fft, hop_length))
    assert (long.n_fft, long.hop_length) == expected


def test_long_windows_are_taken_as_they_are(rng):
    grid = Grid(8000, 8000, 2048, 512)
    factors = Factorization(rng.random((1025, 3)), rng.random((3, grid.n_frames)))
    expected = estimate_pitches(factors.W, grid.frequencies)
    np.testing.assert_array_equal(pitches_by(None, factors, grid), expected)


def test_threads_and_channels_change_nothing():
    y = line([31, 36, 40] * 12, [1, 0.6, 0.4, 0.3])
    audio = Audio(np.stack([y, -y]).astype(np.float32), SR)
    grid = Grid.of(audio)
    _, factors = known([31, 36, 40] * 12)(y, grid)
    one, two = (pitches_in(audio, grid, factors, threads=n) for n in (1, 3))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(one, [31, 36, 40], atol=0.5)


def test_long_recordings_are_looked_at_in_pieces_from_all_over(monkeypatch):
    monkeypatch.setattr(low_notes, "MOST_FRAMES", 4 * FRAMES)
    grid = Grid(8000, 60 * FRAMES * 128, 128, 32)
    asked = []

    def magnitudes_of(frames):
        asked.append(frames)
        return np.zeros((frames.stop - frames.start, 1025), np.float32)

    factors = Factorization(np.ones((65, 1)), np.ones((1, grid.n_frames)))
    pitches_by(magnitudes_of, factors, grid, threads=1)
    seen = sum(frames.stop - frames.start for frames in asked)
    assert 2 * FRAMES < seen <= 4 * FRAMES
    assert asked == sorted(asked, key=lambda frames: frames.start)
    assert asked[-1].stop > 0.7 * longer(grid).n_frames


@pytest.mark.parametrize("seconds", [0.001, 0.05, 0.3])
def test_short_and_silent_recordings_are_no_trouble(seconds):
    audio = Audio(np.zeros((1, round(seconds * SR)), np.float32), SR)
    grid = Grid.of(audio)
    W = tone(69, [1, 0.5, 0.3], 2048 / SR)
    W = np.abs(np.fft.rfft(W * np.hanning(2048)))
    for H in (np.zeros((1, grid.n_frames)), np.ones((1, grid.n_frames))):
        pitches = pitches_in(audio, grid, Factorization(W[:, None], H))
        assert np.isnan(pitches[0]) or pitches[0] == pytest.approx(69, abs=0.5)


def test_what_never_sounds_keeps_the_pitch_of_its_template():
    y = line([69, 69], [1, 0.5, 0.3])
    audio = Audio(y.astype(np.float32)[None], SR)
    grid = Grid.of(audio)
    W = magnitude(audio, grid)[:, 10:20].mean(axis=1, keepdims=True)
    silent = Factorization(W, np.zeros((1, grid.n_frames)))
    assert pitches_in(audio, grid, silent)[0] == pytest.approx(69, abs=0.2)


def test_a_window_that_blends_most_of_the_notes_is_worth_a_remark(rng):
    grid = Grid(SR, SR, 2048, 512)
    even = Factorization(np.ones((grid.n_bins, 2)), np.ones((2, grid.n_frames)))
    (remark,) = low_notes.remarks(even, np.array([28.0, 60.0]), grid)
    assert remark == (
        "low notes: most of the energy is in notes below F2, which a window of 2048 "
        "samples does not resolve; try --n-fft 8192"
    )
    assert low_notes.remarks(even, np.array([np.nan, 60.0]), grid) == []
    assert low_notes.remarks(even, np.array([45.0, 41.5]), grid) == []
    assert low_notes.remarks(even, np.array([28.0, 28.0]), longer(grid)) == []
