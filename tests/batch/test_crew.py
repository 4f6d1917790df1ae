"""A crew: processes that can be lost one at a time."""

import contextlib
import ctypes
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info

from specnmf.batch.crew import Crew
from specnmf.batch.worker import Limits, say
from specnmf.errors import WorkerError

#: A test that waits so long has failed, however busy the machine is; in seconds.
LONG = 120


@pytest.fixture(scope="module")
def crew():
    with Crew(2) as crew:
        yield crew


def is_alive(pid):
    """Whether a process runs; one that has ended may wait to be noticed."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat")
        return not status.exists() or status.read_text().split()[2] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.fixture
def meeting():
    """Where calls that are held tell that they have begun."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LONG)
        yield server


def hold(address):
    """Tell the test that a call has begun; return what the test answers."""
    with socket.create_connection(address) as line:
        line.sendall(b"%d" % os.getpid())
        return line.recv(100).decode()


@contextlib.contextmanager
def begun(meeting):
    """Yield the process of a held call, and the line to it."""
    line, _ = meeting.accept()
    with line:
        yield int(line.recv(100)), line


def gone(pids, seconds=LONG):
    """Whether processes end within some time."""
    until = time.monotonic() + seconds
    while any(map(is_alive, pids)) and time.monotonic() < until:
        time.sleep(0.01)
    return not any(map(is_alive, pids))


def script(code, **options):
    """A Python of its own that runs some code."""
    lines = ["import multiprocessing, os, queue, signal, time"]
    lines += ["from specnmf.batch.crew import Crew", code]
    command = [sys.executable, "-c", "\n".join(lines)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, **options)


def print_and_exit():
    print("from Python")
    os.write(1, b"on stdout ")
    ctypes.CDLL(None).puts(b"from C")
    ctypes.CDLL(None).fflush(None)
    os.write(2, b"on stderr ")
    os._exit(3)


def say_from_threads(n_threads, n_messages):
    def tell(thread):
        for number in range(n_messages):
            say((thread, number))

    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(tell, range(n_threads)))
    return "said"


def say_and_return(content):
    say(content)
    return content


def say_without_end():
    while True:
        say("more")


def threads():
    return os.environ["OMP_NUM_THREADS"], [
        library["num_threads"] for library in threadpool_info()
    ]


def allocate(n_bytes):
    return len(bytearray(n_bytes))


class UnloadableError(Exception):
    """It is pickled, but not made again from that."""

    def __init__(self, first, second):
        super().__init__(f"{first} {second}")


def raise_unloadable():
    raise UnloadableError(1, 2)


def make_unpicklable():
    return lambda: None


def raise_unpicklable():
    error = ValueError("with a lock in it")
    error.lock = threading.Lock()
    raise error


def test_results_and_exceptions_come_back(crew):
    assert crew.submit(divmod, 7, 2).result() == (3, 1)
    assert crew.submit(int, "11", base=2).result() == 3
    children = [child.pid for child in multiprocessing.active_children()]
    assert crew.submit(os.getpid).result() in children
    with pytest.raises(ValueError, match="invalid literal for int") as caught:
        crew.submit(int, "no").result()
    assert "Traceback" in caught.value.__notes__[0]


def test_map_keeps_the_order(crew):
    assert list(crew.map(abs, range(-20, 0))) == list(range(20, 0, -1))


@pytest.mark.parametrize(
    ("function", "argument", "message"),
    [
        (os._exit, 3, "its process ended with status 3"),
        (os._exit, 0, "its process ended with status 0"),
        (sys.exit, 4, "its process ended with status 4"),
        (
            signal.raise_signal,
            signal.SIGKILL,
            r"its process was killed \(SIGKILL\), possibly for lack of memory",
        ),
        (signal.raise_signal, signal.SIGSEGV, "its process was ended by SIGSEGV"),
        (signal.raise_signal, signal.SIGTERM, "its process was ended by SIGTERM"),
        (signal.raise_signal, 35, "its process was ended by .*35"),
    ],
)
def test_a_call_that_loses_its_process_fails_alone(crew, function, argument, message):
    with pytest.raises(WorkerError, match=message) as caught:
        crew.submit(function, argument).result()
    assert "\n" not in str(caught.value)
    assert crew.submit(abs, -1).result() == 1


def test_a_segfault_leaves_its_python_traceback(crew):
    with pytest.raises(WorkerError) as caught:
        crew.submit(signal.raise_signal, signal.SIGSEGV).result()
    assert "Segmentation fault" in caught.value.__notes__[0]


def test_the_call_of_another_process_is_not_disturbed(crew, meeting):
    slow = crew.submit(hold, meeting.getsockname())
    with begun(meeting) as (_, line):
        for _ in range(3):
            with pytest.raises(WorkerError):
                crew.submit(os._exit, 1).result()
        assert not slow.done()
        line.sendall(b"slow")
        assert slow.result(LONG) == "slow"


