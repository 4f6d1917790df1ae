"""MIDI on the beats of the recording: the same notes, and an editor's bars."""

import mido
import numpy as np
import pytest
from conftest import ROOT
from runs import separate

import specnmf
from specnmf import Settings
from specnmf.tasks.separate import ScoreSettings

EXAMPLES = ROOT / "audio_examples"
CHORALE = EXAMPLES / "chorale" / "chorale.flac"


def tempi(path):
    """The tempi of a file in beats a minute."""
    (conductor, *_) = mido.MidiFile(path, charset="utf-8").tracks
    return [mido.tempo2bpm(e.tempo) for e in conductor if e.type == "set_tempo"]


def beats_of(path):
    """When the notes of a file begin, in its beats."""
    file = mido.MidiFile(path, charset="utf-8")
    found = []
    for track in file.tracks[1:]:
        now = 0
        for event in track:
            now += event.time
            if event.type == "note_on" and event.velocity:
                found.append(now / file.ticks_per_beat)
    return np.array(found)


def by_part_and_pitch(note):
    return note.part, note.pitch, note.start


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The chorale, 100 quarters a minute, by its score: on the grid, and without."""
    score = CHORALE.with_suffix(".mid")
    return {
        grid: separate(
            CHORALE,
            score,
            ScoreSettings(grid=grid, sources=False, figures=False, max_iter=2),
            output=tmp_path_factory.mktemp("out"),
        )
        for grid in (True, False)
    }


@pytest.mark.slow  # whole runs
@pytest.mark.parametrize("name", ["aligned", "pianoroll"])
def test_the_grid_moves_no_note(runs, name):
    scores = [specnmf.read_score(run.folder / f"{name}.mid") for run in runs.values()]
    # A tick's rounding may swap notes of two parts that start together.
    on, off = (sorted(s.notes, key=by_part_and_pitch) for s in scores)
    assert [(n.part, n.pitch) for n in on] == [(n.part, n.pitch) for n in off]
    times = [[(n.start, n.duration) for n in notes] for notes in (on, off)]
    np.testing.assert_allclose(times[0], times[1], atol=2e-3)
    tables = [(run.folder / f"{name}.csv").read_bytes() for run in runs.values()]
    assert tables[0] == tables[1]


def test_notes_lie_on_the_beats(runs):
    on, off = (beats_of(run.folder / "aligned.mid") for run in runs.values())
    assert abs(2 * on - np.round(2 * on)).mean() < 0.05  # on half beats
    assert abs(2 * off - np.round(2 * off)).mean() > 0.15


def test_the_report_has_the_tempo(runs):
    assert runs[True].report["tempo"] == pytest.approx(100, rel=0.02)
    assert runs[False].report["tempo"] is None


def test_without_a_grid_there_are_120_beats_a_minute(runs):
    for name in ("aligned", "pianoroll"):
        assert tempi(runs[False].folder / f"{name}.mid") == [120]


def test_where_there_are_no_beats_there_are_120_a_minute(tmp_path):
    settings = Settings(
        n_components=1, max_iter=2, duration=0.2, sources=False, figures=False
    )
    run = specnmf.decompose(CHORALE, settings, output=tmp_path)
    assert run.report["tempo"] is None
    assert tempi(run.folder / "pianoroll.mid") == [120]


def test_a_drum_loop_is_laid_on_its_beats(tmp_path):
    settings = Settings(n_components=4, sources=False, figures=False)
    song = EXAMPLES / "drums" / "drums.flac"
    run = specnmf.decompose(song, settings, output=tmp_path)
    assert run.report["tempo"] == pytest.approx(104, rel=0.03)
