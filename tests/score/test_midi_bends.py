"""Pitch bends: notes sound by their cents, where a channel can."""

import mido
import pretty_midi
import pytest

from specnmf.score.midi import write_midi
from specnmf.score.midi_reading import read_midi
from specnmf.score.notes import Note, Score


@pytest.fixture
def bends(tmp_path):
    def bends(*notes):
        """The bends of a file in seconds and cents, as pretty_midi reads them."""
        path = tmp_path / "score.mid"
        write_midi(path, Score(notes), bends=True)
        return [
            (
                pytest.approx(bend.time, abs=1e-3),
                pytest.approx(bend.pitch / 40.96, abs=0.02),
            )
            for instrument in pretty_midi.PrettyMIDI(str(path)).instruments
            for bend in instrument.pitch_bends
        ]

    return bends


def test_each_note_of_a_melody_is_bent_before_it_sounds(bends, tmp_path):
    melody = [Note(0, 1, 60, cents=20), Note(1, 1, 62, cents=-33), Note(2, 1, 64)]
    assert bends(*melody) == [(0, 20), (1, -33), (2, 0)]
    kinds = [event.type for event in mido.MidiFile(tmp_path / "score.mid").tracks[1]]
    assert kinds[1:5] == ["pitchwheel", "note_on", "note_off", "pitchwheel"]


def test_the_last_bend_ends_with_the_channel(bends):
    assert bends(Note(0, 1, 60, cents=20)) == [(0, 20), (1, 0)]


def test_notes_that_sound_together_are_bent_where_they_agree(bends):
    chord = [Note(0, 1, 60, cents=20), Note(0.2, 1, 64, cents=24)]
    assert bends(*chord) == [(0, 22), (1.2, 0)]
    assert bends(chord[0], chord[1]._replace(cents=-10)) == []


def test_a_melody_sung_legato_is_still_bent(bends):
    melody = [Note(0, 1.03, 60, cents=20), Note(1, 0.5, 62, cents=-33)]
    assert bends(*melody) == [(0, 20), (1, -33), (1.5, 0)]


def test_parts_are_bent_on_their_own(bends):
    found = bends(
        Note(0, 1, 60, part="a", cents=20), Note(0, 1, 64, part="b", cents=-9)
    )
    assert found == [(0, 20), (1, 0), (0, -9), (1, 0)]


def test_percussion_is_never_bent(bends):
    assert bends(Note(0, 1, 38, percussion=True, cents=20)) == []


def test_bends_reach_no_further_than_the_wheel(bends):
    assert bends(Note(0, 1, 60, cents=250), Note(2, 1, 60, cents=-250)) == [
        (0, 199.98), (2, -200), (3, 0),
    ]  # fmt: skip


def test_bent_notes_are_the_same_notes(tmp_path, rng):
    notes = Score(
        Note(float(t), 0.4, 60 + k % 7, part=f"part {k % 3}", cents=float(c))
        for k, (t, c) in enumerate(
            zip(rng.uniform(0, 20, 100), rng.uniform(-50, 50, 100), strict=True)
        )
    )
    files = []
    for bent in (False, True):
        write_midi(tmp_path / "score.mid", notes, bends=bent)
        files.append(read_midi(tmp_path / "score.mid"))
    assert files[0] == files[1]


def test_bends_are_written_only_on_request(tmp_path):
    write_midi(tmp_path / "score.mid", Score([Note(0, 1, 60, cents=20)]))
    (_, track) = mido.MidiFile(tmp_path / "score.mid").tracks
    assert "pitchwheel" not in {event.type for event in track}