def test_a_process_lost_between_calls_costs_none_of_them():
    with Crew(1) as crew:
        pid = crew.submit(os.getpid).result()
        os.kill(pid, signal.SIGKILL)
        assert gone([pid])
        assert crew.submit(abs, -1).result() == 1


def test_a_call_that_takes_too_long_is_ended():
    with Crew(2, limits=Limits(seconds=1.5)) as crew:
        late, quick = crew.submit(time.sleep, 2 * LONG), crew.submit(abs, -1)
        with pytest.raises(WorkerError, match=r"^took longer than 1.5 s$"):
            late.result(timeout=LONG)
        assert quick.result() == 1
        assert crew.submit(abs, -2).result() == 2


@pytest.mark.slow  # waits for a limit
def test_a_call_that_talks_without_end_is_ended_all_the_same():
    with (
        Crew(1, limits=Limits(seconds=0.5), listener=lambda _: None) as crew,
        pytest.raises(WorkerError, match="took longer than"),
    ):
        crew.submit(say_without_end).result(LONG)


def test_what_a_lost_process_printed_is_noted(crew):
    with pytest.raises(WorkerError) as caught:
        crew.submit(print_and_exit).result()
    (note,) = caught.value.__notes__
    assert {"from Python", "on stdout", "from C", "on stderr"} <= {
        line.strip() for line in note.replace("stdout ", "stdout\n").splitlines()
    }


def test_python_prints_are_noted_however_python_buffers(monkeypatch):
    code = """
if __name__ == "__main__":
    crew = Crew(1)
    both = "print('from Python'); import os; os._exit(3)"
    try:
        crew.submit(exec, both).result()
    except Exception as error:
        print(getattr(error, "__notes__", None))
    crew.shutdown()
"""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    with script(code) as process:
        assert "from Python" in process.communicate(timeout=LONG)[0]


def test_only_the_end_of_much_print_is_noted(crew):
    with pytest.raises(WorkerError) as caught:
        crew.submit(
            exec, "import os; os.write(1, bytes(range(65, 75)) * 100_000); os._exit(1)"
        ).result()
    (note,) = caught.value.__notes__
    assert len(note) == 1 << 16
    assert note.endswith("ABCDEFGHIJ")


def test_what_one_call_printed_is_not_put_down_to_the_next():
    with Crew(1) as crew:
        crew.submit(os.write, 2, b"innocent").result()
        with pytest.raises(WorkerError) as caught:
            crew.submit(os._exit, 1).result()
    assert not hasattr(caught.value, "__notes__")


def test_nothing_that_is_printed_reaches_the_terminal():
    code = """
if __name__ == "__main__":
    with Crew(1) as crew:
        crew.submit(print, "Python").result()
        crew.submit(os.write, 1, b"C").result()
        crew.submit(os.write, 2, b"C").result()
        crew.submit(signal.raise_signal, 11).exception()
"""
    with script(code, stderr=subprocess.PIPE) as process:
        assert process.communicate(timeout=LONG) == ("", "")


def test_what_is_said_reaches_the_listener_from_several_threads():
    heard = []
    with Crew(1, listener=heard.append) as crew:
        assert crew.submit(say_from_threads, 4, 25).result() == "said"
    assert sorted(heard) == [(i, number) for i in range(4) for number in range(25)]


def test_without_a_listener_or_a_crew_one_may_talk(crew):
    assert crew.submit(say_and_return, "x").result() == "x"
    say("to nobody")


def test_a_listener_that_fails_mixes_no_answers_up():
    def listen(content):
        raise ValueError("deaf")

    with Crew(1, listener=listen) as crew:
        first = crew.submit(say_and_return, "first")
        second = crew.submit(str, "second")
        first.exception()  # whatever becomes of it
        assert second.result() == "second"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits data")
def test_an_allocation_beyond_the_memory_is_a_memory_error():
    with Crew(1, limits=Limits(memory=1 << 30)) as crew:
        with pytest.raises(MemoryError):
            crew.submit(allocate, 2 << 30).result()
        assert crew.submit(allocate, 1 << 20).result() == 1 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits data")
def test_more_memory_than_there_can_be_is_no_limit():
    with Crew(1, limits=Limits(memory=10**24)) as crew:
        assert crew.submit(abs, -1).result() == 1


@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_threads_of_a_process_are_capped(n_threads):
    with Crew(1, limits=Limits(threads=n_threads)) as crew:
        variable, libraries = crew.submit(threads).result()
    assert variable == str(n_threads)
    assert libraries
    assert max(libraries) <= n_threads


def test_ctrl_c_is_left_to_the_parent(crew, meeting):
    call = crew.submit(hold, meeting.getsockname())
    with begun(meeting) as (pid, line):
        os.kill(pid, signal.SIGINT)
        line.sendall(b"undisturbed")
        assert call.result(LONG) == "undisturbed"


