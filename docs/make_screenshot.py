"""Write the picture of report.html in the README, where there is Chromium."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

import specnmf
from specnmf.tasks.registry import TASKS
from specnmf.tasks.run import run

HERE = Path(__file__).parent
CHORALE = HERE.parent / "audio_examples" / "chorale" / "chorale.flac"
PICTURE = HERE / "images" / "report.png"

#: In CSS pixels: down to the last stem.
WIDTH, HEIGHT = 1000, 1055

#: Who is looked at, and when, in seconds.
STEM, TIME = "soprano", 3.0


def main() -> None:
    """Separate the chorale by its score, and take a picture of the page's top."""
    path = shutil.which("chromium") or os.environ.get("CHROMIUM")
    if path is None:
        print("no new picture of report.html: it needs chromium on the PATH")
        return
    from playwright.sync_api import sync_playwright

    root = hasattr(os, "geteuid") and os.geteuid() == 0
    args = ["--no-sandbox"] if root else []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=args)
        viewport = {"width": WIDTH, "height": HEIGHT}
        page = browser.new_page(viewport=viewport, color_scheme="light")
        page.goto((made(Path(folder)) / "report.html").as_uri())
        pose(page)
        keep(page.screenshot())
        browser.close()


def made(folder: Path) -> Path:
    """The folder of the run."""
    settings = specnmf.ScoreSettings(figures=False)
    inputs = {"score": CHORALE.with_suffix(".mid")}
    task = TASKS["separate"]
    return run(task, CHORALE, settings, inputs=inputs, output=folder).folder


def pose(page: Any) -> None:
    """Stand somewhere in the song with the mouse over a stem."""
    while not page.evaluate("() => Boolean(window.specnmf?.player?.ready)"):
        page.wait_for_timeout(50)
    page.evaluate(f"specnmf.player.seek({TIME})")
    # A mouse would scroll.
    page.get_by_role("region", name=STEM, exact=True).dispatch_event("pointerenter")
    page.wait_for_timeout(500)


def keep(png: bytes) -> None:
    """Write a picture with no more colours than it needs."""
    with Image.open(io.BytesIO(png)) as picture:
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
