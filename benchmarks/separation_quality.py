"""How well are parts told apart? SDR of specnmf, its peers and its bounds."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import librosa
import numpy as np
from peer_separate import Model
from peer_separate import separate as separate_by_libfmp
from separation_songs import Song, Sounds, mean_sdr, separated, songs
from sklearn.decomposition import NMF
from tables import decibels, table, with_means

import specnmf
from specnmf.evaluation.oracle import ideal_ratio_masks

#: Components a stem for the blind factorisation, whose grouping knows the stems.
BLIND = 8

#: Before a note and after it, in seconds; libfmp has .2 and .5.
TIGHT = (0.05, 0.1)

#: What specnmf is to reach, in dB.
TARGETS = {"P4 mean": 11.6, "P2 mean": 23.4}

Method = Callable[[Song], Sounds | None]


def main(data: Path | None, *, quick: bool) -> None:
    chosen = songs(data, quick=quick)
    found = {
        name: with_means({song.name: sdr(name, method, song) for song in chosen})
        for name, method in METHODS.items()
    }
    head = ["method", *found["specnmf"]]
    rows = [[name, *map(decibels, values.values())] for name, values in found.items()]
    print("Mean SDR over stems, dB (BSS Eval v3).\n")
    print(table(head, rows), end="\n\n")
    for mean, target in TARGETS.items():
        if value := found["specnmf"].get(mean):
            held = "holds" if value >= target else "does not hold"
            print(f"The target for {mean}, {target} dB, {held}: {value:.2f} dB.\n")


def sdr(name: str, method: Method, song: Song) -> float | None:
    """Return the mean SDR of what a method makes of a song."""
    stems = method(song)
    value = None if stems is None else mean_sdr(song.references, stems)
    print(f"{song.name}, {name}: {decibels(value)} dB", file=sys.stderr)
    return value


# --- the methods ------------------------------------------------------------------


def mixture(song: Song) -> Sounds:
    """Return the recording itself for each stem."""
    return dict.fromkeys(song.references, song.audio.samples)


def blind(song: Song) -> Sounds:
    """Return what ``librosa.decompose`` finds, each component where it fits best."""
    X = librosa.stft(song.audio.samples)
    V = np.abs(librosa.stft(librosa.to_mono(song.audio.samples)))
    transformer = NMF(BLIND * len(song.references), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 200 iterations are no convergence
        W, H = librosa.decompose.decompose(V, transformer=transformer)
    owners = best_owners(W, H, song)
    whole = W @ H + np.finfo(np.float32).eps
    n = song.audio.n_samples
    return {
        name: librosa.istft(X * (W[:, owners == k] @ H[owners == k] / whole), length=n)
        for k, name in enumerate(song.references)
    }


def best_owners(W, H, song):
    """Return the stem whose spectrogram each component is most like."""
    fits = []
    for y in song.references.values():
        R = np.abs(librosa.stft(librosa.to_mono(y)))
        fits.append(np.sum(W * (R @ H.T), axis=0) / np.linalg.norm(R))
    return np.argmax(fits, axis=0)


def libfmp(model: Model, song: Song) -> Sounds | None:
    """Return the stems of libfmp's model; it has none of drums."""
    if song.drums:
        return None
    notes = zip(song.score.notes, song.labels, strict=True)
    annotation = [[*note[:4], label] for note, label in notes]
    return separate_by_libfmp(song.audio.samples, song.audio.sr, annotation, model)


def ours(song: Song, **options: str) -> Sounds:
    """Return specnmf's stems, with the score aligned as the command line has it."""
    alignment = specnmf.align(song.score, song.audio)
    return separated(song, alignment.score, alignment.tuning, **options)


def oracle(n_fft: int, song: Song) -> Sounds:
    """Return the recording through ideal ratio masks of a window."""
    stems = ideal_ratio_masks(song.audio, [*song.references.values()], n_fft=n_fft)
    return dict(zip(song.references, stems, strict=True))


METHODS: dict[str, Method] = {
    "the mixture itself": mixture,
    f"librosa.decompose, {BLIND} components a stem, grouped by the true stems": blind,
    "libfmp, window 2048, tolerances .2 and .5 s": partial(libfmp, Model()),
    "libfmp, 4096, .2 and .5 s": partial(libfmp, Model(n_fft=4096)),
    "libfmp, 4096, .05 and .1 s": partial(libfmp, Model(n_fft=4096, tol_note=TIGHT)),
    "libfmp, 4096, .2 and .5 s, with onset templates": partial(
        libfmp, Model(n_fft=4096, onsets=True)
    ),
    "libfmp, 4096, .05 and .1 s, with onset templates": partial(
        libfmp, Model(n_fft=4096, tol_note=TIGHT, onsets=True)
    ),
    "specnmf --model fmp": partial(ours, model="fmp"),
    "specnmf": ours,
    "ideal ratio masks, 4096": partial(oracle, 4096),
    "ideal ratio masks, 16384": partial(oracle, 16384),
}
