"""The songs of `transcription.py`: recordings, their true notes and stems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from separation_songs import EXAMPLES, Song, stems_in

import specnmf
from specnmf.score.options import By

#: How many parts ensembles have.
ENSEMBLES = {2: "duos", 3: "trios", 4: "quartets"}

#: The bundled examples that have pitches, and what their stems are.
BUNDLED: dict[str, By] = {
    "chorale": "part",
    "greensleeves": "part",
    "chopin_op28_4": "hand",
}

#: Rendered pieces of these names are for two hands.
KEYBOARDS = ("piano", "marimba")


@dataclass(frozen=True)
class Case:
    """A recording to take apart; its score is None where that is not known."""

    group: str
    name: str
    recording: Path
    score: Path | None
    stems: Path
    by: By = "part"

    @cached_property
    def song(self) -> Song:
        """The recording with its stems; the score is empty where it is not known."""
        truth = specnmf.read_score(self.score) if self.score else specnmf.Score(())
        audio = specnmf.read(self.recording)
        return Song(self.name, audio, truth, stems_in(self.stems), self.by)

    @property
    def drums(self) -> set[str]:
        """The stems that are percussion."""
        return {note.part for note in self.song.score.notes if note.percussion}

    @property
    def n_voices(self) -> int:
        """How many stems have pitches."""
        return len(self.song.references.keys() - self.drums)


def cases(data: Path, rendered: Path | None, notes: Path | None) -> Iterator[Case]:
    """Yield all songs that there are: Bach10, the bundled ones, the rendered ones."""
    for folder in sorted((data / "bach10").glob("P*")):
        ensemble = ENSEMBLES[int(folder.name[1])]
        yield in_folder(f"Bach10 {ensemble}", folder, notes)
    for name, by in BUNDLED.items():
        folder = EXAMPLES / name
        recording, score = folder / f"{name}.flac", folder / f"{name}.mid"
        yield Case("bundled", name, recording, score, folder / "stems", by)
    if rendered is not None:
        for folder in sorted(rendered.glob("[tu]*/*"), key=in_order):
            kind = f"{folder.name.partition('_')[0]}s"
            kind = kind if kind in ENSEMBLES.values() else "others"
            yield in_folder(f"{folder.parent.name} {kind}", folder, None)


def in_order(folder: Path) -> tuple[int, str]:
    """Sort pieces by what they are for, then by name."""
    return ("test", "tune", "unseen").index(folder.parent.name), folder.name


def in_folder(group: str, folder: Path, notes: Path | None) -> Case:
    """Return the song of a folder."""
    found = [folder / "score.mid"]
    if notes is not None:
        found.append(notes / f"{folder.name}.mid")
    score = next((path for path in found if path.is_file()), None)
    by: By = "hand" if folder.name.startswith(KEYBOARDS) else "part"
    return Case(group, folder.name, folder / "mix.flac", score, folder / "ref", by)
