"""What does a separation cost? Time and memory of whole processes, beside libfmp's."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from decompose import (
    THREAD_CAPS,
    Run,
    interleaved,
    measured,
    specnmf_command,
    spread,
    typical,
)
from tables import decibels, table

PEER = Path(__file__).resolve().parent / "peer_separate.py"
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")

#: The targets: time as a share of the song's length, memory in MB.
MOST_TIME, MOST_MEMORY, MOST_MEMORY_TO_ALIGN = 0.5, 1500.0, 1000.0

#: What aligns in a process of its own.
ALIGN = """
import sys
import specnmf
from specnmf.audio.features import features_of_file
from specnmf.score.align import align

song, score, out = sys.argv[1:]
aligned = align(specnmf.read_score(score), features_of_file(song), mode="always")
specnmf.write_score(out, aligned.score)
"""


class Size(NamedTuple):
    """Seconds of music to separate and to align, and runs of each separation."""

    separate: float
    align: float
    runs: int


def main(args: argparse.Namespace) -> None:
    size = Size(20, 120, 1) if args.quick else Size(180, 3600, args.runs)
    with tempfile.TemporaryDirectory(prefix="specnmf_benchmark_") as scratch:
        bench = Bench(Path(scratch), args.threads, figures=not args.no_figures)
        separation_table(bench, size)
        alignment_table(bench, size.align)


def check_tools() -> None:
    """Say in a line what is missing, if anything, and stop."""
    if shutil.which("fluidsynth") is None or not SOUNDFONT.is_file():
        raise SystemExit(
            f"speed plays its song with fluidsynth and {SOUNDFONT}: "
            "apt install fluidsynth fluid-soundfont-gm, or ask for another question"
        )


# --- the material -----------------------------------------------------------------
# Made and judged in processes that end before the next run starts: what this process
# holds when it starts a child counts in the child's peak, so it has no numpy.


def apart(function, *args):
    """Return what a function returns in a process of its own."""
    with ProcessPoolExecutor(max_workers=1) as pool:
        return pool.submit(function, *args).result()


def make_song(folder: Path, seconds: float) -> tuple[float, int]:
    """Write a piece for piano, its score and its hands; return seconds and notes."""
    import soundfile as sf
    from piano_piece import compose, record

    score = compose(seconds)
    record(score, folder)
    return sf.info(folder / "song.wav").duration, len(score.notes)


def make_long_song(folder: Path, seconds: float) -> int:
    """Write plain tones, their score, and that with rubato; return how many notes."""
    import numpy as np
    from piano_piece import compose, record_plainly
    from separation_songs import retimed, rubato

    import specnmf

    folder.mkdir()
    score = compose(seconds, seed=1)
    record_plainly(score, folder / "long.wav")
    specnmf.write_score(folder / "truth.csv", score)
    clock = rubato(seconds, np.random.default_rng(0))
    specnmf.write_score(folder / "given.csv", retimed(score, clock))
    return len(score.notes)


def sdr(references: Path, estimates: Path) -> float:
    """Return the mean SDR of the stems in a folder."""
    from separation_songs import mean_sdr, stems_in

    return mean_sdr(stems_in(references), stems_in(estimates))


def onsets_off(truth: Path, found: Path) -> list[str]:
    """Return how far off onsets are in ms: the median, the 90th percentile."""
    from separation_songs import median_and_most, onset_errors

    import specnmf

    scores = specnmf.read_score(truth), specnmf.read_score(found)
    return median_and_most(onset_errors(*scores))


# --- the runs ---------------------------------------------------------------------


class Bench:
    """Runs programs one at a time under a cap of threads, in a scratch folder."""

    def __init__(self, scratch: Path, threads: int, *, figures: bool) -> None:
        self.scratch = scratch
        self.env = os.environ | {name: str(threads) for name in THREAD_CAPS}
        self.figures = figures

    def specnmf(self, song: Path) -> Run:
        """Run ``specnmf separate`` once."""
        out, score = self.scratch / "specnmf", song.with_suffix(".mid")
        options = ["--score", str(score), "--by", "hand", "--no-report"]
        options += ["-q", "--overwrite"]
        options += ["--figures" if self.figures else "--no-figures", "-o", str(out)]
        run = measured([specnmf_command(), "separate", str(song), *options], self.env)
        if self.figures and not [*out.rglob("*.png")]:
            raise SystemExit("specnmf separate left no figures")
        return run

    def libfmp(self, song: Path) -> Run:
        """Run the peer once."""
        out, score = self.scratch / "libfmp", song.with_suffix(".csv")
        command = [sys.executable, str(PEER), str(song), str(score), str(out)]
        return measured(command, self.env)

    def stems(self, program: str) -> Path:
        """The folder that a program's last run left its stems in."""
        return next((self.scratch / program).rglob("sources"))

    def align(self, song: Path, score: Path, out: Path) -> Run:
        """Align a score to a recording once."""
        paths = [str(path) for path in (song, score, out)]
        return measured([sys.executable, "-c", ALIGN, *paths], self.env)


