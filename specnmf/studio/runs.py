"""The runs of a session, and the sound of their stems."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from specnmf.errors import AudioError
from specnmf.studio.base import Base
from specnmf.studio.preview import Preview
from specnmf.studio.restoring import restore
from specnmf.studio.sounds import Part, Sound, Sounds


class Runs:
    """Runs by number: the opened run, and the runs made since.

    Parameters
    ----------
    scratch : path
        The folder in which sound is made.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._bases: list[Base] = []
        self._restored: dict[int, Sequence[Path]] = {}
        self._restoring = threading.Lock()
        self._sounds = Sounds(scratch / "sounds", self._file_of)

    def __getitem__(self, number: int) -> Base:
        """The run of a number."""
        return self._bases[number]

    def add(self, base: Base) -> int:
        """Add a run and return its number."""
        self._bases.append(base)
        return len(self._bases) - 1

    def urls(self, preview: Preview) -> list[str | None]:
        """The URL of the sound of each stem; different sounds have different URLs.

        Voices of a run without stems have no sound.
        """
        run, stems = preview.version.run, preview.stems
        parts = [[Part(run, m) for m in stem.members] for stem in stems]
        urls = [f"audio/{self._sounds.number(members)}" for members in parts]
        return [
            url if preview.base.has_stems or place == 0 else None
            for place, url in enumerate(urls)
        ]

    def sound(self, number: int) -> Sound | None:
        """The sound of a number; None if there is none, or its file is missing.

        Raises
        ------
        SpecnmfError
            If the sound cannot be made.
        """
        sound = self._sounds.get(number)
        return sound if sound is not None and sound.path.is_file() else None

    def _file_of(self, part: Part) -> Path:
        """The file of a stem; missing files are made from the model."""
        from specnmf.output.page.stems import is_stem

        base = self._bases[part.run]
        name: str | None = base.stems[part.stem]["file"]
        if name is not None:
            if not is_stem(base.folder, name):
                raise AudioError(f"{name} is no longer in the run")
            return base.folder / name
        with self._restoring:
            if part.run not in self._restored:
                folder = self._scratch / f"restored_{part.run}"
                self._restored[part.run] = restore(base, folder)
            return self._restored[part.run][part.stem]
