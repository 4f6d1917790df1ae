"""Where the studio puts what does not last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from specnmf.output import folder


@contextmanager
def scratch_beside(run: Path) -> Iterator[Path]:
    """Yield a folder that is removed in the end, hidden beside a run.

    It is on the run's disk, for it may hold as much; where nothing can be written
    there, it is the system's. What a studio that was killed left there is removed.
    """
    parent = run.resolve().parent
    folder.sweep(parent)
    with ExitStack() as stack:
        try:
            place = stack.enter_context(folder.scratch(parent))
        except OSError:
            place = Path(stack.enter_context(TemporaryDirectory(prefix="specnmf-")))
        yield place
