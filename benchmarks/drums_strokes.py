"""Measure how well `specnmf drums` hears strokes: F of each drum, stems lost, invented.

    SPECNMF_DRUM_KITS=DIR python benchmarks/drums_strokes.py tuned
    SPECNMF_DRUM_KITS=DIR python benchmarks/drums_strokes.py tested

The loops are those of `drums.py`, or the same patterns by the kits that were used to
choose constants, each alone and beside music. F is that of all strokes within 50 ms.
A stem is lost if its drum is played and none of it is heard, and invented if it is
heard and not played. Results are Markdown on stdout, progress is on stderr.
"""

from __future__ import annotations

import argparse
import sys

import drums
import drums_material as material
import numpy as np
from drums_material import DRUM_OF, PATTERNS, SR, TESTED, TUNED, Loop
from tables import table

import specnmf


def heard(loop: Loop) -> dict[str, list[float]]:
    """The times of the strokes that are heard, by drum.

    The first fit judges them; the second is cut short.
    """
    found = specnmf.drums(loop.mix.astype(np.float32), sr=SR, max_iter=16)
    times: dict[str, list[float]] = {}
    for note in found.notes.notes:
        times.setdefault(note.part, []).append(note.start)
    return times


def counted(true: list[float], found: list[float]) -> np.ndarray:
    """Strokes found, too many and missed."""
    a, b, right = sorted(true), sorted(found), 0
    i = j = 0
    while i < len(a) and j < len(b):
        if abs(a[i] - b[j]) <= 0.05:
            right, i, j = right + 1, i + 1, j + 1
        elif a[i] < b[j]:
            i += 1
        else:
            j += 1
    return np.array([right, len(b) - right, len(a) - right])


def measure(loops: list[Loop]) -> list[str]:
    """F of all strokes and of each drum; stems lost and invented."""
    told = {drum: np.zeros(3, int) for drum in material.LEVEL}
    lost = invented = 0
    for loop in loops:
        found = heard(loop)
        for drum, counts in told.items():
            true = [s.time for s in loop.strokes if DRUM_OF[s.note] == drum]
            counts += counted(true, found.get(drum, []))
            lost += bool(true) and drum not in found
            invented += drum in found and not true
        print(loop.name, file=sys.stderr, flush=True)
    scores = [sum(told.values()), *told.values()]
    return [*(f"{drums._f(each):.3f}" for each in scores), str(lost), str(invented)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("kits", choices=["tuned", "tested"])
    given = parser.parse_args()
    names = {"tuned": TUNED, "tested": TESTED}[given.kits]
    loops = [
        material.loop(pattern, names[i % len(names)], 500 + i)
        for i, pattern in enumerate(PATTERNS)
    ]
    mixed = [material.mixed(loop, i) for i, loop in enumerate(loops)]
    rows = [["alone", *measure(loops)], ["beside music", *measure(mixed)]]
    head = ["loops", "all", *material.LEVEL, "stems lost", "invented"]
    print(table(head, rows))


if __name__ == "__main__":
    main()
