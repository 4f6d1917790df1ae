"""Fit the logistic regressions that pick and judge notes after the network.

    python benchmarks/transcription_material.py MATERIAL
    python training/weigh.py MATERIAL/tune

Prints the odds of specnmf/methods/transcription/builtin.py, and, with these, the
weights and the bias of judging.py.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

import specnmf
from specnmf.methods.transcription import judging, picking, refining
from specnmf.methods.transcription.builtin import Builtin
from specnmf.methods.transcription.candidates import candidates, evidence
from specnmf.methods.transcription.describing import (
    fit_notes,
    resampled,
    spectrogram,
)
from specnmf.methods.transcription.salience import LOWEST, Odds, Salience

#: Seconds by which a start may differ from the true one.
NEAR = 0.06

Array = NDArray[np.float64]
Songs = list[tuple[specnmf.Audio, Salience, Array]]


def songs(folder: Path) -> Songs:
    """Recordings, what is heard of them, and their true notes, (n, 2): start, pitch."""
    found = []
    for own in sorted(folder.iterdir()):
        audio = specnmf.read(own / "mix.flac")
        notes = specnmf.read_score(own / "score.mid").notes
        true = [(note.start, note.pitch) for note in notes if not note.percussion]
        found.append((audio, Builtin().hear(audio), np.array(true)))
        print(own.name, len(true), "notes", flush=True)
    return found


def right(start: Array, pitch: Array, true: Array) -> NDArray[np.bool_]:
    """Which notes are true ones: each true note takes the nearest of its pitch."""
    found = np.zeros(len(start), bool)
    pairs = sorted(
        (abs(start[j] - at), j, k)
        for k, (at, own) in enumerate(true)
        for j in np.flatnonzero((pitch == own) & (abs(start - at) < NEAR))
    )
    taken = set()
    for _, j, k in pairs:
        if not found[j] and k not in taken:
            found[j] = True
            taken.add(k)
    return found


def of_picking(found: Songs) -> tuple[Array, NDArray[np.bool_]]:
    """The evidence for candidates, and whether they are right."""
    X, y = [], []
    for _, salience, true in found:
        offered = candidates(salience)
        frames = offered.first * salience.hop + salience.times[0]
        X.append(evidence(salience, offered))
        y.append(right(frames, offered.row + LOWEST, true))
    return np.concatenate(X), np.concatenate(y)


def of_judging(found: Songs) -> tuple[Array, NDArray[np.bool_]]:
    """The features of proposed notes after their fit, and whether they are right."""
    X, y = [], []
    for audio, salience, true in found:
        heard = refining.proposed(picking.pick(salience), salience)
        sound = spectrogram(resampled(audio), together=True)
        X.append(judging.features(fit_notes(sound, heard)))
        y.append(right(heard.start, heard.pitch, true))
    return np.concatenate(X), np.concatenate(y)


def weighed(X: Array, y: NDArray[np.bool_]) -> tuple[tuple[float, ...], float]:
    """Weights and bias, to two places."""
    model = LogisticRegression(max_iter=1000).fit(X, y)
    print(len(y), "candidates,", int(y.sum()), "right")
    weights = tuple(round(float(value), 2) for value in model.coef_[0])
    return weights, round(float(model.intercept_[0]), 2)


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    found = songs(parser.parse_args().folder)
    odds = Odds(*weighed(*of_picking(found)))
    print("builtin.py:", odds, flush=True)
    found = [
        (audio, replace(salience, odds=odds), true) for audio, salience, true in found
    ]
    print("judging.py:", *weighed(*of_judging(found)))


if __name__ == "__main__":
    main()
