"""What is printed of a result: one line that says what it is."""

import copy
import pickle

import numpy as np
import pytest

import specnmf
from specnmf.audio.separated import Separated
from specnmf.evaluation.note_scores import Found, NoteScores
from specnmf.evaluation.scores import SourceScores
from specnmf.factor.layers.tree import grow_tree
from specnmf.factor.rank import RankChoice

NOTES = (specnmf.Note(0, 1, 60, part="flute"), specnmf.Note(1, 1.5, 64, part="oboe"))


def audio(channels=2, seconds=1.5, sr=8000):
    return specnmf.Audio(np.zeros((channels, round(seconds * sr)), np.float32), sr)


def factorization(losses=()):
    return specnmf.Factorization(np.ones((5, 2)), np.ones((2, 7)), losses=losses)


def layers(B=None):
    A = [np.ones((9, 4)), np.ones((4, 2))]
    return specnmf.Layers(A, [np.ones((4, 7)), np.ones((2, 7))], B, np.ones(3))


def alignment(warped):
    nothing = np.zeros((0, 2))
    score = specnmf.Score(NOTES)
    return specnmf.Alignment(score, nothing, nothing, 0.934, 0, 0.0, warped, ())


def evaluation():
    scores = (
        SourceScores(reference="a", estimate="a", sdr=8.04, si_sdr=-0.01),
        SourceScores(reference="b", estimate="b", sdr=6.0, si_sdr=0.0),
    )
    return specnmf.Evaluation(sources=scores)


def note_evaluation():
    found = Found(1.0, 0.5, 2 / 3)
    scores = NoteScores(
        reference="a",
        estimate="a",
        n_reference=2,
        n_estimate=1,
        onset_50=found,
        onset_100=found,
        onset_offset_50=found,
        onset_offset_100=found,
    )
    return specnmf.NoteEvaluation(notes=scores, voices=(scores,))


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (audio(), "Audio(2 channels, 8000 Hz, 1.5 s)"),
        (audio(1), "Audio(1 channel, 8000 Hz, 1.5 s)"),
        (
            specnmf.stft(audio(), n_fft=256),
            "Spectrogram(2 channels, 129 bins, 188 frames, 8000 Hz)",
        ),
        (factorization(), "Factorization(2 components, 5 bins, 7 frames)"),
        (
            factorization(np.ones(3)),
            "Factorization(2 components, 5 bins, 7 frames, 3 iterations)",
        ),
        (layers(), "Layers(ranks 4, 2, 9 rows, 7 columns, 3 iterations)"),
        (
            layers(np.ones((1, 2))),
            "Layers(ranks 4, 2, 9 rows, 7 columns, 1 label, 3 iterations)",
        ),
        (grow_tree(layers()), "Tree(ranks 4, 2)"),
        (specnmf.Score(NOTES), "Score(2 notes, 2 parts, 2.5 s)"),
        (specnmf.Score(()), "Score(0 notes, 0 parts, 0.0 s)"),
        (
            alignment(True),
            "Alignment(Score(2 notes, 2 parts, 2.5 s), confidence 0.93, warped)",
        ),
        (
            alignment(False),
            "Alignment(Score(2 notes, 2 parts, 2.5 s), confidence 0.93, times kept)",
        ),
        (evaluation(), "Evaluation(2 sources, SDR 7.0 dB, SI-SDR 0.0 dB)"),
        (specnmf.Evaluation(sources=()), "Evaluation(0 sources)"),
        (
            note_evaluation(),
            "NoteEvaluation(2 notes, 1 voice, onset 50 ms F 0.67, onset 100 ms F 0.67, "
            "offset 50 ms F 0.67, offset 100 ms F 0.67)",
        ),
        (
            RankChoice(np.array([1, 2, 4]), np.zeros(3), np.zeros(3), 2),
            "RankChoice(2 of [1, 2, 4])",
        ),
        (
            Separated({"bass": audio(), "drums": audio()}),
            "Separated('bass', 'drums': Audio(2 channels, 8000 Hz, 1.5 s) each)",
        ),
        (Separated(), "Separated()"),
        (
            specnmf.Run("specnmf_out/song", {"kind": "decompose"}),
            "Run('specnmf_out/song', kind='decompose')",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_repr_of_a_result_is_this_line(result, line):
    assert repr(result) == line


def test_a_hostile_name_does_not_break_the_line():
    assert "\n" not in repr(Separated({"a\nb\x1b[2J": audio()}))
    assert "\x1b" not in repr(Separated({"a\nb\x1b[2J": audio()}))
    hostile = specnmf.Run("a\nb", {"kind": "x\ny"})
    assert "\n" not in repr(hostile)


@pytest.fixture
def separated():
    spectrogram = specnmf.stft(audio(), n_fft=256)
    start = specnmf.Factorization(np.ones((129, 2)), np.ones((2, 188)), ("a", "b"))
    return specnmf.separate(spectrogram, start)


def test_what_separate_gives_is_a_dict(separated):
    assert isinstance(separated, dict)
    assert list(separated) == ["a", "b"]
    assert separated == dict(separated)
    assert {**separated} == separated
    del separated["a"]
    assert list(separated) == ["b"]


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        lambda sources: sources.copy(),
        lambda sources: pickle.loads(pickle.dumps(sources)),
    ],
    ids=["copy", "deepcopy", "method", "pickle"],
)
def test_a_copy_is_as_it_was(separated, copied):
    separated.notes = specnmf.Score(NOTES)
    again = copied(separated)
    assert type(again) is type(separated)
    assert again.notes == separated.notes
    assert list(again) == list(separated)
    np.testing.assert_array_equal(again["a"].samples, separated["a"].samples)
