"""How well are stems told apart without a score? SNR under the best permutation."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import librosa
import numpy as np
import separation_quality
from peer_separate import Model
from scipy.optimize import linear_sum_assignment
from separation_quality import BLIND, TIGHT, best_owners, ours
from separation_songs import Sounds, stems_in
from transcription_cases import Case

import specnmf

#: The stem of what no note explains: percussion, if there is some.
REST = "rest"

#: The options with which libfmp's model is best on Bach10.
LIBFMP = Model(n_fft=4096, tol_note=TIGHT)

METRICS = {"snr": "SNR of stems under the best permutation, dB"}

Values = dict[str, float]


def snr(references: Sounds, estimates: Sounds, drums: set[str]) -> float:
    """Return the mean SNR in dB in the assignment that makes it highest.

    Drums are the rest; a reference that has no estimate is 0 dB, as silence is.
    """
    voices = [y for name, y in estimates.items() if name != REST]
    pitched = [y for name, y in references.items() if name not in drums]
    bids = np.array([ratio(y, voice) for y in pitched for voice in voices])
    bids = bids.reshape(len(pitched), len(voices))
    chosen = bids[linear_sum_assignment(bids, maximize=True)]
    silent = np.zeros(len(pitched) - len(chosen))
    rest = [ratio(references[name], estimates.get(REST, 0.0)) for name in drums]
    return float(np.mean([*chosen, *silent, *rest]))


def ratio(reference, estimate):
    """Return an SNR in dB, all channels jointly."""
    error = np.sum(np.square(reference - estimate), dtype=np.float64)
    return 10 * np.log10(np.sum(np.square(reference), dtype=np.float64) / error)


# --- the methods ------------------------------------------------------------------


def heard(transcriber: str, case: Case, *, voices: str = "") -> Sounds:
    """Return the stems of ``specnmf separate`` without a score; none if it fails."""
    n_voices = voices or str(case.n_voices)
    options = ["--no-score", "--transcriber", transcriber, "--no-figures", "-q"]
    options += ["--by", "hand"] if case.by == "hand" else ["--voices", n_voices]
    with tempfile.TemporaryDirectory(prefix="specnmf_benchmark_") as out:
        command = ["separate", str(case.recording), *options, "-o", out]
        run = subprocess.run([sys.executable, "-m", "specnmf", *command], check=False)
        if run.returncode:  # it has said why
            return {}
        return stems_in(next(Path(out).rglob("sources")))


def by_score(case: Case) -> Sounds | None:
    """Return the stems of ``specnmf separate`` with the true score."""
    return None if case.score is None else ours(case.song)


def libfmp(case: Case) -> Sounds | None:
    """Return the stems of the book's model with the true score, but for drums."""
    if case.score is None:
        return None
    notes = tuple(note for note in case.song.score.notes if not note.percussion)
    song = replace(case.song, score=specnmf.Score(notes))
    return separation_quality.libfmp(LIBFMP, song)


def grouped(case: Case) -> Sounds:
    """Return components of `specnmf.nmf`, each in the stem that it is most like."""
    song = case.song
    X = librosa.stft(song.audio.samples)
    V = np.abs(librosa.stft(librosa.to_mono(song.audio.samples)))
    result = specnmf.nmf(V, BLIND * len(song.references))
    owners = best_owners(result.W, result.H, song)
    whole = result.W @ result.H + np.finfo(np.float32).eps
    stems = {}
    for k, name in enumerate(song.references):
        part = result.W[:, owners == k] @ result.H[owners == k]
        stems[name] = librosa.istft(X * (part / whole), length=song.audio.n_samples)
    return stems


def judged(method: Callable[[Case], Sounds | None], case: Case) -> Values | None:
    """Return the SNR of a method's stems; drums of other methods have their name."""
    estimates = method(case)
    if estimates is None:
        return None
    renamed = {REST if k in case.drums else k: y for k, y in estimates.items()}
    return {"snr": snr(case.song.references, renamed, case.drums)}


METHODS: dict[str, Callable[[Case], Values | None]] = {
    name: partial(judged, method)
    for name, method in {
        f"blind NMF, {BLIND} components a stem, grouped by the true stems": grouped,
        "no score, basic-pitch": partial(heard, "basic-pitch"),
        "no score, builtin": partial(heard, "builtin"),
        "no score, --voices auto": partial(heard, "auto", voices="auto"),
        "libfmp with the true score": libfmp,
        "specnmf with the true score": by_score,
    }.items()
}
