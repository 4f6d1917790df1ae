"""Write the figures of the README: runs on the bundled clips."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import specnmf
from specnmf.pipeline.labelling import label
from specnmf.pipeline.layering import layers
from specnmf.pipeline.separating import separate

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "audio_examples"
CLIP = EXAMPLES / "chopin_op28_4" / "chopin_op28_4.flac"
DUET = EXAMPLES / "greensleeves"
CHORALE = EXAMPLES / "chorale" / "chorale.flac"


def main() -> None:
    """Take the clips apart as the README does, and keep some of the figures."""
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
        marked = specnmf.LabelSettings(n_rest=0)
        song, labels = DUET / "greensleeves.flac", DUET / "labels.txt"
        run = label(song, labels, marked, output=Path(folder) / "label")
        shutil.copy(run.folder / "figures" / "labels.png", images / "labels.png")
        ranks = specnmf.LayerSettings(ranks=(16, 6, 2))
        run = layers(CHORALE, ranks, output=Path(folder) / "layers")
        shutil.copy(run.folder / "figures" / "layers.png", images / "layers.png")


if __name__ == "__main__":
    main()
