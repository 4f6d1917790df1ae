"""Measure what report.html costs a run, how large it is, and where it links to files.

    python benchmarks/page.py time    # decompose -k 8 and separate, with and without
    python benchmarks/page.py size    # 8 stems of 3 minutes; 64 of 10
    python benchmarks/page.py batch   # songs of a batch, linked and embedded

The song is made here: eight instruments of a few partials that play scales in two
channels, each at a place of its own, and a noise that is struck. Runs with and without
the page take turns. Prints the machine and Markdown.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
from decompose import machine, specnmf_command
from tables import table

from specnmf.audio.recording import Audio
from specnmf.notation import hertz
from specnmf.output.page.page import PAGE, write_page
from specnmf.score.midi import write_midi
from specnmf.score.notes import Note, Score

SR = 44100

#: Seconds of a note, and the pitches of a scale above an instrument's lowest note.
BEAT, SCALE = 0.5, (0, 2, 4, 5, 7, 9, 11, 12)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("question", choices=["time", "size", "batch"])
    parser.add_argument("--runs", type=int, default=5, help="runs of each command")
    parser.add_argument("--seconds", type=float, default=180, help="of the song")
    options = parser.parse_args()
    print(machine(), end="\n\n")
    with tempfile.TemporaryDirectory() as folder:
        ask = {"time": times, "size": sizes, "batch": batches}[options.question]
        ask(Path(folder), options)


def instruments(seconds: float, n: int = 8) -> tuple[list[np.ndarray], Score]:
    """Return n stems, (2, n_samples), and their notes."""
    stems, notes = [], []
    for number in range(n):
        rng = np.random.default_rng(number)
        samples = np.zeros((2, int(seconds * SR)), np.float32)
        left = (number + 0.5) / n
        for beat in range(int(seconds / BEAT)):
            pitch = 36 + 5 * (number % 8) + SCALE[int(rng.integers(len(SCALE)))]
            sound = tone(float(hertz(pitch)), rng) * 0.9 / n
            first = int(beat * BEAT * SR)
            place = samples[:, first : first + len(sound)]
            place += np.outer((left, 1 - left), sound[: place.shape[1]])
            notes.append(Note(beat * BEAT, BEAT * 0.9, pitch, part=f"part {number}"))
        stems.append(samples)
    return stems, Score(tuple(notes))


def tone(frequency: float, rng: np.random.Generator) -> np.ndarray:
    """Return a note of BEAT seconds that fades, with partials and a breath of noise."""
    t = np.arange(int(BEAT * SR)) / SR
    partials = np.arange(1, 9)[:, None]
    heard = partials * frequency < SR / 2
    waves = heard * np.sin(2 * np.pi * partials * frequency * t) / partials
    fade = np.minimum(1, 50 * t) * np.exp(-3 * t) * np.minimum(1, 50 * (BEAT - t))
    sound = waves.sum(axis=0) / 2 + 0.02 * rng.normal(size=len(t))
    return (fade * sound).astype(np.float32)


def times(folder: Path, options: argparse.Namespace) -> None:
    """Print what a page adds to the time of a run."""
    stems, notes = instruments(options.seconds)
    soundfile.write(folder / "song.wav", sum(stems).T, SR, subtype="PCM_16")
    write_midi(folder / "song.mid", notes)
    rows = []
    for name, command in (
        ("decompose -k 8", ["decompose", "song.wav", "-k", "8"]),
        ("separate, 8 parts", ["separate", "song.wav", "--score", "song.mid"]),
    ):
        with_page, without = alternate(folder, command, options.runs)
        added = [a - b for a, b in zip(with_page, without, strict=True)]
        rows.append(
            [
                f"`{name}`",
                *(f"{median(some):.1f}" for some in (without, with_page, added)),
                f"{100 * median(added) / median(without):.0f} %",
            ]
        )
    head = ["run", "without, s", "with, s", "added, s", "added"]
    print(f"{options.seconds:g} s of sound; medians of {options.runs}.\n")
    print(table(head, rows))


def alternate(
    folder: Path, command: list[str], runs: int
) -> tuple[list[float], list[float]]:
    """Return the seconds of runs with and without a page, which take turns."""
    found: tuple[list[float], list[float]] = ([], [])
    whole = [specnmf_command(), *command, "-q", "--overwrite"]
    subprocess.run([*whole, "--no-report"], cwd=folder, check=True)  # compiles
    for _ in range(runs):
        for some, flag in zip(found, ("--report", "--no-report"), strict=True):
            began = time.perf_counter()
            subprocess.run([*whole, flag], cwd=folder, check=True)
            some.append(time.perf_counter() - began)
    return found


def sizes(folder: Path, options: argparse.Namespace) -> None:
    """Print how large pages are, and how long they take to write."""
    rows = []
    for n_stems, seconds in ((8, options.seconds), (64, 600.0)):
        stems, notes = instruments(seconds)
        rows.append(size(folder / f"{n_stems}", stems, notes, n_stems, seconds))
    head = ["stems", "minutes", "page, MB", "seconds to write", "sound", "why"]
    print(table(head, rows))


def size(
    folder: Path,
    stems: list[np.ndarray],
    notes: Score,
    n_stems: int,
    seconds: float,
) -> list[str]:
    """Return the row of a page of so many stems, which repeat those that there are."""
    (folder / "sources").mkdir(parents=True)
    entries = []
    for number in range(n_stems):
        path = folder / "sources" / f"part {number}.wav"
        if number < len(stems):
            soundfile.write(path, stems[number].T, SR, subtype="PCM_16")
        else:
            path.hardlink_to(folder / "sources" / f"part {number % len(stems)}.wav")
        entries.append({"label": path.stem, "source": f"sources/{path.name}"})
    mix = Audio(sum(stems), SR)
    audio = {"sr": SR, "n_channels": 2, "duration": seconds}
    report = {"kind": "separate", "audio": audio, "stems": entries}
    began = time.perf_counter()
    write_page(folder, report, mix, notes)
    taken = time.perf_counter() - began
    page = folder / PAGE
    (text,) = re.findall('id="contents">(.*?)</script>', page.read_text("utf-8"), re.S)
    sound = json.loads(text)["sound"]
    megabytes = page.stat().st_size / 1e6
    told = [f"{n_stems}", f"{seconds / 60:g}", f"{megabytes:.1f}", f"{taken:.1f}"]
    return [*told, sound["mode"], sound["why"] or ""]


def batches(folder: Path, options: argparse.Namespace) -> None:
    """Print what pages add to a batch."""
    songs = folder / "songs"
    songs.mkdir()
    for number in range(8):
        stems, _ = instruments(30.0, 4 + number % 3)
        soundfile.write(songs / f"{number}.wav", sum(stems).T, SR, subtype="PCM_16")
    whole = [specnmf_command(), "batch", "songs", "-q", "--overwrite"]
    kinds = {
        "no page": ["--no-report"],
        "linked (the default)": [],
        "embedded": ["--report-audio", "ogg"],
    }
    found: dict[str, list[float]] = {name: [] for name in kinds}
    subprocess.run([*whole, "--no-report"], cwd=folder, check=True)
    for _ in range(options.runs):
        for name, flags in kinds.items():
            began = time.perf_counter()
            subprocess.run([*whole, *flags], cwd=folder, check=True)
            found[name].append(time.perf_counter() - began)
    base = median(found["no page"])
    rows = [
        [name, f"{median(some):.1f}", f"{median(some) / base:.2f}"]
        for name, some in found.items()
    ]
    print("8 songs of 30 s.\n")
    print(table(["batch", "time, s", "times no page"], rows))


if __name__ == "__main__":
    main()
