"""The cost of hearing a song, and of separating it without a score."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from decompose import machine, measured
from separation_speed import Bench, apart, check_tools, make_song
from tables import table

#: The targets: a transcription's share of the song's length, a separation's time over
#: that with a score, and megabytes.
MOST_TRANSCRIBE, MOST_SEPARATE, MOST_MEMORY = 0.1, 1.5, 1500.0


def main(args: argparse.Namespace) -> None:
    check_tools()
    print(f"{machine(args.threads)}\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="specnmf_benchmark_") as scratch:
        bench = Bench(Path(scratch), args.threads, figures=True)
        warmup, folder = bench.scratch / "warmup", bench.scratch / "hands"
        apart(make_song, warmup, 10.0)
        length, n_notes = apart(make_song, folder, 60.0 * args.minutes)
        print(f"{length:.0f} s of piano, stereo, {n_notes} notes.\n")
        rows = [
            {"method": name, **cost(bench, warmup, folder, options)}
            for name, options in commands(folder).items()
            if any(word in name for word in args.methods)
        ]
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    head = ["command", "time, s", "of the length", "peak memory, MB"]
    body = [
        [
            row["method"],
            f"{row['seconds']:.1f}",
            f"{row['seconds'] / length:.3f}",
            f"{row['megabytes']:.0f}",
        ]
        for row in rows
    ]
    print(table(head, body), end="\n\n")
    say_targets({row["method"]: row for row in rows}, length)


def commands(folder: Path) -> dict[str, list[str]]:
    """What is run, by what it is called."""
    score = ["--score", str(folder / "song.mid")]
    return {
        "transcribe, basic-pitch": ["transcribe", "--transcriber", "basic-pitch"],
        "transcribe, builtin": ["transcribe", "--transcriber", "builtin"],
        "separate by hand with the score": ["separate", "--by", "hand", *score],
        "separate by hand, basic-pitch": [
            *("separate", "--by", "hand", "--no-score", "--transcriber", "basic-pitch")
        ],
        "separate by hand, builtin": [
            *("separate", "--by", "hand", "--no-score", "--transcriber", "builtin")
        ],
    }


def cost(
    bench: Bench, warmup: Path, folder: Path, options: list[str]
) -> dict[str, float]:
    """Run a command on a short song, so that all is compiled, then on the long one."""
    task, *rest = options
    for song in (warmup / "song.wav", folder / "song.wav"):
        own = [str(song), *rest, "-q", "--no-report", "--overwrite"]
        own += ["-o", str(bench.scratch / "out")]
        run = measured([sys.executable, "-m", "specnmf", task, *own], bench.env)
    print(f"{' '.join(options[:3])}: {run.seconds:.1f} s", file=sys.stderr, flush=True)
    return {"seconds": run.seconds, "megabytes": run.megabytes}


def say_targets(rows: dict[str, dict[str, float]], length: float) -> None:
    """Say which targets hold."""
    base = rows.get("separate by hand with the score")
    for name, row in rows.items():
        limits = [(row["megabytes"], MOST_MEMORY, "MB")]
        if name.startswith("transcribe"):
            limits.append((row["seconds"], MOST_TRANSCRIBE * length, "s"))
        elif base is not None and row is not base:
            limits.append((row["seconds"], MOST_SEPARATE * base["seconds"], "s"))
        for value, most, unit in limits:
            verdict = "holds" if value <= most else "does not hold"
            print(f"{name}: the target, {most:.0f} {unit}, {verdict}: {value:.0f}.")
