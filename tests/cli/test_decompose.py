"""The command line, as its user meets it."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile
from conftest import ROOT

import specnmf
from specnmf.cli import cli

#: The names of all commands.
COMMANDS = cli.list_commands(click.Context(cli))

CHOPIN = ROOT / "audio_examples" / "chopin_op28_4" / "chopin_op28_4.flac"
QUICK = ("-k", "2", "--max-iter", "3", "--no-figures")


@pytest.fixture
def song(tmp_path):
    t = np.arange(8000) / 8000
    y = 0.3 * np.sin(2 * np.pi * 440 * t) + 0.2 * (t > 0.5) * np.sin(4000 * t)
    soundfile.write(tmp_path / "song.wav", y, 8000, "PCM_16")
    return tmp_path / "song.wav"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_decompose_says_where_and_what(run, song):
    status, out, err = run("decompose", "song.wav", *QUICK)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "specnmf_out/song"
    assert lines[1].split()[:2] == ["component_01", "A4"]
    assert len(lines) == 3


def test_many_components_are_listed_in_part(run, song):
    options = (*QUICK[2:], "--hop-length", "256")
    _, out, _ = run("decompose", "song.wav", "-k", "16", *options)
    assert len(out.splitlines()) == 17
    _, out, _ = run("decompose", "song.wav", "-k", "17", *options, "-o", "b")
    assert out.splitlines()[-1] == "  and 1 more in run.json"


def test_auto_says_what_was_chosen_and_shows_why(run, song):
    status, out, _ = run("decompose", "song.wav", "-k", "auto", *QUICK[2:4])
    assert status == 0
    report = json.loads(Path("specnmf_out/song/run.json").read_text())
    choice = report["rank_choice"]
    assert out.splitlines()[1] == f"  {choice['chosen']} components by cross-validation"
    assert len(report["components"]) == choice["chosen"]
    assert report["settings"]["n_components"] == choice["chosen"]
    assert choice["chosen"] in choice["ranks"]
    assert len(choice["ranks"]) == len(choice["held_out_db"])
    assert len(choice["ranks"]) == len(choice["standard_errors_db"])
    assert Path("specnmf_out/song/figures/rank.png").is_file()


def test_a_number_that_is_given_is_not_questioned(run, song):
    _, out, _ = run("decompose", "song.wav", *QUICK, "--json")
    assert json.loads(out)["runs"][0]["rank_choice"] is None


def test_auto_counts_templates_that_are_given(run, song):
    run("decompose", "song.wav", *QUICK)
    factors = "specnmf_out/song/factors.npz"
    options = ("--templates", factors, "-k", "auto", *QUICK[2:], "-o", "b", "--json")
    status, out, _ = run("decompose", "song.wav", *options)
    assert status == 0
    report = json.loads(out)["runs"][0]
    chosen = report["rank_choice"]["chosen"]
    assert len(report["components"]) == max(2, chosen)


def test_json_is_one_object_on_stdout(run, song):
    status, out, _ = run("decompose", "song.wav", "none.wav", *QUICK, "--json")
    content = json.loads(out)
    assert status == 1
    assert content["runs"][0]["output"] == "specnmf_out/song"
    assert content["runs"][0]["iterations"] == 3
    assert content["failures"] == [
        {"input": "none.wav", "error": "none.wav: no such file"}
    ]


def test_quiet_says_nothing(run, song):
    soundfile.write("rest.wav", np.zeros(8000), 8000)
    assert run("decompose", "rest.wav", *QUICK, "-q") == (0, "", "")
    status, out, err = run("decompose", "rest.wav", *QUICK, "-q")
    assert (status, out) == (1, "")
    assert err.startswith("error: rest.wav: specnmf_out/rest holds a finished run")


def test_verbose_says_how_long_stages_took(run, song):
    _, _, err = run("decompose", "song.wav", *QUICK, "-v")
    assert {line.split()[0] for line in err.splitlines()} == {
        "read", "transform", "factorise", "pitches", "sources", "piano", "report"
    }  # fmt: skip


@pytest.mark.slow  # processes of their own
def test_of_a_damaged_mp3_nothing_is_said_but_our_warning(tmp_path, rng):
    path = tmp_path / "song.mp3"
    soundfile.write(path, 0.1 * rng.standard_normal(44100), 44100)
    data = bytearray(path.read_bytes())
    data[5000:5700] = bytes(700)
    path.write_bytes(data)
    command = [sys.executable, "-m", "specnmf", "decompose", "song.mp3", *QUICK]
    for quiet in [], ["-q", "--overwrite"]:
        done = subprocess.run(
            [*command, *quiet], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0
        lines = done.stderr.splitlines()
        assert all(line.startswith("warning: song.mp3: ") for line in lines)
        assert any("damaged: " in line for line in lines) == (not quiet)
    assert lines == []


def test_bad_inputs_get_a_line_each_and_the_others_are_done(run, song, tmp_path):
    y = soundfile.read(song)[0]
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("la la la")
    (tmp_path / "cut.wav").write_bytes(song.read_bytes()[:999])
    (tmp_path / "other").mkdir()
    soundfile.write(tmp_path / "other" / "song.wav", y, 8000)
    soundfile.write(tmp_path / "nan.wav", np.append(y, np.nan), 8000, "FLOAT")
    soundfile.write(tmp_path / "one.wav", y[:1], 8000)
    soundfile.write(tmp_path / "rest.wav", 0 * y, 8000)
    soundfile.write(tmp_path / "offset.wav", 0 * y + 0.5, 8000)
    soundfile.write(tmp_path / "new\nline.wav", y, 8000)
    songs = (
        "song.wav", "empty.wav", "text.wav", "cut.wav", "none.wav", "other",
        "other/song.wav", "nan.wav", "one.wav", "rest.wav", "offset.wav",
        "new\nline.wav",
    )  # fmt: skip
    status, _, err = run("decompose", *songs, *QUICK)
    assert status == 1
    expected = [
        "error: empty.wav: empty, expected an audio file",
        "error: text.wav: not an audio file that libsndfile reads",
        "error: cut.wav: at most 1 components fit",
        "error: none.wav: no such file",
        "error: other: a folder, expected an audio file",
        "error: other/song.wav: its run would be specnmf_out/song, like that of song",
        "error: nan.wav: holds NaN or infinite samples (1, the first at 1.000 s)",
        "error: one.wav: at most 1 components fit",
        "warning: rest.wav: silent",
        "warning: offset.wav: constant",
    ]
    lines = err.splitlines()
    assert len(lines) == len(expected)
    for line, beginning in zip(lines, expected, strict=True):
        assert line.startswith(beginning)
    assert names(tmp_path / "specnmf_out") == ["new\nline", "offset", "rest", "song"]


def test_a_finished_run_is_refused_unless_overwrite(run, song):
    assert run("decompose", "song.wav", *QUICK)[0] == 0
    status, _, err = run("decompose", "song.wav", *QUICK)
    assert status == 1
    assert "specnmf_out/song holds a finished run; use --overwrite" in err
    assert run("decompose", "song.wav", *QUICK, "--overwrite")[0] == 0


def test_what_a_killed_run_left_is_removed_by_the_next(run, song, tmp_path):
    left = tmp_path / "specnmf_out" / ".specnmf-0123456789ab"
    left.mkdir(parents=True)
    (left / "factors.npz").touch()
    assert run("decompose", song, "--no-figures", "--no-sources")[0] == 0
    assert not left.exists()


def test_an_output_that_cannot_be_is_named(run, song):
    song.with_name("file").write_text("")
    status, _, err = run("decompose", "song.wav", *QUICK, "-o", "file")
    assert status == 1
    assert err == "error: song.wav: file: expected a folder for runs, got a file\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-k", "0"), "n_components must be at least 1, got 0"),
        (("-k", "two"), "expected a whole number or auto, got 'two'"),
        (("-k", "2.5"), "expected a whole number or auto, got '2.5'"),
        (
            ("--beta", "cosine"),
            "beta must be euclidean, kl, is or a number, got 'cosine'",
        ),
        (("--solver", "hals"), "solver hals minimises only beta 2 (euclidean)"),
        (("--hop-length", "4096"), "hop_length must not exceed n_fft (2048), got 4096"),
        (("--n-fft", "999"), "n_fft must be even"),
        (("--max-iter", "0"), "max_iter must be at least 1"),
        (("--tol", "nan"), "tol must be at least 0, got nan"),
        (("--memory", "2X"), "a size must be like 2G, 512M or bytes, got '2X'"),
        (("--start", "-1"), "start must lie between 0"),
        (("--duration", "0"), "duration must be above 0"),
        (("--mask-power", "0"), "mask_power must be above 0"),
        (("--format", "aac"), "'aac' is not one of"),
        (("--subtype", "pcm_12"), "subtype of wav must be one of PCM_24"),
        (("--seed", "-1"), "seed must be at least 0"),
        (("--threads", "0"), "threads must be at least 1"),
        (("--figure-format", "gif"), "'gif' is not one of"),
        (("--frobnicate",), "No such option"),
        (("--config", "none.toml"), "none.toml: No such file"),
    ],
)
def test_wrong_usage_is_status_two_and_says_why(run, song, options, message):
    status, out, err = run("decompose", "song.wav", *options)
    assert (status, out) == (2, "")
    assert message in err
    assert names(song.parent) == ["song.wav"]


def test_no_song_and_no_command_are_wrong_usage(run):
    assert run("decompose")[0] == 2
    assert run("compose")[0] == 2


def test_a_config_gives_defaults_that_the_command_line_overrides(run, song):
    song.with_name("my.toml").write_text(
        'components = 3\nmax-iter = 4\nbeta = "is"\nno-figures = true\ntol = 0\n'
    )
    _, out, _ = run("decompose", "song.wav", "--config", "my.toml", "--json", "-k", "2")
    settings = json.loads(out)["runs"][0]["settings"]
    assert settings["n_components"] == 2
    assert settings["max_iter"] == 4
    assert settings["beta"] == 0
    assert settings["figures"] is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_itr = 3", "unknown key 'max_itr'; did you mean 'max-iter'?"),
        ("xyzzy = 3", "unknown key 'xyzzy'"),
        ("components = 'x'", "expected a whole number or auto, got 'x'"),
        ("components = 2.5", "expected a whole number or auto, got '2.5'"),
        ("components =", "not valid TOML"),
        ("[" * 9999, "not valid TOML"),
    ],
)
def test_a_wrong_config_is_wrong_usage(run, song, text, message):
    song.with_name("my.toml").write_text(text)
    status, _, err = run("decompose", "song.wav", "--config", "my.toml")
    assert status == 2
    assert message in err


def test_every_command_has_help_that_ends_with_an_example(run):
    for args in ((), *((name,) for name in COMMANDS)):
        for flag in ("-h", "--help"):
            status, out, err = run(*args, flag)
            assert (status, err) == (0, "")
            assert out.splitlines()[-1].strip().startswith("Example: specnmf ")


def test_every_option_has_help():
    context = click.Context(cli)
    for name in COMMANDS:
        for option in cli.get_command(context, name).params:
            assert isinstance(option, click.Argument) or option.help


def test_the_version_is_the_packages(run):
    assert run("--version")[1] == f"specnmf, version {specnmf.__version__}\n"


def start(*args, cwd, **options):
    """The command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "specnmf", *map(str, args)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.slow  # stops processes
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_nothing(tmp_path, number):
    endless = "--solver", "mu", "--max-iter", "1000000", "--tol", "0"

    def heed():  # the background jobs of a shell ignore Ctrl-C
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    process = start("decompose", CHOPIN, *endless, cwd=tmp_path, preexec_fn=heed)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("specnmf_out/.specnmf-*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow  # whole runs
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    """A limit on the size of files stands in for the disk: writing fails alike."""
    resource = pytest.importorskip("resource")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    process = start("decompose", CHOPIN, *QUICK, cwd=tmp_path, preexec_fn=limit)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "component_01.wav cannot be written" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value", "status"),
    [
        ("--mask-power", "100", 0),
        ("--mask-power", "1e308", 0),
        ("--beta", "1e9", 1),
        ("--beta", "-1e9", 1),
        ("--beta", "1e-308", 0),
        ("--duration", "1e308", 2),
        ("--start", "1e308", 2),
        ("--start", "1e9", 1),
        ("--tol", "1e308", 0),
        ("--seed", "9" * 30, 0),
    ],
)
def test_a_value_at_its_extreme_is_taken_or_refused_in_a_line(
    run, song, option, value, status
):
    found, _, err = run("decompose", "song.wav", *QUICK, f"{option}={value}")
    assert found == status, err
    lines = [line for line in err.splitlines() if not line.startswith(("Usage", "Try"))]
    assert len(list(filter(None, lines))) == (status > 0)


