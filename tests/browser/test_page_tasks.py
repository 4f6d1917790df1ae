"""The pages that the tasks leave: each opens, plays and shows what its run has."""

import made_stems
import numpy as np
import pytest
import soundfile
from browsing import rendered
from runs import label, layers, separate

from specnmf import Note, Score, ScoreSettings, Settings
from specnmf.score import midi
from specnmf.tasks.label import LabelSettings
from specnmf.tasks.layers import LayerSettings
from specnmf.tasks.registry import TASKS
from specnmf.tasks.run import run
from specnmf.tasks.transcribe import TranscribeSettings

QUICK = {"max_iter": 4, "figures": False}

#: Two parts, each with a note that the other has not.
NOTES = tuple(
    Note(0.2 + 0.7 * k, 0.6, pitch, 90, part)
    for part, line in (("low", (50, 53, 50, 53)), ("high", (77, 74, 77, 74)))
    for k, pitch in enumerate(line)
)

LABELS = "0.2\t1.5\tlow\n0.2\t3.0\thigh\n0\t0.2\trest\n"


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    path = tmp_path_factory.mktemp("song") / "duet.wav"
    y = sum(
        made_stems.tone(note.pitch, note.start, note.start + note.duration, duration=3)
        for note in NOTES
    )
    soundfile.write(path, y.T, made_stems.SR, subtype="PCM_16")
    path.with_suffix(".txt").write_text(LABELS)
    midi.write_midi(path.with_suffix(".mid"), Score(NOTES))
    return path


def run_of(task, song, output):
    """The run folder of a task."""
    if task == "separate":
        made = separate(
            song, song.with_suffix(".mid"), ScoreSettings(**QUICK), output=output
        )
    elif task == "label":
        settings = LabelSettings(**QUICK, n_components=2, n_rest=1)
        made = label(song, song.with_suffix(".txt"), settings, output=output)
    elif task == "layers":
        made = layers(song, LayerSettings(**QUICK, ranks=(6, 3)), output=output)
    elif task == "transcribe":
        settings = TranscribeSettings(transcriber="builtin", figures=False)
        made = run(TASKS[task], song, settings, output=output)
    else:
        settings = Settings(**QUICK, n_components=3)
        made = run(TASKS["decompose"], song, settings, output=output)
    return made.folder


@pytest.fixture(
    scope="module", params=["separate", "decompose", "label", "layers", "transcribe"]
)
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
        page.wait_for_function(
            f"specnmf.player.group === {number} && specnmf.player.ready"
        )
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
    assert found == {("low", 50), ("low", 53), ("high", 77), ("high", 74)}


def test_regions_of_a_label_run_are_in_its_page(visit, song, tmp_path):
    page = visit(run_of("label", song, tmp_path) / "report.html").page
    regions = page.evaluate("specnmf.contents.regions")
    assert {each["name"] for each in regions} == {"low", "high", "rest"}
