"""A task of one's own: it takes no line of the package to be a command."""

import json
import tomllib

import numpy as np
import pytest
import soundfile

import specnmf
from specnmf import BatchSettings, run_batch
from specnmf.tasks.registry import TASKS


@pytest.fixture
def gain():
    """The toy task, in the registry for the time of a test."""
    import toy_task

    import specnmf.cli.batch  # noqa: F401  # as it was before the task was there

    TASKS["gain"] = toy_task.Gain()
    yield TASKS["gain"]
    del TASKS["gain"]


@pytest.fixture
def song(tmp_path):
    y = np.random.default_rng(0).uniform(-0.5, 0.5, 4000)
    (tmp_path / "songs").mkdir()
    soundfile.write(tmp_path / "songs" / "song.wav", y, 8000, "PCM_16")
    return "songs/song.wav"


def test_a_task_is_a_command_with_its_options(gain, run):
    _, out, _ = run("--help")
    assert "  gain " in out
    status, out, _ = run("gain", "--help")
    assert status == 0
    assert "What to do:\n  --share FLOAT" in out
    assert "[default: 0.25]" in out
    assert out.endswith("Example: specnmf gain song.wav --share 0.5\n")
    status, _, err = run("gain", "song.wav", "--share", "2")
    assert status == 2
    assert "share must lie between 0 and 1, got 2.0" in err


def test_its_run_adds_up_and_is_made_again(gain, run, song):
    status, out, err = run("gain", song, "--share", "0.5", "--no-figures")
    assert (status, out, err) == (0, "specnmf_out/song\n  share 0.5\n", "")
    share, rest = (
        specnmf.read(f"specnmf_out/song/sources/{name}.wav").samples
        for name in ("share", "rest")
    )
    np.testing.assert_allclose(share, rest, atol=1 / 32768)
    np.testing.assert_array_equal(share + rest, specnmf.read(song).samples)
    status, out, _ = run("rerun", "specnmf_out/song")
    assert status == 0
    assert "factors identical to specnmf_out/song" in out


def test_its_settings_are_shown_and_configured(gain, run, song, tmp_path):
    (tmp_path / "my.toml").write_text("[gain]\nshare = 0.75\nfigures = false\n")
    _, out, _ = run("config", "show", "gain", "--config", "my.toml")
    assert tomllib.loads(out)["gain"]["share"] == 0.75
    _, out, _ = run("gain", song, "--config", "my.toml", "--json")
    assert json.loads(out)["runs"][0]["settings"]["share"] == 0.75


@pytest.mark.slow  # whole batches
def test_it_runs_in_a_batch_and_resumes(gain, run, song, tmp_path):
    assert run("batch", "songs", "--task", "gain", "--dry-run")[0] == 0
    options = ("batch", "songs", "--task", "gain", "--share", "0.5", "--no-figures")
    _, out, _ = run(*options, "--dry-run")
    assert out == "new     song.wav -> song: gain\n1 song\n"
    settings = [type(TASKS["gain"].settings())(share=0.5, figures=False)]
    summary = run_batch("songs", task="gain", settings=settings)
    assert (summary.done, summary.failed) == (1, 0)
    report = json.loads((tmp_path / "specnmf_out/song/run.json").read_text())
    assert (report["kind"], report["settings"]["share"]) == ("gain", 0.5)
    again = BatchSettings(resume=True)
    assert run_batch("songs", task="gain", settings=settings, batch=again).skipped == 1
    settings[0] = type(settings[0])(share=0.25, figures=False)
    assert run_batch("songs", task="gain", settings=settings, batch=again).done == 1
