"""The inside of a process of a crew: it makes calls, one after another."""

from __future__ import annotations

import faulthandler
import io
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

#: What a process has in its folder: what it printed, and its temporary files, which are
#: removed when it is lost.
PRINTED, SCRATCH = "printed.txt", "tmp"

#: Signals that a whole group of processes may get.
SENT_TO_ALL = {signal.SIGINT, signal.SIGTERM}


@dataclass(frozen=True)
class Limits:
    """What a process may take.

    Attributes
    ----------
    threads : int
        Of the kernels and the BLAS.
    memory : int or None
        Bytes of data; an allocation beyond fails. On Linux only.
    seconds : float or None
        For one call; a process that takes longer is killed.
    """

    threads: int = 1
    memory: int | None = None
    seconds: float | None = None


class _Line:
    """What the current process says goes along it, if it is one of a crew's."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.connection: Connection[Any, Any] | None = None

    def send(self, finished: bool, content: Any) -> None:
        """Send, whichever thread it is that does."""
        if self.connection is not None:
            with self.lock:
                self.connection.send((finished, content))


_line = _Line()

_cleaning = threading.Lock()


def say(message: Any) -> None:
    """Hand something to the crew's listener; outside of a crew, to nobody."""
    _line.send(False, message)


def serve(
    connection: Connection[Any, Any],
    limits: Limits,
    folder: Path,
    environment: Mapping[str, str],
) -> None:
    """Make the calls that come along the connection, until it is closed."""
    _line.connection = connection
    os.environ.update(environment)  # as it is now, not when the first one was started
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the parent, who decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SENT_TO_ALL)
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    _print_to(folder / PRINTED)
    tempfile.tempdir = str(folder / SCRATCH)
    _take_limits(limits)
    while True:
        try:
            function, args, kwargs = connection.recv()
        except (EOFError, ConnectionError):
            _clean(folder)
            return
        os.ftruncate(2, 0)
        _line.send(False, None)  # it is begun
        try:
            answer = function(*args, **kwargs)
        except Exception as error:
            error.add_note(traceback.format_exc())
            answer = error
        _line.send(True, answer)


def _end_with_parent(folder: Path) -> None:
    """Wait for the parent's end, and leave nothing: it cannot clean up any more."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    _clean(folder)
    os._exit(1)


def _clean(folder: Path) -> None:
    """Remove a process's folder, and what it stands in if it was the last."""
    with _cleaning:  # both threads come here, and one of them ends the other
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            folder.parent.rmdir()


def _print_to(log: Path) -> None:
    """Let everything that is printed, by libraries too, go to a file."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)  # a process that dies flushes none
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    faulthandler.enable(file=2)


def _take_limits(limits: Limits) -> None:
    from threadpoolctl import threadpool_limits

    os.environ["OMP_NUM_THREADS"] = str(limits.threads)  # what `parallel` goes by
    threadpool_limits(limits.threads)
    if limits.memory is not None and sys.platform == "linux":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        ceiling = sys.maxsize if most == resource.RLIM_INFINITY else most
        memory = min(limits.memory, ceiling)
        resource.setrlimit(resource.RLIMIT_DATA, (memory, most))