@pytest.mark.parametrize("amplitude", [1e18, 1e30, -1e18])
def test_a_recording_beyond_all_scales_is_refused_in_a_line(run, tmp_path, amplitude):
    y = amplitude * np.sin(np.arange(8000.0))
    soundfile.write(tmp_path / "song.wav", y, 8000, "FLOAT")
    status, _, err = run("decompose", "song.wav", *QUICK)
    assert status == 1
    assert err.startswith("error: song.wav: samples reach 1.0e+")
    assert len(err.splitlines()) == 1


def test_a_recording_that_is_nearly_silent_is_taken_with_a_warning(run, tmp_path):
    y = 1e-30 * np.sin(np.arange(8000.0))
    soundfile.write(tmp_path / "song.wav", y, 8000, "FLOAT")
    status, _, err = run("decompose", "song.wav", *QUICK)
    expected = "warning: song.wav: nearly silent: no sample beyond 1e-30; amplify it"
    assert (status, err) == (0, f"{expected} first\n")


def test_templates_out_of_the_run_that_is_replaced_are_kept(run, song, tmp_path):
    assert run("decompose", "song.wav", *QUICK)[0] == 0
    factors = tmp_path / "specnmf_out" / "song" / "factors.npz"
    content = factors.read_bytes()
    again = ("decompose", "song.wav", *QUICK, "--templates", factors, "--overwrite")
    assert run(*again)[0] == 0
    assert (factors.parent / "kept" / "factors.npz").read_bytes() == content
    assert run("rerun", "specnmf_out/song")[0] == 0


