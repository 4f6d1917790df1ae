"""Write the figures of the README: runs on the bundled prelude."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import specnmf
from specnmf.pipeline.separating import separate

HERE = Path(__file__).parent
CLIP = HERE.parent / "audio_examples" / "chopin_op28_4" / "chopin_op28_4.flac"


def main() -> None:
    """Take the clip apart as the README does, and keep some of the figures."""
    images = HERE / "images"
    images.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        run = specnmf.decompose(CLIP, output=Path(folder) / "decompose")
        for name in ("activations.png", "templates.png"):
            shutil.copy(run.folder / "figures" / name, images / name)
        settings = specnmf.ScoreSettings(by="hand", model="fmp")
        score = CLIP.with_suffix(".mid")
        run = separate(CLIP, score, settings, output=Path(folder) / "separate")
        for name in ("score.png", "constraints.png"):
            shutil.copy(run.folder / "figures" / name, images / name)


if __name__ == "__main__":
    main()
