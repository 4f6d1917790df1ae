"""Separate a thousand loops by a batch: time, disk, strokes, stems, failures.

    SPECNMF_DRUM_KITS=DIR python benchmarks/drums_batch.py --loops 1000 --jobs 2

The loops are those of `drums_material.py`, each pattern by each kit in turn, cut to
``--seconds``; every one has other strokes by its seed. ``DIR`` has the kits, as told
there. Strokes are right within 50 ms. SDR are BSS Eval v3 of every ``--every``-th loop.
The machine should do nothing else meanwhile. Results are Markdown on stdout.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from pathlib import Path

import drums_material as material
import numpy as np
import soundfile
from drums import f_measure, sdr
from drums_material import PATTERNS, SR, TESTED, Loop
from tables import table

import specnmf


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--loops", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--kits", nargs="*", default=TESTED)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="specnmf_benchmark_") as name:
        songs, runs = Path(name, "songs"), Path(name, "runs")
        songs.mkdir()
        for i in range(given.loops):
            mix = loop_of(i, given).mix
            soundfile.write(songs / f"{i:04}.wav", mix, SR, "PCM_16")
        began = time.perf_counter()
        done = specnmf.run_batch(
            songs,
            task="drums",
            settings=[specnmf.DrumSettings(figures=False, report=False)],
            batch=specnmf.BatchSettings(jobs=given.jobs),
            output=runs,
        )
        seconds = time.perf_counter() - began
        for failure in done.failures:
            print(failure, file=sys.stderr)
        rows = [
            ("loops done, failed", f"{done.done}, {done.failed}"),
            ("seconds a loop", f"{seconds / given.loops:.2f}"),
            ("minutes in all", f"{seconds / 60:.1f}"),
            ("disk, MB", f"{size_of(runs) / 1e6:.0f}"),
            *quality(runs, given),
        ]
    print(table(("", f"{given.loops} loops of {given.seconds:g} s"), rows))


def loop_of(number: int, given: argparse.Namespace) -> Loop:
    """A loop by its number, cut to its length."""
    patterns, kits = list(PATTERNS), list(given.kits)
    kit = kits[number // len(patterns) % len(kits)]
    whole = material.loop(patterns[number % len(patterns)], kit, 9000 + number)
    n = round(SR * given.seconds)
    strokes = [stroke for stroke in whole.strokes if stroke.time < given.seconds]
    heard = {material.DRUM_OF[stroke.note] for stroke in strokes}
    stems = {name: y[:n] for name, y in whole.stems.items() if name in heard}
    return Loop(whole.name, stems, strokes)


def quality(runs: Path, given: argparse.Namespace) -> list[tuple[str, str]]:
    """The strokes of all loops, and the stems of some."""
    told, sums, values, missing = np.zeros(3, int), [], [], 0
    for i in range(given.loops):
        run, loop = runs / f"{i:04}", loop_of(i, given)
        if not run.is_dir():
            continue
        told += f_measure(loop, strokes_of(run))
        sums.append(json.loads((run / "run.json").read_text("utf-8"))["residual_db"])
        if i % given.every == 0:
            stems = {p.stem: soundfile.read(p)[0] for p in (run / "sources").iterdir()}
            found, lost = sdr(loop, stems)
            values += found.values()
            missing += len(lost)
    hits, extra, missed = told.tolist()
    f = 2 * hits / max(1, 2 * hits + extra + missed)
    return [
        ("F of all strokes", f"{f:.3f}"),
        ("strokes right, too many, missed", f"{hits}, {extra}, {missed}"),
        ("worst null test, dB", f"{max(sums):.0f}" if sums else "-"),
        ("SDR of stems, dB", f"{np.mean(values):.1f}" if values else "-"),
        ("stems not found, of those with an SDR", str(missing)),
    ]


def strokes_of(run: Path) -> specnmf.Score:
    """The strokes that a run has found."""
    with (run / "onsets.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return specnmf.Score(
        tuple(
            specnmf.Note(
                float(row["time"]),
                0.1,
                int(row["note"]),
                part=row["drum"],
                percussion=True,
            )
            for row in rows
        )
    )


def size_of(folder: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


if __name__ == "__main__":
    main()
