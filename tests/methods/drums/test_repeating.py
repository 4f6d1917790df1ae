"""Waveforms of sounds that repeat, learned and subtracted."""

import numpy as np
import pytest
from drum_loops import KICKS, SNARES, SR, stroke

import specnmf
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Grid
from specnmf.methods.drums.hits import NOTES, Hit
from specnmf.methods.drums.repeating import learn_repeats
from specnmf.methods.drums.repeats import (
    Sound,
    WaveFrames,
    cut,
    last_strokes,
    put,
)

N = 3 * SR
STRUCK = {"kick": KICKS, "snare": SNARES, "hihat": np.arange(0.1, 1.9, 0.125)}


def noise(seed, decay=0.05, n=SR // 2):
    rng = np.random.default_rng(seed)
    fading = np.exp(-np.arange(n) / (decay * SR))
    return (rng.standard_normal(n) * fading).astype(np.float32)


def struck(strokes):
    """The sound of strokes: (seconds, waveform) each."""
    y = np.zeros((1, N), np.float32)
    for time, wave in strokes:
        put(y, round(time * SR), wave[np.newaxis])
    return y


def hits_at(drum, times):
    return [Hit(time, drum, 36, 1.0) for time in times]


@pytest.fixture(scope="module")
def pair():
    """Two drums that overlap, and coincide twice; masks tell them apart badly."""
    kick, snare = noise(1), noise(2)
    ones, others = np.arange(0.1, 2.6, 0.5), np.arange(0.1, 2.6, 0.375)
    true = struck([(t, kick) for t in ones]), struck([(t, snare) for t in others])
    found = hits_at("kick", ones) + hits_at("snare", others)
    mixed = Audio(true[0] + true[1], SR)
    masked = [
        Audio(y, SR)
        for y in (
            0.7 * true[0] + 0.3 * true[1],
            0.3 * true[0] + 0.7 * true[1],
            0 * true[0],
        )
    ]
    return mixed, true, masked, found


def snr(true, found):
    return 10 * np.log10((true**2).sum() / ((true - found) ** 2).sum())


def learned(mixed, masked, found, **grid):
    return learn_repeats(
        mixed, masked, Grid(SR, N, **{"n_fft": 2048, "hop_length": 512} | grid), found
    )


def sounds_of(repeats, n_channels=1):
    block = np.zeros((3, n_channels, N), np.float32)
    repeats.add(0, block)
    return block


def test_sounds_that_coincide_are_told_apart_where_one_is_heard_alone(pair):
    mixed, true, masked, found = pair
    kick, snare, rest = sounds_of(learned(mixed, masked, found))
    assert snr(true[0], kick) > 15
    assert snr(true[1], snare) > 15
    assert not rest.any()


def test_what_is_left_and_the_strokes_add_up(pair):
    mixed, _, masked, found = pair
    repeats = learned(mixed, masked, found)
    total = repeats.left(mixed).samples + sounds_of(repeats).sum(axis=0)
    np.testing.assert_allclose(total, mixed.samples, atol=1e-5)
    assert (repeats.left(mixed).samples ** 2).sum() < 0.03 * (mixed.samples**2).sum()


def test_blocks_are_parts_of_the_whole(pair):
    mixed, _, masked, found = pair
    repeats = learned(mixed, masked, found)
    whole = sounds_of(repeats)
    for first in (0, 5000, 50000):
        block = np.zeros((3, 1, 9000), np.float32)
        repeats.add(first, block)
        np.testing.assert_array_equal(block, whole[:, :, first : first + 9000])


def test_strokes_may_lie_milliseconds_from_their_times(pair):
    mixed, true, _, found = pair
    rng = np.random.default_rng(5)
    late = [hit._replace(time=hit.time + 0.003 * rng.uniform(-1, 1)) for hit in found]
    apart = tuple(Audio(y, SR) for y in (*true, 0 * true[0]))
    kick, snare, _ = sounds_of(learned(mixed, apart, late))
    assert min(snr(true[0], kick), snr(true[1], snare)) > 15


def test_strengths_are_found():
    wave, gains, times = noise(1), (1.0, 0.5, 0.8, 0.25), (0.2, 0.9, 1.6, 2.3)
    y = struck([(t, g * wave) for t, g in zip(times, gains, strict=True)])
    audio, silent = Audio(y, SR), Audio(0 * y, SR)
    (sound,) = learned(audio, (audio, silent), hits_at("kick", times)).sounds
    np.testing.assert_allclose(sound.gains / sound.gains.max(), gains, rtol=0.02)


def test_strokes_that_differ_leave_the_masks_to_decide(pair):
    times = np.arange(0.1, 2.6, 0.25)
    y = struck([(t, noise(10 + i)) for i, t in enumerate(times)])
    audio, silent = Audio(y, SR), Audio(0 * y, SR)
    assert not learned(audio, (audio, silent), hits_at("snare", times)).sounds


def test_what_two_strokes_do_not_share_stays_unknown():
    """A common part and one of its own, of the same power."""
    times, common = np.arange(0.1, 2.6, 0.25), noise(1)
    waves = [common + noise(20 + i) for i in range(len(times))]
    y = struck(list(zip(times, waves, strict=True)))
    audio, silent = Audio(y, SR), Audio(0 * y, SR)
    repeats = learned(audio, (audio, silent), hits_at("snare", times))
    for sound in repeats.sounds:
        loud = sound.unknown[4:8, 20:800]
        assert 0.3 < loud.mean() < 0.75


def test_a_closed_hi_hat_ends_the_open_one():
    wave, times = noise(1, decay=0.4, n=SR), (0.1, 0.3, 1.0, 1.2)
    y = np.zeros((1, N), np.float32)
    for time, length in zip(times, (0.2, 0.7, 0.2, 1.5), strict=True):
        put(y, round(time * SR), wave[np.newaxis, : round(length * SR)])
    audio, silent = Audio(y, SR), Audio(0 * y, SR)
    (sound,) = learned(audio, (audio, silent), hits_at("hihat", times)).sounds
    lead = 1024
    np.testing.assert_allclose(
        (sound.lengths[[0, 2]] - lead) / SR, (0.2, 0.2), atol=1e-3
    )
    found = sounds_of(learned(audio, (audio, silent), hits_at("hihat", times)))[0]
    assert snr(y, found) > 15


def test_channels_have_waveforms_of_their_own():
    one, other, times = noise(1), noise(2), np.arange(0.1, 2.6, 0.5)
    y = np.concatenate([struck([(t, w) for t in times]) for w in (one, other)])
    audio, silent = Audio(y, SR), Audio(0 * y, SR)
    repeats = learned(audio, (audio, silent), hits_at("kick", times))
    assert snr(y, sounds_of(repeats, 2)[0]) > 20


def test_no_strokes_and_wide_steps_have_no_sounds(pair):
    mixed, _, masked, found = pair
    assert not learned(mixed, masked[-1:], []).sounds
    assert not learned(mixed, masked, found, hop_length=2048).sounds


@pytest.mark.parametrize("n", [700, 2048, 5000])
@pytest.mark.parametrize(("n_fft", "hop"), [(512, 128), (500, 125), (512, 200)])
def test_spectra_of_a_waveform_are_inverted(n, n_fft, hop):
    y = np.random.default_rng(n).standard_normal((2, n)).astype(np.float32)
    frames = WaveFrames(Grid(SR, N, n_fft, hop), n)
    np.testing.assert_allclose(frames.waveform(frames.spectra(y)), y, atol=1e-4)


def test_rows_are_the_frames_of_the_recording_at_the_same_place():
    grid = Grid(SR, N, 512, 128)
    y = np.zeros((1, N), np.float32)
    y[0, 20000:20100] = 1
    frames = WaveFrames(grid, 4000)
    start = 128 * 150
    own = np.abs(frames.spectra(cut(y, start, 4000)))[0].sum(axis=1)
    V = specnmf.stft(y, sr=SR, n_fft=512, hop_length=128).magnitude()
    rows = frames.rows(start)
    np.testing.assert_allclose(own, V.T[rows].sum(axis=1), rtol=1e-3, atol=1e-3)


def test_the_last_stroke_counts_in_each_frame():
    grid = Grid(SR, N, 512, 128)
    starts = np.array([12800]), np.array([25600])
    last = last_strokes([(1, starts[0]), (1, starts[1])], grid)[1]
    first = WaveFrames(grid, 1).rows(12800)[0]
    assert last.sound[:first].tolist() == [-1] * first
    assert last.sound[first] == 0
    assert (last.row[first], last.row[first + 5]) == (0, 5)
    assert last.sound[-1] == 1


def test_parts_outside_of_a_sound_are_silent():
    y = np.ones((1, 5), np.float32)
    assert cut(y, -2, 4).tolist() == [[0, 0, 1, 1]]
    assert cut(y, 4, 3).tolist() == [[1, 0, 0]]
    assert cut(y, 9, 2).tolist() == [[0, 0]]
    put(y, 4, np.ones((1, 3), np.float32))
    put(y, -2, np.ones((1, 3), np.float32))
    assert y.tolist() == [[2, 1, 1, 1, 2]]


def test_a_stroke_that_is_ended_fades():
    sound = Sound(
        0,
        np.array([0]),
        np.array([1000]),
        np.array([2.0]),
        np.ones((1, 4000), np.float32),
        np.ones((1, 1), np.float32),
        np.zeros((1, 1), np.float32),
    )
    y = sound.stroke(0, SR)[0]
    assert (y[:1000] == 2).all()
    assert (np.diff(y[1000:1220]) < 0).all()
    assert not y[1220:].any()
    assert (sound.waveform == 1).all()


@pytest.fixture(scope="module")
def sampled():
    """A loop of the same sounds again and again, its stems, and its score."""
    waves = {
        drum: stroke(drum, seed).astype(np.float32) for seed, drum in enumerate(STRUCK)
    }
    own = {
        drum: struck([(t, 0.3 * waves[drum]) for t in times])[0]
        for drum, times in STRUCK.items()
    }
    notes = [
        specnmf.Note(float(time), 0.1, NOTES[drum][0], 100, part=drum, percussion=True)
        for drum, times in STRUCK.items()
        for time in times
    ]
    return sum(own.values()), own, specnmf.Score(tuple(notes))


def separated(sampled, **options):
    y, _, score = sampled
    found = specnmf.drums(y, sr=SR, score=score, align="never", **options)
    return {name: sound.samples[0] for name, sound in found.items()}


def test_stems_of_repeated_strokes_are_nearer_than_those_of_masks(sampled):
    masked, found = separated(sampled, repeats=False), separated(sampled)
    gains = {
        drum: snr(true, found[drum]) - snr(true, masked[drum])
        for drum, true in sampled[1].items()
    }
    assert min(gains.values()) > 0
    assert min(gains["snare"], gains["hihat"]) > 3
    np.testing.assert_allclose(sum(found.values()), sampled[0], atol=1e-5)


def test_threads_change_no_bit_of_repeats(sampled):
    one, two = (separated(sampled, threads=threads) for threads in (1, 2))
    for drum, sound in one.items():
        np.testing.assert_array_equal(sound, two[drum])


def test_where_no_sound_is_known_all_is_unknown(pair):
    mixed, _, masked, found = pair
    repeats = learned(mixed, masked, found)
    assert repeats.unknown(2, slice(0, 9)).tolist() == [[1]]
    first = round(0.1 * SR / 512)
    shares = repeats.unknown(0, slice(0, repeats.grid.n_frames))
    assert shares[first : first + 3].mean() < 0.2
