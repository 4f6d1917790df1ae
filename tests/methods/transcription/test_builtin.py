"""The built-in transcriber, on sounds made here."""

import os
import subprocess
import sys

import numpy as np
import pytest

import specnmf
from specnmf.audio.recording import Audio
from specnmf.methods.transcription.builtin import Builtin
from specnmf.methods.transcription.picking import pick
from specnmf.methods.transcription.salience import LOWEST, N_PITCHES

SR = 22_050


def tone(pitch, duration=0.6, *, cents=0.0, sr=SR):
    """A struck tone of partials that fall by 1/m^1.5 and die away."""
    t = np.arange(round(duration * sr)) / sr
    numbers = np.arange(1.0, 21)
    f = 440 * 2 ** ((pitch - 69 + cents / 100) / 12) * numbers
    numbers, f = numbers[f < 0.45 * sr], f[f < 0.45 * sr]
    partials = np.sin(2 * np.pi * np.outer(t, f)) * numbers**-1.5
    edges = np.minimum(1, t / 0.005) * np.minimum(1, (duration - t) / 0.02)
    return 0.1 * partials.sum(axis=1) * np.exp(-2 * t) * edges


def recording(notes, sr=SR, **options):
    """A recording of (start, pitch)."""
    samples = np.zeros(round((max(start for start, _ in notes) + 1) * sr))
    for start, pitch in notes:
        sound = tone(pitch, sr=sr, **options)
        first = round(start * sr)
        samples[first : first + len(sound)] += sound
    return Audio(samples, sr)


def heard(audio):
    """The notes that are heard, as (start, pitch), in order."""
    notes = pick(Builtin().hear(audio, threads=1))
    return list(zip(notes.start.tolist(), notes.pitch.tolist(), strict=True))


def assert_same(found, notes):
    assert [pitch for _, pitch in found] == [pitch for _, pitch in notes]
    starts = [start for start, _ in notes]
    assert [start for start, _ in found] == pytest.approx(starts, abs=0.07)


def test_single_notes_are_found_without_errors_of_an_octave():
    notes = [(0.2 + 0.7 * n, pitch) for n, pitch in enumerate(range(33, 100, 6))]
    assert_same(heard(recording(notes)), notes)


def test_chords_are_found():
    chords = [(48, 60, 64, 67), (50, 57, 62, 65), (43, 59, 62, 67)]
    notes = [(0.2 + n, pitch) for n, chord in enumerate(chords) for pitch in chord]
    found = heard(recording(notes))
    assert sorted(pitch for _, pitch in found) == sorted(pitch for _, pitch in notes)


def test_notes_at_the_first_sample_are_found():
    sound = np.sum([tone(pitch, 1.0) for pitch in (48, 60, 64, 67)], axis=0)
    assert heard(Audio(sound, SR)) == [(0, 48), (0, 60), (0, 64), (0, 67)]


def test_repeated_notes_are_found():
    notes = [(0.2 + 0.6 * n, 64) for n in range(5)]
    assert_same(heard(recording(notes)), notes)


@pytest.mark.parametrize("cents", [-40, 30])
def test_detuned_notes_are_found_with_their_cents(cents):
    pitches = (52, 57, 60, 64, 69, 76)
    notes = [(0.2 + 0.7 * n, pitch) for n, pitch in enumerate(pitches)]
    found = pick(Builtin().hear(recording(notes, cents=cents), threads=1))
    assert found.pitch.tolist() == list(pitches)
    np.testing.assert_allclose(found.cents, cents, atol=8)


@pytest.mark.parametrize("sr", [8_000, 44_100, 192_000])
def test_any_sample_rate_will_do(sr):
    notes = [(0.2, 57), (0.9, 64), (1.6, 69)]
    assert_same(heard(recording(notes, sr=sr)), notes)


def test_loudness_does_not_matter():
    audio = recording([(0.2, 57), (0.9, 64)])
    quiet = Builtin().hear(Audio(audio.samples * np.float32(2**-20), SR))
    np.testing.assert_allclose(quiet.notes, Builtin().hear(audio).notes, atol=1e-3)


def test_channels_in_opposite_phase_are_heard():
    samples = recording([(0.2, 57), (0.9, 64)]).samples
    opposite = Audio(np.concatenate([samples, -samples]), SR)
    assert_same(heard(opposite), [(0.2, 57), (0.9, 64)])


def test_threads_do_not_change_a_bit():
    audio = recording([(0.4 * n, 50 + n) for n in range(32)])
    one, three = (Builtin().hear(audio, threads=threads) for threads in (1, 3))
    for name in ("notes", "onsets", "cents"):
        assert getattr(one, name).tobytes() == getattr(three, name).tobytes()


def test_silence_has_no_notes():
    salience = Builtin().hear(Audio(np.zeros((2, SR)), SR))
    assert not salience.notes.any()
    assert not salience.onsets.any()


def test_noise_has_few_notes(rng):
    assert len(heard(Audio(0.1 * rng.standard_normal(10 * SR), SR))) < 10


@pytest.mark.parametrize("n_samples", [1, 100, 3000])
def test_recordings_of_any_length_are_heard(n_samples):
    salience = Builtin().hear(Audio(np.ones(n_samples), SR))
    n_frames = len(salience.times)
    assert n_frames >= 2
    assert salience.notes.shape == salience.onsets.shape == (N_PITCHES, n_frames)
    assert salience.cents.shape == salience.notes.shape


def test_likelihoods_lie_between_0_and_1():
    salience = Builtin().hear(recording([(0.2, 60)]))
    for values in (salience.notes, salience.onsets):
        assert values.dtype == np.float32
        assert values.min() >= 0
        assert values.max() <= 1


def test_cents_are_where_the_pitch_is():
    salience = Builtin().hear(recording([(0.2, 60)], cents=33))
    frame = round(0.4 / salience.hop)
    assert salience.cents[60 - LOWEST, frame] == pytest.approx(33, abs=5)


#: Keep what is heard of a recording, and the kernels by which NumPy multiplies.
HEAR = """
import sys, numpy, specnmf, threadpoolctl
from specnmf.methods.transcription.builtin import Builtin
heard = Builtin().hear(specnmf.read(sys.argv[1]), threads=1)
kernels = threadpoolctl.threadpool_info()[0].get("architecture", "")
own = {name: getattr(heard, name) for name in ("notes", "onsets", "cents")}
numpy.savez(sys.argv[2], kernels=kernels, **own)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kernels", ["Haswell", "Nehalem"])
def test_older_processors_hear_the_same(kernels, tmp_path):
    song, kept = tmp_path / "song.wav", tmp_path / "heard.npz"
    specnmf.write(song, recording([(0.2, 60), (0.2, 64), (0.9, 67), (1.6, 45)]))
    newer = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    older = {
        "OPENBLAS_CORETYPE": kernels,
        "NPY_DISABLE_CPU_FEATURES": " ".join(newer),
    }
    command = [sys.executable, "-c", HEAR, song, kept]
    subprocess.run(command, env={**os.environ, **older}, check=True)
    own = Builtin().hear(specnmf.read(song), threads=1)
    with np.load(kept) as there:
        if there["kernels"] != kernels:
            pytest.skip(f"NumPy's BLAS has no kernels for {kernels} here")
        np.testing.assert_allclose(there["notes"], own.notes, atol=1e-5)
        np.testing.assert_allclose(there["onsets"], own.onsets, atol=1e-5)
        np.testing.assert_allclose(there["cents"], own.cents, atol=1e-3)
