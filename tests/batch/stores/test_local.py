"""Folders on this machine."""

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specnmf import AudioError, OutputError, ParameterError
from specnmf.batch.stores.local import LocalStore
from specnmf.batch.stores.places import is_folder, local_copy, open_store
from specnmf.batch.stores.store import Entry, check_name, is_url

#: Names that break programs which paste, split or decode them.
AWKWARD = [
    "a space.wav",
    "two\nlines.wav",
    "quotes'\".wav",
    "🎻 Gänge.wav",
    "-rf.wav",
    "100%20#?&*[x].wav",
    "back\\slash.wav",
    "x" * 251 + ".wav",
    os.fsdecode(b"latin \xe9\xff.wav"),
]


def plant(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode(errors="surrogateescape"))
    return open_store(root)


def walked(store, *, recursive=True, **options):
    return [entry.name for entry in store.walk(recursive=recursive, **options)]


def copied(location):
    with local_copy(location) as path:
        return path.read_bytes()


def plain_walk(root):
    return sorted(
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()
    )


# Walking


def test_a_walk_finds_the_files_folder_by_folder(tmp_path):
    store = plant(tmp_path, "b.wav", "a.wav", "c/2.wav", "c/d/1.wav", "c/10.wav", "a/z")
    assert walked(store) == [
        "a.wav",
        "b.wav",
        "a/z",
        "c/10.wav",
        "c/2.wav",
        "c/d/1.wav",
    ]
    assert walked(store, recursive=False) == ["a.wav", "b.wav"]


@given(
    st.sets(
        st.lists(st.text("ab-é\n", min_size=1, max_size=3), min_size=1, max_size=3).map(
            "/".join
        ),
        max_size=12,
    )
)
def test_a_walk_finds_what_pathlib_finds(tmp_path_factory, names):
    root = tmp_path_factory.mktemp("songs")
    for name in sorted(names):
        if not any(other.startswith(f"{name}/") for other in names):
            plant(root, name)
    found = walked(open_store(root))
    assert sorted(found) == plain_walk(root)


def test_entries_tell_when_a_file_has_changed(tmp_path):
    store = plant(tmp_path, "song.wav")
    (before,) = store.walk(recursive=False)
    assert before == store.entry("song.wav")
    assert (before.name, before.size) == ("song.wav", 8)
    assert int(before.stamp) == (tmp_path / "song.wav").stat().st_mtime_ns
    os.utime(tmp_path / "song.wav", ns=(1, 1))
    assert store.entry("song.wav") == Entry("song.wav", 8, "1")


def test_hidden_files_and_finished_runs_are_no_songs(tmp_path):
    store = plant(
        tmp_path,
        ".hidden.wav",
        ".git/x.wav",
        "run/run.json",
        "run/factors.npz",
        "run/sources/component_01.wav",
        "half/run.json",
        "half/song.wav",
    )
    assert walked(store) == ["half/run.json", "half/song.wav"]
    assert walked(open_store(tmp_path / "run"), recursive=False) != []
    assert walked(open_store(tmp_path / ".git")) == ["x.wav"]


def test_links_are_followed_and_their_loops_end(tmp_path):
    plant(tmp_path / "elsewhere", "far.wav", "deep/farther.wav")
    store = plant(tmp_path / "songs", "near.wav", "sub/nearer.wav")
    root = tmp_path / "songs"
    (root / "link.wav").symlink_to(tmp_path / "elsewhere" / "far.wav")
    (root / "other").symlink_to(tmp_path / "elsewhere")
    (root / "again").symlink_to(tmp_path / "elsewhere")
    (root / "sub" / "up").symlink_to(root)
    (root / "sub" / "itself").symlink_to(root / "sub" / "itself")
    (root / "broken.wav").symlink_to("nothing")
    assert walked(store) == [
        "link.wav",
        "near.wav",
        "again/far.wav",
        "again/deep/farther.wav",
        "sub/nearer.wav",
    ]


