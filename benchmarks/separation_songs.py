"""Songs whose stems are known, to judge a separation by, and what changes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

import specnmf
from specnmf.score.options import By

EXAMPLES = Path(__file__).resolve().parents[1] / "audio_examples"

#: The SDR of a silent stem, for which BSS Eval has none.
SILENT_DB = -30.0

#: A tempo curve goes through a random value every so many seconds.
PHRASE = 2.0

Float64 = NDArray[np.float64]
Sounds = Mapping[str, NDArray[np.float32]]
Clock = Callable[[Float64], Float64]


@dataclass(frozen=True, eq=False)
class Song:
    """A recording, its score on the same clock, and its true stems by name."""

    name: str
    audio: specnmf.Audio
    score: specnmf.Score
    references: Sounds
    by: By = "part"

    @property
    def labels(self) -> tuple[str, ...]:
        """The stem of each note."""
        return specnmf.stem_labels(self.score, self.by)

    @property
    def drums(self) -> bool:
        """Whether there is nothing but drums."""
        return all(note.percussion for note in self.score.notes)


def songs(data: Path | None, *, quick: bool) -> list[Song]:
    """Return the songs of a folder, if any, and the project's own examples."""
    shared, drums = [], []
    if data is not None:
        scores = [
            s for k in (4, 2) for s in sorted(data.glob(f"bach10/P{k}*/score.mid"))
        ]
        shared = [song_in(score.parent, "mix") for score in scores]
        drums = [song_in(data / "drums" / "808", "mix")]
    chorale = example("chorale")
    if quick:
        return [*shared[:1], chorale]
    return [
        *shared,
        chorale,
        example("chopin_op28_4", "hand"),
        example("drums"),
        *drums,
    ]


def song_in(folder: Path, recording: str) -> Song:
    """Return a song of the folder of recordings."""
    return Song(
        folder.name,
        specnmf.read(folder / f"{recording}.flac"),
        specnmf.read_score(folder / "score.mid"),
        stems_in(folder / "ref"),
    )


def example(name: str, by: By = "part") -> Song:
    """Return one of the project's own songs."""
    folder = EXAMPLES / name
    stems = stems_in(folder / "stems")
    return Song(
        name,
        specnmf.read(folder / f"{name}.flac"),
        specnmf.read_score(folder / f"{name}.mid"),
        {stem.removesuffix("_hand"): y for stem, y in stems.items()},
        by,
    )


def stems_in(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Return the recordings in a folder by the stems of their names."""
    paths = sorted([*folder.glob("*.flac"), *folder.glob("*.wav")])
    return {path.stem: specnmf.read(path).samples for path in paths}


def separated(
    song: Song, score: specnmf.Score, tuning: float, **options: str
) -> dict[str, NDArray[np.float32]]:
    """Return the stems that specnmf finds by a score on the recording's clock."""
    stems = specnmf.separate_by_score(
        song.audio, score, by=song.by, tuning=tuning, **options
    )
    return {name: stem.samples for name, stem in stems.items()}


def mean_sdr(references: Sounds, estimates: Sounds) -> float:
    """Return BSS Eval v3's SDR in dB, channels averaged, its mean over references."""
    sdr, _, _ = specnmf.bss_eval(
        np.stack([y.mean(axis=0) for y in references.values()]),
        np.stack([estimates[name].mean(axis=0) for name in references]),
    )
    return float(np.maximum(sdr, SILENT_DB).mean())


# --- clocks -----------------------------------------------------------------------


def retimed(score: specnmf.Score, clock: Clock) -> specnmf.Score:
    """Return the score with each beginning and end moved to ``clock(seconds)``."""
    starts = np.array([note.start for note in score.notes])
    ends = starts + [note.duration for note in score.notes]
    moved = zip(score.notes, clock(starts), clock(ends), strict=True)
    return specnmf.Score(
        tuple(note._replace(start=a, duration=b - a) for note, a, b in moved)
    )


def rubato(seconds: float, rng: np.random.Generator) -> Clock:
    """Return a clock whose speed wanders smoothly between .7 and 1.4."""
    times = np.arange(0, seconds + PHRASE, 0.01)
    phrase = (times / PHRASE).astype(int)
    turns = rng.uniform(np.log(0.7), np.log(1.4), phrase[-1] + 2)
    # half a period of a cosine from each turn to the next
    way = 0.5 - 0.5 * np.cos(np.pi * (times / PHRASE - phrase))
    speeds = np.exp(turns[phrase] + way * (turns[phrase + 1] - turns[phrase]))
    clock = np.concatenate([[0], np.cumsum(speeds[:-1] * np.diff(times))])
    return lambda when: np.interp(when, times, clock)


def delayed(song: Song, seconds: float) -> Song:
    """Return the song with silence before its recording, stems and score."""
    count = round(seconds * song.audio.sr)

    def late(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.pad(samples, ((0, 0), (count, 0)))

    return replace(
        song,
        audio=specnmf.Audio(late(song.audio.samples), song.audio.sr),
        score=retimed(song.score, lambda when: when + count / song.audio.sr),
        references={name: late(y) for name, y in song.references.items()},
    )


def onset_errors(truth: specnmf.Score, found: specnmf.Score) -> Float64:
    """Return how far off each true onset is found, in seconds, shape (n_notes,).

    Notes of one part and pitch are paired so that they are least off in sum; those
    that were not found are infinitely far off.
    """
    errors: list[float] = []
    candidates = onsets_by_voice(found)
    for voice, starts in onsets_by_voice(truth).items():
        apart = np.abs(np.subtract.outer(starts, candidates.get(voice, [])))
        pairs = linear_sum_assignment(apart)
        errors += [*apart[pairs], *[np.inf] * (len(starts) - len(pairs[0]))]
    return np.array(errors)


def onsets_by_voice(score: specnmf.Score) -> dict[tuple[str, int], list[float]]:
    """Return when the notes of each part and pitch begin."""
    onsets: dict[tuple[str, int], list[float]] = {}
    for note in score.notes:
        onsets.setdefault((note.part, note.pitch), []).append(note.start)
    return onsets


def median_and_most(errors: Float64) -> list[str]:
    """Format the median and the 90th percentile in milliseconds."""
    values = np.quantile(errors, [0.5, 0.9], method="higher")
    return [f"{1e3 * seconds:.0f}" for seconds in values]
