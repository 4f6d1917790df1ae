"""What drums play in random loops: a bar or two, in one of some styles or none."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from drum_sounds import Rng

#: Chances of a stroke on beats, eighths and sixteenths where there is no style.
CHANCES = {
    "kick": (0.6, 0.25, 0.1), "snare": (0.4, 0.12, 0.12), "hihat": (0.8, 0.75, 0.3),
    "toms": (0.12, 0.12, 0.12), "ride": (0.9, 0.6, 0.2), "crash": (0.08, 0.01, 0.0),
    "clap": (0.35, 0.08, 0.05), "openhat": (0.06, 0.12, 0.03),
    "other": (0.3, 0.3, 0.2),
}  # fmt: skip


class Played(NamedTuple):
    """A stroke of a pattern: its step, its part of a step, its kind and velocity."""

    step: float
    kind: str
    velocity: float


def pattern(rng: Rng, steps: int) -> list[Played]:
    """One or two bars of some drums; a beat has a quarter of a bar's steps."""
    beat, size = steps // 4, steps * int(rng.choice([1, 2, 2]))
    rows: dict[str, np.ndarray] = {}
    if rng.random() < 0.92:
        rows["kick"] = _kicks(rng, size, beat)
    if rng.random() < 0.85:
        rows["snare"] = _snares(rng, size, beat)
    time_kept = rng.choice(
        ["hihat", "ride", "both", "none"], p=[0.64, 0.22, 0.07, 0.07]
    )
    for kind in {"both": ("hihat", "ride"), "none": ()}.get(time_kept, (time_kept,)):
        rows[kind] = _time_kept(rng, size, beat)
    if time_kept == "ride" and rng.random() < 0.4:  # a foot keeps time
        rows["hihat"] = _at(size, range(beat, size, 2 * beat), 0.6)
    if "hihat" in rows and rng.random() < 0.4:
        rows["openhat"] = _opened(rng, size, beat)
    if rng.random() < 0.35:
        rows["clap"] = (
            _at(size, range(beat, size, 2 * beat), 0.8)
            if rng.random() < 0.5
            else _chosen(rng, "clap", size, beat)
        )
    if rng.random() < 0.45:
        rows["toms"] = _toms(rng, size, beat)
        if rng.random() < 0.6:  # the others rest
            busy = rows["toms"] > 0
            for kind in sorted(rows.keys() & {"snare", "hihat", "ride", "openhat"}):
                rows[kind] = np.where(busy & (rng.random() < 0.7), 0, rows[kind])
    if rng.random() < 0.4:
        rows["crash"] = _at(
            size, rng.choice([0, 0, size // 2, size - beat], 1), rng.uniform(0.6, 1)
        )
    if rng.random() < 0.08:
        rows["other"] = _chosen(rng, "other", size, beat)
    if "openhat" in rows:
        rows["hihat"] = np.where(rows["openhat"] > 0, 0, rows["hihat"])
    strokes = [
        Played(i, kind, float(row[i]))
        for kind, row in rows.items()
        for i in np.flatnonzero(row)
    ]
    return strokes + _rolls(rng, rows, size)


def _at(size: int, places: object, velocity: float) -> np.ndarray:
    row = np.zeros(size)
    row[list(places)] = velocity  # type: ignore[call-overload]
    return row


def _chosen(rng: Rng, kind: str, size: int, beat: int) -> np.ndarray:
    """Strokes by chance."""
    chances = np.array([
        CHANCES[kind][0 if i % beat == 0 else 1 if 2 * i % beat == 0 else 2]
        for i in range(size)
    ])  # fmt: skip
    if kind in ("hihat", "ride") and rng.random() < 0.5:
        chances[1::2] = 0
    struck = rng.random(size) < rng.uniform(0.5, 1.3) * chances
    return struck * np.clip(0.85 - np.abs(rng.normal(size=size)) * 0.2, 0.15, 1)


def _kicks(rng: Rng, size: int, beat: int) -> np.ndarray:
    style = rng.random()
    if style < 0.25:
        row = _at(size, range(0, size, beat), 0.9)
        return np.maximum(row, (rng.random(size) < 0.06) * 0.7)
    row = _chosen(rng, "kick", size, beat)
    if style < 0.7:
        row[:: 4 * beat] = 0.95
        row[beat :: 2 * beat] *= rng.random() < 0.3
    if style > 0.95:
        first = int(rng.integers(size // 2))
        row[first : first + 2 * beat] = 0.75
    return row


def _snares(rng: Rng, size: int, beat: int) -> np.ndarray:
    style = rng.random()
    if style < 0.55:
        row = _at(size, range(beat, size, 2 * beat), 0.9)
    elif style < 0.67:
        row = _at(size, range(2 * beat, size, 4 * beat), 0.9)
    elif style < 0.77:  # rolls and accents of a march
        row = (rng.random(size) < 0.85) * rng.uniform(0.3, 0.7, size)
        row[rng.integers(0, size, 4)] = 0.95
        return row
    else:
        row = _chosen(rng, "snare", size, beat)
    if rng.random() < 0.5:  # ghost notes
        ghosts = (rng.random(size) < 0.12) * rng.uniform(0.12, 0.45, size)
        row = np.where(row > 0, row, ghosts)
    if rng.random() < 0.2:
        row[size - beat :] = rng.uniform(0.5, 0.9, beat)
    return row


def _time_kept(rng: Rng, size: int, beat: int) -> np.ndarray:
    """Hi-hats or rides: eighths, sixteenths, quarters, a swing, or by chance."""
    style = rng.random()
    accent = rng.uniform(0.5, 1, 2 * beat)[np.arange(size) % (2 * beat)]
    row = accent * rng.uniform(0.5, 1)
    if style < 0.4:
        row[np.arange(size) % max(1, beat // 2) != 0] = 0
    elif style < 0.6:
        row[rng.random(size) < rng.uniform(0, 0.3)] = 0
    elif style < 0.7:
        row[np.arange(size) % beat != 0] = 0
    elif style < 0.78:
        row[np.arange(size) % beat != beat // 2] = 0
    elif style < 0.86:
        swung = (0, beat, 2 * beat - 1)
        row[~np.isin(np.arange(size) % (2 * beat), swung)] = 0
    else:
        row = _chosen(rng, "hihat", size, beat)
    return np.where(row > 0, np.clip(row, 0.2, 1), 0)


def _opened(rng: Rng, size: int, beat: int) -> np.ndarray:
    style = rng.random()
    if style < 0.4:
        return _at(size, range(beat // 2, size, beat), 0.8)
    if style < 0.7:
        return _at(size, [size - max(1, beat // 2)], 0.8)
    return _chosen(rng, "openhat", size, beat)


def _toms(rng: Rng, size: int, beat: int) -> np.ndarray:
    row = np.zeros(size)
    if rng.random() < 0.6:  # a fill
        length = int(rng.integers(2, 2 * beat + 1))
        last = size - int(rng.choice([0, 0, 1, 2]))
        filled = rng.random(length) < rng.uniform(0.5, 1)
        row[last - length : last] = filled * rng.uniform(0.5, 1, length)
        return row
    return _chosen(rng, "toms", size, beat)


def _rolls(rng: Rng, rows: dict[str, np.ndarray], size: int) -> list[Played]:
    """Strokes between the steps: rolls of two or three to a step."""
    found = []
    for kind in sorted(rows.keys() & {"hihat", "snare"}):
        if rng.random() < 0.08:
            first, parts = int(rng.integers(size)), int(rng.choice([2, 2, 3]))
            for i in range(first, min(size, first + int(rng.integers(1, 4)))):
                own = rows[kind][i] or 0.6
                found += [
                    Played(i + part / parts, kind, 0.8 * own)
                    for part in range(1, parts)
                ]
    return found
