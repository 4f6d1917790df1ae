"""What does a score in another tempo cost? SDR and onsets after alignment."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from separation_songs import (
    Float64,
    Song,
    delayed,
    mean_sdr,
    median_and_most,
    onset_errors,
    retimed,
    rubato,
    separated,
    songs,
)
from tables import decibels, table, with_means

import specnmf
from specnmf.score.options import Align

#: What may be lost to a score on another clock, in dB.
TARGET = 1.0


class Change(NamedTuple):
    """What puts a score and a recording on different clocks, and what is done.

    The score's tempo is changed by a factor, and wanders between .7 and 1.4 times
    that if there is a seed; the recording begins with so many seconds of silence.
    """

    speed: float = 1.0
    seed: int | None = None
    silence: float = 0.0
    mode: Align = "auto"

    def given(self, song: Song) -> specnmf.Score:
        """Return the score to separate by."""
        score = song.score
        if self.seed is not None:
            rng = np.random.default_rng(self.seed)
            score = retimed(score, rubato(song.audio.duration, rng))
        return retimed(score, lambda seconds: seconds / self.speed)


CHANGES = {
    "none": Change(),
    "tempo + 20 %": Change(speed=1.2),
    "tempo - 20 %": Change(speed=0.8),
    "rubato": Change(seed=0),
    "another rubato": Change(seed=1),
    "a third": Change(seed=2),
    "0.5 s of silence": Change(silence=0.5),
    "- 20 %, rubato, silence": Change(speed=0.8, seed=3, silence=0.5),
    "the same, not aligned": Change(speed=0.8, seed=3, silence=0.5, mode="never"),
}


class Result(NamedTuple):
    """What a score on another clock costs.

    The SDR lost in dB, None where the alignment was refused; and by how many seconds
    each onset is off.
    """

    loss: float | None
    errors: Float64


def main(data: Path | None, *, quick: bool) -> None:
    chosen = [song for song in songs(data, quick=quick) if not song.drums]
    best = {song.name: best_sdr(song) for song in chosen}
    rows, lost = [], {}
    for name, change in CHANGES.items():
        results = {
            song.name: measured(song, change, best[song.name]) for song in chosen
        }
        losses = with_means({song: one.loss for song, one in results.items()})
        errors = np.concatenate([one.errors for one in results.values()])
        rows.append([name, *map(decibels, losses.values()), *median_and_most(errors)])
        if change.mode == "auto":
            lost[name] = losses
        print(f"{name}: {len(results)} songs done", file=sys.stderr)
    print("SDR lost to a score on another clock, dB; how far off onsets are, ms.\n")
    print(table(["change", *losses, "median", "90 %"], rows), end="\n\n")
    print(verdict(lost), end="\n\n")


def best_sdr(song: Song) -> float:
    """Return the SDR that the score on the recording's clock leads to."""
    tuning = specnmf.align(song.score, song.audio, mode="never").tuning
    return mean_sdr(song.references, separated(song, song.score, tuning))


def measured(song: Song, change: Change, best: float) -> Result:
    """Align and separate by the changed score."""
    given, song = change.given(song), delayed(song, change.silence)
    try:
        found = specnmf.align(given, song.audio, mode=change.mode)
    except specnmf.ScoreError as error:
        print(f"{song.name}: {error}", file=sys.stderr)
        return Result(None, np.full(len(given.notes), np.inf))
    stems = separated(song, found.score, found.tuning)
    loss = best - mean_sdr(song.references, stems)
    return Result(loss, onset_errors(song.score, found.score))


def verdict(lost: Mapping[str, Mapping[str, float | None]]) -> str:
    """Say which change costs most, and whether that is within the target."""
    means = {
        (change, name): np.inf if loss is None else loss
        for change, losses in lost.items()
        for name, loss in losses.items()
        if name.endswith("mean") or not any(other.endswith("mean") for other in losses)
    }
    (change, name), loss = max(means.items(), key=lambda item: item[1])
    held = "holds" if loss <= TARGET else "does not hold"
    return (
        f"Most is lost to {change}, {loss:.2f} dB ({name}): the target of "
        f"{TARGET:g} dB {held}."
    )
