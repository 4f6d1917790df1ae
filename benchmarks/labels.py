"""Measure ``specnmf label``: how near it comes to knowing whose each component is.

    python benchmarks/labels.py            # all mixtures
    python benchmarks/labels.py --quick    # three of them
    python benchmarks/labels.py --shift 100  # with other rests and labels

Real instruments, two pianists, a Lied and a drum loop are mixed in the folder that
``--data`` names (bach10/, drums/808/, chopin_op10_3/, schubert_d911_11/). They rest by
turns, and in 40 % of the frames, in stretches of a second, it is told which of them are
heard; or, "in turn", each is alone at the beginning, for 40 % of the time in all, of
which that is told. All methods have the same mixtures and labels; figures are BSS Eval
v3, averaged over the labelled sources. The oracle assigns each component of specnmf's
own factorisation to the source that its sound is mostly of, by the true stems. Results
are Markdown on stdout, progress is on stderr.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from label_mixtures import Mixture, mixtures
from numpy.typing import NDArray
from tables import decibels, table

import specnmf
from specnmf import Audio, Factorization
from specnmf.evaluation.oracle import ideal_ratio_masks
from specnmf.factor.masked import masked_nmf
from specnmf.methods.labels.fitting import Labelled, fit_labelled
from specnmf.tasks.label import LabelSettings

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

#: Window and step in samples, at the mixtures' 22 050 Hz.
N_FFT, HOP = 2048, 512

#: Components a label; iterations of the peers.
N_COMPONENTS, ITERATIONS = LabelSettings.n_components, 100

#: The SDR of a silent stem, for which BSS Eval has none.
SILENT_DB = -30.0

#: How far from the oracle specnmf may be, in dB.
TARGET = 1.5


@dataclass(frozen=True, eq=False)
class Task:
    """A mixture, as the methods get it."""

    mixture: Mixture

    @cached_property
    def audio(self) -> Audio:
        """The mixture."""
        return Audio(self.mixture.samples[np.newaxis], self.mixture.sr)

    @cached_property
    def spectrogram(self) -> specnmf.Spectrogram:
        """Its transform."""
        return specnmf.stft(self.audio, n_fft=N_FFT, hop_length=HOP)

    @cached_property
    def V(self) -> NDArray[np.float32]:
        """Its magnitudes, (n_bins, n_frames)."""
        return self.spectrogram.magnitude()

    @cached_property
    def truth(self) -> NDArray[np.bool_]:
        """Where each labelled source sounds, (n_labels, n_frames)."""
        return self.mixture.heard(HOP)

    @cached_property
    def annotated(self) -> NDArray[np.bool_]:
        """The frames of which something is told."""
        return self.mixture.annotated(HOP)

    @cached_property
    def heard(self) -> NDArray[np.bool_]:
        """What is told of them."""
        return self.truth & self.annotated

    @cached_property
    def labelled(self) -> Labelled:
        """What specnmf makes of it."""
        settings = LabelSettings()
        names = self.mixture.labels
        return fit_labelled(self.V, self.heard, self.annotated, names, settings)

    def sdr(self, estimates: Mapping[str, NDArray[np.float32]]) -> float:
        """The mean over labelled sources; what is not estimated is silent."""
        references = self.mixture.references
        silence = np.zeros_like(self.mixture.samples)
        found = np.stack([estimates.get(name, silence) for name in references])
        sdr, _, _ = specnmf.bss_eval(np.stack([*references.values()]), found)
        own = sdr[: len(self.mixture.labels)]
        return float(np.maximum(own, SILENT_DB).mean())

    def sdr_of(self, factors: Factorization) -> float:
        """Of the stems by soft masks."""
        stems = specnmf.separate(self.spectrogram, factors)
        return self.sdr({name: stem.samples[0] for name, stem in stems.items()})

    def f1(self) -> float:
        """How well the labels' activity is found where nothing was said."""
        unknown = ~self.annotated
        found, true = self.labelled.active[:, unknown], self.truth[:, unknown]
        hits = (found & true).sum(axis=1)
        return float(np.mean(2 * hits / (found.sum(axis=1) + true.sum(axis=1))))


# --- the methods ------------------------------------------------------------------


def mixture_itself(task: Task) -> float:
    return task.sdr(dict.fromkeys(task.mixture.references, task.mixture.samples))


def zero_constraints(task: Task) -> float:
    """All templates learned together, labels silent where they are not heard."""
    labels = np.repeat(task.mixture.labels, N_COMPONENTS)
    allowed = np.repeat(task.heard | ~task.annotated, N_COMPONENTS, axis=0)
    start = specnmf.starts.random(task.V, len(labels), rng=0)
    start = replace(start, labels=tuple(labels))
    return task.sdr_of(
        specnmf.nmf(task.V, start, support=(None, allowed), max_iter=ITERATIONS)
    )


