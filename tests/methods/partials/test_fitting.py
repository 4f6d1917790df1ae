"""The parametric model's choices: windows, struck strings, stems, iterations."""

import numpy as np
import pytest

from specnmf import Audio, Note, Score, ScoreSettings
from specnmf.methods.by_score import fit_stems, label_notes
from specnmf.methods.partials.notes import piano_inharmonicity

SR, N = 22050, 33075

DUET = Score(
    (
        Note(0.1, 1.2, 67, part="high"),
        Note(0.1, 0.6, 60, part="low"),
        Note(0.8, 0.6, 62, part="low"),
    )
)


@pytest.fixture
def duet(tone):
    return Audio(sum(tone(note, SR, N) for note in DUET.notes), SR)


def fitted(audio, score=DUET, callback=None, **options):
    settings = ScoreSettings(**options)
    labels = label_notes(score, settings)
    return fit_stems(audio, score, labels, settings, callback=callback)


@pytest.mark.slow  # many instruments
def test_pianos_are_struck_and_winds_are_not(example):
    hands = example("chopin_op28_4", "hand").stems.struck
    winds = example("chorale").stems.struck
    assert set(winds) == {"soprano", "alto", "tenor", "bass"}
    assert min(hands.values()) > 0.5 > max(winds.values())
    assert all(0 <= share <= 1 for share in (*hands.values(), *winds.values()))


@pytest.mark.parametrize("stiff", [False, True])
def test_stiff_strings_are_known_by_their_stretched_partials(stiff):
    t = np.arange(N) / SR
    y = np.zeros(N)
    pitches = 48, 55, 60
    for pitch in pitches:
        B = float(piano_inharmonicity(pitch)) if stiff else 0.0
        for m in range(1, 25):
            stretch = np.sqrt((1 + B * m**2) / (1 + B))
            f = m * stretch * 440 * 2 ** ((pitch - 69) / 12)
            y += np.sin(2 * np.pi * f * t) / m
    score = Score(tuple(Note(0, 1.5, pitch, part="strings") for pitch in pitches))
    share = fitted(Audio(0.1 * y, SR), score).struck["strings"]
    assert share > 0.8 if stiff else share < 0.3


@pytest.mark.slow  # many instruments
def test_tones_that_last_get_a_long_window_and_drums_a_short_one(example):
    seconds = {
        name: example(name, by).stems.grid.n_fft / 44100
        for name, by in (
            ("chorale", "part"), ("chopin_op28_4", "hand"), ("drums", "part")
        )
    }  # fmt: skip
    assert seconds["drums"] < 0.1 < seconds["chopin_op28_4"] <= seconds["chorale"]
    assert seconds["chorale"] > 0.25


def test_the_window_and_hop_asked_for_are_taken(duet):
    grid = fitted(duet, n_fft=1024, hop_length=200).grid
    assert (grid.n_fft, grid.hop_length) == (1024, 200)


def test_windows_last_as_long_at_any_sample_rate(tone):
    notes = DUET.notes
    lengths = []
    for sr in (22050, 44100, 88200):
        audio = Audio(sum(tone(note, sr, int(1.5 * sr)) for note in notes), sr)
        lengths.append(fitted(audio, max_iter=1).grid.n_fft / sr)
    assert lengths[0] == lengths[1] == lengths[2]


def test_drums_alone_need_no_second_analysis(example):
    assert example("drums").stems.onset_model is None
    assert example("chorale").stems.onset_model is not None


def test_pitches_are_stems_from_low_to_high(duet):
    assert fitted(duet, by="pitch", max_iter=1).names == ("C4", "D4", "G4")
    assert fitted(duet, max_iter=1).names == ("low", "high")


def test_the_cost_is_told_after_each_iteration(duet):
    heard = []
    stems = fitted(duet, max_iter=12, callback=lambda *call: heard.append(call))
    assert heard == list(enumerate(stems.factors.losses, start=1))
    assert len(heard) == 12
    assert stems.factors.losses[-1] < 0.5 * stems.factors.losses[0]


def test_tol_saves_iterations(duet):
    many, few, fewer = (
        len(fitted(duet, tol=tol, max_iter=60).factors.losses) for tol in (0, 0.01, 0.1)
    )
    assert 2 < fewer < few < many == 60


def test_what_no_note_explains_is_as_loud_as_its_noise(duet, rng):
    hiss = rng.standard_normal(N).astype(np.float32)
    quiet, noisy = (
        fitted(Audio(duet.samples + added, SR), residual=True, max_iter=8).envelopes()
        for added in (0 * hiss, hiss)
    )
    assert list(noisy) == ["low", "high", "residual"]
    assert noisy["residual"].mean() > 5 * quiet["residual"].mean() > 0


def test_channels_that_are_alike_are_fitted_once(duet):
    twice = Audio(np.repeat(duet.samples, 2, axis=0), SR)
    stems = fitted(twice, max_iter=1)
    assert stems.model.partials.pans.shape[1] == 1


def heard(stems, **options):
    stream = stems.stream(ScoreSettings(**options))
    return np.concatenate([block.copy() for _, block in stream], axis=2)


def test_stems_panned_apart_are_filtered_by_their_places(tone):
    pans = {"high": [1.2, 0.7], "low": [0.7, 1.2]}
    true = {name: np.zeros((2, N), np.float32) for name in pans}
    for note in DUET.notes:
        true[note.part] += np.outer(pans[note.part], tone(note, SR, N))
    stems = fitted(Audio(sum(true.values()), SR), max_iter=10)
    sources = np.stack([true[name] for name in stems.names])
    filtered, masked = (heard(stems, wiener=each) for each in ("auto", "never"))
    error, before = (np.sum((each - sources) ** 2) for each in (filtered, masked))
    assert error < 0.5 * before
    np.testing.assert_allclose(filtered.sum(axis=0), sources.sum(axis=0), atol=1e-5)
    one, other = (heard(stems, wiener=w, mask="binary") for w in ("always", "never"))
    np.testing.assert_array_equal(one, other)


def test_channels_that_are_alike_are_masked_as_before_to_the_bit(duet):
    stems = fitted(Audio(np.repeat(duet.samples, 2, axis=0), SR), max_iter=3)
    one, other = (heard(stems, wiener=wiener) for wiener in ("auto", "never"))
    np.testing.assert_array_equal(one, other)
