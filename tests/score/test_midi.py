"""MIDI files: what is written is what other programs read."""

import subprocess
import sys
from collections import defaultdict

import mido
import numpy as np
import pytest

from specnmf import ParameterError
from specnmf.score.midi import write_midi
from specnmf.score.notes import Note, Score


def written(tmp_path, notes, **options):
    path = tmp_path / "score.mid"
    write_midi(path, Score(notes), **options)
    return mido.MidiFile(path, charset="utf-8")


def read(file):
    """The notes of a file as (start, end, pitch, velocity, track, channel).

    As a synthesiser hears it: the tracks merged in their order, and a note-off ends
    whatever sounds at that pitch of the channel, from whichever track it comes.
    """
    tempo = next(e.tempo for e in file.tracks[0] if e.type == "set_tempo")
    events = []
    for track in file.tracks:
        ticks = 0
        for event in track:
            ticks += event.time
            if event.type in ("note_on", "note_off"):
                seconds = mido.tick2second(ticks, file.ticks_per_beat, tempo)
                is_on = event.type == "note_on" and event.velocity > 0
                events.append((seconds, is_on, track.name, event))
    notes, sounding = [], {}
    for seconds, is_on, name, event in sorted(events, key=lambda e: e[0]):
        key = event.channel, event.note
        if is_on:
            assert key not in sounding
            sounding[key] = seconds, event.velocity, name
        else:
            start, velocity, of = sounding.pop(key)
            notes.append((start, seconds, event.note, velocity, of, event.channel))
    assert not sounding
    return sorted(notes)


def test_notes_come_back_to_the_millisecond(tmp_path, rng):
    starts = np.cumsum(rng.uniform(0.2, 0.5, 200))
    notes = [
        Note(t, d, int(p), int(v), f"part {p % 3}")
        for t, d, p, v in zip(
            starts,
            rng.uniform(0.05, 0.2, 200),
            rng.integers(21, 109, 200),
            rng.integers(1, 128, 200),
            strict=True,
        )
    ]
    for tempo in (60, 120, 133.7):
        back = read(written(tmp_path, notes, tempo=tempo))
        assert len(back) == len(notes)
        for note, (start, end, pitch, velocity, part, _) in zip(
            notes, back, strict=True
        ):
            assert start == pytest.approx(note.start, abs=1e-3)
            assert end == pytest.approx(note.start + note.duration, abs=1e-3)
            assert (pitch, velocity, part) == (note.pitch, note.velocity, note.part)


def test_each_part_has_a_track_and_a_channel_but_the_tenth(tmp_path):
    notes = [Note(k, 1, 60, part=f"part {k}") for k in range(15)]
    file = written(tmp_path, notes)
    assert file.type == 1
    assert [track.name for track in file.tracks[1:]] == [n.part for n in notes]
    channels = [channel for *_, channel in read(file)]
    assert sorted(channels) == [c for c in range(16) if c != 9]


def test_parts_that_are_named_have_the_first_tracks(tmp_path):
    notes = [Note(0, 1, 48, part="low"), Note(1, 1, 60, part="odd")]
    score = Score((*notes, Note(2, 1, 72, part="high")))
    path = tmp_path / "score.mid"
    write_midi(path, score, parts=("high", "absent", "low"))
    tracks = mido.MidiFile(path).tracks[1:]
    assert [track.name for track in tracks] == ["high", "low", "odd"]


def test_percussion_is_on_the_tenth_channel_and_takes_no_other(tmp_path):
    notes = [Note(0, 1, 36, part="kick", percussion=True), Note(0, 1, 60, part="bass")]
    notes.append(Note(1, 1, 42, part="bass", percussion=True))
    channels = {
        (pitch, channel)
        for _, _, pitch, _, _, channel in read(written(tmp_path, notes))
    }
    assert channels == {(36, 9), (42, 9), (60, 0)}


def test_parts_that_share_a_channel_never_cut_one_another(tmp_path):
    notes = [Note(0.1 * k, 4.0, 40 + k % 15, part=f"part {k:02}") for k in range(40)]
    back = read(written(tmp_path, notes))
    assert len(back) == 40
    assert all(end - start == pytest.approx(4.0, abs=1e-3) for start, end, *_ in back)
    used = defaultdict(set)
    for *_, part, channel in back:
        used[channel].add(part)
    assert max(map(len, used.values())) == 3


def test_a_pitch_struck_while_it_sounds_is_struck_again(tmp_path):
    notes = [Note(0, 10, 60), Note(3, 1, 60), Note(20, 2, 60), Note(21, 3, 60)]
    times = [note[:2] for note in read(written(tmp_path, notes))]
    np.testing.assert_allclose(times, [(0, 3), (3, 10), (20, 21), (21, 24)])


def test_a_drum_handed_to_an_earlier_track_is_not_cut(tmp_path):
    notes = [Note(0, 0.5, 38, part="a", percussion=True)]
    notes += [Note(0.5, 0.5, 36, part="b", percussion=True)]
    notes += [Note(1, 0.5, 36, part="a", percussion=True)]
    back = read(written(tmp_path, notes))
    assert [(end - start) for start, end, *_ in back] == pytest.approx(
        [0.5] * 3, abs=1e-3
    )


def test_of_two_equal_notes_at_once_the_longer_sounds(tmp_path):
    back = read(written(tmp_path, [Note(1, 0.5, 60), Note(1, 2, 60), Note(1, 1, 62)]))
    assert [note[:3] for note in back] == [(1, 2, 62), (1, 3, 60)]


def test_a_repeated_note_is_released_before_it_is_struck(tmp_path):
    file = written(tmp_path, [Note(0, 1, 60), Note(1, 1, 60)])
    kinds = [event.type for event in file.tracks[1] if not event.is_meta]
    assert kinds == ["note_on", "note_off", "note_on", "note_off"]
    assert len(read(file)) == 2


def test_a_note_without_duration_lasts_a_tick(tmp_path):
    ((start, end, *_),) = read(written(tmp_path, [Note(1, 0, 60)]))
    assert 0 < end - start < 0.001


@pytest.mark.parametrize("part", ["Flöte 笛", "", 'a/b, "c"'])
def test_names_of_parts_survive(tmp_path, part):
    file = written(tmp_path, [Note(0, 1, 60, part=part)])
    assert file.tracks[1].name == part


def test_a_name_that_no_encoding_has_is_written_all_the_same(tmp_path):
    file = written(tmp_path, [Note(0, 1, 60, part="a\udc80b")])
    assert file.tracks[1].name == "a?b"


def test_an_empty_score_is_a_valid_file(tmp_path):
    file = written(tmp_path, [])
    assert len(file.tracks) == 1
    assert file.length == 0


def test_the_same_score_gives_the_same_bytes(tmp_path):
    notes = [Note(k % 7, 1, 60 + k % 5, part=f"part {k % 20}") for k in range(100)]
    files = []
    for order in (notes, notes[::-1]):
        write_midi(tmp_path / "score.mid", Score(order))
        files.append((tmp_path / "score.mid").read_bytes())
    assert files[0] == files[1]
    assert files[0].startswith(b"MThd")


@pytest.mark.parametrize("tempo", [0, 19.9, 1001, float("nan"), -120])
def test_a_tempo_out_of_range_is_refused(tmp_path, tempo):
    with pytest.raises(ParameterError, match="tempo must lie between 20 and 1000"):
        write_midi(tmp_path / "score.mid", Score(()), tempo=tempo)
    assert not (tmp_path / "score.mid").exists()


def test_importing_the_module_does_not_load_mido():
    code = "import sys, specnmf.score.midi; sys.exit('mido' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
