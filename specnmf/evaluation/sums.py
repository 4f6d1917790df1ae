"""Recordings that are the sum of others, such as an accompaniment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from specnmf.audio.recording import BLOCK, Float32
from specnmf.evaluation.correlation import Array
from specnmf.evaluation.matching import match_by_name
from specnmf.parallel import cut

#: A sum, or the same recording again, differs by less than this, in dB relative to it:
#: stems of 16 bits that are not loud do, by their rounding.
SAME = -40.0

#: Recordings this far below the loudest, in dB, are no part of a sum.
FAINT = -60.0

Sounds = Mapping[str, Float32]


def left_out(
    references: Sounds, estimates: Sequence[str], *, by_name: bool
) -> tuple[set[str], list[str]]:
    """The references that others already contain, and a remark about each.

    A reference that counts twice would be scored twice, and be part of the mixture
    twice. A sum is left out; if only the sum has an estimate of its name, its parts are
    left out. Of copies, those without an estimate of their name are left out, if
    another has one.
    """
    names = list(references)
    named = match_by_name(names, estimates) if by_name else dict.fromkeys(names)
    wanted = {name for name, estimate in named.items() if estimate is not None}
    out: set[str] = set()
    remarks = []
    for name, parts in sums(references).items():
        copied = len(parts) == 1
        verb = "the same recording as" if copied else "the sum of"
        why = f"{verb} {_listed(parts)}"
        gone: Sequence[str] = [name]
        if name in wanted and wanted.isdisjoint(parts):
            gone, why = parts, f"part of {name}, which has an estimate"
        elif copied and (name in wanted or wanted.isdisjoint(parts)):
            remarks.append(f"{name}: {why}, so their SIR means nothing")
            continue
        remarks.append(f"{', '.join(gone)}: {why}, left out")
        out.update(gone)
    return out, remarks


def sums(sounds: Sounds) -> dict[str, tuple[str, ...]]:
    """The recordings that are sums of others, each with its parts.

    A copy of another recording counts as a sum of one. Sounds are (n_channels,
    n_samples), all of the same shape.
    """
    names = list(sounds)
    gram = _gram(list(sounds.values()))
    loudness = gram.diagonal()
    faint = loudness.max() * 10 ** (FAINT / 10)
    left = [i for i in range(len(names)) if loudness[i] > faint]
    found: dict[str, tuple[str, ...]] = {}
    # A sum is louder than its parts, as a rule; so sums of sums come first.
    for i in sorted(left, key=lambda i: loudness[i], reverse=True):
        copies = [j for j in left if j != i and _is_sum(gram, i, [j])]
        others = [j for j in left if j != i and j not in copies]
        parts = _parts(gram, i, others)
        if not parts:
            parts = [j for j in copies if j < i][:1]
        if parts:
            found[names[i]] = tuple(names[j] for j in parts)
            left.remove(i)
    return {name: found[name] for name in names if name in found}


def is_same(y: Float32, other: Float32) -> bool:
    """Whether two recordings of one shape are the same."""
    return _is_sum(_gram([y, other]), 0, [1])


def _gram(sounds: Sequence[Float32]) -> Array:
    """Inner products of all pairs, over all channels."""
    gram = np.zeros((len(sounds), len(sounds)))
    for span in cut(slice(0, sounds[0].shape[1]), BLOCK):
        stack = np.stack([y[:, span].ravel() for y in sounds]).astype(np.float64)
        gram += stack @ stack.T
    return gram


def _parts(gram: Array, i: int, others: list[int]) -> list[int]:
    """The recordings whose sum a recording is, in order; none if it is not a sum."""
    from scipy.optimize import nnls

    # Vectors with the same inner products take the recordings' place.
    values, basis = np.linalg.eigh(gram)
    vectors = np.sqrt(np.maximum(values, 0))[:, None] * basis.T
    if len(others) < 2:
        return []
    weights, _ = nnls(vectors[:, others], vectors[:, i])
    parts = [j for j, weight in zip(others, weights, strict=True) if weight > 0.5]
    return parts if len(parts) > 1 and _is_sum(gram, i, parts) else []


def _is_sum(gram: Array, i: int, parts: Sequence[int]) -> bool:
    signs = np.zeros(len(gram))
    signs[list(parts)] = -1
    signs[i] = 1
    return bool(signs @ gram @ signs <= 10 ** (SAME / 10) * gram[i, i])


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
