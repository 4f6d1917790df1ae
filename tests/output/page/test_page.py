import json
import re

import numpy as np
import pytest

from specnmf.errors import OutputError
from specnmf.output.page.page import PAGE, write_page, write_run
from specnmf.output.stored import note_arrays


def contents_of(path):
    (text,) = re.findall(
        r'<script type="application/json" id="contents">(.*?)</script>',
        path.read_text("utf-8"),
        re.S,
    )
    return json.loads(text)


def write(made, **options):
    write_page(made.folder, made.report, made.sound, made.notes, **options)
    return made.folder / PAGE


@pytest.mark.parametrize("audio", ["ogg", "mp3"])
def test_the_page_holds_the_sound(made, audio):
    path = write(made, audio=audio)
    page, contents = path.read_text("utf-8"), contents_of(path)
    assert contents["sound"] == {"mode": audio, "why": None}
    for stem in contents["groups"][0]["stems"]:
        assert f'<script type="text/plain" id="{stem["sound"]}">' in page


def test_the_same_run_has_the_same_page_whatever_the_threads(made):
    pages = [write(made, threads=n).read_bytes() for n in (1, 2, 2)]
    assert pages[0] == pages[1] == pages[2]


def test_a_page_that_links_is_small_and_holds_no_sound(made):
    path = write(made, audio="link")
    assert 'id="sound-0"' not in path.read_text("utf-8")
    stems = contents_of(path)["groups"][0]["stems"]
    assert [stem["url"] for stem in stems] == ["sources/bass.wav", "sources/flute.wav"]


def test_names_that_no_encoding_has_are_written(made):
    made.report["inputs"][0]["path"] = "songs/\udcff<b>.wav"
    assert contents_of(write(made, audio="none"))["title"] == "?<b>"


def test_a_page_elsewhere_finds_the_files_of_the_run(made, tmp_path):
    made.write_report()
    np.savez(made.folder / "model.npz", **note_arrays(made.notes))
    (tmp_path / "pages").mkdir()
    path = tmp_path / "pages" / "a.html"
    write_run(path, made.folder, audio="link")
    for stem in contents_of(path)["groups"][0]["stems"]:
        assert (path.parent / stem["url"]).is_file()


def test_a_page_that_cannot_be_written_is_an_error_of_one_line(made, tmp_path):
    made.write_report()
    np.savez(made.folder / "model.npz", **note_arrays(made.notes))
    with pytest.raises(OutputError, match="cannot be written: No such file"):
        write_run(tmp_path / "none" / "a.html", made.folder)
