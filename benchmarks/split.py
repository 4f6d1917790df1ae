"""Measure what splitting by median filters does for drums mixed with pitched music.

    python benchmarks/split.py decompose
    python benchmarks/split.py separate
    python benchmarks/split.py separate --pitched FOLDER FOLDER --drums FOLDER

mixes each pitched recording with each drum loop at 0 dB, mono, as long as the shorter
one or 8 s. A folder holds a recording (``mix.flac`` or that of the folder's name), its
score (likewise, ``.mid``) and its stems in ``stems/`` or ``ref/``; by default those in
``audio_examples/``.

``decompose`` divides the mixture into drums and the rest: by the components of plain
NMF, each given to the source that it is more like (by the true stems: nobody can do
that without them); by the parts of ``--split hpss``, without knowing anything, at
margins 1 and 2; by the components of the split recording, as many in all, given to
sources likewise.

``separate`` separates all parts by the scores, with and without ``--hpss``, and by
scores of their own after the recording is split in two.

The figures are SNR in dB, 10 log10 of the energy of the true source over that of the
difference, means over the mixtures. Results are Markdown on stdout.
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

#: The longest mixture, in seconds; the rate in Hz; the level of each source.
LONGEST, SR, LEVEL = 8.0, 44100, 0.1


def main() -> None:
    args = parse_args()
    print(f"{machine(2)}\n", flush=True)
    found: dict[str, list[list[float]]] = {}
    for pitched, drums in product(args.pitched, args.drums):
        if args.question == "decompose":
            scores = divided(pitched, drums, args.components)
        else:
            scores = separated(pitched, drums)
        for method, own in scores.items():
            found.setdefault(method, []).append(own)
            values = ", ".join(f"{value:.2f}" for value in own)
            print(f"{pitched.name}, {drums.name}, {method}: {values}", flush=True)
    rows = [
        [method, *(f"{value:.1f}" for value in np.mean(values, axis=0))]
        for method, values in found.items()
    ]
    print()
    print(table(("method", "pitched, dB", "drums, dB"), rows))


def parse_args() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("question", choices=("decompose", "separate"))
    folders = [EXAMPLES / name for name in PITCHED]
    parser.add_argument("--pitched", nargs="+", type=Path, default=folders)
    parser.add_argument("--drums", nargs="+", type=Path, default=[EXAMPLES / "drums"])
    parser.add_argument("--components", type=int, default=24, help="in all")
    return parser.parse_args()


def divided(pitched: Path, drums: Path, n_components: int) -> dict[str, list[float]]:
    """The SNR of both sources by each way to decompose their mixture."""
    stems = [list(folder_stems(folder).values()) for folder in (pitched, drums)]
    sources = balanced([[sum(own)] for own in stems])
    flat = [own for (own,) in sources]
    return {
        method: [snr(*pair) for pair in zip(flat, found, strict=True)]
        for method, found in methods(flat, SR, n_components).items()
    }


def separated(pitched: Path, drums: Path) -> dict[str, list[float]]:
    """The mean SNR of pitched and of drum parts by each way to separate them."""
    folders = pitched, drums
    sources = balanced([list(folder_stems(folder).values()) for folder in folders])
    mix = np.sum([y for own in sources for y in own], axis=0)
    scores = [folder_score(folder, len(mix) / SR) for folder in folders]
    both = specnmf.Score(tuple(note for score in scores for note in score.notes))
    by = "hand" if pitched.name.startswith("chopin") else "part"
    parts = by_part(specnmf.decompose(specnmf.Audio(mix, SR), split="hpss"))
    alone = [list(by_score(*pair, by=by)) for pair in zip(parts, scores, strict=True)]
    found = {
        "separate": by_score(mix, both, by=by),
        "separate --hpss": by_score(mix, both, by=by, hpss=True),
        "split in two, each by its score": [*alone[0], *alone[1]],
    }
    return {
        method: [
            float(np.mean([max(snr(y, z) for z in estimates) for y in own]))
            for own in sources
        ]
        for method, estimates in found.items()
    }


def by_score(y: Float32, score: specnmf.Score, **options: object) -> list[Float32]:
    """The stems of a mixture by a score on its clock."""
    stems = specnmf.separate_by_score(y, score, sr=SR, **options)
    return [stem.samples[0] for stem in stems.values()]


def folder_stems(folder: Path) -> dict[str, Float32]:
    """The true stems, mono."""
    where = folder / "stems" if (folder / "stems").is_dir() else folder / "ref"
    sounds = {path.stem: specnmf.read(path) for path in sorted(where.glob("*.flac"))}
    wrong = [name for name, sound in sounds.items() if sound.sr != SR]
    if wrong or not sounds:
        raise SystemExit(f"{where}: expected stems of {SR} Hz")
    return {name: sound.samples.mean(axis=0) for name, sound in sounds.items()}


def folder_score(folder: Path, seconds: float) -> specnmf.Score:
    """The score, as far as the mixture lasts."""
    own = folder / f"{folder.name}.mid"
    path = own if own.exists() else folder / "score.mid"
    return specnmf.read_score(path).excerpt(0.0, seconds)


def balanced(groups: Sequence[Sequence[Float32]]) -> list[list[Float32]]:
    """Groups of sources, cut to one length, the sums of groups equally loud."""
    n = min(round(LONGEST * SR), *(len(y) for own in groups for y in own))
    out = []
    for own in groups:
        total = np.sum([y[:n] for y in own], axis=0)
        gain = LEVEL / np.sqrt(np.mean(total**2))
        out.append([(gain * y[:n]).astype(np.float32) for y in own])
    return out


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
