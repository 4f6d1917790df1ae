"""Sound that a run does not hold as files: made again, from its model or recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from specnmf.errors import AudioError
from specnmf.record.edits import Edits
from specnmf.studio.base import Base


def restore(base: Base, folder: Path) -> Sequence[Path]:
    """The files of all stems of a run, made anew.

    Of a run without stems, as `transcribe` leaves, it is the recording: not its file
    itself, for run.json may name any.

    Parameters
    ----------
    base : Base
        The run.
    folder : path
        Where to; it does not exist yet.

    Raises
    ------
    SpecnmfError
        If the recording is gone, or the run has stored no model.
    """
    if base.has_stems:
        return _stems(base, folder)
    return [_recording(base, folder)]


def _stems(base: Base, folder: Path) -> Sequence[Path]:
    """An edit that changes nothing but writes all stems leaves their files."""
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
        raise AudioError(f"{base.folder}: its stems cannot be made from its model")
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
