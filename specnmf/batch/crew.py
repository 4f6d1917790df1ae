"""An executor whose processes can be lost one at a time."""

from __future__ import annotations

import multiprocessing
import os
import queue
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from specnmf.batch.worker import PRINTED, SCRATCH, SENT_TO_ALL, Limits, serve
from specnmf.errors import WorkerError

#: Loaded once, before the processes part from it: what a song needs.
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

#: Called with what a process says while it works.
Listener = Callable[[Any], None]


class Crew(Executor):
    """Processes that make one call each at a time.

    A `ProcessPoolExecutor` gives up as a whole when it loses one process, and cannot
    tell which call that was. Here each process has a thread that looks after it: hands
    it a call and waits for the answer. If the process dies or takes too long, that call
    fails with a `WorkerError`, and the next one gets a new process.

    The processes end with their parent, however it ends.

    Parameters
    ----------
    n_processes : int
        How many.
    limits : Limits, optional
        Of each process.
    listener : callable, optional
        Called, in any thread, with whatever a call hands to `say`.
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
        self._seats = [
            _Seat(limits or Limits(), place / str(number), listener)
            for number in range(n_processes)
        ]
        self._idle: queue.LifoQueue[_Seat] = queue.LifoQueue()
        for seat in reversed(self._seats):
            self._idle.put(seat)
        self._threads = ThreadPoolExecutor(n_processes, thread_name_prefix="crew")

    def submit(
        self, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """Schedule a call; its future fails with WorkerError if its process is lost."""
        return self._threads.submit(self._call, function, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, once they have done what was submitted."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            for seat in self._seats:
                seat.dismiss()
            self._folder.cleanup()

    def kill(self) -> None:
        """End the processes now; what they were at fails, and so does what follows."""
        for seat in self._seats:
            seat.close()

    def pids(self) -> list[int]:
        """The processes that there are."""
        return [pid for seat in self._seats if (pid := seat.pid) is not None]

    def _call(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Any:
        seat = self._idle.get_nowait()  # there are as many as threads
        try:
            return seat.call(function, args, kwargs)
        finally:
            self._idle.put(seat)


class _Seat:
    """A place for a process; one that is lost makes room for the next."""

    def __init__(self, limits: Limits, folder: Path, listener: Listener | None) -> None:
        self.limits, self.folder, self.listener = limits, folder, listener
        self.lock, self.closed = threading.Lock(), False
        self.worker: _Worker | None = None

    @property
    def pid(self) -> int | None:
        """The process that sits here."""
        return None if self.worker is None else self.worker.process.pid

    def call(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Any:
        """What the function returns or raises in the process."""
        worker = self._hand_over((function, args, kwargs))
        try:
            answer = self._answer(worker)
        except (EOFError, ConnectionError):
            raise self._lost(worker, None) from None
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
        """End the process now, and take no other."""
        with self.lock:
            self.closed = True
            if self.worker is not None:
                self.worker.process.kill()

    def _worker(self) -> _Worker:
        with self.lock:
            if self.closed:
                raise WorkerError("stopped before it was done")
            if self.worker is None:
                self.worker = _Worker.start(self.limits, self.folder)
            return self.worker

    def _hand_over(self, call: tuple[Any, ...]) -> _Worker:
        """The process that has begun with a call.

        One that was lost while it had nothing to do is replaced; one that is lost over
        the beginning is not, for it may be the call's fault.
        """
        for lost_before in (False, True):
            worker = self._worker()
            try:
                worker.connection.send(call)
                worker.connection.recv()
                break
            except (EOFError, ConnectionError):
                if lost_before:
                    raise self._lost(worker, None) from None
                self._clear(worker)
        return worker

    def _answer(self, worker: _Worker) -> Any:
        """What comes back; what is said meanwhile is passed on."""
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

    def _lost(self, worker: _Worker, error: WorkerError | None) -> WorkerError:
        """Clear the seat; the error that says why, with what was printed."""
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
        """Wait for the end of a process, and make room for the next."""
        worker.process.join()
        shutil.rmtree(self.folder / SCRATCH, ignore_errors=True)
        with self.lock:
            worker.connection.close()
            self.worker = None


@dataclass(frozen=True)
class _Worker:
    """A process and the line to it."""

    process: BaseProcess
    connection: Connection[Any, Any]

    @classmethod
    def start(cls, limits: Limits, folder: Path) -> _Worker:
        """Start one, that has a folder for what it prints and for temporary files."""
        context = multiprocessing.get_context(_start_method())
        prepare()
        (folder / SCRATCH).mkdir(parents=True, exist_ok=True)
        (folder / PRINTED).touch()
        ours, theirs = context.Pipe()
        process = context.Process(  # type: ignore[attr-defined]  # all have it
            target=serve,
            args=(theirs, limits, folder, dict(os.environ)),
            daemon=True,
        )
        with _undisturbed():
            process.start()
        theirs.close()
        return cls(process, ours)


def prepare() -> None:
    """Begin to load what processes will need, without waiting for it."""
    if _start_method() == "forkserver":
        multiprocessing.set_forkserver_preload(list(PRELOADED))
        with _undisturbed():
            forkserver.ensure_running()


def _start_method() -> str:
    """By a server that has loaded everything, where there is one.

    It listens to a socket in the folder of temporary files, whose name may be too long.
    """
    has_server = "forkserver" in multiprocessing.get_all_start_methods()
    short = len(os.fsencode(tempfile.gettempdir())) <= LONGEST_FOLDER
    return "forkserver" if has_server and short else "spawn"


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep what a terminal or supervisor sends to all from processes that begin.

    The server that they part from must outlive them, or nobody knows when they end;
    and they ignore Ctrl-C by themselves only when they have got that far.
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
