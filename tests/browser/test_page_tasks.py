"""The pages that the tasks leave: each opens, plays and shows what its run has."""

from functools import cache

import numpy as np
import pytest
import soundfile
from browsing import rendered
from small_runs import KINDS, LINES, run_of, write_song

pytestmark = pytest.mark.slow  # a browser, many runs


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    return write_song(tmp_path_factory.mktemp("song"))


@pytest.fixture(scope="module")
def folders(song, tmp_path_factory):
    """The run folder of each kind, made when first asked for."""

    @cache
    def of(kind):
        return run_of(kind, song, tmp_path_factory.mktemp("out"))

    return of


@pytest.mark.parametrize("task", KINDS)
def test_the_page_of_each_task_sounds_as_the_recording_and_lists_its_files(
    visit, folders, song, task
):
    page = visit(folders(task) / "report.html").page
    contents = page.evaluate("specnmf.contents")
    assert contents["kind"] == task
    for each in contents["files"]:
        assert (folders(task) / each["path"]).is_file()
    y, sr = rendered(page, 0, 3)
    recording, rate = soundfile.read(song)
    assert sr == rate
    error = np.sqrt(np.mean((y - recording.T) ** 2) / np.mean(recording**2))
    assert 20 * np.log10(error) < -20


def test_layers_are_heard_one_at_a_time(visit, folders):
    page = visit(folders("layers") / "report.html").page
    groups = page.evaluate("specnmf.contents.groups")
    assert len(groups) >= 2
    loud = []
    for number in range(len(groups)):
        page.evaluate(f"specnmf.player.setGroup({number})")
        y, _ = rendered(page, 0, 3)
        loud.append(np.sqrt(np.mean(y**2)))
        shown = [row.is_visible() for row in page.locator(".stem").all()]
        assert sum(shown) == len(groups[number]["stems"])
    assert np.ptp(loud) < 0.05 * np.mean(loud)


def test_notes_of_a_separation_lie_in_their_stems(visit, folders):
    page = visit(folders("separate") / "report.html").page
    notes = page.evaluate("specnmf.contents.notes")
    names = page.evaluate(
        "specnmf.contents.groups.flatMap(g => g.stems.map(s => s.name))"
    )
    found = {
        (names[stem], pitch)
        for stem, pitch in zip(notes["stem"], notes["pitch"], strict=True)
    }
    assert found == {(part, pitch) for part, line in LINES.items() for pitch in line}


def test_regions_of_a_label_run_are_in_its_page(visit, folders):
    page = visit(folders("label") / "report.html").page
    regions = page.evaluate("specnmf.contents.regions")
    assert {each["name"] for each in regions} == {"low", "high"}
    assert all(0 <= each["start"] < each["end"] <= 3.01 for each in regions)
