"""From what is heard to a score: parts, velocities, tuning, errors."""

import dataclasses

import numpy as np
import pytest

from specnmf import Audio, AudioError, ParameterError, ScoreError, transcribe
from specnmf.methods.transcription import transcription as module
from specnmf.methods.transcription.heard import Heard
from specnmf.methods.transcription.options import TranscriptionOptions
from specnmf.methods.transcription.transcription import LOUDEST, SOFTEST, transcription

SR = 22_050
SILENCE = Audio(np.zeros(SR, np.float32), SR)


@pytest.fixture
def hear(monkeypatch):
    """A function that transcribes, where certain notes are heard."""

    def heard_as(heard, *, by="part", **options):
        monkeypatch.setattr(module, "refine", lambda *args, **kwargs: heard)
        options = TranscriptionOptions(transcriber="builtin", **options)
        return transcription(SILENCE, options, by=by)

    return heard_as


def two_lines():
    """A high line of five notes and a low one, as loud, the low one sharper."""
    start = np.repeat(np.arange(5.0), 2)
    pitch = np.tile([48, 76], 5)
    heard = Heard.of(start, start + 0.9, pitch, np.full(10, 0.8))
    cents = np.where(heard.pitch == 48, 8.0, -4.0)
    return dataclasses.replace(heard, energy=np.ones(10), cents=cents)


def test_voices_are_numbered_from_the_highest(hear):
    found = hear(two_lines(), voices=2)
    assert found.parts == ("voice_1", "voice_2")
    of = {note.part: note.pitch for note in found.score.notes}
    assert of == {"voice_1": 76, "voice_2": 48}


def test_auto_counts_the_voices(hear):
    assert hear(two_lines()).parts == ("voice_1", "voice_2")


def test_one_voice_has_all_notes(hear):
    assert set(hear(two_lines(), voices=1).labels) == {"voice_1"}


def test_hands_are_right_and_left(hear):
    found = hear(two_lines(), by="hand")
    of = {note.part: note.pitch for note in found.score.notes}
    assert of == {"right": 76, "left": 48}


def test_velocity_follows_the_root_of_the_energy(hear):
    energy = np.array([1.0, 0.25, 1e-6] + [1.0] * 7)
    heard = dataclasses.replace(two_lines(), energy=energy)
    velocity = [note.velocity for note in hear(heard, voices=1).score.notes]
    assert velocity[0] == LOUDEST
    assert velocity[1] == pytest.approx(LOUDEST / 2, abs=0.5)
    assert velocity[2] == SOFTEST


def test_notes_have_their_cents_and_confidence(hear):
    for note in hear(two_lines(), voices=2).score.notes:
        assert note.cents == (8.0 if note.pitch == 48 else -4.0)
        assert note.confidence == 0.8


def test_tuning_is_that_of_the_louder_notes(hear):
    heard = two_lines()
    for loud, cents in ((48, 8.0), (76, -4.0)):
        energy = np.where(heard.pitch == loud, 1.0, 0.1)
        assert hear(dataclasses.replace(heard, energy=energy)).tuning == cents


def test_confidence_is_a_mean_over_time(hear):
    heard = Heard.of([0, 3], [3, 4], [60, 62], [0.8, 0.4])
    heard = dataclasses.replace(heard, energy=np.ones(2))
    assert hear(heard).confidence == pytest.approx(0.7)


def test_silence_has_no_score():
    with pytest.raises(ScoreError, match="no note was heard"):
        transcribe(SILENCE, transcriber="builtin")


def test_what_is_no_audio_is_refused():
    with pytest.raises(AudioError):
        transcribe(np.zeros(SR))


@pytest.mark.parametrize(
    "options", [{"voices": 0}, {"voices": 17}, {"transcriber": "crepe"}]
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ParameterError):
        transcribe(SILENCE, **options)
