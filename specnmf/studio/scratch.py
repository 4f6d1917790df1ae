"""The studio's folder for temporary files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from specnmf.output import folder


@contextmanager
def scratch_beside(run: Path) -> Iterator[Path]:
    """Yield a hidden temporary folder beside a run.

    It is on the disk of the run, as it may need as much space; if that is not writable,
    it is in the system's folder. Folders of killed studios are removed.
    """
    parent = run.resolve().parent
    folder.sweep(parent)
    with ExitStack() as stack:
        try:
            place = stack.enter_context(folder.scratch(parent))
        except OSError:
            place = Path(stack.enter_context(TemporaryDirectory(prefix="specnmf-")))
        yield place
