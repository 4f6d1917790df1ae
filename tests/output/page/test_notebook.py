"""What a notebook shows of runs, of stems and of recordings."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile

import specnmf
from specnmf.audio.separated import Separated
from specnmf.output.page import notebook
from specnmf.output.page.render import render

SR = 16000
HOSTILE = '"></iframe><script>alert(1)</script><img src=x onerror=alert(1)>'


class Tags(HTMLParser):
    """The elements of some HTML, with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def named(self, name):
        return [attrs for tag, attrs in self.found if tag == name]


def tone(pitch=440, seconds=1.0, channels=1):
    time = np.arange(round(seconds * SR)) / SR
    y = 0.3 * np.sin(2 * np.pi * pitch * time).astype(np.float32)
    return specnmf.Audio(np.tile(y, (channels, 1)), SR)


def contents(page):
    """The JSON in a page."""
    (text,) = re.findall(r'id="contents">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


def framed(html):
    """The page in the one frame that some HTML is."""
    ((tag, attrs),) = Tags(html).found
    assert tag == "iframe"
    return attrs


def test_stems_are_shown_in_a_frame_that_may_run_scripts_and_no_more():
    stems = Separated({"flute": tone(), "oboe": tone(220)})
    attrs = framed(stems._repr_html_())
    assert attrs["sandbox"] == "allow-scripts"
    found = contents(attrs["srcdoc"])
    assert [stem["name"] for stem in found["groups"][0]["stems"]] == ["flute", "oboe"]
    assert found["title"] == "2 stems"


def test_the_sound_in_the_player_is_that_of_the_stems():
    page = framed(Separated({"flute": tone()})._repr_html_())["srcdoc"]
    (data,) = re.findall(r'<script type="text/plain" id="sound-0">(.*?)<', page)
    y, sr = soundfile.read(io.BytesIO(base64.b64decode(data)))
    assert sr == SR
    np.testing.assert_allclose(y, tone().samples[0], atol=0.05)


def test_the_player_shows_the_notes_of_a_separation_by_score():
    notes = specnmf.Score((specnmf.Note(0.1, 0.5, 69, part="flute"),))
    stems = Separated({"oboe": tone(), "flute": tone()}, notes=notes)
    found = contents(framed(stems._repr_html_())["srcdoc"])
    assert found["notes"]["pitch"] == [69]
    assert found["notes"]["stem"] == [1]


def test_separate_by_score_gives_the_player_its_notes():
    note = specnmf.Note(0.1, 0.5, 69, part="flute")
    found = specnmf.separate_by_score(
        tone(), specnmf.Score((note,)), model="fmp", max_iter=2
    )
    assert found.notes == specnmf.Score((note,))


def test_hostile_names_are_text():
    html = Separated({HOSTILE: tone()})._repr_html_()
    page = framed(html)["srcdoc"]
    tags = Tags(page)
    assert not tags.named("img")
    assert len([s for s in tags.named("script") if "type" not in s]) == 1
    assert contents(page)["groups"][0]["stems"][0]["name"] == HOSTILE


@pytest.mark.parametrize("stems", [{}, {"flute": np.zeros(9)}, {"a": tone(), "b": 1}])
def test_what_is_no_sound_is_shown_as_text(stems):
    assert Separated(stems)._repr_html_() is None


def test_stems_of_several_rates_are_shown_together():
    stems = Separated({"a": tone(), "b": specnmf.Audio(np.ones(8000), 8000)})
    found = contents(framed(stems._repr_html_())["srcdoc"])
    assert len(found["groups"][0]["stems"]) == 2
    assert all(stem["sound"] for stem in found["groups"][0]["stems"])


def test_more_sound_than_a_notebook_should_hold_is_told(monkeypatch):
    monkeypatch.setattr(notebook, "MOST_BYTES", 2_520_000)
    html = Separated({"a": tone(seconds=60)})._repr_html_()
    found = contents(framed(html)["srcdoc"])
    assert found["sound"]["mode"] == "none"
    assert "specnmf.write" in found["sound"]["why"]
    assert len(html) < 1_000_000
    monkeypatch.setattr(notebook, "MOST_BYTES", 50_000)
    assert tone(seconds=60)._repr_html_() is None


def test_a_recording_is_shown_as_a_browsers_player():
    ((tag, attrs),) = Tags(tone(channels=2)._repr_html_()).found
    assert tag == "audio"
    kind, data = attrs["src"].split(",")
    assert kind == "data:audio/ogg;base64"
    y, _ = soundfile.read(io.BytesIO(base64.b64decode(data)))
    assert len(y) == SR


@pytest.fixture
def run(tmp_path):
    """A function that makes a run with a page, which has so many more letters."""

    def make(mode="ogg", title="a", more=0, name="song"):
        folder = tmp_path / name
        folder.mkdir()
        stem = {"name": "a", "file": "sources/a.wav"}
        page, _ = render(
            {
                "title": title,
                "sound": {"mode": mode, "why": None},
                "groups": [{"name": "", "stems": [stem]}],
                "files": [{"path": "factors.npz"}],
                "mixes": [{"name": "mix", "file": "mixes/mix.wav"}],
            }
        )
        (folder / notebook.PAGE).write_text(page + "x" * more, "utf-8")
        return specnmf.Run(folder, {"kind": "separate", "stems": [{"label": "a"}]})

    return make


@pytest.mark.parametrize("mode", ["ogg", "mp3", "none"])
def test_a_run_is_shown_as_its_page_without_the_files_beside_it(run, mode):
    made = run(mode)
    attrs = framed(made._repr_html_())
    assert attrs["sandbox"] == "allow-scripts"
    own = contents((made.folder / notebook.PAGE).read_text("utf-8"))
    groups = [{"name": "", "stems": [{"name": "a", "file": None}]}]
    less = {"groups": groups, "files": [], "mixes": []}
    assert contents(attrs["srcdoc"]) == {**own, **less}


@pytest.mark.parametrize("title", [HOSTILE, "</script>", '"sound":{"mode":"link"}'])
def test_a_hostile_title_is_text(run, title):
    page = framed(run(title=title)._repr_html_())["srcdoc"]
    assert contents(page)["title"] == title
    assert not Tags(page).named("img")


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ({"more": notebook.MOST_BYTES}, "has 8 MB, which is too large for a notebook"),
        ({"mode": "link"}, "plays the audio files beside it"),
    ],
)
def test_a_page_that_does_not_fit_is_linked_to(run, monkeypatch, tmp_path, made, why):
    monkeypatch.chdir(tmp_path)
    html = run(**made, name="a & b:c")._repr_html_()
    (link,) = Tags(html).named("a")
    assert link["href"] == "a%20%26%20b%3Ac/report.html"
    assert why in html
    assert len(html) < 1000


def test_a_run_without_a_page_says_so(tmp_path):
    html = specnmf.Run(tmp_path / "<b>", {})._repr_html_()
    assert "no report.html" in html
    assert not Tags(html).named("b")


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"sound": 1}', "[" * 100_000])
def test_a_page_that_was_changed_is_linked_to(tmp_path, text):
    page = f'<script type="application/json" id="contents">{text}</script>'
    (tmp_path / "report.html").write_text(page)
    html = notebook.run_html(tmp_path, {})
    assert "was changed since the run" in html
    assert len(Tags(html).named("a")) == 1
