"""An executor whose processes can be lost one at a time."""

from __future__ import annotations

import faulthandler
import io
import multiprocessing
import os
import queue
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

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

#: What a process has in its folder: what it printed, and its temporary files, which are
#: removed when it is lost.
PRINTED, SCRATCH = "printed.txt", "tmp"

#: The longest name of a folder for sockets, in bytes: theirs takes some forty more, and
#: all of it may take about a hundred.
LONGEST_FOLDER = 60

#: Signals that a whole group of processes may get.
SENT_TO_ALL = {signal.SIGINT, signal.SIGTERM}

#: The most that is kept of what a process printed, in bytes.
MOST_PRINTED = 1 << 16

#: Called with what a process says while it works.
Listener = Callable[[Any], None]


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
            target=_serve,
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


def say(message: Any) -> None:
    """Hand something to the crew's listener; outside of a crew, to nobody."""
    _line.send(False, message)


def _serve(
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
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        folder.parent.rmdir()  # the last one can
    os._exit(1)


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
