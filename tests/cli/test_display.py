"""What people see of a batch."""

import io
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from rich.console import Console
from rich.progress import Progress

from specnmf.batch.finding import Song
from specnmf.batch.work import Outcome, Said
from specnmf.cli.display import Display, batch_display, clock

SONG = Song("live/a.wav", "1:1")


@pytest.fixture
def bars():
    with Progress(console=Console(file=io.StringIO(), width=200)) as bars:
        yield bars


@pytest.fixture
def terminal(monkeypatch):
    """Let stderr be a terminal, or none, that keeps what is written."""

    def terminal(is_one=True):
        written = io.StringIO()
        written.isatty = lambda: is_one
        monkeypatch.setattr(sys, "stderr", written)
        return written

    return terminal


def descriptions(bars):
    return [task.description for task in bars.tasks]


def test_failures_and_warnings_are_lines_on_stderr(capsys):
    display = Display(2, None)
    display.begin(SONG)
    display.said(Said(SONG.name, "read", 0, 1))
    display.end(SONG, Outcome(SONG.name, warnings=("silent", "of\nlines")))
    display.end(SONG, Outcome(SONG.name, error="no audio"))
    display.end(SONG, Outcome(SONG.name, error="/songs/live/a.wav: no such file"))
    assert capsys.readouterr() == (
        "",
        "warning: live/a.wav: silent\n"
        "warning: live/a.wav: of\\nlines\n"
        "error: live/a.wav: no audio\n"
        "error: /songs/live/a.wav: no such file\n",
    )


def test_what_is_said_of_processes_is_said_once(capsys):
    display = Display(2, None)
    for name in ("a.wav", "b.wav"):
        display.end(Song(name, ""), Outcome(name, remarks=("kernels are slow",)))
    assert capsys.readouterr().err == "warning: kernels are slow\n"


def test_when_quiet_only_failures_are_told(capsys):
    display = Display(1, None, quiet=True)
    display.end(SONG, Outcome(SONG.name, warnings=("silent",)))
    display.end(SONG, Outcome(SONG.name, error="no audio"))
    display.stop(now=True)
    assert capsys.readouterr().err == "error: live/a.wav: no audio\n"


def test_when_verbose_songs_that_are_done_are_named(capsys):
    display = Display(2, None, verbose=True)
    display.end(SONG, Outcome(SONG.name, seconds=1.234))
    display.end(SONG, Outcome(SONG.name, kept=True))
    assert capsys.readouterr().err == "   1.23 s  live/a.wav\n"


@pytest.mark.parametrize(
    ("now", "told"),
    [(False, "press Ctrl-C to stop at once"), (True, "use --resume to continue")],
)
def test_a_stop_is_told_in_one_line(capsys, now, told):
    Display(1, None).stop(now=now)
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1


def test_a_song_that_is_begun_has_a_bar_until_its_end(bars):
    display = Display(2, bars)
    assert descriptions(bars) == ["songs"]
    display.begin(SONG)
    assert descriptions(bars) == ["songs", "live/a.wav"]
    display.said(Said(SONG.name, "factorise", 3, 9))
    task = bars.tasks[1]
    assert (task.completed, task.total) == (3, 9)
    assert task.description == "live/a.wav: factorise"
    display.end(SONG, Outcome(SONG.name))
    assert descriptions(bars) == ["songs"]
    assert (bars.tasks[0].completed, bars.tasks[0].total) == (1, 2)


def test_songs_that_are_skipped_move_the_whole_along(bars):
    display = Display(3, bars)
    for _ in range(3):
        display.end(SONG, Outcome(SONG.name, kept=True))
    assert bars.tasks[0].completed == 3


def test_words_that_come_too_late_are_passed_over(bars):
    display = Display(1, bars)
    display.said(Said("unknown", "read", 0, 1))
    display.begin(SONG)
    display.end(SONG, Outcome(SONG.name))
    display.said(Said(SONG.name, "read", 1, 1))
    assert descriptions(bars) == ["songs"]


def test_words_from_other_threads_do_not_disturb(bars):
    display = Display(200, bars)

    def talk(number):
        song = Song(str(number), "")
        display.begin(song)
        for done in range(5):
            display.said(Said(song.name, "read", done, 5))
        display.end(song, Outcome(song.name))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(talk, range(200)))
    assert descriptions(bars) == ["songs"]
    assert bars.tasks[0].completed == 200


@pytest.mark.parametrize("name", ["[red]a.wav", "a\nb.wav", "[/]", "\udcff.wav"])
def test_a_title_is_what_the_name_is_and_one_line(terminal, name):
    written, song = terminal(), Song(name, "")
    with batch_display(1, shown=True) as display:
        display.begin(song)
        display.said(Said(name, "read", 0, 1))
        display.bars.refresh()
        display.end(song, Outcome(name, error="no audio"))
    shown = name.replace("\n", "\\n").replace("\udcff", "\\udcff")
    assert f"{shown}: read" in written.getvalue()


def test_bars_are_for_terminals_and_for_who_wants_them(terminal):
    terminal()
    with batch_display(1, shown=True) as display:
        assert display.bars is not None
    with batch_display(1, shown=False) as display:
        assert display.bars is None
    terminal(is_one=False)
    with batch_display(1, shown=True) as display:
        assert display.bars is None


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0:00:00"),
        (59.6, "0:01:00"),
        (3723.4, "1:02:03"),
        (360_000, "100:00:00"),
    ],
)
def test_a_clock_counts_hours_on(seconds, shown):
    assert clock(seconds) == shown
