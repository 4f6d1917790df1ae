"""Measure what ``--split hpss`` does for drums mixed with pitched music.

    python benchmarks/split.py decompose
    python benchmarks/split.py decompose --pitched a.wav b.wav --drums c.wav

mixes each pitched recording with each drum loop at 0 dB, mono, as long as the shorter
one or 8 s, and divides the mixture into drums and the rest:

- by the components of plain NMF, each given to the source that it is more like (by the
  true stems: nobody can do that without them);
- by the parts of the split, without knowing anything, at margins 1 and 2;
- by the components of the split recording, as many in all, given to sources likewise.

The figures are SNR in dB, 10 log10 of the energy of the true source over that of the
difference, means over the mixtures. Nothing is tuned on them. Default recordings lie in
``audio_examples/``. Results are Markdown on stdout.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from decompose import machine
from numpy.typing import NDArray
from tables import table

import specnmf

Float32 = NDArray[np.float32]

EXAMPLES = Path(__file__).resolve().parent.parent / "audio_examples"
PITCHED = ("chorale", "chopin_op28_4", "greensleeves")

#: The longest mixture, in seconds.
LONGEST = 8.0


def main() -> None:
    args = parse_args()
    print(f"{machine(2)}\n", flush=True)
    found: dict[str, list[list[float]]] = {}
    for pitched, drums in product(args.pitched, args.drums):
        sources, sr = mixture(pitched, drums)
        for method, stems in methods(sources, sr, args.components).items():
            own = [snr(*pair) for pair in zip(sources, stems, strict=True)]
            found.setdefault(method, []).append(own)
            print(pitched.stem, drums.stem, method, own, flush=True)
    rows = [
        [method, *(f"{value:.1f}" for value in np.mean(values, axis=0))]
        for method, values in found.items()
    ]
    print()
    print(table(("method", "pitched, dB", "drums, dB"), rows))


def parse_args() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("question", choices=("decompose",))
    clips = [EXAMPLES / name / f"{name}.flac" for name in PITCHED]
    parser.add_argument("--pitched", nargs="+", type=Path, default=clips)
    loop = EXAMPLES / "drums" / "drums.flac"
    parser.add_argument("--drums", nargs="+", type=Path, default=[loop])
    parser.add_argument("--components", type=int, default=24, help="in all")
    return parser.parse_args()


def mixture(pitched: Path, drums: Path) -> tuple[list[Float32], int]:
    """Both sources at the same loudness, and their rate."""
    sounds = [specnmf.read(path) for path in (pitched, drums)]
    sr = sounds[0].sr
    if sounds[1].sr != sr:
        raise SystemExit(f"{drums} has {sounds[1].sr} Hz, {pitched} {sr} Hz")
    n = min(round(LONGEST * sr), *(sound.n_samples for sound in sounds))
    mono = [sound.samples.mean(axis=0)[:n] for sound in sounds]
    return [0.1 * y / np.sqrt(np.mean(y**2)) for y in mono], sr


def methods(
    sources: Sequence[Float32], sr: int, n_components: int
) -> dict[str, list[Float32]]:
    """Estimates of both sources by each method."""
    mix = specnmf.Audio(sum(sources), sr)
    plain = specnmf.decompose(mix, n_components=n_components)
    half = n_components // 2
    split = specnmf.decompose(mix, n_components=half, split="hpss")
    wide = specnmf.decompose(mix, n_components=half, split="hpss", split_margin=2.0)
    return {
        "the mixture": [mix.samples[0]] * 2,
        f"{n_components} components, by the true stems": by_truth(plain, sources),
        "split, its parts": by_part(split),
        "split, margin 2, its parts": by_part(wide),
        f"split, {half} and {half} components, by the true stems": by_truth(
            split, sources
        ),
        f"split, margin 2, {half} and {half}, by the true stems": by_truth(
            wide, sources
        ),
    }


def by_part(stems: Mapping[str, specnmf.Audio]) -> list[Float32]:
    """The sums of the harmonic and of the percussive stems."""
    return [
        np.sum(
            [stem.samples[0] for name, stem in stems.items() if part in name], axis=0
        )
        for part in ("harmonic", "percussive")
    ]


def by_truth(
    stems: Mapping[str, specnmf.Audio], sources: Sequence[Float32]
) -> list[Float32]:
    """Each stem added to the source with which it has the larger inner product."""
    sums = [np.zeros_like(source) for source in sources]
    for stem in stems.values():
        y = stem.samples[0]
        sums[int(np.argmax([y @ source for source in sources]))] += y
    return sums


def snr(source: Float32, estimate: Float32) -> float:
    """The energy of a source over that of the error, in dB."""
    error = source - estimate
    return float(10 * np.log10((source @ source) / (error @ error)))


if __name__ == "__main__":
    main()
