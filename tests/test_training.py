"""What the network of notes is trained on: pieces, their sound, their labels."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from specnmf.methods.transcription.builtin_spectrum import BEFORE, HOP, SR
from specnmf.methods.transcription.salience import LOWEST

FOLDER = Path(__file__).parents[1] / "training"


@pytest.fixture(scope="module")
def training():
    """Return a function that imports a script of the folder."""
    own = {path.stem for path in FOLDER.glob("*.py")}
    others = {name: sys.modules.pop(name) for name in own & set(sys.modules)}
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module
    sys.path.remove(str(FOLDER))
    for name in own & set(sys.modules):
        del sys.modules[name]
    sys.modules.update(others)


def notes_of(piece):
    return [note for part in piece.parts for note in part.notes]


@pytest.mark.parametrize("kind", ["piece", "song"])
def test_pieces_are_drawn_by_seeds_and_fit_their_instruments(training, kind):
    composing, songs = training("composing"), training("songs")
    instruments = training("instruments")
    compose = composing.piece if kind == "piece" else songs.song
    for seed in range(20):
        first, again = (
            compose(np.random.default_rng(seed), instruments.TRAINED) for _ in range(2)
        )
        assert first == again
        for part in first.parts:
            assert part.program in instruments.TRAINED
            assert all(0 <= note.start < composing.SECONDS for note in part.notes)
            assert len(composing.apart(part.notes)) == len(part.notes)
    assert notes_of(first) != notes_of(
        compose(np.random.default_rng(0), instruments.TRAINED)
    )


def test_held_out_instruments_do_not_play(training):
    instruments, songs = training("instruments"), training("songs")
    for seed in range(20):
        piece = songs.song(np.random.default_rng(seed), instruments.HELD_OUT)
        played = {part.program for part in piece.parts if not part.sung}
        assert played <= set(instruments.HELD_OUT)


def test_a_singer_sings_the_pitch_while_the_note_lasts(training):
    composing, singing = training("composing"), training("singing")
    note = composing.Played(1.0, 1.5, 57, 100)
    part = composing.Part(52, [note], 0.0, 0, 100, 64, sung=True)
    for seed in range(5):
        y = singing.sung(part, 0.0, 4.0, SR, np.random.default_rng(seed))
        assert y.shape == (4 * SR,)
        loud, before, after = (
            np.abs(y[round(a * SR) : round(b * SR)]).mean()
            for a, b in ((1.2, 2.4), (0.0, 0.8), (2.9, 4.0))
        )
        assert max(before, after) < 0.02 * loud
        own = y[round(1.3 * SR) : round(2.4 * SR)]
        power = np.abs(np.fft.rfft(own * np.hanning(len(own)), 8 * len(own))) ** 2
        f = np.fft.rfftfreq(8 * len(own), 1 / SR)
        f0 = np.arange(150.0, 300.0, 0.5)
        combs = sum(np.interp(k * f0, f, power) for k in range(1, 9))
        assert abs(12 * np.log2(f0[combs.argmax()] / 220)) < 0.8


def test_labels_lie_where_notes_are(training):
    composing, examples = training("composing"), training("examples")
    note = composing.Played(2.0, 1.0, 60, 100)
    part = composing.Part(0, [note], 10.0, 0, 100, 64)
    labels = examples.labels(composing.Piece([part], [], 5.0), 12.0)
    row = 60 - LOWEST
    sounding = np.flatnonzero(labels["notes"][:, row])
    start = 2.0 * SR / HOP + BEFORE
    assert sounding[0] == np.ceil(start)
    assert len(sounding) == pytest.approx(SR / HOP, abs=1)
    assert labels["onsets"][:, row].argmax() == pytest.approx(start, abs=0.5)
    assert set(labels["cents"][sounding, row]) == {3}
    assert not np.delete(labels["notes"], row, axis=1).any()
