"""How much of songs do the notes explain that are heard? The share of the sound."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import soundfile as sf
from tables import table

#: What is heard of each song, in seconds, and the length of the shortest song.
FIRST, LENGTH, SHORTEST = 20, 30, 60

TRANSCRIBERS = ("builtin", "basic-pitch")


def main(args: argparse.Namespace) -> None:
    if args.songs is None:
        sys.exit("expected --songs FOLDER, of recordings")
    rows = []
    for song in long_songs(args.songs)[: args.most]:
        shares = {
            name: explained(song, name)
            for name in TRANSCRIBERS
            if any(word in name for word in args.methods)
        }
        rows.append({"song": song.name, **shares})
        print(rows[-1], file=sys.stderr, flush=True)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    names = list(rows[0])[1:]
    body = [[row["song"], *(f"{row[name]:.2f}" for name in names)] for row in rows]
    means = [f"{sum(row[name] for row in rows) / len(rows):.2f}" for name in names]
    print(table(["song", *names], [*body, ["mean", *means]]))


def long_songs(folder: Path) -> list[Path]:
    """Return the recordings of a folder but for the short ones, in order."""
    return [p for p in sorted(folder.iterdir()) if sf.info(p).duration > SHORTEST]


def explained(song: Path, transcriber: str) -> float:
    """Return the share of the sound that `separate`'s notes explain."""
    with tempfile.TemporaryDirectory(prefix="specnmf_benchmark_") as out:
        options = ["--no-score", "--transcriber", transcriber, "--no-figures", "-q"]
        options += ["--start", str(FIRST), "--duration", str(LENGTH), "--no-report"]
        command = ["separate", str(song), *options, "-o", out]
        subprocess.run([sys.executable, "-m", "specnmf", *command], check=True)
        run = next(Path(out).rglob("run.json"))
        return float(json.loads(run.read_text())["explained"])
