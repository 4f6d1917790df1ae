"""Fit the logistic regressions that offer and judge strokes after the network.

    SPECNMF_DRUM_KITS=DIR python benchmarks/drums_material.py LOOPS
    python training/weigh_drums.py LOOPS

Prints how sure the network is that a drum is played where it is (`PLAYED` of
specnmf/methods/drums/hits.py), and, with these, the weights and the threshold of
judging.py; and F when the loops of each kit are judged by weights and a threshold of
the others.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

import specnmf
from specnmf.audio.stft import Grid, channel_magnitudes
from specnmf.methods.drums import fitting, hits, judging, kits
from specnmf.methods.drums.network import DRUMS
from specnmf.methods.drums.options import DrumOptions

NEAR = 0.035  # seconds

#: A drum is offered where it is played in this share of loops; a logit.
OFTEN, LEAST_SURE = 0.3, 0.0

#: Drums with fewer strokes than this are judged together, as `others`.
FEW = 300
LEASTS = np.linspace(-2, 2, 41)


class Loop(NamedTuple):
    """A loop by a kit: its sound, and its strokes, each a drum and a time."""

    kit: str
    audio: specnmf.Audio
    strokes: list[tuple[str, float]]


class Judged(NamedTuple):
    """What is offered in a loop, and which of it are strokes.

    ``missed`` are strokes that are not offered, by drum.
    """

    kit: str
    features: np.ndarray
    labels: np.ndarray
    drums: np.ndarray
    missed: dict[str, int]


def loops(folder: Path) -> list[Loop]:
    """The loops of a folder, each alone and then beside music."""
    found = []
    for own in sorted(folder.iterdir()):
        score = specnmf.read_score(own / "score.mid")
        kit = own.name.split("-")[-1].split("+")[0]
        strokes = [(hit.drum, hit.time) for hit in hits.written(score)]
        found.append(Loop(kit, specnmf.read(own / "mix.wav"), strokes))
    return found


def played(found: list[Loop]) -> dict[str, float]:
    """How sure the network is of a drum once where it is played in OFTEN of all loops.

    By a logistic regression for each drum; a drum that all loops have is at LEAST_SURE.
    """
    sure = np.stack([hits.probabilities(loop.audio).max(axis=0) for loop in found])
    odds = np.log(np.maximum(sure, 1e-4) / np.maximum(1 - sure, 1e-6))
    told = {}
    for i, drum in enumerate(DRUMS):
        there = np.array([drum in dict(loop.strokes) for loop in found])
        logit = LEAST_SURE
        if not there.all():
            fit = LogisticRegression().fit(odds[:, [i]], there)
            slope, constant = float(fit.coef_[0, 0]), float(fit.intercept_[0])
            logit = (np.log(OFTEN / (1 - OFTEN)) - constant) / slope
        told[drum] = round(float(1 / (1 + np.exp(-logit))), 2)
        kept = odds[:, i] >= logit
        print(
            f"# {drum}: offered in {(kept & there).sum()} of the {there.sum()} loops "
            f"that have it, and in {(kept & ~there).sum()} others"
        )
    return told


def examples(loop: Loop) -> Judged:
    """Features, labels and drums of what is offered."""
    options, grid = DrumOptions(), Grid.of(loop.audio, 2048)
    offered = hits.heard(loop.audio)
    V = channel_magnitudes(loop.audio, grid)
    fit = fitting._Fit(V, grid, kits.built_in(), options)
    model = fit(offered, fitting.rest_of(V, options), fitting.PRICE, max_iter=16)
    loudness = np.pad(model.loudness, (0, len(offered) - len(model.loudness)))
    true = list(loop.strokes)
    labels = np.zeros(len(offered), bool)
    for i in sorted(range(len(offered)), key=lambda i: -offered[i].confidence):
        own = offered[i]
        near = [t for t in true if t[0] == own.drum and abs(t[1] - own.time) <= NEAR]
        if near:
            true.remove(min(near, key=lambda t: abs(t[1] - own.time)))
            labels[i] = True
    missed = dict.fromkeys(DRUMS, 0)
    for drum, _ in true:
        missed[drum] += 1
    features = judging.features_of(offered, loudness)
    drums = np.array([hit.drum for hit in offered])
    return Judged(loop.kit, features, labels, drums, missed)


def weights_of(found: list[Judged]) -> dict[str, np.ndarray]:
    """The weights of each drum, and of those with few strokes."""
    X = np.concatenate([each.features for each in found])[:, :-1]
    y = np.concatenate([each.labels for each in found])
    drums = np.concatenate([each.drums for each in found])
    few = [drum for drum in DRUMS if y[drums == drum].sum() < FEW]
    told = {}
    for kind in (*(drum for drum in DRUMS if drum not in few), "others"):
        own = np.isin(drums, few or DRUMS) if kind == "others" else drums == kind
        fit = LogisticRegression(max_iter=2000).fit(X[own], y[own])
        told[kind] = np.array([*fit.coef_[0], *fit.intercept_])
    return told


def counted(found: list[Judged], weights: dict[str, np.ndarray]) -> np.ndarray:
    """Strokes found, too many and missed, by threshold and drum."""
    out = np.zeros((len(LEASTS), len(DRUMS), 3))
    for each in found:
        for d, drum in enumerate(DRUMS):
            own = each.drums == drum
            scores = each.features[own] @ weights.get(drum, weights["others"])
            kept = scores >= LEASTS[:, np.newaxis]
            right = (kept & each.labels[own]).sum(axis=1)
            all_true = each.labels[own].sum() + each.missed[drum]
            out[:, d] += np.stack(
                [right, kept.sum(axis=1) - right, all_true - right], axis=1
            )
    return out


def f_of(counts: np.ndarray) -> np.ndarray:
    """The F-measure."""
    right, extra, missed = np.moveaxis(counts, -1, 0)
    return np.asarray(2 * right / np.maximum(2 * right + extra + missed, 1))


def main() -> None:
    """Print all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    found = loops(parser.parse_args().folder)
    limits = played(found)
    print("PLAYED =", limits, flush=True)
    hits.PLAYED.update(limits)
    report([examples(loop) for loop in halved(found)])


def halved(found: list[Loop]) -> list[Loop]:
    """Each loop alone or beside music, in turn; by every other kit swapped."""
    names = list(dict.fromkeys(loop.kit for loop in found))
    pairs = zip(found[::2], found[1::2], strict=True)
    return [
        pair[(number + names.index(pair[0].kit)) % 2]
        for number, pair in enumerate(pairs)
    ]


def report(judged: list[Judged]) -> None:
    """Print the weights, the threshold, and F of kits that they were not fitted to."""
    total = np.zeros((len(DRUMS), 3))
    for name in dict.fromkeys(each.kit for each in judged):
        others = [each for each in judged if each.kit != name]
        weights = weights_of(others)
        least = int(f_of(counted(others, weights).sum(axis=1)).argmax())
        own = [each for each in judged if each.kit == name]
        total += counted(own, weights)[least]
    weights = weights_of(judged)
    for kind, row in weights.items():
        print(f'    "{kind}": {tuple(round(float(w), 3) for w in row)},')
    best = int(f_of(counted(judged, weights).sum(axis=1)).argmax())
    print(f"LEAST = {LEASTS[best]:.2f}")
    told = ", ".join(
        f"{drum} {f:.3f}" for drum, f in zip(DRUMS, f_of(total), strict=True)
    )
    print(f"F of kits that are left out: {f_of(total.sum(axis=0)):.3f}; {told}")


if __name__ == "__main__":
    main()
