"""MusicXML of heard notes: what is written is what notation programs read."""

import numpy as np
import pytest
from conftest import ROOT

from specnmf import ScoreError
from specnmf.score import musicxml_writing
from specnmf.score.beats import Beats, beats_of
from specnmf.score.musicxml_writing import write_musicxml
from specnmf.score.notes import Note, Score
from specnmf.score.reading import read_score

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:lark")

#: A hundred a minute, the first before the start.
BEATS = Beats(0.6 * np.arange(30) - 0.2)


@pytest.fixture
def partitura():
    return pytest.importorskip("partitura")


@pytest.fixture
def written(partitura, tmp_path):
    def written(notes, beats=BEATS):
        path = tmp_path / "score.musicxml"
        write_musicxml(path, Score(notes), beats)
        return path

    return written


def at(beat, length, pitch, part="flute", **rest):
    """A note of a beat, counted from the one before the start, and a length."""
    return Note(0.6 * beat - 0.2, 0.6 * length, pitch, part=part, **rest)


def beats_in(score):
    """Beats, lengths and pitches of what was read at 100 beats a minute."""
    return [
        (round(n.start / 0.6, 3), round(n.duration / 0.6, 3), n.pitch, n.part)
        for n in score.notes
    ]


MELODY = [at(1, 1, 60), at(2, 0.5, 62), at(2.5, 0.25, 64), at(3, 6, 65), at(13, 1, 61)]


def test_notes_are_on_the_beats_that_they_were_on(written):
    own = beats_in(read_score(written(MELODY)))
    assert own == [
        (1, 1, 60, "flute"),
        (2, 0.5, 62, "flute"),
        (2.5, 0.25, 64, "flute"),
        (3, 6, 65, "flute"),
        (13, 1, 61, "flute"),
    ]


def test_partitura_finds_the_file_valid_and_reads_the_same(written, partitura):
    from partitura.io.importmusicxml import validate_musicxml

    path = written([*MELODY, at(1, 2, 40, "bass"), at(3, 1.5, 43, "bass")])
    assert validate_musicxml(str(path))
    notes = partitura.load_musicxml(str(path)).note_array()
    onsets, pitches = notes["onset_quarter"].tolist(), notes["pitch"].tolist()
    own = sorted((beat, pitch) for beat, _, pitch, _ in beats_in(read_score(path)))
    np.testing.assert_allclose(
        sorted(zip(onsets, pitches, strict=True)), own, atol=0.01
    )


@pytest.mark.usefixtures("partitura")
def test_parts_that_are_named_come_first(tmp_path):
    path = tmp_path / "score.musicxml"
    notes = (at(1, 1, 48, "voice_2"), at(2, 1, 72, "voice_1"))
    write_musicxml(path, Score(notes), BEATS, parts=("voice_1", "voice_2"))
    assert path.read_text().index("voice_1") < path.read_text().index("voice_2")


def test_what_is_played_loosely_is_written_strictly(written, rng):
    loose = [
        note._replace(start=note.start + float(rng.uniform(-0.04, 0.04)))
        for note in MELODY
    ]
    starts = [beat for beat, *_ in beats_in(read_score(written(loose)))]
    assert starts == [1, 2, 2.5, 3, 13]


def test_triplets_are_written_where_they_fit(written):
    notes = [at(1 + k / 3, 1 / 3, 60 + k) for k in range(12)]
    starts = [beat for beat, *_ in beats_in(read_score(written(notes)))]
    assert starts == pytest.approx([1 + k / 3 for k in range(12)], abs=0.01)


def test_chords_and_held_notes_keep_their_lengths(written):
    notes = [at(1, 4, 48), at(1, 1, 60), at(1, 1, 64), at(2, 3, 65), at(2, 1, 60)]
    assert sorted(beats_in(read_score(written(notes)))) == sorted(
        (beat, length, pitch, "flute")
        for beat, length, pitch in (
            (1, 4, 48), (1, 1, 60), (1, 1, 64), (2, 3, 65), (2, 1, 60),
        )
    )  # fmt: skip


def test_a_real_score_comes_back(written):
    score = read_score(ROOT / "audio_examples" / "chorale" / "chorale.mid")
    beats = beats_of(score, score.duration)
    back = read_score(written(score.notes, beats))
    assert set(back.parts) == set(score.parts)
    for part in score.parts:
        own, other = (
            [note.pitch for note in each.notes if note.part == part]
            for each in (score, back)
        )
        assert own == other
    begun = beats.positions([note.start for note in score.notes])
    written_at = [note.start * round(beats.bpm) / 60 for note in back.notes]
    np.testing.assert_allclose(np.sort(written_at), np.sort(begun), atol=0.13)


def test_the_same_score_gives_the_same_bytes(written):
    assert written(MELODY).read_bytes() == written(MELODY[::-1]).read_bytes()


def test_percussion_is_left_out(written):
    drum = at(1, 1, 36, "drums", percussion=True)
    assert read_score(written([*MELODY, drum])).parts == ("flute",)
    with pytest.raises(ScoreError, match="the score has no pitched notes to write"):
        written([drum])


def test_without_partitura_one_is_told_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(musicxml_writing, "find_spec", lambda name: None)
    assert not musicxml_writing.can_write()
    with pytest.raises(ScoreError, match=r"pip install 'specnmf\[musicxml\]'"):
        write_musicxml(tmp_path / "score.musicxml", Score(MELODY), BEATS)
