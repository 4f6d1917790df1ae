"""Measure what a batch costs beside the songs themselves, and what more jobs bring.

    python benchmarks/batch.py songs --folder recordings/
    python benchmarks/batch.py tiny --files 10000

``songs`` takes the recordings of a folder (of each an excerpt, if ``--duration`` is
given) apart by whole processes, one after another and in turn: a bare ``specnmf
decompose`` of them all and ``specnmf batch -j 1``, both with one thread and with two,
and ``specnmf batch -j 2`` with a thread each. Medians of ``--repeats`` rounds.

``tiny`` makes files of 0.3 s and takes them apart by ``specnmf batch -j 2``: what is
left of the time of both workers, when the seconds that the songs took are taken away,
is the cost of scheduling, the manifest with its fsync included. The parent's resident
memory is read as it goes on.

Results are Markdown on stdout, progress is on stderr. A run counts only if it ends well
and all its songs are there. The machine should do nothing else meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tables import table

#: Each way: its name, the threads in all, and the command with its options.
WAYS = (
    ("decompose, 1 thread", 1, ("decompose",)),
    ("batch -j 1, 1 thread", 1, ("batch", "-j1")),
    ("batch -j 2, 1 thread each", 2, ("batch", "-j2")),
    ("decompose, 2 threads", 2, ("decompose",)),
    ("batch -j 1, 2 threads", 2, ("batch", "-j1")),
)

#: The quickest run that leaves anything.
QUICK = ("--no-figures", "--no-sources", "-k2", "--max-iter=5", "--n-fft=512")

SR = 8000


def main() -> None:
    args = parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores\n")
    with tempfile.TemporaryDirectory(prefix="specnmf_batch_") as folder:
        if args.what == "songs":
            measure_songs(args, Path(folder))
        else:
            measure_tiny(args, Path(folder))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("songs", "tiny"))
    parser.add_argument("--folder", type=Path, help="of the recordings")
    parser.add_argument("--duration", type=float, help="of each, in seconds")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ways", type=int, nargs="*", default=range(len(WAYS)))
    parser.add_argument("--files", type=int, default=10_000)
    return parser.parse_args()


def measure_songs(args: argparse.Namespace, scratch: Path) -> None:
    songs = sorted(path for path in args.folder.iterdir() if path.is_file())
    excerpt = () if args.duration is None else (f"--duration={args.duration}",)
    ways = [WAYS[number] for number in args.ways]
    times: dict[str, list[float]] = {name: [] for name, _, _ in ways}
    for _, threads, way in ways:  # kernels are compiled, files are in the page cache
        run(way, songs[:2], args.folder, scratch / "out", threads, "--duration=5")
    for _ in range(args.repeats):
        for name, threads, way in ways:
            given = run(way, songs, args.folder, scratch / "out", threads, *excerpt)
            times[name].append(given)
            print(f"{name}: {given:.1f} s", file=sys.stderr)
    rows = [
        [name, f"{median(own):.1f}", f"{min(own):.1f}-{max(own):.1f}"]
        for name, own in times.items()
    ]
    print(f"{len(songs)} songs\n")
    print(table(("way", "seconds", "range"), rows), "\n")
    for number, name, other, other_name in (
        (1, "batch -j 1 / decompose, 1 thread", 0, ""),
        (4, "batch -j 1 / decompose, 2 threads", 3, ""),
        (1, "one job / two jobs, a thread each", 2, ""),
        (4, "one job of two threads / two jobs of one", 2, ""),
    ):
        if {number, other} <= set(args.ways):
            ratio = median(times[WAYS[number][0]]) / median(times[WAYS[other][0]])
            print(f"{name}: {ratio:.3f}{other_name}")


def run(
    way: Sequence[str],
    songs: Sequence[Path],
    folder: Path,
    output: Path,
    threads: int,
    *options: str,
) -> float:
    """Take songs apart in one way; the seconds that took."""
    shutil.rmtree(output, ignore_errors=True)
    command, *own = way
    names = "\n".join(path.name for path in songs)
    if command == "batch":
        what = [str(folder), "--files-from=-", *own]
    else:
        what = [str(path) for path in songs]
    began = time.perf_counter()
    subprocess.run(
        [specnmf(), command, *what, "-q", "--no-report", "-o", output, *options],
        input=names.encode(),
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - began
    done = len(list(output.glob("*/run.json")))
    if done != len(songs):
        raise SystemExit(f"{way}: {done} of {len(songs)} songs are there")
    return seconds


def measure_tiny(args: argparse.Namespace, scratch: Path) -> None:
    make_tiny(scratch / "songs", args.files)
    command = [specnmf(), "batch", scratch / "songs", "-j2", "-o", scratch / "out"]
    began = time.perf_counter()
    batch = subprocess.Popen(
        [*command, *QUICK, "--json"],
        env={**os.environ, "OMP_NUM_THREADS": "2"},
        stdout=subprocess.PIPE,
    )
    resident = []
    while batch.poll() is None:
        resident.append(resident_megabytes(batch.pid))
        time.sleep(0.5)
    seconds = time.perf_counter() - began
    content = json.load(batch.stdout or sys.stdin)
    if content["done"] != args.files:
        raise SystemExit(f"{content['done']} of {args.files} files are there")
    with (scratch / "out" / "batch.jsonl").open() as file:
        events = [json.loads(line) for line in file]
    busy = sum(event["seconds"] for event in events if event["event"] == "done")
    overhead = (2 * content["seconds"] - busy) / args.files
    began = time.perf_counter()
    subprocess.run([*command, *QUICK, "--resume", "-q"], check=True)
    resumed = time.perf_counter() - began
    rows = [
        ["whole process", f"{seconds:.1f} s"],
        ["songs themselves, both workers", f"{busy:.1f} s"],
        ["scheduling, per file", f"{1000 * overhead:.2f} ms"],
        ["parent's memory after a tenth", f"{resident[len(resident) // 10]:.0f} MB"],
        ["parent's memory at its most", f"{max(resident):.0f} MB"],
        ["resumed, nothing to do", f"{resumed:.1f} s"],
    ]
    print(table((f"{args.files} files of 0.3 s", ""), rows))


def make_tiny(folder: Path, count: int) -> None:
    import numpy as np
    import soundfile

    folder.mkdir()
    rng = np.random.default_rng(0)
    noise = 0.1 * rng.standard_normal(2 * SR)
    for number in range(count):
        first = int(rng.integers(SR))
        y = noise[first : first + int(0.3 * SR)]
        soundfile.write(folder / f"{number:06}.wav", y, SR)


def resident_megabytes(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    sizes = [line.split()[1] for line in lines if line.startswith("VmRSS")]
    return int(sizes[0]) / 1000 if sizes else 0.0


def specnmf() -> str:
    return str(Path(sys.executable).with_name("specnmf"))


if __name__ == "__main__":
    main()
