"""A pool of processes that can be lost one at a time."""

from __future__ import annotations

import multiprocessing
import os
import queue
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker, util
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

from specnmf.batch.worker import PRINTED, SCRATCH, SENT_TO_ALL, Limits, serve
from specnmf.errors import WorkerError

#: What a song needs, loaded once for all processes that are forked.
PRELOADED = (
    "specnmf.batch.work",
    "specnmf.audio.kernels",
    "specnmf.factor.kernels.hals",
    "specnmf.factor.kernels.joint",
    "specnmf.output.figures",
    "scipy.fft",
    "threadpoolctl",
)

#: The longest name of a folder for sockets, in bytes: theirs takes some forty more, and
#: all of it may take about a hundred.
LONGEST_FOLDER = 60

#: The most that is kept of what a process printed, in bytes.
MOST_PRINTED = 1 << 16

Listener = Callable[[Any], None]

#: A function, its arguments and its keyword arguments.
Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]

#: What a line raises whose other end is gone.
GONE = (EOFError, ConnectionError)


class Crew(Executor):
    """A pool of processes: a process that is lost costs its own call only.

    Each process has a thread, which sends it a call and waits for the answer. If the
    process dies or takes too long, that call fails with a `WorkerError`, and the next
    one gets a new process. The processes end with their parent, however it ends.

    `ProcessPoolExecutor` fails as a whole when it loses one process. pebble's
    `ProcessPool` (5.2) does so when an idle process is killed or an answer cannot be
    unpickled, and a call whose process ends with status 0 never returns. It takes .46
    to .73 ms a call where this pool takes .27.

    The listener is called, in any thread, with whatever a call says by `say`.
    """

    def __init__(
        self,
        n_processes: int,
        *,
        limits: Limits | None = None,
        listener: Listener | None = None,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="specnmf-crew-")
        place = Path(self._folder.name)
        self._slots = [
            _Slot(limits or Limits(), place / str(number), listener)
            for number in range(n_processes)
        ]
        self._idle: queue.LifoQueue[_Slot] = queue.LifoQueue()
        for slot in reversed(self._slots):
            self._idle.put(slot)
        self._threads = ThreadPoolExecutor(n_processes, thread_name_prefix="crew")

    def submit(
        self, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """Schedule a call; its future fails with WorkerError if its process is lost."""
        return self._threads.submit(self._call, (function, args, kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, once they have made the calls that were submitted."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            for slot in self._slots:
                slot.dismiss()
            self._folder.cleanup()

    def kill(self) -> None:
        """End the processes now; running calls fail, and so do those that follow."""
        for slot in self._slots:
            slot.close()

    def _call(self, call: Call) -> Any:
        slot = self._idle.get_nowait()  # there are as many as threads
        try:
            return slot.call(call)
        finally:
            self._idle.put(slot)


class _Slot:
    """Holds a process; one that is lost is replaced by the next call."""

    def __init__(self, limits: Limits, folder: Path, listener: Listener | None) -> None:
        self.limits, self.folder, self.listener = limits, folder, listener
        self.lock, self.closed = threading.Lock(), False
        self.worker: _Worker | None = None

    def call(self, call: Call) -> Any:
        """What the function returns or raises in the process."""
        worker = self._hand_over(call)
        try:
            answer = self._answer(worker)
        except GONE:
            raise self._lost(worker) from None
        except WorkerError as error:
            raise self._lost(worker, error) from None
        except BaseException:  # the line to it is out of step
            worker.process.kill()
            self._clear(worker)
            raise
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def dismiss(self) -> None:
        """Let a process that has nothing to do end by itself."""
        if self.worker is not None:
            self.worker.connection.close()
            self.worker.process.join()
            self.worker = None

    def close(self) -> None:
        """End the process now, and start no other."""
        with self.lock:
            self.closed = True
            if self.worker is not None:
                self.worker.process.kill()

    def _worker(self) -> _Worker:
        with self.lock:
            if self.closed:
                raise WorkerError("stopped before it was done")
            if self.worker is None:
                self.worker = _start(self.limits, self.folder)
            return self.worker

    def _hand_over(self, call: Call) -> _Worker:
        """The process that has begun a call.

        A process that was lost while it was idle is replaced. One that is lost when
        the call begins is not, for it may be the call's fault.
        """
        for lost_before in (False, True):
            worker = self._worker()
            try:
                worker.connection.send(call)
                worker.connection.recv()
                break
            except GONE:
                if lost_before:
                    raise self._lost(worker) from None
                self._clear(worker)
        return worker

    def _answer(self, worker: _Worker) -> Any:
        """The result; the listener gets what is said before."""
        seconds = self.limits.seconds
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())
            ready = wait([worker.connection, worker.process.sentinel], left)
            if not ready:
                worker.process.kill()
                raise WorkerError(f"took longer than {seconds:g} s")
            if worker.connection not in ready:
                raise EOFError
            finished, content = worker.connection.recv()
            if finished:
                return content
            if self.listener is not None:
                self.listener(content)

    def _lost(self, worker: _Worker, error: WorkerError | None = None) -> WorkerError:
        """Clear the slot; return an error that says why, with what was printed."""
        self._clear(worker)
        if self.closed:
            return WorkerError("stopped before it was done")
        error = error or WorkerError(_cause(worker.process.exitcode))
        if printed := self._printed():
            error.add_note(printed)
        return error

    def _printed(self) -> str:
        """What the process printed last."""
        with (self.folder / PRINTED).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MOST_PRINTED))
            return file.read(MOST_PRINTED).decode(errors="replace")

    def _clear(self, worker: _Worker) -> None:
        """Wait for the end of a process and remove what it left."""
        worker.process.join()
        shutil.rmtree(self.folder / SCRATCH, ignore_errors=True)
        with self.lock:
            worker.connection.close()
            self.worker = None


