"""The code of a process in a pool: it makes calls, one after another."""

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

#: In the folder of a process: its output, and its temporary files, which are removed
#: when the process is lost.
PRINTED, SCRATCH = "printed.txt", "tmp"

#: Signals that a terminal sends to a whole group of processes.
SENT_TO_ALL = {signal.SIGINT, signal.SIGTERM}


@dataclass(frozen=True)
class Limits:
    """The limits of a process."""

    threads: int = 1  #: Of the kernels and the BLAS.
    memory: int | None = None  #: The most bytes of data. On Linux only.
    seconds: float | None = None  #: For one call; longer calls are killed.


#: The connection to the parent in a process of a pool; None in other processes.
_line: list[Connection[Any, Any]] = []

_sending, _cleaning = threading.Lock(), threading.Lock()


def say(message: Any) -> None:
    """Send something to the pool's listener; outside a pool, do nothing."""
    _send(False, message)


def _send(finished: bool, content: Any) -> None:
    """Send, from any thread."""
    for connection in _line:
        with _sending:
            connection.send((finished, content))


def serve(
    connection: Connection[Any, Any],
    limits: Limits,
    folder: Path,
    environment: Mapping[str, str],
    sockets: str | None = None,
) -> None:
    """Make the calls that arrive on the connection, until it is closed.

    ``sockets`` is the folder of `multiprocessing` in the parent, which removes it when
    it ends; if the parent is killed, this process removes it.
    """
    _line.append(connection)
    os.environ.update(environment)  # of now, not of when the server started
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the parent, which decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SENT_TO_ALL)
    threading.Thread(
        target=_end_with_parent, args=(folder, sockets), daemon=True
    ).start()
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
        _send(False, None)  # started
        try:
            answer = function(*args, **kwargs)
        except Exception as error:
            error.add_note(traceback.format_exc())
            answer = error
        _send(True, answer)


def _end_with_parent(folder: Path, sockets: str | None) -> None:
    """Wait for the end of the parent, and remove all files: it no longer can."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    if sockets is not None:
        shutil.rmtree(sockets, ignore_errors=True)
    _clean(folder)
    os._exit(1)


def _clean(folder: Path) -> None:
    """Remove a process's folder, and the folder above if that is empty then."""
    with _cleaning:  # both threads call this, and one of them ends the other
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            folder.parent.rmdir()


def _print_to(log: Path) -> None:
    """Redirect all output, also that of libraries, to a file."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                line_buffering=True
            )  # a process that dies flushes nothing
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    faulthandler.enable(file=2)


def _take_limits(limits: Limits) -> None:
    from threadpoolctl import threadpool_limits

    os.environ["OMP_NUM_THREADS"] = str(limits.threads)  # `parallel` reads it
    threadpool_limits(limits.threads)
    if limits.memory is not None and sys.platform == "linux":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        ceiling = sys.maxsize if most == resource.RLIM_INFINITY else most
        memory = min(limits.memory, ceiling)
        resource.setrlimit(resource.RLIMIT_DATA, (memory, most))
