"""Fit what `specnmf drums` judges strokes by.

    SPECNMF_DRUM_KITS=DIR python benchmarks/drums_judging.py

The loops are those of `drums_material.py`, each pattern by each of its kits `TUNED`,
alone or beside music. It prints how sure the network is that a drum is played where
it is (`PLAYED` of `specnmf/methods/drums/hits.py`), and the weights and the threshold
of `specnmf/methods/drums/judging.py`; and F when the loops of each kit are judged by
weights and a threshold of the others.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import drums_material as material
import numpy as np
from drums_material import DRUM_OF, PATTERNS, SR, TUNED, Loop
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


class Judged(NamedTuple):
    """What is offered in a loop, and which of it are strokes.

    ``missed`` are strokes that are not offered, by drum.
    """

    kit: str
    features: np.ndarray
    labels: np.ndarray
    drums: np.ndarray
    missed: dict[str, int]


def loops() -> list[Loop]:
    """Each pattern by each kit, alone and beside music."""
    found = []
    for number, name in enumerate(TUNED):
        for i, pattern in enumerate(PATTERNS):
            loop = material.loop(pattern, name, i + 100 * number)
            found += [loop, material.mixed(loop, i + number)]
    return found


def sound_of(loop: Loop) -> specnmf.Audio:
    return specnmf.Audio(loop.mix[np.newaxis].astype(np.float32), SR)


def played(found: list[Loop]) -> dict[str, float]:
    """How sure the network is of a drum once where it is played in OFTEN of all loops.

    By a logistic regression for each drum; a drum that all loops have is at LEAST_SURE.
    """
    sure = np.stack([hits.probabilities(sound_of(loop)).max(axis=0) for loop in found])
    odds = np.log(np.maximum(sure, 1e-4) / np.maximum(1 - sure, 1e-6))
    told = {}
    for i, drum in enumerate(DRUMS):
        there = np.array([drum in loop.stems for loop in found])
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
    audio = sound_of(loop)
    options, grid = DrumOptions(), Grid.of(audio, 2048)
    offered = hits.heard(audio)
    V = channel_magnitudes(audio, grid)
    fit = fitting._Fit(V, grid, kits.built_in(), options)
    model = fit(offered, fitting.rest_of(V, options), fitting.PRICE, max_iter=16)
    loudness = np.pad(model.loudness, (0, len(offered) - len(model.loudness)))
    true = [(DRUM_OF[stroke.note], stroke.time) for stroke in loop.strokes]
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
    kit = loop.name.split("-")[-1].split("+")[0]
    return Judged(kit, features, labels, drums, missed)


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
    found = loops()
    limits = played(found)
    print("PLAYED =", limits)
    hits.PLAYED.update(limits)
    judged = []
    for i, loop in enumerate(found):
        if (i // 2 + i // (2 * len(PATTERNS))) % 2 != i % 2:
            continue  # each is judged alone or beside music
        judged.append(examples(loop))
        print(loop.name, file=sys.stderr, flush=True)
    report(judged)


def report(judged: list[Judged]) -> None:
    """Print the weights, the threshold, and F of kits that they were not fitted to."""
    total = np.zeros((len(DRUMS), 3))
    for name in TUNED:
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