class _Worker(NamedTuple):
    """A process and the line to it."""

    process: BaseProcess
    connection: Connection[Any, Any]


def _start(limits: Limits, folder: Path) -> _Worker:
    """Start a process, with a folder for what it prints and for temporary files."""
    context = multiprocessing.get_context(_start_method())
    prepare()
    (folder / SCRATCH).mkdir(parents=True, exist_ok=True)
    (folder / PRINTED).touch()
    ours, theirs = context.Pipe()
    process = context.Process(  # type: ignore[attr-defined]  # all have it
        target=serve,
        args=(theirs, limits, folder, dict(os.environ), _sockets()),
        daemon=True,
    )
    with _undisturbed():
        process.start()
    theirs.close()
    return _Worker(process, ours)


def prepare() -> None:
    """Begin to load what the processes need, without waiting for it."""
    if _start_method() == "forkserver":
        multiprocessing.set_forkserver_preload(list(PRELOADED))
        with _undisturbed():
            forkserver.ensure_running()


def _sockets() -> str | None:
    """The folder of the server's socket, which `multiprocessing` made, if it did."""
    return util.get_temp_dir() if _start_method() == "forkserver" else None


def _start_method() -> str:
    """How processes are started: from a server that has loaded everything, if possible.

    The server listens to a socket in the folder of temporary files, whose name may be
    too long.
    """
    has_server = "forkserver" in multiprocessing.get_all_start_methods()
    short = len(os.fsencode(tempfile.gettempdir())) <= LONGEST_FOLDER
    return "forkserver" if has_server and short else "spawn"


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Block signals to the whole group, such as Ctrl-C, while a process starts.

    The server that forks the processes must outlive them, or nobody knows when they
    end; and a process ignores Ctrl-C only once it runs.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # starting it would let them in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SENT_TO_ALL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _cause(exitcode: int | None) -> str:
    """Why a process is thought to have ended."""
    if exitcode is None or exitcode >= 0:
        return f"its process ended with status {exitcode}"
    if -exitcode == signal.SIGKILL:
        return "its process was ended by SIGKILL; out of memory?"
    names = {each.value: each.name for each in signal.Signals}
    return f"its process was ended by {names.get(-exitcode, f'signal {-exitcode}')}"
