"""A session: one run, opened to be heard, changed and saved; no HTTP.

All changes go by a revision: a number that grows with every change. Whoever changes
something says which revision that is based on, and is refused if it is not the present
one: two browsers cannot overwrite what the other has not seen.

What can be undone is a list of versions (`specnmf.studio.history`). Notes and regions
of a version are kept by the names that stems have in the run; what is shown and sent
are the stems as they are edited (`specnmf.studio.preview`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from specnmf.errors import ParameterError, SpecnmfError
from specnmf.record.edits import Edits
from specnmf.studio import again, messages, saving
from specnmf.studio.base import Base, check_possible, open_base, possible
from specnmf.studio.history import History, Version
from specnmf.studio.jobs import BusyError, Jobs
from specnmf.studio.preview import Preview
from specnmf.studio.runs import Runs
from specnmf.studio.saving import Saver
from specnmf.studio.sounds import Sound
from specnmf.tasks.stages import Progress

if TYPE_CHECKING:
    from specnmf.output.page.render import Rendered

Message = Mapping[str, Any]


class StaleError(SpecnmfError):
    """A change is based on what has changed meanwhile."""


class Failure(NamedTuple):
    """Why a job failed, and which of all failures that is."""

    number: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a session is.

    Attributes
    ----------
    folder : path
        The run that is opened.
    scratch : path
        A folder for what does not last.
    output : path
        Where runs are saved.
    command : str
        Kept in the run.json of runs.
    recording : path or None
        Where the recording of the run is now; None: where run.json says.
    """

    folder: Path
    scratch: Path
    output: Path
    command: str = ""
    recording: Path | None = None