def test_templates_for_several_songs_may_not_lie_in_a_run_of_one(run, song, tmp_path):
    (tmp_path / "b.wav").write_bytes(song.read_bytes())
    assert run("decompose", "song.wav", *QUICK)[0] == 0
    factors = tmp_path / "specnmf_out" / "song" / "factors.npz"
    both = ("decompose", "b.wav", "song.wav", *QUICK, "--templates", factors)
    status, _, err = run(*both, "--overwrite")
    assert status == 2
    assert "factors.npz is an input, and in a run that --overwrite would" in err


def test_of_two_runs_at_once_the_slower_replaces_none(run, song, tmp_path, monkeypatch):
    from specnmf.output import report

    def faster(path, content):
        monkeypatch.undo()
        run("decompose", song, *QUICK, "--seed", "7", "-o", tmp_path / "out")
        report.write_document(path, content)

    monkeypatch.setattr(report, "write_document", faster)
    status, out, err = run("decompose", song, *QUICK, "-o", tmp_path / "out")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.endswith("--output (it appeared during the run)\n")
    assert names(tmp_path / "out") == ["song"]
    assert json.loads((tmp_path / "out/song/run.json").read_text())["seed"] == 7


def test_some_sources_are_written_by_name_number_and_from_a_file(run, song, tmp_path):
    sources = tmp_path / "specnmf_out" / "song" / "sources"
    plain = ("decompose", "song.wav", "-k", "4", *QUICK[2:], "--overwrite")
    assert run(*plain, "--only", "1,*_02", "--only", "4")[0] == 0
    kept = ["component_01.wav", "component_02.wav", "component_04.wav"]
    assert names(sources) == kept
    for text in ('only = ["1", "component_02", 4]', 'only = "1,2,component_04"'):
        (tmp_path / "my.toml").write_text(text)
        assert run(*plain, "--config", "my.toml")[0] == 0
        assert names(sources) == kept
    status, out, err = run(*plain, "--only", "bass")
    assert (status, out) == (1, "")
    assert err == (
        "error: song.wav: only: no source matches 'bass'; the sources are "
        "component_01, component_02, component_03, component_04\n"
    )
    assert names(sources) == kept
    status, _, err = run(*plain, "--only", "1,,2")
    assert status == 2
    assert (
        "expected only as names of sources, such as drums or 1,3, got an empty name"
        in err
    )


@pytest.mark.parametrize("options", [(), ("-q",)])
def test_much_output_is_said_in_a_line_before_it_is_written(
    run, song, monkeypatch, options
):
    monkeypatch.setattr("specnmf.output.forecast.LARGE", 1)
    status, _, err = run("decompose", "song.wav", *QUICK, *options)
    assert status == 0
    said = "song.wav: 2 sources need 40 kB in specnmf_out/song; --format flac takes "
    assert err.startswith(said) != bool(options)
    assert err.count("\n") == int(not options)
    err = run("rerun", "specnmf_out/song", *options)[2]
    assert err.count("--format flac") == int(not options)