def semisupervised(weight: float, task: Task) -> float:
    """Lee, Yoo and Choi's joint factorisation of sound and labels, by KL.

    A component belongs to the label that it speaks for most.
    """
    names, V = task.mixture.labels, task.V
    scale = weight * V.sum() / (len(names) * V.shape[1])
    both = np.concatenate([V, scale * task.heard.astype(np.float32)])
    known = np.broadcast_to(task.annotated, task.heard.shape)
    weights = np.concatenate([np.ones_like(V), known.astype(np.float32)])
    start = specnmf.starts.random(both, N_COMPONENTS * len(names), rng=0)
    found = masked_nmf(both, start, weights=weights, max_iter=ITERATIONS)
    owners = found.W[len(V) :].argmax(axis=0)
    labels = tuple(names[owner] for owner in owners)
    return task.sdr_of(Factorization(found.W[: len(V)], found.H, labels))


def solo_templates(n_rest: int, task: Task) -> float:
    """Templates from the frames where a label is alone, fixed beside free ones."""
    alone = task.heard & (task.heard.sum(axis=0) == 1)
    learned = [
        specnmf.nmf(
            task.V[:, own if own.any() else heard], N_COMPONENTS, max_iter=ITERATIONS
        ).W
        for own, heard in zip(alone, task.heard, strict=True)
    ]
    n_fixed = N_COMPONENTS * len(learned)
    start = specnmf.starts.random(task.V, n_fixed + n_rest, rng=0)
    W = np.concatenate([*learned, start.W[:, n_fixed:]], axis=1)
    labels = (*np.repeat(task.mixture.labels, N_COMPONENTS), *["rest"] * n_rest)
    allowed = np.repeat(task.heard | ~task.annotated, N_COMPONENTS, axis=0)
    free = np.broadcast_to(~task.annotated, (n_rest, len(task.annotated)))
    return task.sdr_of(
        specnmf.nmf(
            task.V,
            Factorization(W, start.H, labels),
            fixed=np.arange(len(labels)) < n_fixed,
            support=(None, np.concatenate([allowed, free])),
            max_iter=ITERATIONS,
        )
    )


def ours(task: Task) -> float:
    return task.sdr_of(task.labelled.factorization)


def oracle_assignment(task: Task) -> float:
    """The same components, each the source's that most of its sound is of."""
    factors = task.labelled.factorization
    P = factors.W @ factors.H + np.finfo(np.float32).eps
    sounds = []
    for y in task.mixture.references.values():
        audio = Audio(y[np.newaxis], task.mixture.sr)
        R = specnmf.stft(audio, n_fft=N_FFT, hop_length=HOP).magnitude()
        sounds.append(np.sum(factors.W * ((R * R / P) @ factors.H.T), axis=0))
    names = tuple(task.mixture.references)
    labels = tuple(names[owner] for owner in np.argmax(sounds, axis=0))
    return task.sdr_of(replace(factors, labels=labels))


def ideal_masks(task: Task) -> float:
    references = task.mixture.references
    stems = ideal_ratio_masks(
        task.audio, [y[np.newaxis] for y in references.values()], n_fft=N_FFT
    )
    return task.sdr(dict(zip(references, [stem[0] for stem in stems], strict=True)))


METHODS: dict[str, Callable[[Task], float]] = {
    "the mixture itself": mixture_itself,
    "zero constraints alone": zero_constraints,
    "SSNMF, weight .1": lambda task: semisupervised(0.1, task),
    "SSNMF, weight 1": lambda task: semisupervised(1.0, task),
    "templates of solo frames, fixed": lambda task: solo_templates(0, task),
    "the same beside 8 free ones": lambda task: solo_templates(8, task),
    "specnmf label": ours,
    "its components, assigned by the true stems": oracle_assignment,
    "ideal ratio masks": ideal_masks,
}


def main() -> None:
    args = parse_args()
    found: dict[str, dict[str, float]] = {}
    f1: dict[str, float] = {}
    for mixture in mixtures(args.data, quick=args.quick, shift=args.shift):
        task = Task(mixture)
        found[mixture.name] = {name: method(task) for name, method in METHODS.items()}
        f1[mixture.name] = task.f1()
        print(mixture.name, "done", file=sys.stderr)
    head = ["mixture", *METHODS, "F1 of the activity"]
    rows = [
        [name, *(decibels(values[m]) for m in METHODS), f"{f1[name]:.2f}"]
        for name, values in found.items()
    ]
    means = [np.mean([values[m] for values in found.values()]) for m in METHODS]
    rows.append(["mean", *map(decibels, means), f"{np.mean([*f1.values()]):.2f}"])
    print("Mean SDR over labelled sources, dB (BSS Eval v3).\n")
    print(table(head, rows), end="\n\n")
    gaps = [best_gap(values) for values in found.values()]
    near = sum(gap <= TARGET for gap in gaps)
    print(
        f"Within {TARGET} dB of the oracle assignment: {near} of {len(gaps)} mixtures; "
        f"the median distance is {np.median(gaps):.1f} dB."
    )


def best_gap(values: Mapping[str, float]) -> float:
    """How far the oracle is above specnmf."""
    oracle = values["its components, assigned by the true stems"]
    return oracle - values["specnmf label"]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help="default: %(default)s")
    parser.add_argument("--shift", type=int, default=0, help="of the seeds")
    parser.add_argument("--quick", action="store_true", help="three mixtures only")
    return parser.parse_args()


if __name__ == "__main__":
    main()
