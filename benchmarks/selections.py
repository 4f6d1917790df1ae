"""What the frequencies of selections are worth to ``specnmf label``.

    python benchmarks/selections.py [--seeds N]

Choruses of two insects with overlapping bands, in rain and wind (audio_examples/
insects.py): 20 s, of which the first 6 are marked call by call, as in Raven. Selections
have no frequencies, the true bands, bands 500 Hz wider, or 300 Hz narrower on each
side; and time without any call is marked as rest, or nothing is. Figures are the SDR
(BSS Eval v3) of both insects and the share of frames in which the right ones are found.
Results are Markdown on stdout.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tables import table

import specnmf
from specnmf import Audio, LabelSettings
from specnmf.methods.labels.fitting import fit_labelled
from specnmf.methods.marking import bins_within
from specnmf.score.marks import Marks, bounded, mark
from specnmf.score.regions import REST, Region

sys.path.append(str(Path(__file__).resolve().parents[1] / "audio_examples"))
import insects  # of the examples

#: Seconds in all and of the marks; the share of the loudest at which a call is marked.
SECONDS, MARKED, AUDIBLE = 20.0, 6.0, 0.15

#: The lowest frequency of the cricket in Hz, and the level of the other in dB.
CASES = ((4000, 0.0), (2500, -6.0), (4000, 10.0))

#: What selections have: no frequencies, or bands that are so much wider, in Hz.
WIDER: dict[str, float | None] = {
    "none": None,
    "true": 0.0,
    "500 Hz wider": 500.0,
    "300 Hz narrower": -300.0,
}

NAMES = ("cricket", "bush_cricket")

SETTINGS = LabelSettings(n_fft=512)

#: The seed of the first chorus.
FIRST = 300


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    rows = []
    for low, level in CASES:
        for rests in (True, False):
            for what, wider in WIDER.items():
                found = [
                    measured(FIRST + seed, low, level, wider, rests=rests)
                    for seed in range(args.seeds)
                ]
                one, other, share = np.mean(found, axis=0)
                told = "marked" if rests else "not marked"
                case = f"{low} Hz, {level:+.0f} dB"
                figures = f"{one:.1f}", f"{other:.1f}", f"{100 * share:.0f} %"
                rows.append((case, told, what, *figures))
    head = ("cricket from, other's level", "rest", "frequencies", *NAMES, "found")
    print(table(head, rows))
    return 0


def measured(
    seed: int, low: int, level: float, wider: float | None, *, rests: bool
) -> tuple[float, float, float]:
    """The SDR of both insects in dB, and the share of frames that are right."""
    stems = insects.chorus(seed, SECONDS, low=low, level=level)
    audio = Audio(sum(stems.values())[np.newaxis], insects.SR)
    spectrogram = specnmf.stft(audio, n_fft=SETTINGS.n_fft)
    grid = spectrogram.grid
    heard = {name: calls(stems[name]) for name in NAMES}
    truth = mark(regions(heard, SECONDS, rests=False), grid.times, duration=SECONDS)
    marks = mark(regions(heard, MARKED, rests=rests), grid.times, duration=SECONDS)
    if wider is not None:
        bands = {NAMES[0]: (low, low + 2200), NAMES[1]: (low + 1300, low + 4500)}
        bands = {name: (a - wider, b + wider) for name, (a, b) in bands.items()}
        marks = bounded(marks, bands)
    fitted = fit_labelled(
        spectrogram.magnitude(),
        marks.heard,
        marks.annotated,
        marks.names,
        SETTINGS,
        support=bins_within(marks, grid),
    )
    model = fitted.stems(audio, grid)
    sound = np.concatenate([block for _, block in model.stream(SETTINGS)], axis=2)
    references = {name: stems[name] for name in NAMES}
    references[REST] = stems["rain"] + stems["wind"]
    estimates = dict(zip(model.names, sound, strict=True))
    scores = specnmf.evaluate(estimates, references, sr=insects.SR, mixture=audio)
    sdr = {row.reference: row.sdr for row in scores.sources}
    return sdr[NAMES[0]], sdr[NAMES[1]], share_right(fitted.active, truth, marks)


def calls(y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where an insect is heard, sample by sample."""
    level = np.convolve(np.abs(y), np.ones(800) / 800, "same")
    return level > AUDIBLE * level.max()


def regions(
    heard: dict[str, NDArray[np.bool_]], until: float, *, rests: bool
) -> Iterator[Region]:
    """Yield the calls up to a time, and the time between them if it is marked."""
    marked = dict(heard)
    if rests:
        marked[REST] = ~np.logical_or(*heard.values())
    for name, frames in marked.items():
        steps = np.diff(frames.astype(int), prepend=0, append=0)
        spans = zip(np.flatnonzero(steps > 0), np.flatnonzero(steps < 0), strict=True)
        for first, last in spans:
            if last / insects.SR < until and last - first > 400:
                yield Region(first / insects.SR, last / insects.SR, name)


def share_right(active: NDArray[np.bool_], truth: Marks, marks: Marks) -> float:
    """The share of frames that are not annotated in which a sound is told rightly."""
    order = [truth.names.index(name) for name in marks.names]
    right = active == truth.heard[order]
    return float(right[:, ~marks.annotated].mean())


if __name__ == "__main__":
    sys.exit(main())