def test_kill_ends_running_calls_at_once_and_lets_none_begin(meeting):
    with Crew(2) as crew:
        calls = [crew.submit(hold, meeting.getsockname()) for _ in range(4)]
        with begun(meeting) as (first, _), begun(meeting) as (second, _):
            crew.kill()
            for call in calls:
                with pytest.raises(WorkerError, match="stopped before it was finished"):
                    call.result(timeout=LONG)
            with pytest.raises(WorkerError, match="stopped before it was finished"):
                crew.submit(abs, -1).result(timeout=LONG)
            assert gone([first, second])


def test_shutdown_waits_and_leaves_no_process(meeting):
    with Crew(2) as crew:
        calls = [crew.submit(str, number) for number in range(4)]
        last = crew.submit(hold, meeting.getsockname())
        with begun(meeting) as (pid, line):
            line.sendall(b"last")
    assert [call.result() for call in (*calls, last)] == ["0", "1", "2", "3", "last"]
    assert gone([pid], 0)
    crew.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        crew.submit(abs, -1)


def test_calls_that_wait_can_be_cancelled(meeting):
    crew = Crew(1)
    running = crew.submit(hold, meeting.getsockname())
    waiting = crew.submit(abs, -1)
    with begun(meeting) as (_, line):
        crew.shutdown(wait=False, cancel_futures=True)
        line.sendall(b"done")
    crew.shutdown()
    assert running.result() == "done"
    with pytest.raises(CancelledError):
        waiting.result()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_lost_processes_leave_no_files_open(crew):
    def lose():
        for _ in range(5):
            crew.submit(os._exit, 1).exception()
        return len(list(Path("/proc/self/fd").iterdir()))

    assert lose() >= lose()


def test_lost_processes_leave_no_temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    lose = "import os, tempfile; tempfile.mkdtemp(prefix='left-'); os._exit(1)"
    keep = "import tempfile; tempfile.mkdtemp(prefix='kept-')"
    with Crew(1) as crew:
        assert crew.submit(exec, lose).exception() is not None
        crew.submit(exec, keep).result()
        assert not list(tmp_path.rglob("left-*"))
        assert len(list(tmp_path.rglob("kept-*"))) == 1  # it would be found
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def short_folder():
    """A folder for temporary files, whose name is short enough for sockets in it."""
    with tempfile.TemporaryDirectory(prefix="c") as folder:
        yield Path(folder)


@pytest.fixture
def killed_parent(short_folder):
    """The processes of a crew that were busy when their parent was killed."""
    code = """
if __name__ == "__main__":
    begun = queue.SimpleQueue()
    crew = Crew(2, listener=begun.put)
    begin = "import os, time; from specnmf.batch.worker import say; say(os.getpid())"
    ends = "time.sleep(600)", "\\nwhile True: pass"
    calls = [crew.submit(exec, f"{begin}; {end}") for end in ends]
    print([begun.get(), begun.get()], flush=True)
    calls[0].result()
"""
    with script(code, env={**os.environ, "TMPDIR": str(short_folder)}) as parent:
        pids = json.loads(parent.stdout.readline())
        assert all(map(is_alive, pids))
        parent.kill()
    return pids


def test_processes_end_with_their_parent_and_leave_nothing(killed_parent, short_folder):
    assert gone(killed_parent)
    assert list(short_folder.iterdir()) == []


def test_a_crew_that_is_forgotten_does_not_hold_up_the_end_of_python():
    code = """
if __name__ == "__main__":
    crew = Crew(1)
    print(crew.submit(os.getpid).result(), flush=True)
"""
    with script(code) as process:
        try:
            out, _ = process.communicate(timeout=LONG)
        finally:
            process.kill()
    assert gone([int(out)])


@pytest.mark.parametrize(
    "function", [make_unpicklable, raise_unpicklable, raise_unloadable]
)
def test_what_cannot_be_sent_fails_alone_and_soon(crew, function):
    assert crew.submit(function).exception(timeout=LONG) is not None
    assert crew.submit(abs, -1).result(timeout=LONG) == 1


def test_an_argument_that_cannot_be_sent_fails_alone(crew):
    with pytest.raises(TypeError, match="cannot pickle"):
        crew.submit(str, threading.Lock()).result(timeout=LONG)
    assert crew.submit(abs, -1).result(timeout=LONG) == 1


@pytest.mark.parametrize("moment", ["True", "multiprocessing.active_children()"])
def test_ctrl_c_while_the_processes_start_loses_no_call(moment):
    code = f"""
if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: None)
    with Crew(1) as crew:
        call = crew.submit(abs, -1)
        while not {moment}:
            time.sleep(0.001)
        print("begun", flush=True)
        print(call.result(), flush=True)
"""
    with script(code, stderr=subprocess.PIPE, start_new_session=True) as parent:
        assert parent.stdout.readline() == "begun\n"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGINT)
        assert parent.communicate(timeout=LONG) == ("1\n", "")
