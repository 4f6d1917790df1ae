"""Sound that a run does not hold as files, made from its model or recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from specnmf.errors import AudioError
from specnmf.record.edits import Edits
from specnmf.studio.base import Base


def restore(base: Base, folder: Path) -> Sequence[Path]:
    """The files of all stems of a run, made again.

    For a run without stems, as of `transcribe`, it is a copy of the recording, as
    run.json may name any file.

    Parameters
    ----------
    base : Base
        The run.
    folder : path
        The new folder; it does not exist yet.

    Raises
    ------
    SpecnmfError
        If the recording is missing, or the run has no model.
    """
    if base.has_stems:
        return _stems(base, folder)
    return [_recording(base, folder)]


def _stems(base: Base, folder: Path) -> Sequence[Path]:
    """Write the files of all stems, by an edit that changes nothing else."""
    from specnmf.output.page.contents import read_report
    from specnmf.output.page.stems import read_groups
    from specnmf.record.edit import edit_run

    run = edit_run(
        base.folder,
        Edits(only=("*",)),
        output=folder,
        name="run",
        input=base.record.song,
        sources=True,
        figures=False,
        report=False,
    )
    made = run.folder
    groups = read_groups(read_report(made), made)
    files = [stem.file for group in groups for stem in group.stems]
    if len(files) != len(base.stems) or None in files:
        raise AudioError(f"{base.folder}: the stems cannot be made from the model")
    return [made / str(file) for file in files]


def _recording(base: Base, folder: Path) -> Path:
    from specnmf.audio import reading, writing

    record, settings = base.record, base.record.settings
    record.check_input()
    audio = reading.load(record.song, start=settings.start, duration=settings.duration)
    folder.mkdir(parents=True)
    path = folder / "recording.wav"
    writing.write(path, audio)
    return path
