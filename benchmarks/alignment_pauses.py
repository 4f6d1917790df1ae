"""What do pauses and stuck notes cost an alignment? Refusals, and onsets' errors.

    python benchmarks/alignment_pauses.py            # the songs that come with it
    python benchmarks/alignment_pauses.py --data DIR # and those of DIR/bach10

Every score is in another tempo, which wanders.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from separation_songs import Float64, Song, onset_errors, retimed, rubato, songs
from tables import table

import specnmf

#: What pauses are filled with: dB of the recording's RMS, and the power at frequency f.
FILLINGS = {
    "silence": (-np.inf, 0),
    "white hiss, -46 dB": (-46, 0),
    "white hiss, -30 dB": (-30, 0),
    "pink hiss, -30 dB": (-30, -1),
    "rumble, -46 dB": (-46, -3),
}

#: Seconds of a pause, and its places as shares of the song.
LENGTHS, PLACES = (1.0, 4.0, 10.0, 30.0), (0.0, 0.5, 0.8, 1.0)

#: For how many seconds a note is stuck after the end of the score.
STUCK = (20.0, 60.0, 300.0, 3600.0)


class Case(NamedTuple):
    """A recording, a score to align to it, and when its notes truly begin."""

    audio: specnmf.Audio
    given: specnmf.Score
    truth: specnmf.Score


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder that holds bach10/")
    parser.add_argument("--quick", action="store_true", help="one song only")
    args = parser.parse_args()
    found: dict[str, list[Float64 | None]] = {}
    for song in (s for s in songs(args.data, quick=args.quick) if not s.drums):
        for name, case in cases(song):
            found.setdefault(name, []).append(errors(case))
    rows = [[name, *told(results)] for name, results in found.items()]
    head = ["case", "alignments", "refused", "lost, %", "median, ms", "95 %", "most"]
    print(table(head, rows))


def cases(song: Song) -> Iterator[tuple[str, Case]]:
    """Yield each case by the name of its row."""
    clock = rubato(song.audio.duration, np.random.default_rng(0))
    given = retimed(song.score, clock)
    yield "no pause", Case(song.audio, given, song.score)
    for name, (decibels, power) in FILLINGS.items():
        for seconds in LENGTHS:
            for place in PLACES:
                at = before_onset(song, place)
                audio = paused(
                    song.audio, at, hiss(song.audio, seconds, power, decibels)
                )
                yield name, Case(audio, given, late(song.score, at, seconds))
    for seconds in LENGTHS:
        for place in PLACES[1:3]:
            rest = float(clock(np.array(before_onset(song, place))))
            yield (
                "a rest in the score",
                Case(song.audio, late(given, rest, seconds), song.score),
            )
    for seconds in STUCK:
        yield "a stuck note", Case(song.audio, stuck(given, seconds), song.score)


def before_onset(song: Song, place: float) -> float:
    """Return when the note nearest to a place begins, or the end, in seconds."""
    if place == 1:
        return song.audio.duration
    onsets = np.array([note.start for note in song.score.notes])
    near = onsets[np.argmin(np.abs(onsets - place * song.audio.duration))]
    return max(0.0, float(near) - 0.02)


def hiss(audio: specnmf.Audio, seconds: float, power: int, decibels: float) -> Float64:
    """Return noise of a spectrum, so much softer than a recording, (n_samples,)."""
    n_samples = round(seconds * audio.sr)
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(n_samples))
    frequencies = np.fft.rfftfreq(n_samples, 1 / audio.sr)
    spectrum *= np.maximum(frequencies, 20.0) ** (power / 2)
    noise = np.fft.irfft(spectrum, n_samples)
    return noise / noise.std() * audio.samples.std() * 10 ** (decibels / 20)


def paused(audio: specnmf.Audio, at: float, noise: Float64) -> specnmf.Audio:
    """Return the recording with noise put in at a time."""
    sample = round(at * audio.sr)
    filling = np.tile(noise, (audio.n_channels, 1))
    pieces = [audio.samples[:, :sample], filling, audio.samples[:, sample:]]
    return specnmf.Audio(np.concatenate(pieces, axis=1).astype(np.float32), audio.sr)


def late(score: specnmf.Score, at: float, seconds: float) -> specnmf.Score:
    """Return the score with a rest, which cuts off what sounds."""
    return specnmf.Score(
        tuple(
            note._replace(start=note.start + seconds)
            if note.start >= at
            else note._replace(duration=min(note.duration, max(0.05, at - note.start)))
            for note in score.notes
        )
    )


def stuck(score: specnmf.Score, seconds: float) -> specnmf.Score:
    """Return the score whose longest note goes on for so long after its end."""
    longest = max(score.notes, key=lambda note: note.duration)
    held = longest._replace(duration=score.duration + seconds - longest.start)
    return specnmf.Score(tuple(held if n is longest else n for n in score.notes))


def errors(case: Case) -> Float64 | None:
    """Return how far off each onset is, in seconds; None if the score is refused."""
    try:
        found = specnmf.align(case.given, case.audio).score
    except specnmf.ScoreError:
        return None
    return onset_errors(case.truth, found)


def told(results: list[Float64 | None]) -> list[str]:
    """Return the cells of a row."""
    known = [result for result in results if result is not None]
    every = np.concatenate([[np.inf], *known])[1:]
    near = every[np.isfinite(every)]
    lost = 100 * (1 - len(near) / max(1, len(every)))
    quantiles = np.quantile(near, [0.5, 0.95, 1.0]) if len(near) else [np.nan] * 3
    counts = f"{len(results)}", f"{len(results) - len(known)}", f"{lost:.1f}"
    return [*counts, *(f"{1e3 * seconds:.0f}" for seconds in quantiles)]


if __name__ == "__main__":
    main()
