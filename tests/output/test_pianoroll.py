"""Piano roll: every note of an activation, once, at its time and strength."""

from itertools import pairwise

import mir_eval
import numpy as np
import pytest
import soundfile as sf
from scipy.signal import find_peaks
from sklearn.decomposition import NMF

from specnmf import ParameterError
from specnmf.audio.pitch import centroids, estimate_pitches
from specnmf.output import pianoroll
from specnmf.output.pianoroll import LOUDEST, transcribe
from specnmf.score.notes import Score

HOP = 0.01
TIMES = HOP * np.arange(400)


def struck(*strokes, decay=0.4, attack=0.02):
    """An activation with a decaying note for each (start, end, strength)."""
    activation = np.zeros(len(TIMES))
    for start, end, strength in strokes:
        t = TIMES - start
        note = strength * np.exp(-t / decay) * np.clip(t / attack, 0, 1)
        note[(t < 0) | (end < TIMES)] = 0
        activation = np.maximum(activation, note)
    return activation


def notes(*rows, pitches=None, **options):
    pitches = [60.0 + k for k in range(len(rows))] if pitches is None else pitches
    labels = [f"part {k}" for k in range(len(rows))]
    return transcribe(np.array(rows), TIMES, pitches, labels, **options).notes


# ---- notes ------------------------------------------------------------------


def test_a_stroke_is_one_note_at_its_time():
    (note,) = notes(struck((1.0, 1.5, 3.0)))
    assert note.start == pytest.approx(1.0, abs=0.03)
    assert note.start + note.duration == pytest.approx(1.5, abs=0.04)
    assert (note.pitch, note.part, note.percussion) == (60, "part 0", False)


@pytest.mark.parametrize("attack", [0.01, 0.05, 0.2])
def test_soft_attacks_are_placed_where_they_begin(attack):
    (note,) = notes(struck((1.0, 2.0, 1.0), decay=9, attack=attack))
    assert note.start == pytest.approx(1.0, abs=0.05)


def test_repeated_notes_are_told_apart():
    strokes = [(0.5 + 0.25 * k, 0.9 + 0.25 * k, 1.0) for k in range(8)]
    found = notes(struck(*strokes, decay=0.2))
    starts = [note.start for note in found]
    np.testing.assert_allclose(starts, [start for start, _, _ in strokes], atol=0.03)
    for note, after in pairwise(found):
        assert note.start + note.duration <= after.start + 1e-9


def test_a_sustained_note_with_vibrato_is_one_note():
    sustained = (TIMES > 0.5) & (TIMES < 3)
    row = sustained * (1 + 0.2 * np.sin(2 * np.pi * 6 * TIMES))
    (note,) = notes(row)
    assert note.start == pytest.approx(0.5, abs=0.04)
    assert note.duration == pytest.approx(2.5, abs=0.06)


def test_hysteresis_keeps_a_note_that_hovers_at_the_threshold(rng):
    row = 0.25 * (1 + 0.15 * rng.standard_normal(len(TIMES)))
    row[:20] = 0
    row[350:360] = 1.0
    assert len(notes(np.abs(row))) <= 2


def test_a_note_from_the_first_to_the_last_frame_is_one_note():
    (note,) = notes(np.ones(len(TIMES)))
    assert (note.start, note.duration) == (TIMES[0], pytest.approx(TIMES[-1]))


def test_clicks_and_what_is_shorter_than_a_note_are_left_out():
    row = struck((1.0, 1.4, 1.0))
    row[300], row[-3:] = 0.6, 1.0
    assert len(notes(row)) == 1


# ---- strength ---------------------------------------------------------------


def test_velocity_is_the_square_root_of_strength():
    flat = [(TIMES > 1 + k) * (TIMES < 1.5 + k) * 0.36**k for k in range(2)]
    loud, soft = notes(np.sum(flat, axis=0) + 1e-6)
    assert (loud.velocity, soft.velocity) == (LOUDEST, round(0.6 * LOUDEST))


def test_velocities_compare_components_by_their_gains():
    row = struck((1.0, 1.5, 1.0))
    first, second = notes(row, row, gains=[1.0, 0.25])
    assert (first.velocity, second.velocity) == (LOUDEST, round(LOUDEST / 2))


