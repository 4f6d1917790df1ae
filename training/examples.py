"""Make the examples: pieces as the network hears them, and their notes.

    python training/examples.py FOLDER --shards 160

Writes FOLDER/0000.npz and so on, some four minutes of sound each; those that are
there are kept. `--held-out` plays only the instruments that are never trained on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from composing import Piece, Rng, piece
from instruments import HELD_OUT, TRAINED
from numpy.typing import NDArray
from playing import (
    FONTS,
    LENGTH,
    SR,
    Sound,
    recorded,
    rendered,
    synthesised,
    with_singers,
)
from songs import song

from specnmf.methods.transcription.builtin_spectrum import (
    BEFORE,
    HOP,
    bins_for,
    spectrum,
    tuned_bins,
)
from specnmf.methods.transcription.salience import LOWEST, N_PITCHES

PIECES = 20  # of a shard

#: Pieces: as they come; with long notes; these by our own synthesiser, whose notes
#: swell and drift; and songs and ensembles, of which many are sung.
KINDS = ("usual", "slow", "live", "songs")

#: How often each soundfont plays, and at last our own synthesiser.
SHARES = (0.34, 0.22, 0.16, 0.28)

#: Levels are kept in steps of this many dB, from the loudest down.
STEP = 0.4

#: Cents by which bins are off the estimated tuning, as players are off each other's.
MISTUNED = 10

N_FRAMES = BEFORE + round(LENGTH * SR) // HOP + 1


def shard(
    seed: int, programs: tuple[int, ...], kind: str
) -> dict[str, NDArray[np.generic]]:
    """Pieces of a kind (`KINDS`) as arrays, of n pieces.

    ``levels`` (n, n_frames, n_bins) are steps of `STEP` dB below the loudest;
    ``notes``, ``onsets`` and ``cents`` (n, n_frames, N_PITCHES) as `labels` has them;
    ``played`` (n_notes, 4): the piece, start and end in seconds, and the pitch.
    """
    rng = np.random.default_rng(seed)
    font = len(FONTS) if kind == "live" else int(rng.choice(len(SHARES), p=SHARES))
    if kind == "songs":
        pieces = [song(rng, programs) for _ in range(PIECES)]
    else:
        pieces = [piece(rng, programs, slow=kind != "usual") for _ in range(PIECES)]
    live = kind in ("live", "songs")
    if font < len(FONTS):
        pieces = [each._replace(tuning=float(rng.uniform(-20, 20))) for each in pieces]
        sounds = rendered(pieces, FONTS[font], rng, live=live)
    else:
        sounds = [synthesised(each, rng, live=live) for each in pieces]
    if kind == "songs":
        both = zip(sounds, pieces, strict=True)
        sounds = [with_singers(y, each, rng) for y, each in both]
    seen = [
        _seen(recorded(y, rng), each, rng)
        for y, each in zip(sounds, pieces, strict=True)
    ]
    arrays = {name: np.stack([one[name] for one in seen]) for name in seen[0]}
    played = [
        (number, note.start, note.start + note.duration, note.pitch)
        for number, each in enumerate(pieces)
        for part in each.parts
        for note in part.notes
    ]
    return {**arrays, "played": np.array(played)}


def _seen(y: Sound, each: Piece, rng: Rng) -> dict[str, NDArray[np.generic]]:
    samples = y[np.newaxis]
    bins = bins_for(tuned_bins(samples, SR).tuning + rng.normal() * MISTUNED, SR)
    magnitudes = spectrum(samples, bins, 1)
    loudest = max(float(magnitudes.max()), 1e-9)
    decibels = 20 * np.log10(np.maximum(magnitudes / loudest, 1e-6))
    levels = np.clip(np.rint(-decibels / STEP), 0, 255).astype(np.uint8)
    return {"levels": levels, **labels(each, bins.tuning)}


def labels(each: Piece, tuning: float) -> dict[str, NDArray[np.generic]]:
    """Whether each pitch sounds, 0 or 1, and starts, 0 to 255, and how sharp it is."""
    notes = np.zeros((N_FRAMES, N_PITCHES), np.uint8)
    onsets = np.zeros((N_FRAMES, N_PITCHES), np.uint8)
    cents = np.zeros((N_FRAMES, N_PITCHES), np.int8)
    for part in each.parts:
        sharp = round(np.clip(each.tuning + part.cents - tuning, -50, 50))
        for note in part.notes:
            row = note.pitch - LOWEST
            start = note.start * SR / HOP + BEFORE
            first, last = np.ceil([start, start + note.duration * SR / HOP]).astype(int)
            notes[first:last, row] = 1
            cents[first:last, row] = sharp
            near = np.arange(int(start) - 1, min(int(start) + 4, N_FRAMES))
            value = np.clip(1.5 - abs(near - start), 0, 1) * 255
            onsets[near, row] = np.maximum(onsets[near, row], value)
    return {"notes": notes, "onsets": onsets, "cents": cents}


def main() -> None:
    """Make the shards that are missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shards", type=int, default=160)
    parser.add_argument(
        "--first", type=int, default=0, help="the first's number, its seed"
    )
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--kind", choices=KINDS, default=KINDS[0])
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for seed in range(args.first, args.first + args.shards):
        target = args.folder / f"{seed:04}.npz"
        if not target.exists():
            programs = HELD_OUT if args.held_out else TRAINED
            arrays = shard(seed, programs, args.kind)
            partial = target.with_suffix(".part")
            with partial.open("wb") as file:
                np.savez_compressed(file, **arrays)
            partial.rename(target)
            print(target, flush=True)


if __name__ == "__main__":
    main()
