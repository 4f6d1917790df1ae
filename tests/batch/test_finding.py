"""Which songs there are."""

import io
import os
import sys
from types import SimpleNamespace

import pytest

from specnmf.batch.batch import Request, make_plan
from specnmf.batch.finding import Song, Sought, find_songs, listed_songs, read_list
from specnmf.batch.settings import BatchSettings
from specnmf.batch.stores.places import open_store
from specnmf.errors import AudioError, ParameterError
from specnmf.tasks.registry import TASKS

#: The scores beside songs, as separate takes them.
SCORES = [Sought(TASKS["separate"].inputs[0])]

LABELS = TASKS["label"].inputs[0]


@pytest.fixture
def put(tmp_path):
    """Make empty files in the folder of songs; yield its store."""

    def put(*names):
        for name in names:
            path = tmp_path / "songs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return open_store(tmp_path / "songs")

    return put


def names(songs):
    return [song.name for song in songs]


def test_recordings_are_found_in_order_whatever_the_case_of_their_suffix(put):
    store = put("c.WAV", "a.flac", "b.Mp3", "notes.txt", "wav", ".hidden.wav", "d.wav~")
    assert names(find_songs(store)) == ["a.flac", "b.Mp3", "c.WAV"]


def test_folders_are_looked_into_only_when_asked(put):
    store = put("a.wav", "live/b.wav", "live/1/c.wav", ".git/d.wav")
    assert names(find_songs(store)) == ["a.wav"]
    assert names(find_songs(store, recursive=True)) == [
        "a.wav",
        "live/b.wav",
        "live/1/c.wav",
    ]


@pytest.mark.parametrize(
    ("include", "exclude", "found"),
    [
        ((), (), ["a.wav", "b.mp3", "live/a.wav", "live/x/a.wav"]),
        (("*.wav",), (), ["a.wav", "live/a.wav", "live/x/a.wav"]),
        (("*.wav", "*.mp3"), (), ["a.wav", "b.mp3", "live/a.wav", "live/x/a.wav"]),
        (("live/*",), (), ["live/a.wav", "live/x/a.wav"]),
        (("live/a*",), (), ["live/a.wav"]),
        ((), ("a.*",), ["b.mp3"]),
        ((), ("live/*",), ["a.wav", "b.mp3"]),
        ((), ("live",), ["a.wav", "b.mp3", "live/a.wav", "live/x/a.wav"]),
        (("*.wav",), ("*/x/*",), ["a.wav", "live/a.wav"]),
        (("*.flac",), (), []),
        (("[ab].*",), ("*",), []),
    ],
)
def test_patterns_choose(put, include, exclude, found):
    store = put("a.wav", "b.mp3", "live/a.wav", "live/x/a.wav")
    songs = find_songs(store, recursive=True, include=include, exclude=exclude)
    assert names(songs) == found


def test_a_song_knows_the_score_beside_it(put):
    store = put("a.wav", "a.mid", "b.wav", "c.mid", "live/a.wav")
    songs = find_songs(store, recursive=True, sought=SCORES)
    assert [song.beside for song in songs] == [(("score", "a.mid"),), (), ()]
    songs = find_songs(store, recursive=True)
    assert [song.beside for song in songs] == [(), (), ()]


def test_of_several_scores_separates_first_choice_is_taken(put):
    store = put("a.wav", "a.csv", "a.xml", "a.musicxml", "b.wav", "b.csv", "b.mid")
    scores = [dict(song.beside)["score"] for song in find_songs(store, sought=SCORES)]
    assert scores == ["a.musicxml", "b.mid"]


def test_files_of_another_folder_lie_as_the_songs_do(put, tmp_path):
    store = put("a.wav", "a.txt", "b.wav", "live/a.wav", "live/b.wav")
    for name in ("a.csv", "a.TXT", "live/b.csv", "b/a.txt"):
        path = tmp_path / "labels" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    sought = [Sought(LABELS, open_store(tmp_path / "labels"))]
    songs = list(find_songs(store, recursive=True, sought=sought))
    own = {"a.wav": "a.TXT", "live/b.wav": "live/b.csv"}
    assert {song.name: dict(song.beside) for song in songs} == {
        song.name: {"labels": str(tmp_path / "labels" / own[song.name])}
        if song.name in own
        else {}
        for song in songs
    }
    assert songs == list(listed_songs(store, names(songs), sought=sought))


