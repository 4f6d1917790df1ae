"""Write the figures of the README: runs on the bundled clips."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import specnmf
from specnmf.tasks.registry import TASKS
from specnmf.tasks.run import Run, run

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "audio_examples"
CLIP = EXAMPLES / "chopin_op28_4" / "chopin_op28_4.flac"
DUET = EXAMPLES / "greensleeves"
SONG = DUET / "greensleeves.flac"
CHORALE = EXAMPLES / "chorale" / "chorale.flac"


def main() -> None:
    """Take the clips apart as the README does, and keep some of the figures."""
    images = HERE / "images"
    images.mkdir(exist_ok=True)
    labels, score = DUET / "labels.txt", CLIP.with_suffix(".mid")
    heard = specnmf.ScoreSettings(by="hand", no_score=True)
    by_book = specnmf.ScoreSettings(by="hand", model="fmp")
    layered = specnmf.LayerSettings(ranks=(16, 6, 2))
    with tempfile.TemporaryDirectory() as folder:

        def keep(
            task: str, song: Path, names: list[str], settings: Any, **inputs: Path
        ) -> None:
            made: Run = run(
                TASKS[task],
                song,
                settings,
                inputs=inputs,
                output=Path(folder) / task,
                overwrite=True,
            )
            for name in names:
                shutil.copy(made.folder / "figures" / name, images / name)

        keep("decompose", CLIP, ["activations.png", "templates.png"], None)
        keep("separate", CLIP, ["score.png"], heard)
        keep("separate", CLIP, ["constraints.png"], by_book, score=score)
        marked = specnmf.LabelSettings(n_rest=0)
        keep("label", SONG, ["labels.png"], marked, labels=labels)
        keep("layers", CHORALE, ["layers.png"], layered)


if __name__ == "__main__":
    main()
