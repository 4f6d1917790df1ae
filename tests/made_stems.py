"""Runs whose stems are known to the sample: a task that is given them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import soundfile

from specnmf.audio import stft
from specnmf.audio.stft import Grid
from specnmf.factor.factorization import Factorization
from specnmf.score.notes import Note, Score
from specnmf.tasks.run import run
from specnmf.tasks.settings import RunSettings
from specnmf.tasks.task import Result, Task

SR = 22050

#: The stems of `band`: their pitches, and when they sound, in seconds.
BAND = {
    "bass": (50, (0.2, 3.8)),
    "viola": (66, (0.4, 1.8)),
    "flute": (77, (2.1, 3.6)),
    "bell": (89, (0.4, 3.6)),
}

#: The loudness of each stem of `band`.
AMPLITUDE = 0.15


class MadeSettings(RunSettings):
    """No more than any run's."""


@dataclass(frozen=True)
class Given:
    """Stems that are given, and no model worth the name."""

    audio: object
    grid: Grid
    factors: Factorization
    sounds: Mapping[str, np.ndarray]
    pitches: np.ndarray
    losses: np.ndarray = field(default_factory=lambda: np.zeros(1))

    @property
    def names(self):
        return tuple(self.sounds)

    def stream(self, options):
        yield 0, np.stack(list(self.sounds.values())).astype(np.float32)


@dataclass(frozen=True, eq=False, kw_only=True)
class MadeResult(Result):
    """The notes are given too."""

    played: Score

    def shown(self):
        return self.played

    def entries(self, written):
        (own,) = written or [None]
        stems = [{"label": name} for name in self.stems.names]
        return {"stems": [each | own.entry(each["label"]) for each in stems]}


class Made(Task):
    """A recording in stems that are known."""

    name = "made"
    help = "Take each SONG apart."
    example = "made song.wav"
    settings = MadeSettings

    def __init__(self, sounds, notes=()):
        self.sounds = sounds
        self.notes = notes

    def fit(self, song, material):
        """One component a stem: the mean of its spectrum, and its loudness."""
        audio = material.sound
        grid = Grid.of(audio, song.settings.n_fft, song.settings.hop_length)
        V = stft.magnitude(audio, grid)
        W = np.repeat(V.mean(axis=1, keepdims=True), len(self.sounds), axis=1)
        H = np.repeat(V.sum(axis=0, keepdims=True), len(self.sounds), axis=0)
        factors = Factorization(W, H, losses=np.zeros(1), labels=tuple(self.sounds))
        pitches = np.full(len(self.sounds), np.nan)
        stems = Given(audio, grid, factors, self.sounds, pitches)
        return MadeResult(song=song, sound=audio, stems=stems, played=Score(self.notes))


def made(sounds, folder, *, title="song", sr=SR, notes=(), **options):
    """The run folder of a recording that is the sum of stems.

    Parameters
    ----------
    sounds : mapping of str to array, shape (n_channels, n_samples)
        The stems.
    folder : path
        Where the recording and the run are written.
    title : str
        The name of the recording.
    sr : int
        Samples a second.
    notes : sequence of Note
        The part of each is its stem.
    **options
        Of `MadeSettings`.
    """
    song = folder / f"{title}.wav"
    soundfile.write(song, sum(sounds.values()).T, sr, subtype="PCM_24")
    settings = MadeSettings(**{"figures": False, "max_iter": 1, **options})
    return run(Made(sounds, notes), song, settings, output=folder / "out").folder


def frequency(pitch):
    """Of a MIDI number, in Hz."""
    return 440 * 2 ** ((pitch - 69) / 12)


def tone(pitch, start, end, *, duration=4.0, sr=SR, amplitude=AMPLITUDE, balance=0.5):
    """A sine, silent outside its time: shape (2, n_samples); balance 0 is left."""
    t = np.arange(round(duration * sr)) / sr
    rise = np.clip((t - start) / 0.01, 0, 1) * np.clip((end - t) / 0.01, 0, 1)
    y = amplitude * rise * np.sin(2 * np.pi * frequency(pitch) * t)
    return 2 * np.array([[1 - balance], [balance]]) * y


def band(folder, *, names=tuple(BAND), **options):
    """The run folder of `BAND`, whose stems may have other names."""
    parts = list(zip(names, BAND.values(), strict=True))
    sounds = {name: tone(pitch, *span) for name, (pitch, span) in parts}
    notes = [
        Note(start, end - start, pitch, 90, name)
        for name, (pitch, (start, end)) in parts
    ]
    return made(sounds, folder, notes=notes, **options)


def clicks(folder, n_stems=16, *, at=11025, sr=44100, n_samples=44100, **options):
    """The run folder of stems that all click at the same sample."""
    y = np.zeros((2, n_samples))
    y[:, at] = 0.5 / n_stems
    sounds = {f"click_{k + 1:02d}": y for k in range(n_stems)}
    return made(sounds, folder, sr=sr, **options)