def test_pipes_are_no_songs(tmp_path):
    store = plant(tmp_path, "song.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    assert walked(store) == ["song.wav"]
    assert store.entry("pipe.wav") is None
    with pytest.raises(OutputError, match="pipe.wav cannot be read: not a file"):
        store.read("pipe.wav", 10)


def test_a_folder_that_cannot_be_read_is_told_and_the_walk_goes_on(
    tmp_path, monkeypatch
):
    store = plant(tmp_path, "a/1.wav", "locked/2.wav", "z/3.wav")
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    told = []
    found = walked(store, unreadable=lambda *what: told.append(what))
    assert found == walked(store) == ["a/1.wav", "z/3.wav"]
    assert told == [("locked", "Permission denied")]
    with pytest.raises(AudioError, match="locked: Permission denied"):
        walked(open_store(tmp_path / "locked"))


def test_a_walk_lists_no_folder_before_its_turn(tmp_path):
    store = plant(tmp_path, "a.wav", "b/c.wav")
    songs = store.walk(recursive=True)
    assert next(songs).name == "a.wav"
    plant(tmp_path, "b/a.wav")
    assert [entry.name for entry in songs] == ["b/a.wav", "b/c.wav"]


# Names


@pytest.mark.parametrize("name", AWKWARD)
def test_any_name_survives(tmp_path, name):
    store = plant(tmp_path, f"folder/{name}")
    assert walked(store) == [f"folder/{name}"]
    assert store.names("folder") == [name]
    with local_copy(store.location(f"folder/{name}")) as path:
        assert path.read_bytes() == store.read(f"folder/{name}", 1000)
    store.write(f"folder/{name}", b"new")
    assert store.read(f"folder/{name}", 3) == b"new"
    assert not store.create(f"folder/{name}", b"newer")
    store.remove(f"folder/{name}")
    assert store.create(f"folder/{name}", b"newest")
    assert store.names("folder") == [name]


@pytest.mark.parametrize("name", ["", "..", "a/../../b", "/etc/passwd", "a//b", "a\0b"])
def test_no_name_leads_out_of_the_store(tmp_path, name):
    store = open_store(tmp_path / "store")
    plant(tmp_path, "b")
    for use in (
        check_name,
        store.entry,
        store.location,
        store.remove,
        lambda name: store.read(name, 10),
        lambda name: store.write(name, b""),
        lambda name: store.create(name, b""),
    ):
        with pytest.raises(ParameterError, match="expected the name of a file in"):
            use(name)
    assert plain_walk(tmp_path) == ["b"]


def test_names_are_those_directly_in_a_folder(tmp_path):
    store = plant(tmp_path, "b", "a", ".c", "d/e")
    assert store.names("") == [".c", "a", "b"]
    assert store.names("d") == ["e"]
    assert store.names("none") == store.names("a") == []


# Reading and writing


def test_what_is_written_is_read(tmp_path):
    store = open_store(tmp_path / "not" / "yet")
    assert store.read("x/y.json", 10) is None
    assert store.entry("x/y.json") is None
    store.write("x/y.json", b"12345")
    assert store.read("x/y.json", 5) == b"12345"
    assert store.entry("x") is None
    assert store.entry("x/y.json/z") is store.read("x/y.json/z", 5) is None
    store.remove("x/y.json/z")
    store.remove("x/y.json")
    store.remove("x/y.json")
    assert store.read("x/y.json", 5) is None


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    store = plant(tmp_path, "large")
    with pytest.raises(OutputError, match="large: expected at most 4 bytes"):
        store.read("large", 4)
    (tmp_path / "endless").symlink_to("/dev/zero")
    with pytest.raises(OutputError, match="not a file"):
        store.read("endless", 4)


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    store = plant(tmp_path, "song")

    def full(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for write in (store.write, store.create):
        for name in ("song", "other"):
            with pytest.raises(
                OutputError, match=f"{name} cannot be written: No space"
            ):
                write(name, b"new")
    assert plain_walk(tmp_path) == ["song"]
    assert store.read("song", 10) == b"song"


def test_of_many_who_create_a_file_one_succeeds(tmp_path):
    store = open_store(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda i: store.create("lock", b"%d" % i), range(40)))
    assert sum(done) == 1
    assert store.read("lock", 10) == b"%d" % done.index(True)
    assert plain_walk(tmp_path) == ["lock"]


def test_creating_needs_no_hard_links(tmp_path, monkeypatch):
    def link(source, target):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    store = open_store(tmp_path)
    assert store.create("lock", b"mine")
    assert not store.create("lock", b"yours")
    assert store.read("lock", 10) == b"mine"
    assert plain_walk(tmp_path) == ["lock"]


def test_new_files_are_as_open_to_others_as_any(tmp_path):
    store = plant(tmp_path, "usual")
    store.write("written", b"")
    store.create("created", b"")
    modes = {(tmp_path / name).stat().st_mode for name in store.names("")}
    assert len(modes) == 1


# Runs


def test_a_folder_within_another_is_found_through_links(tmp_path):
    (tmp_path / "songs" / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "songs")
    songs, linked = open_store(tmp_path / "songs"), open_store(tmp_path / "link")
    assert songs.inside(open_store(tmp_path / "link" / "sub" / "runs")) == "sub/runs"
    assert linked.inside(open_store(tmp_path / "songs" / "runs")) == "runs"
    for elsewhere in (linked, open_store(tmp_path), open_store(tmp_path / "songs2")):
        assert songs.inside(elsewhere) is None


def test_a_run_is_made_in_the_folder_where_it_appears(tmp_path):
    store = open_store(tmp_path)
    assert not store.has_run("a/run", recorded=True)
    with store.making("a/run") as folder:
        assert folder == tmp_path / "a"
        plant(folder, "run/run.json")
    assert store.has_run("a/run", recorded=False)
    with pytest.raises(ParameterError), store.making("../run"):
        pass


# Locations


@pytest.mark.parametrize(
    ("location", "answer"),
    [
        ("s3://bucket/x", True),
        ("gs://bucket", True),
        ("file:///x", True),
        ("a:b", False),
        ("c://x", False),
        ("songs/s3://x", False),
        ("", False),
        (Path("songs"), False),
    ],
)
def test_a_url_begins_with_a_scheme(location, answer):
    assert is_url(location) is answer


@pytest.mark.parametrize(
    ("location", "answer"),
    [
        ("s3://bucket/x/", True),
        ("s3://bucket/x", False),
        ("{}", True),
        ("file://{}", True),
        ("{}/a.txt", False),
        ("{}/nothing", False),
        ("{}/" + "x" * 300, False),
        ("{}/loop", False),
    ],
)
def test_a_folder_is_known_by_its_look_or_by_the_slash_of_its_url(
    tmp_path, location, answer
):
    plant(tmp_path, "a.txt")
    (tmp_path / "loop").symlink_to("loop")
    assert is_folder(location.format(tmp_path)) is answer


@pytest.mark.parametrize("start", ["file://", "FILE://localhost"])
def test_a_file_url_is_a_path(tmp_path, start):
    plant(tmp_path, *(f"a b#?%/{name}" for name in AWKWARD))
    raw = os.fsencode(tmp_path / "a b#?%")
    url = start + "".join(f"%{byte:02x}" if byte != 47 else "/" for byte in raw)
    store = open_store(url)
    assert isinstance(store, LocalStore)
    assert store.root == url
    assert sorted(walked(store)) == sorted(AWKWARD)
    with local_copy(f"{url}/-rf.wav") as path:
        assert path == tmp_path / "a b#?%" / "-rf.wav"
    assert walked(open_store(start + str(tmp_path / "a b#?%25"))) == walked(store)
    assert copied(f"{start}{tmp_path}/a b#?%25/{AWKWARD[-1]}")


def test_a_local_file_is_not_copied(tmp_path):
    plant(tmp_path, "song.wav")
    with local_copy(str(tmp_path / "song.wav")) as path:
        assert path == tmp_path / "song.wav"
    assert path.exists()


def test_paths_need_no_fsspec(tmp_path):
    code = (
        "import sys; from specnmf.batch.stores.places import open_store, local_copy;"
        "store = open_store('file://' + sys.argv[1]); store.write('a', b'');"
        "assert [entry.name for entry in store.walk(recursive=True)] == ['a'];"
        "assert not {'fsspec', 'numpy', 'asyncio', 'http'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == 0


# Errors


def test_a_root_that_is_no_folder_is_one_line(tmp_path):
    plant(tmp_path, "song.wav")
    with pytest.raises(AudioError, match="none: no such folder$"):
        walked(open_store(tmp_path / "none"))
    with pytest.raises(AudioError, match="song.wav: not a folder$"):
        walked(open_store(tmp_path / "song.wav"))


def test_a_file_that_is_none_is_one_line(tmp_path):
    with pytest.raises(AudioError, match="none.wav: no such file$"):
        copied(str(tmp_path / "none.wav"))
    with pytest.raises(AudioError, match=": a folder, expected a file$"):
        copied(f"file://{tmp_path}")


def test_what_cannot_be_looked_at_is_one_line(tmp_path):
    store = plant(tmp_path, "file")
    (tmp_path / "loop").symlink_to("loop")
    for look in (
        store.entry,
        lambda name: copied(store.location(name)),
    ):
        with pytest.raises(AudioError, match="loop: Too many levels of symbolic links"):
            look("loop")
    with pytest.raises(OutputError, match="loop cannot be read: Too many levels"):
        store.read("loop", 10)
    with pytest.raises(OutputError, match="loop cannot be read: Too many levels"):
        store.names("loop")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="folder cannot be removed: "):
        store.remove("folder")
    with pytest.raises(OutputError, match="file/x cannot be written: "):
        store.write("file/x", b"")


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("file://host/x", "expected file:/// with an absolute path"),
        ("file://x", "expected file:/// with an absolute path"),
        ("file:///a%00b", "without a null character"),
        ("a\0b", "without a null character"),
    ],
)
def test_a_location_that_is_none_is_refused(location, message):
    with pytest.raises(ParameterError, match=message):
        open_store(location)


@pytest.mark.parametrize(
    "url",
    [
        "s3://key:secret@bucket/x",
        "s3://key:sec/ret@bucket",
        "sftp://u:secret@host:22/x",
    ],
)
def test_a_password_is_refused_and_not_repeated(url):
    for use in (open_store, copied):
        with pytest.raises(ParameterError, match=r"://\*\*\*@") as caught:
            use(url)
        assert "ret@" not in str(caught.value)
