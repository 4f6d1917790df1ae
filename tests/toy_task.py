"""A task that stands outside the package: a song and its echo, at a gain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from specnmf.audio import stft
from specnmf.audio.stft import Grid
from specnmf.factor.factorization import Factorization
from specnmf.options import option
from specnmf.tasks.registry import register
from specnmf.tasks.settings import RunSettings
from specnmf.tasks.task import Held, Result, Song, Task


class GainSettings(RunSettings):
    """The settings of `gain`."""

    share: float = option(0.25, "The share of the first stem.", least=0, most=1)


@dataclass(frozen=True, eq=False)
class Shares:
    """The recording in two stems: a share of it, and the rest."""

    audio: Any
    grid: Grid
    factors: Factorization
    pitches: Any
    share: float
    names = ("share", "rest")

    @property
    def losses(self) -> Any:
        """There is none."""
        return self.factors.losses

    def stream(self, options: GainSettings) -> Iterator[Any]:
        """Yield both at once."""
        y = self.audio.samples
        yield 0, np.stack([self.share * y, (1 - self.share) * y]).astype(np.float32)


class Gain(Task[GainSettings]):
    """A share of a recording, and the rest."""

    name = "gain"
    help = "Divide each SONG by a gain."
    example = "gain song.wav --share 0.5"
    settings = GainSettings

    def fit(self, song: Song[GainSettings], material: Held) -> Result[GainSettings]:
        """The recording's mean spectrum, and its loudness."""
        audio, settings = material.sound, song.settings
        grid = Grid.of(audio, settings.n_fft, settings.hop_length)
        with song.stages.stage("transform"):
            V = stft.magnitude(audio, grid)
        W, H = V.mean(axis=1, keepdims=True), V.sum(axis=0, keepdims=True)
        factors = Factorization(W, H, losses=np.array([0.0]))
        stems = Shares(audio, grid, factors, np.array([np.nan]), settings.share)
        return Result(song=song, sound=audio, stems=stems)

    def summary(self, report: Mapping[str, Any]) -> Iterator[str]:
        """The share."""
        yield f"share {report['settings']['share']}"


register(Gain())