def test_a_file_in_another_folder_goes_before_the_one_beside_the_song(put, tmp_path):
    store = put("a.wav", "a.mid", "b.wav", "b.mid")
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "a.csv").touch()
    elsewhere = Sought(SCORES[0].input, open_store(tmp_path / "scores"))
    songs = find_songs(store, sought=[elsewhere, *SCORES])
    assert [song.beside for song in songs] == [
        (("score", str(tmp_path / "scores" / "a.csv")),),
        (("score", "b.mid"),),
    ]


def test_another_folder_may_be_behind_a_url(put):
    fsspec = pytest.importorskip("fsspec")
    store, labels = put("live/a.wav", "b.wav"), open_store("memory://finding/labels/")
    stamps = set()
    for content in (b"1", b"22"):
        labels.write("live/a.txt", content)
        sought = [Sought(LABELS, labels)]
        b, a = find_songs(store, recursive=True, sought=sought)
        assert a.beside == (("labels", "memory://finding/labels/live/a.txt"),)
        assert b.beside == ()
        stamps.add(a.stamps)
    assert len(stamps) == 2
    fsspec.filesystem("memory").store.clear()


def test_a_file_in_another_folder_changes_the_stamps(put, tmp_path):
    store, path = put("a.wav"), tmp_path / "labels" / "a.txt"
    path.parent.mkdir()
    seen = set()
    for content in (None, "1", "22"):
        if content is not None:
            path.write_text(content)
        sought = [Sought(LABELS, open_store(path.parent))]
        seen.add(next(find_songs(store, sought=sought)).stamps)
    os.utime(path, ns=(0, 1))
    seen.add(next(find_songs(store, sought=sought)).stamps)
    assert len(seen) == 4


def test_another_folder_that_cannot_be_read_holds_nothing(put, tmp_path):
    store = put("a.wav", "live/b.wav", "x" * 251 + ".wav")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "live").write_text("in the way")
    (tmp_path / "labels" / "a.txt").symlink_to("a.txt")
    for folder in ("labels", "nowhere"):
        sought = [Sought(LABELS, open_store(tmp_path / folder))]
        songs = find_songs(store, recursive=True, sought=sought)
        assert [song.beside for song in songs] == [(), (), ()]


def test_a_change_of_either_file_changes_the_stamps(put, tmp_path):
    store = put("a.wav", "a.mid")
    seen = {next(find_songs(store, sought=SCORES)).stamps}
    for number, name in enumerate(("a.wav", "a.mid"), 1):
        os.utime(tmp_path / "songs" / name, ns=(0, number))
        seen.add(next(find_songs(store, sought=SCORES)).stamps)
        (tmp_path / "songs" / name).write_text("longer")
        seen.add(next(find_songs(store, sought=SCORES)).stamps)
    assert len(seen) == 5


def test_stamps_are_the_same_however_a_song_is_found(put):
    store = put("live/a.wav", "live/a.mid", "live/b.wav")
    found = list(find_songs(store, recursive=True, sought=SCORES))
    assert found == list(listed_songs(store, names(found), sought=SCORES))


def test_the_runs_target_is_the_song_without_its_suffix():
    targets = [Song(name, "").target for name in ("a.b.wav", "x/y z.wav", "x.d/a")]
    assert targets == ["a.b", "x/y z", "x.d/a"]


def test_runs_are_no_songs(put):
    store = put("a.wav", "run/run.json", "run/factors.npz", "run/sources/b.wav")
    assert names(find_songs(store, recursive=True)) == ["a.wav"]


def test_the_folder_of_runs_is_left_out(put):
    store = put("a.wav", "out/b.wav", "out/deep/c.wav", "outside/d.wav")
    songs = find_songs(store, recursive=True, apart="out")
    assert names(songs) == ["a.wav", "outside/d.wav"]