class Session:
    """A run in the studio.

    Its methods may be called from any thread.

    Parameters
    ----------
    place : Place
        Where it is.
    unforeseen : callable, optional
        Told of exceptions in jobs that are bugs.

    Raises
    ------
    OutputError
        If there is no run in the folder.
    """

    def __init__(
        self,
        place: Place,
        unforeseen: Callable[[BaseException], None] = lambda error: None,
    ) -> None:
        self.place = place
        self.saved: Path | None = None
        self._left: dict[Path, str] = {}
        self.failure = Failure(0, "")
        self._runs = Runs(place.scratch)
        self._revision, self._places = 0, count(1)
        self._replacing = False
        self._lock = threading.RLock()
        self._jobs = Jobs(unforeseen)
        self._open()

    def _open(self) -> None:
        """Show the run that is in the folder, with nothing changed."""
        self._opened = self._runs.add(
            open_base(self.place.folder, self.place.recording)
        )
        self._history = History([Version(self._opened, Edits())])
        self._clean = self._history.present
        self._runs.urls(self._preview())  # its stems have the first numbers

    # What is shown

    def page(self) -> Rendered:
        """The page, with the run in it."""
        from specnmf.output.page.render import render

        return render(self.state()["contents"], studio=True)

    def state(self) -> dict[str, Any]:
        """Everything that a page has to know."""
        with self._lock:
            preview = self._preview()
            return {
                **self.news(),
                "contents": preview.contents(self._runs.urls(preview)),
                "edits": preview.version.edits.to_plain(),
                "dirty": self.dirty,
                "undo": self._history.can_undo,
                "redo": self._history.can_redo,
                "folder": str(self.place.folder),
                "saved": None if self.saved is None else str(self.saved),
                "can": possible(preview.base),
            }

    @property
    def dirty(self) -> bool:
        """Whether anything is changed and not saved."""
        return self._history.present is not self._clean

    def news(self) -> dict[str, Any]:
        """What goes on, in short."""
        return {"job": self._jobs.doing, "revision": self._revision}

    def sound(self, number: int) -> Sound | None:
        """The sound of a number that a state has told; None: there is none."""
        return self._runs.sound(number)

    # What is changed

    def change_edits(self, message: Message) -> dict[str, Any]:
        """Replace the edits."""
        edits = Edits.from_plain(message.get("edits"))

        def changed(preview: Preview) -> Version:
            check_possible(preview.base, "stems")
            return replace(preview.version, edits=edits)

        return self._change(message, changed)

    def change_notes(self, message: Message) -> dict[str, Any]:
        """Replace the notes."""

        def changed(preview: Preview) -> Version:
            check_possible(preview.base, "notes")
            rows = messages.rows_of(message, len(preview.stems))
            notes = preview.with_notes(rows)
            kept = None if notes == preview.base.notes else notes
            return replace(preview.version, notes=kept)

        return self._change(message, changed)

    def change_regions(self, message: Message) -> dict[str, Any]:
        """Replace the regions."""

        def changed(preview: Preview) -> Version:
            check_possible(preview.base, "regions")
            regions = preview.with_regions(messages.regions_of(message))
            kept = None if regions == preview.base.regions else regions
            return replace(preview.version, regions=kept)

        return self._change(message, changed)

    def undo(self, message: Message) -> dict[str, Any]:
        """Go back to what was before the last change."""
        return self._move(message, -1, "undo")

    def redo(self, message: Message) -> dict[str, Any]:
        """Go on to what was undone."""
        return self._move(message, 1, "redo")

    # What takes time

    def separate_again(self, message: Message) -> dict[str, Any]:
        """Begin to separate by the notes or regions as they are."""
        messages.flag_of(message, "again", default=True)
        with self._lock:
            self._check_revision(message)
            preview = self._preview()
            plan, folder = again.plan_of(preview), self._new_folder("again")

            def work(progress: Progress) -> None:
                command = self.place.command
                self._take_over(
                    plan,
                    again.separate(
                        preview, plan, folder, command=command, progress=progress
                    ),
                )

            self._jobs.start("separate", work, self._fail)
            return self.state()

    def cancel(self, message: Message) -> dict[str, Any]:
        """Ask the job to end."""
        self.cancel_all()
        return self.state()

    def save(self, message: Message) -> dict[str, Any]:
        """Save the run as it is; tell where."""
        name = messages.text_of(message, "name")
        in_place = messages.flag_of(message, "in_place", default=False)
        if in_place and name is not None:
            raise ParameterError("a name and in_place are given, expected one of them")
        self._check_revision(message)
        folder = self._jobs.do(
            "save", lambda progress: self._save(message, name, in_place, progress)
        )
        return {"folder": str(folder)}

    def cancel_all(self) -> None:
        """Ask what is going on to end."""
        self._jobs.cancel()

    def close(self) -> bool:
        """End the job, if there is one; say whether it has ended."""
        return self._jobs.close()

    # How

    def _preview(self) -> Preview:
        version = self._history.present
        return Preview(self._runs[version.run], version)

    def _new_folder(self, name: str) -> Path:
        """A folder that is not there yet."""
        return self.place.scratch / f"{name}_{next(self._places)}"

    def _check_revision(self, message: Message) -> None:
        if messages.revision_of(message) != self._revision:
            raise StaleError("the run was changed meanwhile, in another window")

    def _check_free(self, message: Message) -> None:
        """Raise an error unless a change would be kept."""
        self._check_revision(message)
        if self._replacing:
            raise BusyError("the run is being saved in place; wait until it is")

    def _change(
        self, message: Message, changed: Callable[[Preview], Version]
    ) -> dict[str, Any]:
        """Make another version the present one; what does not fit is refused."""
        with self._lock:
            self._check_free(message)
            version = changed(self._preview())
            Preview(self._runs[version.run], version).check()
            if self._history.add(version):
                self._revision += 1
            return self.state()

    def _move(self, message: Message, steps: int, what: str) -> dict[str, Any]:
        with self._lock:
            self._check_free(message)
            if not self._history.move(steps):
                raise ParameterError(f"there is nothing to {what}")
            self._revision += 1
            return self.state()

    def _fail(self, reason: str) -> None:
        self.failure = Failure(self.failure.number + 1, reason)

    def _take_over(self, plan: again.Plan, base: Base) -> None:
        """Show a run that was separated again; like all, that can be undone.

        What was changed meanwhile of levels and order goes along.
        """
        with self._lock:
            edits = again.still_to_do(self._preview(), plan, base)
            self._history.add(Version(self._runs.add(base), edits))
            self._revision += 1

    def _save(
        self, message: Message, name: str | None, in_place: bool, progress: Progress
    ) -> Path:
        with self._lock:
            self._check_revision(message)
            preview, self._replacing = self._preview(), in_place
        try:
            folder = self._write(preview, name, in_place, progress)
            self._note_saved(folder, preview.version, in_place)
        finally:
            self._replacing = False
        return folder

    def _write(
        self, preview: Preview, name: str | None, in_place: bool, progress: Progress
    ) -> Path:
        """Write a run; whether it is the one that was opened decides how."""
        place, folder = self.place, self.place.folder
        scratch = self._new_folder("save")
        saver = Saver(folder, scratch, place.command, progress, self._left)
        if in_place:
            target = saving.Target(folder.parent, folder.name, overwrite=True)
        else:
            own = folder.resolve().name
            target = saving.target_for(place.output, name, own, self.saved)
        if preview.version.run == self._opened:
            return saver.save(preview, None if in_place else target)
        return saver.save_separated(preview, target)

    def _note_saved(self, folder: Path, version: Version, in_place: bool) -> None:
        """Know what is saved; in place, it is what is opened from now on."""
        with self._lock:
            if in_place:
                self._open()
            else:
                self.saved, self._clean = folder, version
            self._revision += 1
