"""A pool of processes that survives the loss of any process."""

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

#: The modules that a song needs, loaded once for all forked processes.
PRELOADED = (
    "specnmf.batch.work",
    "specnmf.audio.kernels",
    "specnmf.factor.kernels.hals",
    "specnmf.factor.kernels.joint",
    "specnmf.output.figures",
    "scipy.fft",
    "threadpoolctl",
)

#: The longest path of a folder for sockets, in bytes: the socket's name adds about 40,
#: and the whole path may have about 100.
LONGEST_FOLDER = 60

#: The most bytes kept of a process's output.
MOST_PRINTED = 1 << 16

Listener = Callable[[Any], None]

#: A function, its arguments and its keyword arguments.
Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]

#: The errors of a connection whose other end is gone.
GONE = (EOFError, ConnectionError)


class Crew(Executor):
    """A pool of processes in which a lost process costs its own call only.

    Each process has a thread, which sends it a call and waits for the answer. If the
    process dies or takes too long, that call fails with a `WorkerError`, and the next
    call gets a new process. The processes end with their parent, however it ends.

    `ProcessPoolExecutor` fails as a whole when it loses one process. pebble's
    `ProcessPool` (5.2) fails when an idle process is killed or an answer cannot be
    unpickled, and a call whose process ends with status 0 never returns. A call takes
    .46 to .73 ms there and .27 ms here.

    The listener is called, in any thread, with everything that a call sends by `say`.
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
        """End the processes after the submitted calls are done."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            for slot in self._slots:
                slot.dismiss()
            self._folder.cleanup()

    def kill(self) -> None:
        """End the processes now; running and later calls fail."""
        for slot in self._slots:
            slot.close()

    def _call(self, call: Call) -> Any:
        slot = self._idle.get_nowait()  # there are as many as threads
        try:
            return slot.call(call)
        finally:
            self._idle.put(slot)


class _Slot:
    """Holds a process; the next call replaces a lost one."""

    def __init__(self, limits: Limits, folder: Path, listener: Listener | None) -> None:
        self.limits, self.folder, self.listener = limits, folder, listener
        self.lock, self.closed = threading.Lock(), False
        self.worker: _Worker | None = None

    def call(self, call: Call) -> Any:
        """The result of the function in the process, or its exception."""
        worker = self._hand_over(call)
        try:
            answer = self._answer(worker)
        except GONE:
            raise self._lost(worker) from None
        except WorkerError as error:
            raise self._lost(worker, error) from None
        except BaseException:  # the connection is out of step
            worker.process.kill()
            self._clear(worker)
            raise
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def dismiss(self) -> None:
        """Let an idle process end by itself."""
        if self.worker is not None:
            self.worker.connection.close()
            self.worker.process.join()
            self.worker = None

    def close(self) -> None:
        """End the process now, and start no other one."""
        with self.lock:
            self.closed = True
            if self.worker is not None:
                self.worker.process.kill()

    def _worker(self) -> _Worker:
        with self.lock:
            if self.closed:
                raise WorkerError("stopped before it was finished")
            if self.worker is None:
                self.worker = _start(self.limits, self.folder)
            return self.worker

    def _hand_over(self, call: Call) -> _Worker:
        """The process that has started a call.

        A process that was lost while idle is replaced. A process that is lost when the
        call starts is not, as the call may be the cause.
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
        """The result; the listener gets the messages before it."""
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
        """Clear the slot; return an error with the reason and the process's output."""
        self._clear(worker)
        if self.closed:
            return WorkerError("stopped before it was finished")
        error = error or WorkerError(_cause(worker.process.exitcode))
        if printed := self._printed():
            error.add_note(printed)
        return error

    def _printed(self) -> str:
        """The last output of the process."""
        with (self.folder / PRINTED).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MOST_PRINTED))
            return file.read(MOST_PRINTED).decode(errors="replace")

    def _clear(self, worker: _Worker) -> None:
        """Wait for the end of a process, and remove its folder."""
        worker.process.join()
        shutil.rmtree(self.folder / SCRATCH, ignore_errors=True)
        with self.lock:
            worker.connection.close()
            self.worker = None


class _Worker(NamedTuple):
    """A process and the connection to it."""

    process: BaseProcess
    connection: Connection[Any, Any]


def _start(limits: Limits, folder: Path) -> _Worker:
    """Start a process, with a folder for its output and its temporary files."""
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
    """Start to load the modules that the processes need, in the background."""
    if _start_method() == "forkserver":
        multiprocessing.set_forkserver_preload(list(PRELOADED))
        with _undisturbed():
            forkserver.ensure_running()


def _sockets() -> str | None:
    """The folder of the server's socket, if `multiprocessing` has made one."""
    return util.get_temp_dir() if _start_method() == "forkserver" else None


def _start_method() -> str:
    """The start method: forks of a server that has loaded everything, if possible.

    The server's socket is in the folder of temporary files, whose path may be too long.
    """
    has_server = "forkserver" in multiprocessing.get_all_start_methods()
    short = len(os.fsencode(tempfile.gettempdir())) <= LONGEST_FOLDER
    return "forkserver" if has_server and short else "spawn"


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Block signals to the whole group, such as Ctrl-C, while a process starts.

    The server that forks the processes must outlive them, as it reports their end; and
    a process ignores Ctrl-C only after it has started.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # to start it later would unblock them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SENT_TO_ALL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _cause(exitcode: int | None) -> str:
    """The likely reason for the end of a process."""
    if exitcode is None or exitcode >= 0:
        return f"its process ended with status {exitcode}"
    if -exitcode == signal.SIGKILL:
        return "its process was killed (SIGKILL), possibly for lack of memory"
    names = {each.value: each.name for each in signal.Signals}
    return f"its process was ended by {names.get(-exitcode, f'signal {-exitcode}')}"