def test_a_faint_component_of_noise_plays_nothing(rng):
    noise = 0.01 * rng.random(len(TIMES))
    assert {n.part for n in notes(struck((1, 2, 1.0)), noise)} == {"part 0"}
    assert {n.part for n in notes(noise, noise, gains=[1, 1e-3])} == {"part 0"}


def test_a_soft_component_is_heard_beside_a_loud_one():
    loud, soft = struck((1.0, 1.5, 1.0)), struck((2.0, 2.5, 0.1))
    assert [note.part for note in notes(loud, soft)] == ["part 0", "part 1"]


def test_scale_does_not_matter():
    rows = struck((1, 2, 1), (2.5, 3, 0.5)), struck((0.5, 1, 0.3))
    plain = notes(*rows)
    assert len(plain) == 3
    for scale in (1e-12, 1e12):
        scaled = notes(*(scale * row for row in rows))
        np.testing.assert_allclose(
            [note[:4] for note in scaled], [note[:4] for note in plain]
        )


# ---- pitches and drums ------------------------------------------------------


def test_pitches_are_rounded_and_kept_in_range():
    row = struck((1.0, 2.0, 1.0))
    found = notes(row, row, row, row, pitches=[60.4, 60.5, -5.0, 130.2])
    by_part = {note.part: note.pitch for note in found}
    assert list(map(by_part.get, sorted(by_part))) == [60, 61, 7, 118]


def test_unpitched_components_play_the_drums_of_their_centroids():
    row = struck((1.0, 1.5, 1.0))
    found = notes(
        *[row] * 5,
        pitches=[np.nan] * 4 + [60.0],
        centroids=[300.0, 4000.0, 12000.0, 200.0, 500.0],
    )
    drums = {n.part: n.pitch for n in found if n.percussion}
    assert drums == {"part 0": 36, "part 1": 38, "part 2": 42, "part 3": 35}
    assert [note.pitch for note in found if not note.percussion] == [60]


def test_unpitched_components_play_different_drums_while_there_are_any():
    rows = [struck((1.0, 1.5, 1.0))] * 50
    found = notes(*rows, pitches=np.full(50, np.nan))
    drums = [note.pitch for note in sorted(found, key=lambda n: int(n.part[5:]))]
    assert drums[0] == 38
    assert len(set(drums)) == 47
    assert set(drums[47:]) == {38}


def test_a_component_that_is_not_heard_takes_no_drum():
    row = struck((1.0, 1.5, 1.0))
    (note,) = notes(0 * row, row, pitches=[np.nan, np.nan], centroids=[100, 100])
    assert note.pitch == 36


# ---- whole pieces -----------------------------------------------------------


def f_measure(score, truth):
    """Onset F-measure: right pitch within 50 ms."""

    def columns(rows):
        return (
            np.array([(start, start + duration) for start, duration, _ in rows]),
            440 * 2 ** ((np.array([pitch for *_, pitch in rows]) - 69) / 12),
        )

    return mir_eval.transcription.precision_recall_f1_overlap(
        *columns(truth),
        *columns([note[:3] for note in score.notes if not note.percussion]),
        onset_tolerance=0.05,
        offset_ratio=None,
    )[2]


