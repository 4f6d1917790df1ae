"""Take a song apart by its score with libfmp: the peer of ``specnmf separate``.

The script that a reader of "Fundamentals of Music Processing", section 8.3, writes for
the job that

    specnmf separate SONG --score SCORE

does: templates and activations that start from the score, libfmp's own NMF, each
stem's share of the model as a mask for every channel, and a file a stem. The score
must be on the recording's clock; nothing is aligned or drawn.

    python benchmarks/peer_separate.py SONG SCORE.csv OUT

SCORE.csv has the columns start, duration, pitch, velocity and label, and a stem is
what has one label. libfmp compiles its NMF anew in every process; how many seconds
that took is left in OUT/compile.json.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import NamedTuple

import libfmp.c1
import libfmp.c8
import librosa
import numpy as np
import pandas as pd
import soundfile as sf

#: On the denominator of the masks, as libfmp has it in its NMF.
EPS = np.finfo(np.float32).eps


class Model(NamedTuple):
    """What the book leaves to choose; the defaults are libfmp's.

    Iterations are not: libfmp's stops after 1000, and each costs the singular values
    of both factors.
    """

    n_fft: int = 2048
    tol_note: tuple[float, float] = (0.2, 0.5)
    onsets: bool = False
    iterations: int = 50


def main() -> None:
    args = parse_args()
    (args.out / "sources").mkdir(parents=True, exist_ok=True)
    subtype = sf.info(args.song).subtype
    samples, sr = sf.read(args.song, dtype="float32", always_2d=True)
    annotation = libfmp.c1.csv_to_list(pd.read_csv(args.score))
    compiling = compile_nmf()
    model = Model(n_fft=args.n_fft, iterations=args.iterations)
    for label, y in separate(samples.T, sr, annotation, model).items():
        sf.write(args.out / "sources" / f"{label}.wav", y.T, sr, subtype=subtype)
    (args.out / "compile.json").write_text(json.dumps(compiling), encoding="utf-8")


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("song", type=Path)
    parser.add_argument("score", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--n-fft", type=int, default=Model().n_fft)
    parser.add_argument("--iterations", type=int, default=Model().iterations)
    return parser.parse_args()


def compile_nmf() -> float:
    """Have libfmp's NMF compiled for the arrays it will get; return the seconds."""
    begin = time.perf_counter()
    V = np.ones((2, 2), np.float32, order="F")  # as librosa's spectrograms
    libfmp.c8.nmf(V, 1, L=1, W=np.ones((2, 1)), H=np.ones((1, 2)))
    return time.perf_counter() - begin


def separate(y, sr, annotation, model):
    """Return the stems (n_channels, n_samples) by label; they add up to ``y``.

    ``annotation`` is a list of [start, duration, pitch, velocity, label].
    """
    X = librosa.stft(y, n_fft=model.n_fft)
    V = np.abs(librosa.stft(librosa.to_mono(y), n_fft=model.n_fft))
    pitches = libfmp.c8.pitch_from_annotation(annotation)
    frame = model.n_fft / 4 / sr
    W = templates(len(V), pitches, sr / model.n_fft, model)
    H = activations(V.shape[1], annotation, frame, pitches, model)
    W, H, *_ = libfmp.c8.nmf(V, len(H), L=model.iterations, W=W, H=H)

    labels = dict.fromkeys(note[4] for note in annotation)
    parts = {}
    for label in labels:
        own = [note for note in annotation if note[4] == label]
        parts[label] = W @ (H * activations(V.shape[1], own, frame, pitches, model))
    # W H in the book; the same but where two stems play one pitch at once
    whole = sum(parts.values()) + EPS
    return {
        label: librosa.istft(X * (part / whole), length=y.shape[-1])
        for label, part in parts.items()
    }


def templates(n_bins, pitches, bin_width, model):
    """Return W to start from: harmonics, beside flat templates for onsets if any."""
    start = libfmp.c8.init_nmf_template_pitch
    if model.onsets:
        start = libfmp.c8.init_nmf_template_pitch_onset
    return start(n_bins, pitches, bin_width)


def activations(n_frames, annotation, frame, pitches, model):
    """Return H to start from: 1 where the notes sound, else 0."""
    start = libfmp.c8.init_nmf_activation_score
    if model.onsets:
        start = libfmp.c8.init_nmf_activation_score_onset
    H, *_ = start(
        n_frames, annotation, frame, tol_note=model.tol_note, pitch_set=pitches
    )
    return H


if __name__ == "__main__":
    main()
