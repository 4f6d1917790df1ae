"""Pitch: the right note of every template, and none where there is none."""

import math
import time

import mido
import numpy as np
import pytest
import soundfile as sf

from specnmf import ParameterError
from specnmf.audio.pitch import centroids, estimate_pitches

ENVELOPES = {
    "1/m": lambda m: 1 / m,
    "1/m²": lambda m: 1 / m**2,
    "odd": lambda m: np.where(m % 2 == 1, 1 / m, 0.01 / m),
    "weak fundamental": lambda m: np.where(m == 1, 0.05, 1 / np.maximum(m - 1, 1)),
}


def frequencies(n_fft, sr):
    return np.fft.rfftfreq(n_fft, 1 / sr)


def template(y, n_fft):
    """The mean magnitude spectrum under a Hann window."""
    y = np.pad(y, n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(y, n_fft)[:: n_fft // 2]
    return np.abs(np.fft.rfft(frames * np.hanning(n_fft), axis=1)).mean(axis=0)


def note(midi, n_fft, sr, envelope, rng=None, inharmonicity=0.0):
    """The template of a note of at most 20 partials in random phase."""
    rng = rng or np.random.default_rng(0)
    m = np.arange(1, 21)
    hz = 440 * 2 ** ((midi - 69) / 12) * m * np.sqrt(1 + inharmonicity * m**2)
    m, hz = m[hz < 0.48 * sr], hz[hz < 0.48 * sr]
    angles = 2 * np.pi * np.outer(np.arange(2 * n_fft) / sr, hz)
    return template(np.cos(angles + rng.uniform(0, 7, len(m))) @ envelope(m), n_fft)


def wrong(pitches, expected):
    """Where the nearest note is not the expected one."""
    return np.asarray(expected)[~(np.abs(pitches - expected) < 0.5)]


# ---- reference and properties -----------------------------------------------


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize(("n_fft", "sr"), [(2048, 44100), (4096, 44100), (2048, 22050)])
def test_every_note_of_which_five_partials_are_resolved_is_named(n_fft, sr, envelope):
    lowest, highest = 69 + 12 * np.log2(np.array([3 / n_fft, 0.096]) * sr / 440)
    notes = np.arange(max(28, math.ceil(lowest)), min(105, highest), 3)
    W = np.array([note(p, n_fft, sr, ENVELOPES[envelope]) for p in notes]).T
    assert not wrong(estimate_pitches(W, frequencies(n_fft, sr)), notes).size


@pytest.mark.parametrize(
    ("n_fft", "sr", "lowest", "highest"),
    [(512, 8000, 50, 90), (1024, 22050, 56, 100), (8192, 192000, 55, 108)],
)
def test_windows_and_rates_of_all_sizes_work(n_fft, sr, lowest, highest):
    notes = np.arange(lowest, highest, 7)
    W = np.array([note(p, n_fft, sr, ENVELOPES["1/m"]) for p in notes]).T
    assert not wrong(estimate_pitches(W, frequencies(n_fft, sr)), notes).size


def test_pitches_are_fractional_to_three_cents():
    played = np.array([45.3, 57.75, 69.0, 80.4, 91.1])
    W = np.array([note(p, 4096, 44100, ENVELOPES["1/m"]) for p in played]).T
    pitches = estimate_pitches(W, frequencies(4096, 44100))
    np.testing.assert_allclose(pitches, played, atol=0.03)


def test_scale_and_precision_of_the_templates_do_not_matter():
    W = np.array([note(p, 2048, 44100, ENVELOPES["1/m"]) for p in (50, 60, 70)]).T
    hz = frequencies(2048, 44100)
    pitches = estimate_pitches(W, hz)
    np.testing.assert_allclose(estimate_pitches(W * [1e-9, 1, 1e9], hz), pitches)
    np.testing.assert_allclose(
        estimate_pitches(W.astype(np.float32), hz), pitches, atol=1e-4
    )


def test_a_piano_s_stretched_partials_keep_their_note():
    notes = np.arange(36, 97, 5)
    W = np.array(
        [note(p, 4096, 44100, ENVELOPES["1/m"], inharmonicity=4e-4) for p in notes]
    ).T
    assert not wrong(estimate_pitches(W, frequencies(4096, 44100)), notes).size


def test_residues_of_other_notes_do_not_change_the_note():
    hz = frequencies(2048, 44100)
    clean = {p: note(p, 2048, 44100, ENVELOPES["1/m"]) for p in range(48, 90)}
    notes = np.arange(60, 78)
    W = np.array([clean[p] + 0.2 * (clean[p - 12] + clean[p + 7]) for p in notes]).T
    assert not wrong(estimate_pitches(W, hz), notes).size


def test_the_strongest_note_of_a_chord_is_named():
    hz = frequencies(4096, 44100)
    parts = [note(p, 4096, 44100, ENVELOPES["1/m"]) for p in (60, 64, 67)]
    for strongest, midi in enumerate((60, 64, 67)):
        gains = np.where(np.arange(3) == strongest, 1.0, 0.4)
        assert round(estimate_pitches((gains @ parts)[:, None], hz)[0]) == midi


@pytest.mark.parametrize("chord", [(57, 64), (52, 57, 61), (55, 62, 67)])
def test_a_note_that_only_the_chord_suggests_is_not_named(chord):
    hz = frequencies(8192, 44100)
    W = sum(note(p, 8192, 44100, ENVELOPES["1/m"]) for p in chord)
    assert round(estimate_pitches(W[:, None], hz)[0]) in chord


def test_a_bright_string_below_the_kick_drums_is_named():
    hz = frequencies(8192, 44100)
    bright = note(31, 8192, 44100, lambda m: 1 / np.sqrt(m))
    noise = np.random.default_rng(0).rayleigh(0.01 * bright.max(), len(bright))
    assert round(estimate_pitches((bright + noise)[:, None], hz)[0]) == 31


def test_vibrato_keeps_the_note():
    t = np.arange(44100) / 44100
    phase = 440 * t - 440 * 0.02 / (2 * np.pi * 6) * np.cos(2 * np.pi * 6 * t)
    y = sum(np.sin(2 * np.pi * m * phase) / m for m in range(1, 15))
    pitch = estimate_pitches(template(y, 2048)[:, None], frequencies(2048, 44100))[0]
    assert pitch == pytest.approx(69, abs=0.3)


def test_a_sine_is_pitched_unless_it_lies_where_kick_drums_do():
    hz = frequencies(2048, 44100)
    W = np.array([note(p, 2048, 44100, lambda m: m == 1) for p in (32, 60, 93)]).T
    pitches = estimate_pitches(W, hz)
    assert np.isnan(pitches[0])
    np.testing.assert_allclose(pitches[1:], [60, 93], atol=0.02)


# ---- nothing to name --------------------------------------------------------


@pytest.mark.parametrize("n_fft", [1024, 2048, 8192])
def test_noise_has_no_pitch(n_fft, rng):
    n = 22050
    spectrum = np.fft.rfft(rng.standard_normal((20, n)), axis=1)
    pink = np.fft.irfft(spectrum / np.sqrt(np.arange(n // 2 + 1) + 1), n, axis=1)
    white = np.fft.irfft(spectrum, n, axis=1)
    W = np.array([template(y, n_fft) for y in (*pink, *white)]).T
    assert np.isnan(estimate_pitches(W, frequencies(n_fft, 44100))).all()


def test_one_frame_of_noise_has_no_pitch(rng):
    frames = rng.standard_normal((200, 2048)) * np.hanning(2048)
    W = np.abs(np.fft.rfft(frames, axis=1)).T
    pitched = ~np.isnan(estimate_pitches(W, frequencies(2048, 44100)))
    assert pitched.mean() <= 0.01


def test_silence_clicks_and_direct_current_have_no_pitch():
    hz = frequencies(2048, 44100)
    W = np.zeros((len(hz), 4))
    W[:, 1] = 1.0
    W[:2, 2] = 1.0, 0.5
    W[:, 3] = np.exp(-np.arange(len(hz)) / 300)
    assert np.isnan(estimate_pitches(W, hz)).all()


def test_a_drop_like_a_kick_drum_s_has_no_pitch():
    t = np.arange(13230) / 44100
    y = np.sin(2 * np.pi * (50 * t - 4 * np.exp(-t / 0.03))) * np.exp(-t / 0.1)
    hz = frequencies(2048, 44100)
    assert np.isnan(estimate_pitches(template(y, 2048)[:, None], hz)[0])


def test_a_zero_that_nmf_leaves_beside_a_peak_does_not_move_it_far():
    W = note(72, 2048, 44100, lambda m: m == 1)[:, None]
    W[W.argmax() + 1] = 0
    pitch = estimate_pitches(W, frequencies(2048, 44100))[0]
    assert pitch == pytest.approx(72, abs=0.45)


def test_peaks_as_flat_or_faint_as_rounding_allows_are_no_trouble():
    W = np.full((1025, 1), 1e5)
    W[100:102] = np.nextafter(1e5, 2e5)
    W[200:301] = 0
    W[250] = 1e-300
    assert np.isnan(estimate_pitches(W, frequencies(2048, 44100))[0])


# ---- recordings -------------------------------------------------------------


def test_recorded_notes_are_named(shared_data):
    folder = shared_data / "bach10" / "P4_Mix01"
    score = mido.MidiFile(folder / "score.mid")
    tempo = next(e.tempo for e in score.tracks[0] if e.type == "set_tempo")
    W, notes = [], []
    for track in score.tracks[1:]:
        y, sr = sf.read(folder / "ref" / f"{track.name}.flac")
        seconds, start = 0.0, {}
        for event in track:
            seconds += mido.tick2second(event.time, score.ticks_per_beat, tempo)
            if event.type == "note_on" and event.velocity:
                start[event.note] = int(seconds * sr)
            elif event.type in ("note_on", "note_off"):
                W.append(template(y[start[event.note] : int(seconds * sr)], 2048))
                notes.append(event.note)
    pitches = estimate_pitches(np.array(W).T, frequencies(2048, 44100))
    assert len(notes) == 25
    assert not wrong(pitches, notes).size


def test_recorded_drums_have_no_pitch(shared_data):
    stems = sorted((shared_data / "drums" / "808" / "ref").glob("*.flac"))
    W = np.array([template(sf.read(stem)[0], 2048) for stem in stems]).T
    assert len(stems) == 3
    assert np.isnan(estimate_pitches(W, frequencies(2048, 44100))).all()


# ---- cost, names, centroids, errors -----------------------------------------


def test_sixty_four_templates_take_well_under_a_tenth_of_a_second(rng):
    W, hz = rng.random((1025, 64)), frequencies(2048, 44100)
    seconds = []
    for _ in range(5):
        start = time.process_time()
        estimate_pitches(W, hz)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.1


def test_centroids_are_mean_frequencies():
    W = np.array([[0, 0, 0], [1, 0, 0], [1, 2, 0], [0, 0, 0]])
    np.testing.assert_allclose(centroids(W, [0, 10, 20, 30]), [15, 20, 0])


@pytest.mark.parametrize("function", [estimate_pitches, centroids])
@pytest.mark.parametrize(
    ("W", "hz", "message"),
    [
        (np.ones((5, 2)), np.arange(4.0), r"got shapes \(5, 2\) and \(4,\)"),
        (np.ones(5), np.arange(5.0), r"got shapes \(5,\)"),
        (np.ones((2, 1)), np.arange(2.0), "each frequency, three or more"),
        (-np.ones((5, 2)), np.arange(5.0), "finite and non-negative"),
        (np.full((5, 2), np.nan), np.arange(5.0), "finite and non-negative"),
        (np.ones((5, 2)), np.zeros(5), "must increase"),
    ],
)
def test_templates_that_do_not_fit_are_refused(function, W, hz, message):
    with pytest.raises(ParameterError, match=message):
        function(W, hz)


def test_no_templates_have_no_pitches():
    assert estimate_pitches(np.ones((5, 0)), np.arange(5.0)).shape == (0,)
