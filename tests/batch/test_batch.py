"""A batch from its folder of songs to its folder of runs, from Python."""

import json
import os

import numpy as np
import pytest
import soundfile

import specnmf
from specnmf import BatchError, BatchSettings, Settings

QUICK = Settings(n_components=2, max_iter=2, figures=False, sources=False)
ONE = BatchSettings(jobs=1)


@pytest.fixture
def songs(tmp_path, rng):
    folder = tmp_path / "songs"
    folder.mkdir()
    for name in ("a", "b"):
        y = 0.1 * rng.standard_normal(4000)
        soundfile.write(folder / f"{name}.wav", y, 8000)
    return folder


def test_a_folder_is_taken_apart_from_python(songs, tmp_path):
    (songs / "bad.wav").write_bytes(b"no sound")
    runs = tmp_path / "runs"
    summary = specnmf.run_batch(songs, output=runs, settings=[QUICK], batch=ONE)
    assert (summary.songs, summary.done, summary.failed) == (3, 2, 1)
    (failure,) = summary.failures
    assert failure.song == "bad.wav"
    assert "Traceback" in (runs / failure.log).read_text()
    with np.load(runs / "a" / "factors.npz") as factors:
        alone = specnmf.decompose(songs / "a.wav", QUICK, output=tmp_path / "alone")
        with np.load(alone.folder / "factors.npz") as expected:
            assert np.array_equal(factors["W"], expected["W"])


def test_pages_link_to_files_unless_the_batch_says_otherwise(songs, tmp_path):
    heard = Settings(n_components=2, max_iter=2, figures=False, report_audio="ogg")
    for audio, batch in (
        ("link", ONE),
        ("ogg", BatchSettings(jobs=1, report_audio="ogg")),
    ):
        runs = tmp_path / audio
        specnmf.run_batch(songs, output=runs, settings=[heard], batch=batch)
        page = (runs / "a" / "report.html").read_text("utf-8")
        assert ('id="sound-0"' in page) == (audio == "ogg")
        report = json.loads((runs / "a" / "run.json").read_text())
        assert report["settings"]["report_audio"] == audio


def test_songs_may_be_named_and_a_batch_is_not_begun_twice(songs, tmp_path):
    options = {"output": tmp_path / "runs", "settings": [QUICK]}
    summary = specnmf.run_batch(songs, names=["b.wav"], batch=ONE, **options)
    assert (summary.songs, summary.done) == (1, 1)
    with pytest.raises(BatchError, match="holds a batch; use --resume"):
        specnmf.run_batch(songs, batch=ONE, **options)
    again = BatchSettings(jobs=1, resume=True)
    summary = specnmf.run_batch(songs, batch=again, **options)
    assert (summary.done, summary.skipped) == (1, 1)


def test_nothing_is_written_where_two_songs_want_one_folder(songs, tmp_path):
    os.link(songs / "a.wav", songs / "a.aiff")
    with pytest.raises(BatchError, match=r"a\.aiff and a\.wav: both runs would be a"):
        specnmf.run_batch(songs, output=tmp_path / "runs", settings=[QUICK], batch=ONE)
    assert not (tmp_path / "runs").exists()
