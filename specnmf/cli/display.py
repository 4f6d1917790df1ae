"""The progress of a batch for people: failures, and bars on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from specnmf.cli import console

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from specnmf.batch.finding import Song
    from specnmf.batch.work import Outcome, Said


class Display:
    """Prints failures and warnings, and draws bars if there are any.

    If quiet, it prints no warnings; if verbose, it also prints finished songs.
    """

    def __init__(
        self,
        total: int,
        bars: Progress | None,
        *,
        quiet: bool = False,
        verbose: bool = False,
    ) -> None:
        self.bars, self.quiet, self.verbose = bars, quiet, verbose
        self.tasks: dict[str, TaskID] = {}
        self.remarked: set[str] = set()
        self.whole = None if bars is None else bars.add_task("songs", total=total)

    def begin(self, song: Song) -> None:
        """Draw a bar for a song."""
        if self.bars is not None:
            self.tasks[song.name] = self.bars.add_task(_title(song.name), total=None)

    def said(self, said: Said) -> None:
        """Move a song's bar."""
        task = self.tasks.get(said.name)
        if self.bars is not None and task is not None:
            title = _title(said.name, said.stage)
            self.bars.update(
                task, description=title, completed=said.done, total=said.total
            )

    def end(self, song: Song, outcome: Outcome) -> None:
        """Remove a song's bar, and print the outcome."""
        if self.bars is not None and self.whole is not None:
            if song.name in self.tasks:
                self.bars.remove_task(self.tasks.pop(song.name))
            self.bars.advance(self.whole)
        with suppress(OSError):  # a closed stderr stops no song
            self._say(song, outcome)

    def stop(self, *, now: bool) -> None:
        """Print that the batch is stopping."""
        line = "stopping once the running songs are done; press Ctrl-C to stop at once"
        if not self.quiet:
            with suppress(OSError):
                self._print("stopped; use --resume to continue" if now else line)

    def _say(self, song: Song, outcome: Outcome) -> None:
        if outcome.error is not None:
            prefix = "" if song.name in outcome.error else f"{song.name}: "
            self._print(f"error: {prefix}{outcome.error}")
        elif self.verbose and not outcome.kept:
            self._print(f"{outcome.seconds:7.2f} s  {song.name}")
        for warning in () if self.quiet else outcome.warnings:
            self._print(f"warning: {song.name}: {warning}")
        for remark in () if self.quiet else outcome.remarks:
            if remark not in self.remarked:
                self._print(f"warning: {remark}")
            self.remarked.add(remark)

    def _print(self, line: str) -> None:
        """Print a line on stderr, above the bars if there are any."""
        if self.bars is None:
            console.note(line)
        else:
            self.bars.console.print(
                console.one_line(line), markup=False, highlight=False, soft_wrap=True
            )


@contextmanager
def batch_display(total: int, *, shown: bool, **talk: bool) -> Iterator[Display]:
    """Yield a display of a number of songs, with bars if wanted and on a terminal.

    ``talk`` holds quiet and verbose, as for `Display`.
    """
    with console.bars(shown=shown) as bars:
        yield Display(total, bars, **talk)


def clock(seconds: float) -> str:
    """A duration as hours, minutes and seconds: ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _title(name: str, stage: str = "") -> str:
    from rich.markup import escape

    title = f"{name}: {stage}" if stage else name
    return escape(console.one_line(title))
