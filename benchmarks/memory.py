"""Measure the peak memory of tasks that hold a recording beside their forecast.

    python benchmarks/memory.py --minutes 3 10 60

Synthetic recordings, mono, 44.1 kHz; two sounds, alone and together. Each run is a
process of its own with one thread, and few iterations: they do not change the peak,
which is ru_maxrss.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from decompose import machine
from tables import table

SR = 44_100
MB = 1 << 20

#: The marked seconds of both sounds.
LABELS = "0\t4\tlow\n4\t8\thigh\n8\t12\tlow\n8\t12\thigh\n"

#: What is measured; split is ``decompose --split hpss``.
TASKS = ("label", "layers", "drums", "split")

HEAD = ("task", "minutes", "forecast, MiB", "peak, MiB", "forecast / peak")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, nargs="*", default=[3, 10, 60])
    parser.add_argument("--tasks", nargs="*", default=TASKS)
    parser.add_argument("--only", help="run one: TASK SONG OUT", nargs=3)
    asked = parser.parse_args()
    if asked.only:
        run(*asked.only)
        return
    print(machine(), end="\n\n", flush=True)
    rows = []
    with tempfile.TemporaryDirectory(prefix="specnmf_benchmark_") as name:
        folder = Path(name)
        (folder / "labels.txt").write_text(LABELS)
        for minutes in asked.minutes:
            song = folder / f"{minutes}.wav"
            write(song, minutes)
            for task in asked.tasks:
                rows.append([task, str(minutes), *measured(task, song)])
    print(table(HEAD, rows))


def write(path: Path, minutes: int) -> None:
    """Write two sounds, every four seconds one, the other, or both."""
    rng, t = np.random.default_rng(0), np.arange(SR) / SR
    with soundfile.SoundFile(path, "w", SR, 1, "PCM_16") as file:
        for second in range(60 * minutes):
            who = second // 4 % 3
            block = 1e-3 * rng.standard_normal(SR)
            for owner, octave in ((0, 110), (1, 440)):
                if who in (owner, 2):
                    f0 = octave * 2 ** (rng.integers(13) / 12)
                    for k in range(1, 9):
                        block += 0.05 / k * np.exp(-3 * t) * np.sin(f0 * k * t * 6.28)
            file.write(block)


def measured(task: str, song: Path) -> Iterator[str]:
    """Yield forecast, peak and ratio of a run in a process of its own."""
    out = song.parent / "out"
    command = [sys.executable, __file__, "--only", task, str(song), str(out)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    forecast, peak = (float(word) for word in done.stdout.split())
    yield from (f"{forecast:.0f}", f"{peak:.0f}", f"{forecast / peak:.2f}")


def run(task: str, song: str, out: str) -> None:
    """Print the forecast and the peak of a run, in MiB."""
    import specnmf
    from specnmf.methods.labels import fitting, templates

    fitting.FINDING, fitting.CHOOSING, templates.LEARNING = 1, 2, 5
    labels = Path(song).with_name("labels.txt") if task == "label" else None
    do = {
        "label": specnmf.label,
        "layers": specnmf.layers,
        "drums": specnmf.drums,
        "split": partial(specnmf.decompose, split="hpss"),
    }[task]
    given = {} if labels is None else {"labels": labels}
    common = {"output": out, "overwrite": True, "threads": 1, "max_iter": 1, **given}
    try:
        do(song, memory=1, **common)
    except specnmf.ParameterError as error:
        least = int(re.search(r"--memory (\d+)M", str(error))[1])
    try:  # what is known before the labels are read may be less
        do(song, memory=least * MB, **common)
    except specnmf.ParameterError as error:
        least = int(re.search(r"--memory (\d+)M", str(error))[1])
        do(song, memory=least * MB, **common)
    print(least, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
