"""A session: one run, opened to be heard, changed and saved; without HTTP.

A revision is a number that grows with every change. Each request for a change names the
revision on which it is based, and is refused if that is not the current one: so two
browsers cannot overwrite changes that the other has not seen.

The undo history is a list of versions (`specnmf.studio.history`). A version stores
notes and regions by the names of the stems in the run; the page shows and sends the
edited stems (`specnmf.studio.preview`).
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
    """A change is based on an old revision."""


class Failure(NamedTuple):
    """The reason of a job's failure, and its number."""

    number: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """The folders of a session.

    Attributes
    ----------
    folder : path
        The opened run.
    scratch : path
        A folder for temporary files.
    output : path
        The folder for saved runs.
    command : str
        The command line, for the run.json of runs.
    recording : path or None
        The recording of the run, if it was moved; None: the path in run.json.
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
        Its folders.
    unforeseen : callable, optional
        Called with exceptions in jobs that are bugs.

    Raises
    ------
    OutputError
        If the folder is not a run.
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
        """Show the run in the folder, without changes."""
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
        """The full state for a page."""
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
        """Whether there are unsaved changes."""
        return self._history.present is not self._clean

    def news(self) -> dict[str, Any]:
        """The short state, for events."""
        return {"job": self._jobs.doing, "revision": self._revision}

    def sound(self, number: int) -> Sound | None:
        """The sound of a number in a state; None: there is none."""
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
        """Undo the last change."""
        return self._move(message, -1, "undo")

    def redo(self, message: Message) -> dict[str, Any]:
        """Redo the change that was undone."""
        return self._move(message, 1, "redo")

    # What takes time

    def separate_again(self, message: Message) -> dict[str, Any]:
        """Start to separate again by the present notes or regions."""
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
        """Cancel the job."""
        self.cancel_all()
        return self.state()

    def save(self, message: Message) -> dict[str, Any]:
        """Save the run; return its folder."""
        name = messages.text_of(message, "name")
        in_place = messages.flag_of(message, "in_place", default=False)
        if in_place and name is not None:
            raise ParameterError("expected a name or in_place, got both")
        self._check_revision(message)
        folder = self._jobs.do(
            "save", lambda progress: self._save(message, name, in_place, progress)
        )
        return {"folder": str(folder)}

    def cancel_all(self) -> None:
        """Request the end of the running job."""
        self._jobs.cancel()

    def close(self) -> bool:
        """End the job, if there is one; return whether it has ended."""
        return self._jobs.close()

    # How

    def _preview(self) -> Preview:
        version = self._history.present
        return Preview(self._runs[version.run], version)

    def _new_folder(self, name: str) -> Path:
        """A folder that does not exist yet."""
        return self.place.scratch / f"{name}_{next(self._places)}"

    def _check_revision(self, message: Message) -> None:
        if messages.revision_of(message) != self._revision:
            raise StaleError("the run was changed in another window")

    def _check_free(self, message: Message) -> None:
        """Raise an error if a change would be lost."""
        self._check_revision(message)
        if self._replacing:
            raise BusyError("the run is being saved; wait until that is done")

    def _change(
        self, message: Message, changed: Callable[[Preview], Version]
    ) -> dict[str, Any]:
        """Make another version the current one; refuse edits that do not fit."""
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
        """Show a run that was separated again; this can be undone.

        Levels and order that were changed in the meantime are kept.
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
        """Write a run: an edit of the opened run, or a run separated again."""
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
        """Store the saved version; a run saved in place becomes the opened run."""
        with self._lock:
            if in_place:
                self._open()
            else:
                self.saved, self._clean = folder, version
            self._revision += 1
