"""The book's model: the public functions in a row."""

import numpy as np
import pytest

import specnmf
from specnmf import Audio, Note, Score, ScoreSettings
from specnmf.methods.by_score import fit_stems

SR, N = 22050, 33075

SCORE = Score(
    (
        Note(0.1, 0.5, 60, part="low"),
        Note(0.8, 0.5, 62, part="low"),
        Note(0.3, 1.0, 67, part="high"),
    )
)


@pytest.fixture
def audio(tone):
    return Audio(sum(tone(note, SR, N) for note in SCORE.notes), SR)


@pytest.mark.parametrize("onsets", [False, True])
def test_the_books_model_is_its_functions_in_a_row(audio, onsets):
    spectrogram = specnmf.stft(audio)
    layout = specnmf.fmp_layout(SCORE, spectrogram.grid, onsets=onsets)
    result = specnmf.nmf(
        spectrogram.magnitude(), layout.start, beta=2, solver="mu", max_iter=25, tol=0
    )
    labels = [note.part for note in SCORE.notes]
    expected = specnmf.separate(spectrogram, specnmf.by_stem(result, layout, labels))
    model = "fmp-onsets" if onsets else "fmp"
    found = specnmf.separate_by_score(audio, SCORE, model=model, max_iter=25)
    assert list(found) == ["low", "high"]
    for name, stem in found.items():
        np.testing.assert_allclose(stem.samples, expected[name].samples, atol=1e-6)


def test_its_components_are_named_and_rest_where_the_score_does(audio):
    labels = [note.part for note in SCORE.notes]
    stems = fit_stems(audio, SCORE, labels, ScoreSettings(model="fmp"))
    pairs = set(zip(stems.factors.labels, stems.pitches, strict=True))
    assert pairs == {("low", 60), ("low", 62), ("high", 67)}
    high = stems.factors.H[stems.pitches == 67][0]
    assert not high[stems.grid.times < 0.05].any()


def test_its_factors_tell_the_cost_of_each_iteration(audio):
    labels = [note.part for note in SCORE.notes]
    settings = ScoreSettings(model="fmp", max_iter=7)
    losses = fit_stems(audio, SCORE, labels, settings).losses
    assert len(losses) == 7
    assert losses[-1] < losses[0]


def test_a_tuning_moves_its_templates(audio):
    labels = [note.part for note in SCORE.notes]
    settings = ScoreSettings(model="fmp", max_iter=1)
    plain, sharp = (
        fit_stems(audio, SCORE, labels, settings, tuning=tuning)
        for tuning in (0.0, 100.0)
    )
    for stems, pitch in ((plain, 67), (sharp, 68)):
        W = stems.start.W[:, stems.pitches == 67][:, 0]
        bin_of_pitch = round(440 * 2 ** ((pitch - 69) / 12) * 2048 / SR)
        assert W[bin_of_pitch] > 0
