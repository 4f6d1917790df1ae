"""Measure whether two threads are slower than one on one core, or beside a busy one.

    python benchmarks/busy.py

A process for each task and place: on one core and on all (by `os.sched_setaffinity`),
alone and beside a process that keeps the first core busy. In it the task is done in
memory, by turns with one thread, two and the default. Prints the medians' ratio to one
thread in the same place: of wall time, and of processor time, which tells what was
waited for from what was burnt. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median

from decompose import machine
from tables import table

EXAMPLES = Path(__file__).parent.parent / "audio_examples"
CHORALE = EXAMPLES / "chorale" / "chorale.flac"
MARKED = EXAMPLES / "greensleeves" / "greensleeves.flac"

#: The song of a task, and its arguments.
TASKS = {
    "decompose": (CHORALE, {"n_components": 16, "max_iter": 60, "tol": 0}),
    "separate": (CHORALE, {"score": CHORALE.with_suffix(".mid")}),
    "label": (MARKED, {"labels": MARKED.with_name("labels.txt"), "max_iter": 20}),
    "layers": (CHORALE, {"ranks": (16, 6, 2), "max_iter": 60, "tol": 0}),
}

#: Numbers of threads; the first is what the others are compared with.
THREADS = {"1": 1, "2": 2, "default": None}

#: The longest that a process competes, in seconds, whatever becomes of this one.
LONGEST = 300

HEAD = ("task", "cores", "competitor", "threads", "wall, s", "processor, s")
HEAD = (*HEAD, "wall / one thread's", "processor / one thread's")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="of each, in turn")
    parser.add_argument("--tasks", nargs="*", default=[*TASKS], choices=[*TASKS])
    parser.add_argument("--duration", type=float, default=8.0, help="of each song, s")
    parser.add_argument("--inside", action="store_true", help="be one of the processes")
    asked = parser.parse_args()
    if asked.inside:
        print(json.dumps(in_turn(asked.tasks[0], asked.runs, asked.duration)))
        return
    print(machine(), end="\n\n", flush=True)
    every = sorted(os.sched_getaffinity(0))
    rows = []
    for task in asked.tasks:
        for cores in (every[:1], every):
            for competes in (False, True):
                rows += measured(task, cores, competes, asked)
    print(table(HEAD, rows))


def measured(
    task: str, cores: list[int], competes: bool, asked: argparse.Namespace
) -> Iterator[list[str]]:
    """Yield a row for each number of threads, measured in turn."""
    command = [sys.executable, __file__, "--inside", "--tasks", task]
    command += ["--runs", str(asked.runs), "--duration", str(asked.duration)]
    with competing(cores[0]) if competes else nullcontext():
        done = subprocess.run(
            command,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
    medians = json.loads(done.stdout)
    for name, both in medians.items():
        ratios = [own / one for own, one in zip(both, medians["1"], strict=True)]
        spelled = [f"{value:.2f}" for value in (*both, *ratios)]
        row = [task, str(len(cores)), "yes" if competes else "no", name, *spelled]
        print(*row, flush=True, file=sys.stderr)
        yield row


def in_turn(task: str, runs: int, duration: float) -> dict[str, list[float]]:
    """Return the median wall and processor seconds for each number of threads."""
    import specnmf

    song, given = TASKS[task]
    do = getattr(specnmf, task)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in THREADS}
    do(song, duration=duration, threads=1, **given)  # loads the kernels
    for _ in range(runs):
        for name, threads in THREADS.items():
            began, before = time.perf_counter(), time.process_time()
            do(song, duration=duration, threads=threads, **given)
            spent = time.process_time() - before
            taken[name].append((time.perf_counter() - began, spent))
    return {
        name: [median(each) for each in zip(*some, strict=True)]
        for name, some in taken.items()
    }


@contextmanager
def competing(core: int) -> Iterator[None]:
    """Keep a core busy with one other process, for LONGEST at most."""
    spin = "import time\nend = time.time() + {}\nwhile time.time() < end: pass"
    other = subprocess.Popen(
        [sys.executable, "-c", spin.format(LONGEST)],
        preexec_fn=lambda: os.sched_setaffinity(0, [core]),
    )
    try:
        yield
    finally:
        other.kill()
        other.wait()


if __name__ == "__main__":
    main()
