"""Fit the weights by which `specnmf drums` judges strokes.

    SPECNMF_DRUM_KITS=DIR python benchmarks/drums_judging.py

The loops are those of `drums_material.py`, by its kits `TUNED`, half of them beside
music. It prints the weights of `specnmf/methods/drums/judging.py`, and F at the best
threshold when each quarter of the loops is judged by weights of the others.
"""

from __future__ import annotations

import drums_material as material
import numpy as np
from drums_material import DRUM_OF, PATTERNS, SR, TUNED, Loop
from sklearn.linear_model import LogisticRegression

import specnmf
from specnmf.audio.stft import Grid, channel_magnitudes
from specnmf.methods.drums import fitting, hits, judging, kits
from specnmf.methods.drums.options import DrumOptions

KINDS = "kick", "snare", "hihat", "others"
NEAR = 0.035  # seconds


def examples(loop: Loop) -> tuple[np.ndarray, np.ndarray, list[str], dict[str, int]]:
    """Features, labels and drums of what is offered; strokes that are not, by kind."""
    audio = specnmf.Audio(loop.mix[np.newaxis].astype(np.float32), SR)
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
    missed = dict.fromkeys(KINDS, 0)
    for drum, _ in true:
        missed[kind_of(drum)] += 1
    features = judging.features_of(offered, loudness)
    return features, labels, [hit.drum for hit in offered], missed


def kind_of(drum: str) -> str:
    return drum if drum in KINDS else "others"


def main() -> None:
    found = []
    for seed in range(2):
        for i, pattern in enumerate(PATTERNS):
            loop = material.loop(pattern, TUNED[(i + seed) % 5], i + 100 * seed)
            found += [examples(loop), examples(material.mixed(loop, i + seed))]
    X = np.concatenate([each[0] for each in found])[:, :-1]
    y = np.concatenate([each[1] for each in found])
    kinds = np.array([kind_of(drum) for each in found for drum in each[2]])
    part = np.concatenate([np.full(len(e[1]), i // 2 % 4) for i, e in enumerate(found)])
    total = np.zeros((30, 3))
    for kind in KINDS:
        own = kinds == kind
        judged = np.zeros(own.sum())
        for fold in range(4):
            train, test = own & (part != fold), part[own] == fold
            fit = LogisticRegression(max_iter=500).fit(X[train], y[train])
            judged[test] = fit.decision_function(X[own][test])
        fit = LogisticRegression(max_iter=500).fit(X[own], y[own])
        weights = [*fit.coef_[0].round(3), *fit.intercept_.round(2)]
        print(f'    "{kind}": {tuple(float(w) for w in weights)},')
        missed = sum(each[3][kind] for each in found)
        for row, least in zip(total, np.linspace(-2, 2, 30), strict=True):
            kept = judged > least
            hit = (kept & y[own]).sum()
            row += hit, kept.sum() - hit, y[own].sum() + missed - hit
    f = 2 * total[:, 0] / (2 * total[:, 0] + total[:, 1] + total[:, 2])
    best = int(f.argmax())
    print(f"F {f[best]:.3f} at {np.linspace(-2, 2, 30)[best]:.2f}")


if __name__ == "__main__":
    main()
