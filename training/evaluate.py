"""Evaluate a network on examples that it was not trained on.

    python training/examples.py HELD_OUT --held-out --first 9000 --shards 4
    python training/evaluate.py HELD_OUT [NETWORK]

Prints F of notes (onsets within 50 ms, 100 ms, and with their ends) over all pieces,
as the built-in transcriber picks them; NETWORK is the package's by default.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from examples import STEP

from specnmf import Note, Score
from specnmf.evaluation.notes import evaluate_notes
from specnmf.methods.transcription import builtin_network
from specnmf.methods.transcription.builtin import salience
from specnmf.methods.transcription.picking import pick


def main() -> None:
    """Print the means over pieces."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("examples", type=Path)
    parser.add_argument("network", type=Path, nargs="?")
    args = parser.parse_args()
    if args.network:
        builtin_network.WEIGHTS = args.network
    rows = [row for file in sorted(args.examples.glob("*.npz")) for row in judged(file)]
    print(
        len(rows), "pieces; F within 50 ms, 100 ms, 50 ms with ends; precision, recall"
    )
    print(" ".join(f"{value:.3f}" for value in np.mean(rows, axis=0)))


def judged(file: Path) -> list[tuple[float, ...]]:
    """F, precision and recall of each piece that has notes."""
    with np.load(file) as arrays:
        levels, played = arrays["levels"], arrays["played"]
    rows = []
    for number, own in enumerate(levels):
        true = played[played[:, 0] == number][:, 1:]
        magnitudes = np.where(own < 255, 10 ** (own * (-STEP / 20)), 0)
        heard = builtin_network.hear(magnitudes.astype(np.float32), None)
        found = pick(salience(heard, 0.0))
        guess = np.stack([found.start, found.end, found.pitch], axis=1)
        if len(true):
            judged = evaluate_notes(_score(guess), _score(true), match="best").notes
            near, far, whole = judged.onset_50, judged.onset_100, judged.onset_offset_50
            rows.append((near.f, far.f, whole.f, near.precision, near.recall))
    return rows


def _score(notes: np.ndarray) -> Score:
    """Notes of starts, ends and pitches."""
    return Score(
        tuple(
            Note(float(start), float(end - start), int(pitch))
            for start, end, pitch in notes
        )
    )


if __name__ == "__main__":
    main()