def test_a_melody_over_broken_chords_is_transcribed_from_its_sound():
    sr, n_fft, hop = 11025, 1024, 256
    truth = [(0.3 * k, 0.25, p) for k, p in enumerate([72, 74, 76, 76, 74, 72, 71, 72])]
    truth += [(0.3 * k + 0.15, 0.3, (48, 55, 52, 55)[k % 4]) for k in range(8)]
    y = np.zeros(3 * sr)
    for start, duration, pitch in truth:
        t = np.arange(int(duration * sr)) / sr
        hz = 440 * 2 ** ((pitch - 69) / 12)
        tone = sum(np.sin(2 * np.pi * m * hz * t) / m for m in range(1, 7))
        at = int((start + 0.1) * sr)
        y[at : at + len(t)] += tone * np.exp(-t / 0.2)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(y, n_fft // 2), n_fft)
    V = np.abs(np.fft.rfft(frames[::hop] * np.hanning(n_fft), axis=1))
    model = NMF(9, solver="mu", beta_loss=1, init="nndsvda", max_iter=300, tol=1e-5)
    H, W = model.fit_transform(V).T, model.components_.T
    pitches = estimate_pitches(W, np.fft.rfftfreq(n_fft, 1 / sr))
    times = np.arange(H.shape[1]) * hop / sr
    score = transcribe(H, times, pitches, list("abcdefghi"), gains=W.sum(axis=0))
    assert f_measure(score, [(t + 0.1, d, p) for t, d, p in truth]) > 0.9


def test_a_recorded_drum_loop_is_transcribed(shared_data):
    y, sr = sf.read(shared_data / "drums" / "808" / "mix.flac")
    n_fft, hop = 2048, 512
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(y, n_fft // 2), n_fft)
    V = np.abs(np.fft.rfft(frames[::hop] * np.hanning(n_fft), axis=1))
    model = NMF(5, solver="mu", beta_loss=1, init="nndsvda", max_iter=30, tol=0)
    H, W = model.fit_transform(V).T, model.components_.T
    hz = np.fft.rfftfreq(n_fft, 1 / sr)
    score = transcribe(
        H,
        np.arange(H.shape[1]) * hop / sr,
        estimate_pitches(W, hz),
        list("abcde"),
        gains=np.linalg.norm(W, axis=0),
        centroids=centroids(W, hz),
    )
    assert all(note.percussion for note in score.notes)
    kicks = [note.start for note in score.notes if note.pitch == 36]
    assert len(kicks) == 12


# ---- edges and errors -------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 400), (0, 400), (3, 0), (3, 1)])
def test_silence_is_an_empty_score(shape):
    n_components, n_frames = shape
    labels = [f"part {k}" for k in range(n_components)]
    pitches = np.full(n_components, np.nan)
    score = transcribe(np.zeros(shape), TIMES[:n_frames], pitches, labels)
    assert score == Score(())


def test_the_activations_are_left_as_they_are():
    H = np.array([struck((1.0, 2.0, 1.0))], np.float32)
    before = H.copy()
    assert len(transcribe(H, TIMES, [60.0], ["a"]).notes) == 1
    assert (before == H).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"H": np.ones(5)}, r"got shapes \(5,\) and \(5,\)"),
        ({"times": np.arange(4.0)}, r"got shapes \(2, 5\) and \(4,\)"),
        ({"times": np.zeros(5)}, "times to rise"),
        ({"pitches": [60.0]}, r"expected pitches of shape \(2,\), got \(1,\)"),
        ({"labels": ["a"]}, r"expected labels of shape \(2,\), got \(1,\)"),
        ({"gains": [1.0]}, r"expected gains of shape \(2,\), got \(1,\)"),
        ({"centroids": [1.0]}, r"expected centroids of shape \(2,\), got \(1,\)"),
        ({"H": -np.ones((2, 5))}, "expected activations to be finite and non-negative"),
        ({"H": np.full((2, 5), np.nan)}, "expected activations to be finite"),
        ({"gains": [1.0, np.inf]}, "expected gains to be finite"),
        ({"pitches": [60.0, np.inf]}, "pitches to be finite, or NaN"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    options = {
        "H": np.ones((2, 5)),
        "times": np.arange(5.0),
        "pitches": [60.0, np.nan],
        "labels": ["a", "b"],
    }
    with pytest.raises(ParameterError, match=message):
        transcribe(**(options | changes))


@pytest.mark.parametrize("steps", [0.5, 3.0, 12.0])
def test_peaks_are_those_of_scipy(rng, steps):
    walk = np.abs(np.cumsum(rng.normal(scale=steps, size=2000)))
    levels = np.pad(np.maximum(walk - 3, 0), 1)
    levels -= 1e-9 * np.arange(len(levels))
    expected, _ = find_peaks(levels, prominence=5.0)
    assert len(expected) > 5
    np.testing.assert_array_equal(pianoroll._peaks(levels, 5.0), expected)


def test_silence_has_no_peaks():
    assert not len(pianoroll._peaks(-1e-9 * np.arange(9), 5.0))
