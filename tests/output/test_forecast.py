"""What sources need, said before they are written."""

from collections import namedtuple

import numpy as np
import pytest
import soundfile

from specnmf import Audio, OutputError, ParameterError
from specnmf.output import forecast
from specnmf.output.forecast import Forecast, gigabytes
from specnmf.output.selection import Group
from specnmf.tasks.settings import RunSettings

Usage = namedtuple("Usage", "free")

#: Of two seconds in stereo at 8 kHz, 16 bit; four sources, and their factors.
GROUPS = [Group(("a", "b", "c", "d"))]
FACTORS = 4 * 4 * (1024 + 16_000 // 512)
SIZE = 4 * 64_000 + FACTORS


@pytest.fixture
def told(tmp_path, monkeypatch):
    """What is said of a recording, where so much is large and so much is free."""
    path, said = tmp_path / "song.wav", []
    soundfile.write(path, np.zeros((16_000, 2)), 8000, "PCM_16")

    def told(large=1, free=1 << 40, groups=GROUPS, **settings):
        monkeypatch.setattr(forecast, "LARGE", large)
        monkeypatch.setattr(forecast.shutil, "disk_usage", lambda path: Usage(free))
        sound = Audio(np.zeros((2, 16_000), np.float32), 8000)
        settings = RunSettings(**settings)
        target = tmp_path / "not" / "there"
        expect = Forecast(path, settings, target, said.append, sound)
        expect(groups)
        expect(groups)  # once is enough
        lines = [line.replace(str(tmp_path), "") for line in said]
        said.clear()
        return lines

    return told


def test_what_is_large_is_said_with_what_makes_it_smaller(told):
    size = gigabytes(SIZE)
    assert told() == [
        f"/song.wav: 4 sources need {size} in /not/there; --format flac takes half of "
        "it or less, --only NAME,... writes some of them"
    ]
    assert told(large=SIZE) != []
    assert told(large=SIZE + 1) == []


@pytest.mark.parametrize(
    ("settings", "n_bytes"),
    [
        ({"subtype": "pcm_24"}, 4 * 96_000),
        ({"subtype": "float"}, 4 * 128_000),
        ({"subtype": "double"}, 4 * 256_000),
        ({"only": ("a", "2")}, 2 * 64_000),
        ({"format": "flac"}, 2 * 64_000),
        ({"format": "mp3"}, 4 * 32_000),
    ],
)
def test_the_size_is_that_of_what_is_asked_for(told, settings, n_bytes):
    n_sources = 2 if "only" in settings else 4
    size = gigabytes(n_bytes + n_sources * FACTORS // 4)
    about = "up to " if "format" in settings else ""
    (line,) = told(**settings)
    assert f"{n_sources} sources need {about}{size} in" in line
    assert ("--format flac" in line) == ("format" not in settings)


def test_what_the_disk_cannot_hold_is_refused(told):
    message = (
        r"4 sources need 273 kB, but only 273 kB are free for \S*not/there; "
        r"--format flac takes half of it or less, .* or use another --output"
    )
    with pytest.raises(OutputError, match=message):
        told(free=SIZE - 1)
    told(free=SIZE)
    told(free=SIZE - 1, only=["a"])
    told(free=0, format="flac")  # nobody knows before


def test_without_sources_nothing_is_said(told):
    assert told(sources=False, free=0) == []


def test_a_source_that_there_is_not_is_an_error_before_the_work(told):
    with pytest.raises(
        ParameterError, match="only: no source matches 'x'; the sources are a"
    ):
        told(only=["x"])


def test_sizes_are_as_disks_are_sold():
    sizes = [0, 999_499_999, 10**9, 2_130_000_000]
    assert [*map(gigabytes, sizes)] == ["0 kB", "999 MB", "1.0 GB", "2.1 GB"]
