"""Tempo maps: notes lie on the beats of the recording, and sound when they do."""

import mido
import numpy as np
import pretty_midi
import pytest

from specnmf import ParameterError
from specnmf.score import midi_tempo
from specnmf.score.beats import Beats
from specnmf.score.midi import write_midi
from specnmf.score.midi_reading import read_midi
from specnmf.score.midi_tempo import TICKS_PER_BEAT
from specnmf.score.notes import Note, Score


def wandering(rng, first=-0.2, n_beats=200):
    """Beats of a tempo that drifts between 50 and 150 a minute."""
    periods = np.clip(
        0.6 * np.exp(0.05 * np.cumsum(rng.normal(size=n_beats))), 0.4, 1.2
    )
    return Beats(first + np.concatenate([[0], np.cumsum(periods)]))


def notes_on(beats, parts=3):
    times = beats.times[beats.times >= 0]
    return Score(
        Note(float(t), 0.25, 40 + k % 60, part=f"part {k % parts}")
        for k, t in enumerate(times[:-1])
    )


def ticks_of(path):
    found = []
    for track in mido.MidiFile(path).tracks:
        now = 0
        for event in track:
            now += event.time
            if event.type == "note_on" and event.velocity:
                found.append(now)
    return np.sort(found)


def test_notes_sound_when_they_did_for_every_reader(tmp_path, rng):
    path = tmp_path / "score.mid"
    starts = np.sort(rng.uniform(0, 130, 300))
    score = Score(
        Note(float(t), float(d), int(p), part="a")
        for t, d, p in zip(
            starts, rng.uniform(0.05, 0.3, 300), np.arange(300) % 100, strict=True
        )
    )
    write_midi(path, score, beats=wandering(rng))
    own = [(n.start, n.start + n.duration, n.pitch) for n in read_midi(path).notes]
    peer = [
        (n.start, n.end, n.pitch)
        for n in pretty_midi.PrettyMIDI(str(path)).instruments[0].notes
    ]
    truth = [(n.start, n.start + n.duration, n.pitch) for n in score.notes]
    np.testing.assert_allclose(sorted(own), truth, atol=1e-3)
    np.testing.assert_allclose(sorted(peer), truth, atol=1e-3)
    # mido plays it as a sequencer does
    clock, played = 0.0, []
    for event in mido.MidiFile(path):
        clock += event.time
        if event.type == "note_on" and event.velocity:
            played.append((clock, event.note))
    np.testing.assert_allclose(played, [(s, p) for s, _, p in truth], atol=1e-3)


@pytest.mark.parametrize("first", [0.0, -0.05, -0.3, -0.59])
def test_notes_on_the_beats_lie_on_the_grid(tmp_path, rng, first):
    beats = wandering(rng, first)
    write_midi(tmp_path / "score.mid", notes_on(beats), beats=beats)
    off = (ticks_of(tmp_path / "score.mid") + TICKS_PER_BEAT / 2) % TICKS_PER_BEAT
    assert abs(off[1:] - TICKS_PER_BEAT / 2).max() <= 1


def test_the_file_begins_with_the_recording(rng):
    for first in (-0.55, -0.3, -0.1, 0.0):
        beats = wandering(rng, first)
        clock = midi_tempo.along(beats)
        assert clock.at(0.0) == 0
        after = beats.times[beats.times > 0]
        # the beat before the first lasts half as long as others to half as long again
        lengths = clock.microseconds / 1e6
        assert 0.4 * lengths[1] < lengths[0] < 1.6 * lengths[1]
        place = clock.at(after[1]) / TICKS_PER_BEAT
        assert place == pytest.approx(round(place), abs=1e-5)


def test_a_steady_tempo_is_one_event():
    clock = midi_tempo.along(Beats(0.7 * np.arange(-0.0, 100)))
    assert clock.microseconds.tolist() == [700_000]
    clock = midi_tempo.along(Beats(0.7 * np.arange(-0.4, 100)))
    assert clock.microseconds.tolist() == [420_000, 700_000]


def test_rounded_microseconds_do_not_add_up(rng):
    beats = wandering(rng, 0.0, 3000)
    clock = midi_tempo.along(beats)
    places = clock.at(beats.times) / TICKS_PER_BEAT
    np.testing.assert_allclose(places, np.arange(len(places)), atol=1e-5)


@pytest.mark.parametrize("period", [0.05, 3.1])
def test_beats_out_of_range_are_refused(tmp_path, period):
    beats = Beats(period * np.arange(10))
    with pytest.raises(
        ParameterError, match="the tempo of beats must be 20 to 1000 per minute"
    ):
        write_midi(tmp_path / "score.mid", Score(()), beats=beats)
    assert not (tmp_path / "score.mid").exists()
