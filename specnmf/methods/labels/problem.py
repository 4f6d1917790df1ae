"""The problem: a recording and its annotation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.audio.stft import Float32
from specnmf.errors import ParameterError
from specnmf.factor.matrices import mask
from specnmf.methods.labels.options import LabelOptions
from specnmf.methods.labels.templates import LEAST_ALONE, frames_alone
from specnmf.score.regions import REST

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Problem:
    """The checked arguments of `methods.labels.fitting.fit_labelled`, without rest."""

    V: Float32
    heard: Mask
    annotated: Mask
    names: tuple[str, ...]
    options: LabelOptions
    support: Mask | None = None


def checked(
    V: ArrayLike,
    heard: ArrayLike,
    annotated: ArrayLike,
    names: Sequence[str],
    options: LabelOptions,
    support: ArrayLike | None = None,
) -> Problem:
    """The problem given by arrays, or a ParameterError."""
    V = np.asarray(V, np.float32)
    heard, annotated = np.asarray(heard), np.asarray(annotated)
    _check_shapes(V, heard, annotated, names)
    kept = [name != REST for name in names]
    own = tuple(name for name in names if name != REST)
    bins = None
    if support is not None:
        shape = len(names), len(V)
        bins = mask("support", support, shape, default=True)[kept]
    problem = Problem(V, heard[kept], annotated, own, options, bins)
    _check_labels(problem)
    return problem


def remarks_of(problem: Problem, frame_seconds: float | None) -> tuple[str, ...]:
    """Warnings about labels with too little material."""
    remarks = []
    few = 2 * problem.options.n_components
    counts = np.count_nonzero(frames_alone(problem.heard), axis=1)
    for name, count in zip(problem.names, counts, strict=True):
        if count < LEAST_ALONE:
            remarks.append(
                f"{name} is never marked alone, so its sound is only estimated: mark a "
                "passage where nothing else is heard"
            )
        elif count < few:
            remarks.append(
                f"{name} is marked alone for only {_length(count, frame_seconds)}, too "
                f"little for {problem.options.n_components} templates: mark more"
            )
    return tuple(remarks)


def _length(n_frames: int, frame_seconds: float | None) -> str:
    if frame_seconds is None:
        return f"{n_frames} frames"
    return f"{n_frames * frame_seconds:.2f} s"


def _check_shapes(
    V: Float32, heard: Mask, annotated: Mask, names: Sequence[str]
) -> None:
    if V.ndim != 2 or 0 in V.shape:
        raise ParameterError(f"V must be (n_bins, n_frames), got shape {V.shape}")
    if not (V.min() >= 0 and V.max() < np.inf):  # false for NaN, too
        raise ParameterError("V must be finite and non-negative")
    shapes = (len(names), V.shape[1]), (V.shape[1],)
    for name, frames, shape in zip(
        ("heard", "annotated"), (heard, annotated), shapes, strict=True
    ):
        if frames.dtype != np.bool_ or frames.shape != shape:
            raise ParameterError(
                f"{name} must be booleans of shape {shape}, "
                f"got {frames.dtype} of shape {frames.shape}"
            )
    if (heard & ~annotated).any():
        raise ParameterError("expected heard to be true in annotated frames only")


def _check_labels(problem: Problem) -> None:
    names, heard = problem.names, problem.heard
    if not names:
        raise ParameterError(f"no label except {REST}: mark where a sound is heard")
    if len(set(names)) < len(names):
        raise ParameterError(f"expected different labels, got {', '.join(names)}")
    for name, frames in zip(names, heard, strict=True):
        if not frames.any():
            raise ParameterError(f"label {name} covers no frame: mark a longer region")
    for (one, a), (other, b) in combinations(zip(names, heard, strict=True), 2):
        if np.array_equal(a, b):
            raise ParameterError(
                f"labels {one} and {other} mark the same frames, so they cannot be "
                "told apart: mark where one is heard without the other"
            )
