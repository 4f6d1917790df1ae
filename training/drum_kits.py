"""Make the built-in kits of `specnmf drums`: templates of free samples.

    python training/drum_kits.py FILE

FILE is specnmf/methods/drums/kits.npz in the package. Each template is a short
spectrogram of one stroke: levels in half decibels, in 96 bands that are mel-spaced, at
21 times around the onset. Of strokes that sound alike only one is kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from drum_samples import FLUID, SR, Sample, audiophob, sonic_pi, struck
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.methods.drums.kits import levels_of

#: FluidR3's kits, and the notes of each drum.
PROGRAMS = (0, 8, 16, 24, 25, 32, 40)
NOTES = {
    "kick": (35, 36),
    "snare": (38, 40),
    "hihat": (42, 44),
    "openhat": (46,),
    "toms": (41, 45, 48, 50),
    "ride": (51, 59),
    "crash": (49, 57),
    "clap": (39,),
}
VELOCITIES = (50, 110)
SLAP = 40, 39  # program and note: in the kit of brushes, the clap is a slap
LENGTH = 3  # seconds of a stroke

FAINTEST = 1e-4  # the peak of a stroke
ALIKE = 0.985  # cosine between the templates of strokes that sound alike


def soundfont() -> Iterator[Sample]:
    """Yield the strokes of FluidR3's kits."""
    strokes = [(drum, note) for drum in NOTES for note in NOTES[drum]]
    for program in PROGRAMS:
        notes = [note for _, note in strokes]
        heard = struck(FLUID, program, notes, VELOCITIES, LENGTH)
        for (drum, note), layers in zip(strokes, heard, strict=True):
            for velocity, y in zip(VELOCITIES, layers, strict=True):
                if (program, note) != SLAP:
                    yield Sample(drum, f"FluidR3/{program}/{note}/{velocity}", y, SR)


def templates() -> list[tuple[Sample, NDArray[np.uint8]]]:
    """Samples with their levels, none that sounds like one before; by drum."""
    kept: dict[str, list[tuple[Sample, NDArray[np.uint8]]]] = {d: [] for d in NOTES}
    shapes: dict[str, list[NDArray[np.float64]]] = {drum: [] for drum in NOTES}
    for sample in (*sonic_pi(), *audiophob(), *soundfont()):
        if np.abs(sample.sound).max() < FAINTEST:
            continue
        y = np.asarray(sample.sound, np.float32)[np.newaxis]
        levels = levels_of(Audio(y, sample.sr))
        shape = 10 ** (levels / 40.0).ravel()
        shape /= np.linalg.norm(shape)
        if all(other @ shape <= ALIKE for other in shapes[sample.drum]):
            shapes[sample.drum].append(shape)
            kept[sample.drum].append((sample, levels))
    return [each for own in kept.values() for each in own]


def main() -> None:
    """Write the kits."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("file", type=Path)
    target = parser.parse_args().file
    samples, levels = zip(*templates(), strict=True)
    np.savez_compressed(
        target,
        levels=np.stack(levels),
        drums=np.array([sample.drum for sample in samples]),
        names=np.array([sample.name for sample in samples]),
    )
    print(len(samples), "templates,", target.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
