"""Measure how well two insects of a chorus are told apart, in rain and wind.

    python benchmarks/soundscapes.py            # all scenes
    python benchmarks/soundscapes.py --quick    # three of them
    python benchmarks/soundscapes.py --tuning   # those that options were chosen on

``audio_examples/insects.py`` synthesises the scenes, with periods, bands and levels at
random. Figures are signal-to-noise ratios in dB, of the insects only: groups are
assigned to insects in the better of both ways. The oracle of a factorisation assigns
each component to an insect or to neither, so that the error becomes smallest; it knows
the true sounds. Ideal masks are those of the true magnitudes. Results are Markdown on
stdout, progress is on stderr.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import NMF
from tables import decibels, table

import specnmf
from specnmf.factor.periodicity import rhythms

sys.path.append(str(Path(__file__).resolve().parents[1] / "audio_examples"))
import insects

Array = NDArray[np.floating]

#: Window in samples; components of plain NMF, and of what is above the background.
N_FFT, PLAIN, ABOVE = 512, 8, 3

#: Scenes: the first seed, and how many; length in seconds.
TUNING, TEST, N_SCENES, SECONDS = 0, 100, 12, 20.0

#: Sweeps of the oracle.
SWEEPS = 10

#: The divergence, in scikit-learn's words.
KL = {"beta_loss": "kullback-leibler", "solver": "mu", "init": "random"}

INSECTS = ("cricket", "bush_cricket")


@dataclass(frozen=True, eq=False)
class Scene:
    """A chorus, of which the stems are known."""

    stems: Mapping[str, Array]
    periods: tuple[float, ...]

    @classmethod
    def of(cls, seed: int, seconds: float) -> Scene:
        """A scene with periods, bands and levels at random."""
        rng = np.random.default_rng(1000 + seed)
        period = rng.uniform(0.4, 1.2)
        periods = [period, period * rng.uniform(1.25, 1.8)]
        rng.shuffle(periods)
        low, level = rng.uniform(3500, 4500), rng.uniform(-6, 6)
        stems = insects.chorus(seed, seconds, periods, low=low, level=level)
        return cls(stems, tuple(periods))

    @property
    def mix(self) -> Array:
        """The chorus."""
        return sum(self.stems.values())

    @property
    def true(self) -> list[Array]:
        """The insects."""
        return [self.stems[name] for name in INSECTS]

    @cached_property
    def spectrogram(self) -> specnmf.Spectrogram:
        """Of the chorus."""
        return specnmf.stft(self.mix, sr=insects.SR, n_fft=N_FFT)

    def decompose(self, n_components: int, **options: object) -> specnmf.Separated:
        """Its components or groups."""
        return specnmf.decompose(
            self.mix, sr=insects.SR, n_fft=N_FFT, n_components=n_components, **options
        )


def snr(true: Array, found: Array) -> float:
    """The signal-to-noise ratio of an estimate in dB."""
    return float(10 * np.log10((true**2).sum() / ((true - found) ** 2).sum()))


def paired(true: list[Array], found: Iterable[Array]) -> list[float]:
    """The ratios of the better assignment."""
    orders = itertools.permutations(found)
    return max(([*map(snr, true, order)] for order in orders), key=sum)


def by_oracle(true: list[Array], components: list[Array]) -> list[float]:
    """The ratios where each component is given to whom it helps most, or to nobody."""
    sums = [np.zeros_like(y) for y in true]
    owners: list[int | None] = [None] * len(components)
    for _ in range(SWEEPS):
        before = [*owners]
        for k, y in enumerate(components):
            if owners[k] is not None:
                sums[owners[k]] -= y
            gains = [
                (2 * y @ (own - found) - y @ y) / (own @ own)
                for own, found in zip(true, sums, strict=True)
            ]
            owners[k] = int(np.argmax(gains)) if max(gains) > 0 else None
            if owners[k] is not None:
                sums[owners[k]] += y
        if owners == before:
            break
    return [*map(snr, true, sums)]


def grouped(scene: Scene, n_components: int, **options: object) -> list[float]:
    """By periodicity."""
    stems = scene.decompose(n_components, group="periodicity:2", **options)
    groups = (stems[name].samples[0] for name in ("group_1", "group_2"))
    return paired(scene.true, groups)


def components(
    scene: Scene, n_components: int, **options: object
) -> tuple[list[Array], Array, float]:
    """The components that are grouped: sounds, activations, and seconds a frame."""
    stems = scene.decompose(n_components, group="periodicity:2", **options)
    factors = stems.factors
    plain = specnmf.Factorization(factors.W, factors.H)
    sounds = specnmf.separate(scene.spectrogram, plain).values()
    own = [y.samples[0] for y in sounds][:n_components]
    return own, factors.H[:n_components], float(stems.times[1])


def published(scene: Scene) -> list[float]:
    """By a second NMF of all rhythms, as published: rhythms alone, by scikit-learn."""
    sounds, H, seconds = components(scene, PLAIN)
    spectra, _ = rhythms(H.astype(float), seconds)
    model = NMF(2, random_state=0, max_iter=1000, tol=1e-6, **KL)
    model.fit(spectra)
    groups = model.components_.argmax(axis=0)
    return paired(
        scene.true, [np.array(sounds)[groups == k].sum(axis=0) for k in range(2)]
    )


def oracle(scene: Scene, n_components: int, **options: object) -> list[float]:
    """By the oracle."""
    return by_oracle(scene.true, components(scene, n_components, **options)[0])


def peer(scene: Scene) -> list[float]:
    """scikit-learn's NMF, by the oracle."""
    V = scene.spectrogram.magnitude()
    model = NMF(PLAIN, random_state=0, max_iter=200, tol=0, **KL)
    W = model.fit_transform(V.astype(np.float64))
    factors = specnmf.Factorization(W, model.components_)
    stems = specnmf.separate(scene.spectrogram, factors)
    return by_oracle(scene.true, [y.samples[0] for y in stems.values()])