# --- the tables -------------------------------------------------------------------


def separation_table(bench: Bench, size: Size) -> None:
    """Separate the hands with both programs in turn; print what that took."""
    warmup, folder = bench.scratch / "warmup", bench.scratch / "hands"
    apart(make_song, warmup, 10.0)
    length, n_notes = apart(make_song, folder, size.separate)
    programs = {"specnmf": bench.specnmf, "libfmp": bench.libfmp}
    for program in programs.values():
        program(warmup / "song.wav")
    song = folder / "song.wav"
    jobs = {name: partial(program, song) for name, program in programs.items()}
    runs = interleaved(jobs, size.runs)

    print(f"The hands of {length:.0f} s of piano, stereo, {n_notes} notes;", end=" ")
    print(f"median (min-max), runs of each program: {size.runs}.\n")
    rows = []
    for name, some in runs.items():
        seconds, _, megabytes = zip(*some, strict=True)
        share = f"{typical(some).seconds / length:.2f}"
        quality = decibels(apart(sdr, folder / "stems", bench.stems(name)))
        rows.append([name, spread(seconds, 1), share, spread(megabytes, 0), quality])
    ours, peer = map(typical, runs.values())
    rows.append(ratio_row(ours, peer))
    head = ["program", "time, s", "of the length", "peak memory, MB", "mean SDR, dB"]
    print(table(head, rows), end="\n\n")
    print(compilation(bench, ours, peer))
    print(verdict("separation", ours, length * MOST_TIME, MOST_MEMORY), end="\n\n")


def ratio_row(ours: Run, peer: Run) -> list[str]:
    """Return how many times more the peer takes."""
    seconds = f"{peer.seconds / ours.seconds:.2f}"
    megabytes = f"{peer.megabytes / ours.megabytes:.2f}"
    return ["libfmp / specnmf", seconds, "", megabytes, ""]


def compilation(bench: Bench, ours: Run, peer: Run) -> str:
    """Say what of the peer's time is compilation."""
    written = (bench.scratch / "libfmp" / "compile.json").read_text(encoding="utf-8")
    seconds = json.loads(written)
    rest = (peer.seconds - seconds) / ours.seconds
    return (
        f"libfmp compiles its NMF in every process, {seconds:.1f} s of its time;\n"
        f"without that the ratio of times is {rest:.2f}."
    )


def alignment_table(bench: Bench, seconds: float) -> None:
    """Align a long song once; print what that took."""
    folder = bench.scratch / "long"
    n_notes = apart(make_long_song, folder, seconds)
    given, found, truth = (
        folder / f"{name}.csv" for name in ("given", "found", "truth")
    )
    run = bench.align(folder / "long.wav", given, found)
    print(
        f"Alignment of {seconds:.0f} s of plain tones, mono, by {n_notes} notes",
        end=" ",
    )
    print("whose tempo wanders between .7 and 1.4 times its own; one run.\n")
    head = ["time, s", "peak memory, MB", "onsets off, median, ms", "90 %, ms"]
    cells = [f"{run.seconds:.1f}", f"{run.megabytes:.0f}"]
    print(table(head, [[*cells, *apart(onsets_off, truth, found)]]), end="\n\n")
    print(verdict("alignment", run, None, MOST_MEMORY_TO_ALIGN), end="\n\n")


def verdict(what: str, run: Run, seconds: float | None, megabytes: float) -> str:
    """Say whether a run is within its targets."""
    held = run.megabytes <= megabytes
    target = f"{megabytes:.0f} MB"
    if seconds is not None:
        held = held and run.seconds <= seconds
        target = f"{seconds:.0f} s and {target}"
    return f"The target for {what}, {target}, {'holds' if held else 'does not hold'}."
