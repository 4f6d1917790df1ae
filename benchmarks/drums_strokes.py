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


def heard(loop: Loop) -> specnmf.Score:
    """The strokes that are heard. The first fit judges them; the second is short."""
    found = specnmf.drums(loop.mix.astype(np.float32), sr=SR, max_iter=16).notes
    return found


def measure(loops: list[Loop]) -> list[str]:
    """F of all strokes and of each drum; stems lost and invented."""
    told = {drum: np.zeros(3, int) for drum in material.LEVEL}
    lost = invented = 0
    for loop in loops:
        notes = heard(loop).notes
        for drum, counts in told.items():
            true = [s for s in loop.strokes if DRUM_OF[s.note] == drum]
            found = tuple(note for note in notes if note.part == drum)
            own = loop._replace(strokes=true)
            counts += drums.f_measure(own, specnmf.Score(found))
            lost += bool(true) and not found
            invented += bool(found) and not true
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