def ideal(scene: Scene) -> list[float]:
    """By masks of the true magnitudes."""
    V = [
        specnmf.stft(y, sr=insects.SR, n_fft=N_FFT).magnitude()
        for y in scene.stems.values()
    ]
    total = sum(V)
    X, out = scene.spectrogram, []
    whole = specnmf.Factorization(np.ones((len(total), 1)), np.ones((1, len(total.T))))
    for true, own in zip(scene.true, V, strict=False):
        share = own / np.maximum(total, 1e-12)
        masked = specnmf.Spectrogram(
            X.X * share, X.sr, X.n_fft, X.hop_length, X.n_samples
        )
        (y,) = specnmf.separate(masked, whole).values()
        out.append(snr(true, y.samples[0]))
    return out


#: What is measured, by what it is called.
METHODS: Mapping[str, Callable[[Scene], list[float]]] = {
    "ideal masks": ideal,
    "`--whiten 50 --fmin 2000 -k 3 --group periodicity:2`": lambda scene: grouped(
        scene, ABOVE, whiten=50.0, fmin=2000.0
    ),
    "these 3 components, by the oracle": lambda scene: oracle(
        scene, ABOVE, whiten=50.0, fmin=2000.0
    ),
    "`--whiten 50 -k 4 --group periodicity:2`": lambda scene: grouped(
        scene, ABOVE + 1, whiten=50.0
    ),
    "`-k 8 --group periodicity:2`": lambda scene: grouped(scene, PLAIN),
    "these 8 components, PC-NMF as published": published,
    "these 8 components, by the oracle": lambda scene: oracle(scene, PLAIN),
    "scikit-learn, 8 components, by the oracle": peer,
}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="three scenes")
    parser.add_argument("--tuning", action="store_true", help="the other scenes")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of a scene")
    args = parser.parse_args()
    first = TUNING if args.tuning else TEST
    found: dict[str, list[list[float]]] = {name: [] for name in METHODS}
    for seed in range(first, first + (3 if args.quick else N_SCENES)):
        scene = Scene.of(seed, args.seconds)
        for name, method in METHODS.items():
            found[name].append(method(scene))
        periods = " and ".join(f"{period:.2f}" for period in scene.periods)
        print(f"scene {seed}: {periods} s", file=sys.stderr)
    rows = []
    for name, scores in found.items():
        means = np.mean(scores, axis=0)
        numbers = (*means, np.mean(means), np.median(scores), np.min(scores))
        rows.append([name, *(decibels(float(number)) for number in numbers)])
    print(table(["", *INSECTS, "mean", "median", "worst"], rows))


if __name__ == "__main__":
    main()
