"""Write the figures of the README: a run on the bundled prelude."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import specnmf

HERE = Path(__file__).parent
CLIP = HERE.parent / "audio_examples" / "chopin_op28_4" / "chopin_op28_4.flac"


def main() -> None:
    """Decompose the clip as the README does, and keep two of its figures."""
    images = HERE / "images"
    images.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        run = specnmf.decompose(CLIP, output=folder)
        for name in ("activations.png", "templates.png"):
            shutil.copy(run.folder / "figures" / name, images / name)


if __name__ == "__main__":
    main()
