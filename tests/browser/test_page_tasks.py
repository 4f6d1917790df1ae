"""The pages that the tasks leave: each opens, plays and shows what its run has."""

import numpy as np
import pytest
import soundfile
from browsing import rendered
from small_runs import KINDS, LINES, run_of, write_song


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    return write_song(tmp_path_factory.mktemp("song"))


@pytest.fixture(scope="module", params=KINDS)
def folder(request, song, tmp_path_factory):
    return request.param, run_of(request.param, song, tmp_path_factory.mktemp("out"))


@pytest.fixture
def opened(visit, folder):
    task, place = folder
    return task, visit(place / "report.html").page


def test_the_page_of_each_task_opens_and_sounds(opened):
    task, page = opened
    contents = page.evaluate("specnmf.contents")
    assert contents["kind"] == task
    y, _ = rendered(page, 0.3, 1.0)
    assert np.abs(y).max() > 0.05


def test_the_mix_of_each_page_is_the_recording(opened, song):
    _, page = opened
    y, sr = rendered(page, 0, 3)
    recording, rate = soundfile.read(song)
    assert sr == rate
    error = np.sqrt(np.mean((y - recording.T) ** 2) / np.mean(recording**2))
    assert 20 * np.log10(error) < -20


def test_each_page_lists_the_files_of_its_run(opened, folder):
    _, page = opened
    for each in page.evaluate("specnmf.contents.files"):
        assert (folder[1] / each["path"]).is_file()


def test_layers_are_heard_one_at_a_time(visit, song, tmp_path):
    page = visit(run_of("layers", song, tmp_path) / "report.html").page
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


def test_notes_of_a_separation_lie_in_their_stems(visit, song, tmp_path):
    page = visit(run_of("separate", song, tmp_path) / "report.html").page
    notes = page.evaluate("specnmf.contents.notes")
    names = page.evaluate(
        "specnmf.contents.groups.flatMap(g => g.stems.map(s => s.name))"
    )
    found = {
        (names[stem], pitch)
        for stem, pitch in zip(notes["stem"], notes["pitch"], strict=True)
    }
    assert found == {(part, pitch) for part, line in LINES.items() for pitch in line}


def test_regions_of_a_label_run_are_in_its_page(visit, song, tmp_path):
    page = visit(run_of("label", song, tmp_path) / "report.html").page
    regions = page.evaluate("specnmf.contents.regions")
    assert {each["name"] for each in regions} == {"low", "high"}
    assert all(0 <= each["start"] < each["end"] <= 3.01 for each in regions)
