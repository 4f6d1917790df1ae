"""Measure how report.html opens and plays in Chromium.

    python benchmarks/browser.py
    python benchmarks/browser.py specnmf_out/song     # runs that are there

Without a run, two are made of the bundled recordings, end to end until they are long
enough: 3 minutes in 8 stems, and 10 minutes in 64, whose sound stays beside the page.
The second needs about 7 GB of disk while it runs. Each page is opened from disk by a
fresh headless browser; the figures are medians, the memory is the renderer's at its
peak. Needs the test extra, and Chromium on the PATH or its path in CHROMIUM.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import soundfile
from decompose import machine
from playwright.sync_api import sync_playwright
from tables import table

import specnmf

EXAMPLES = Path(__file__).parents[1] / "audio_examples"
SR = 44100

#: What is made: minutes, stems, iterations.
MADE = ((3, 8, 30), (10, 64, 3))

READY = "window.specnmf?.player?.ready"
SOUNDS = "specnmf.player.time > 0.05"

#: The milliseconds between the pictures of two seconds.
FRAMES = """() => new Promise((done) => {
  const times = [];
  const next = (now) => {
    times.push(now);
    if (now - times[0] < 2000) requestAnimationFrame(next);
    else done(times.slice(1).map((time, k) => time - times[k]));
  };
  requestAnimationFrame(next);
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", type=Path, help="run folders")
    parser.add_argument("--times", type=int, default=3, help="how often each is opened")
    asked = parser.parse_args()
    print(machine(), end="\n\n")
    rows = []
    with made_runs(asked.runs) as folders:
        for folder in folders:
            rows.append(row(folder, [opened(folder) for _ in range(asked.times)]))
            print(" | ".join(rows[-1]), file=sys.stderr)
    head = ("page", "stems", "sound", "MB", "load, s", "can play, s", "sounds, s after")
    print(table((*head, "frames a second", "longest frame, ms", "memory, MB"), rows))


@contextmanager
def made_runs(given: list[Path]) -> Iterator[Iterator[Path]]:
    """The runs that are given, else made ones, one after another."""
    if given:
        yield iter(given)
        return
    folder = Path(tempfile.mkdtemp(prefix="specnmf-browser-"))
    try:
        yield (made(folder, *each) for each in MADE)
    finally:
        shutil.rmtree(folder)


def made(folder: Path, minutes: int, n_stems: int, max_iter: int) -> Path:
    """A run of the bundled recordings, as long as is asked."""
    song = folder / f"{minutes}_minutes.wav"
    soundfile.write(song, recording(60 * minutes * SR), SR, subtype="PCM_16")
    settings = specnmf.Settings(n_components=n_stems, max_iter=max_iter, figures=False)
    return specnmf.decompose(song, settings, output=folder / "out").folder


def recording(n_samples: int) -> np.ndarray:
    """The bundled recordings, shape (n_samples, 2)."""
    songs = [
        path.parent / f"{path.parent.name}.flac" for path in EXAMPLES.glob("*/*.csv")
    ]
    sounds = [soundfile.read(path, always_2d=True)[0] for path in sorted(songs)]
    once = np.concatenate([np.broadcast_to(y, (len(y), 2)) for y in sounds])
    return np.resize(once, (n_samples, 2))


def opened(folder: Path) -> dict[str, float]:
    """What opening and playing a page takes in a fresh browser."""
    path = shutil.which("chromium") or os.environ.get("CHROMIUM")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    args = ["--no-sandbox"] if root else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=args)
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.goto("about:blank")
        figures = times_of(page, folder / "report.html")
        figures["memory"] = renderer_memory(browser)
        browser.close()
    return figures


def times_of(page: Any, path: Path) -> dict[str, float]:
    """Seconds until a page is loaded, can play, and sounds; and how it moves."""
    begin = time.perf_counter()
    page.goto(path.resolve().as_uri(), wait_until="load", timeout=120_000)
    load = time.perf_counter() - begin
    until(page, READY)
    ready = time.perf_counter() - begin
    asked = time.perf_counter()
    page.evaluate("() => { specnmf.player.play(); }")
    until(page, SOUNDS)
    sounds = time.perf_counter() - asked
    gaps = page.evaluate(FRAMES)
    return {
        "load": load, "ready": ready, "sounds": sounds,
        "rate": 1e3 / np.mean(gaps), "longest": max(gaps),
        "stems": page.evaluate("specnmf.contents.groups.flatMap(g => g.stems).length"),
        "mode": page.evaluate("specnmf.contents.sound.mode"),
    }  # fmt: skip


def until(page: Any, condition: str) -> None:
    """Wait for an expression to be true, for two minutes at most."""
    last = time.monotonic() + 120
    while not page.evaluate(f"() => Boolean({condition})"):
        if time.monotonic() > last:
            raise TimeoutError(condition)
        page.wait_for_timeout(10)


def renderer_memory(browser: Any) -> float:
    """The most memory that a renderer has had, in MB; NaN where that is not told."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    peaks = [
        float(line.split()[1]) / 1024
        for process in processes
        if process["type"] == "renderer"
        and (status := Path(f"/proc/{process['id']}/status")).is_file()
        for line in status.read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return max(peaks, default=float("nan"))


def row(folder: Path, figures: list[dict[str, Any]]) -> list[str]:
    """The line of a page in the table."""
    middle = {
        key: median(each[key] for each in figures)
        for key in ("load", "ready", "sounds", "rate", "longest", "memory")
    }
    size = (folder / "report.html").stat().st_size / 1e6
    return [
        folder.name, str(figures[0]["stems"]), figures[0]["mode"], f"{size:.1f}",
        *(f"{middle[key]:.2f}" for key in ("load", "ready", "sounds")),
        *(f"{middle[key]:.0f}" for key in ("rate", "longest", "memory")),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