@pytest.mark.parametrize("output", ["songs/out", "songs/x/../out", "link/out"])
def test_the_folder_of_runs_is_known_however_it_is_called(put, tmp_path, output):
    put("a.wav", "out/b.wav", "x/c.wav")
    (tmp_path / "link").symlink_to("songs")
    request = Request(
        source=str(tmp_path / "songs"),
        output=str(tmp_path / output),
        batch=BatchSettings(recursive=True),
    )
    assert names(make_plan(request).songs) == ["a.wav", "x/c.wav"]


def test_a_loop_of_links_is_walked_once(put, tmp_path):
    store = put("a.wav", "deep/b.wav")
    (tmp_path / "songs" / "deep" / "up").symlink_to(tmp_path / "songs")
    (tmp_path / "songs" / "self.wav").symlink_to("self.wav")
    assert names(find_songs(store, recursive=True)) == ["a.wav", "deep/b.wav"]


@pytest.mark.parametrize(
    "name", ["a b.wav", "a\nb.wav", "'\".wav", "🎻.wav", "-rf.wav", "x" * 251 + ".wav"]
)
def test_names_of_every_kind_are_found(put, name):
    store = put(name)
    assert names(find_songs(store)) == [name]
    assert names(listed_songs(store, [name], sought=SCORES)) == [name]


def test_no_folder_is_told(tmp_path):
    with pytest.raises(AudioError, match="nowhere: no such folder"):
        list(find_songs(open_store(tmp_path / "nowhere")))


def test_a_list_is_taken_in_its_order_each_song_once(put, tmp_path):
    store = put("a.wav", "b.wav", "live/c.wav")
    listed = [
        "b.wav",
        "live/c.wav",
        "./b.wav",
        "live/../b.wav",
        str(tmp_path / "songs" / "a.wav"),
        "live//c.wav",
    ]
    songs = listed_songs(store, listed, sought=SCORES)
    assert names(songs) == ["b.wav", "live/c.wav", "a.wav"]


def test_a_listed_song_need_be_no_recording_nor_be_there(put):
    store = put("odd.name")
    first, second = listed_songs(store, ["odd.name", "gone.wav"], sought=SCORES)
    assert first == Song("odd.name", first.stamps)
    assert second.name == "gone.wav"
    assert "missing" in second.stamps


@pytest.mark.parametrize("name", ["x" * 300 + ".wav", "loop.wav", "a.wav/b.wav"])
def test_a_listed_song_that_cannot_be_there_stops_no_other(put, tmp_path, name):
    store = put("a.wav")
    (tmp_path / "songs" / "loop.wav").symlink_to("loop.wav")
    songs = listed_songs(store, [name, "a.wav"], sought=SCORES)
    assert names(songs) == [name, "a.wav"]


@pytest.mark.parametrize(
    "name",
    ["../a.wav", "x/../../a.wav", "/etc/passwd", "..", ".", "/", "s3://other/a.wav"],
)
def test_a_list_leads_nowhere_else(put, name):
    store = put("a.wav")
    with pytest.raises(ParameterError, match="expected files in .*songs"):
        list(listed_songs(store, [name], sought=SCORES))


def test_a_neighbour_that_begins_alike_is_elsewhere(put, tmp_path):
    store = put("a.wav")
    with pytest.raises(ParameterError, match="expected files in"):
        list(listed_songs(store, [f"{tmp_path}/songs2/a.wav"], sought=SCORES))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"a.wav\nb c.wav\n\n", ["a.wav", "b c.wav"]),
        (b"a.wav\r\nb.wav", ["a.wav", "b.wav"]),
        (b"a\nb.wav\0c.wav\0", ["a\nb.wav", "c.wav"]),
        (b"\xff.wav\n", [os.fsdecode(b"\xff.wav")]),
        ("🎻.wav\n".encode(), ["🎻.wav"]),
    ],
)
def test_a_list_is_read_by_lines_or_nuls(tmp_path, monkeypatch, content, expected):
    path = tmp_path / "list"
    path.write_bytes(content)
    assert list(read_list(str(path))) == expected
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    assert list(read_list("-")) == expected


@pytest.mark.parametrize(
    ("name", "why"), [("none", "No such file"), ("", "Is a directory")]
)
def test_a_list_that_cannot_be_read_is_told(tmp_path, name, why):
    with pytest.raises(ParameterError, match=why):
        list(read_list(str(tmp_path / name)))
