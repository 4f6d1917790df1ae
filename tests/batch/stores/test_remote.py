"""Folders behind URLs: fsspec's memory, and a real S3 API on the loopback."""

import json
import os
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from specnmf import AudioError, OutputError, ParameterError
from specnmf.batch.stores.network import file_system, upload
from specnmf.batch.stores.places import local_copy, open_store
from specnmf.batch.stores.remote import RemoteStore
from specnmf.batch.stores.store import UPLOADING
from specnmf.output.products import as_json, list_files, seal

fsspec = pytest.importorskip("fsspec")

#: Names that URLs of the web, globs and shells give a meaning.
AWKWARD = [
    "a space.wav",
    "quotes'\".wav",
    "🎻 Gänge.wav",
    "-rf.wav",
    "100%20#?&*[x]+.wav",
    "a@b:c;d=e,f.wav",
    "back\\slash.wav",
]


@pytest.fixture
def memory():
    """An empty folder in this process."""
    return f"memory://{uuid.uuid4().hex}"


@pytest.fixture(params=["memory", "s3"])
def url(request):
    """An empty folder behind a URL."""
    folder = request.getfixturevalue(request.param)
    return getattr(folder, "url", folder)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder for temporary files, to see what is left there."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def run(tmp_path):
    """A finished run on this machine."""
    folder = tmp_path / "run"
    (folder / "sources").mkdir(parents=True)
    (folder / "run.json").write_text("new")
    (folder / "factors.npz").write_bytes(b"\0")
    (folder / "sources" / "[a-z]*.wav").write_bytes(b"")
    return folder


RUN = ["factors.npz", "run.json", "sources/[a-z]*.wav"]


def plant(url, *names):
    store = open_store(url)
    for name in names:
        store.write(name, name.encode())
    return store


def walked(store, *, recursive=True, **options):
    return [entry.name for entry in store.walk(recursive=recursive, **options)]


def publish(run, url, **options):
    upload(run, RemoteStore.at(url), **options)


def copied(location):
    with local_copy(location) as path:
        return path.name, path.read_bytes()


def everything(url):
    """All that fsspec finds in a folder, by its own way."""
    files, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    return sorted(key.removeprefix(f"{root}/") for key in files.find(root))


# Walking


def test_a_walk_finds_the_files_folder_by_folder(url):
    store = plant(url, "b.wav", "a.wav", "c/2.wav", "c/d/1.wav", "c/10.wav")
    assert walked(store) == ["a.wav", "b.wav", "c/10.wav", "c/2.wav", "c/d/1.wav"]
    assert walked(store, recursive=False) == ["a.wav", "b.wav"]
    assert walked(open_store(f"{url}/c/")) == ["10.wav", "2.wav", "d/1.wav"]
    assert isinstance(store, RemoteStore)


def test_entries_tell_when_a_file_has_changed(url):
    store = plant(url, "song.wav")
    (before,) = store.walk(recursive=False)
    assert before == store.entry("song.wav")
    assert (before.name, before.size) == ("song.wav", 8)
    store.write("song.wav", b"SONG.WAV")
    (after,) = store.walk(recursive=False)
    assert after == store.entry("song.wav")
    assert after.stamp != before.stamp
    assert store.entry("none.wav") is None


def test_hidden_files_and_runs_finished_or_cut_off_are_no_songs(url):
    store = plant(
        url,
        ".hidden.wav",
        ".git/x.wav",
        "run/run.json",
        "run/factors.npz",
        "run/sources/component_01.wav",
        f"cut/{UPLOADING}",
        "cut/sources/component_01.wav",
        "half/run.json",
        "half/song.wav",
    )
    assert walked(store) == ["half/run.json", "half/song.wav"]


def test_what_others_have_just_changed_is_seen(url):
    store = plant(url, "a.wav")
    others, root = fsspec.core.url_to_fs(url, skip_instance_cache=True)
    assert walked(store) == store.names("") == ["a.wav"]
    others.pipe_file(f"{root}/b.wav", b"")
    others.rm_file(f"{root}/a.wav")
    assert walked(store) == store.names("") == ["b.wav"]
    assert store.entry("a.wav") is None


def test_folders_that_s3_marks_by_an_empty_file_are_no_songs(s3):
    files = fsspec.filesystem("s3")
    for name in ("", "sub/", "sub/song.wav"):
        files.pipe_file(f"{s3.url}/{name}", b"")
    store = open_store(s3.url)
    assert walked(store) == ["sub/song.wav"]
    assert store.names("") == []
    assert store.names("sub") == ["song.wav"]


def test_names_that_lead_elsewhere_are_left_out_and_told(s3):
    files = fsspec.filesystem("s3")
    # The names that a hostile listing holds: S3 itself would take any of them.
    names = ["a/../b.wav", "a//c.wav", "a/d?versionId=1.wav", "a/e.wav"]
    for name in names:
        files.call_s3(
            "put_object", Bucket="songs", Key=f"{s3.url[11:]}/{name}", Body=b""
        )
    told = []
    found = walked(open_store(s3.url), unreadable=lambda *what: told.append(what))
    assert found == ["a/e.wav"]
    assert {why for _, why in told} == {"a name that cannot be used"}
    assert "a/d?versionId=1.wav" in {name for name, _ in told}


def test_a_folder_that_cannot_be_read_is_told_and_the_walk_goes_on(memory, monkeypatch):
    store = plant(memory, "a/1.wav", "locked/2.wav", "z/3.wav")
    kind = fsspec.get_filesystem_class("memory")
    listed = kind.ls

    def refuse(self, path, **options):
        if path.endswith("locked"):
            raise PermissionError("Access Denied")
        return listed(self, path, **options)

    monkeypatch.setattr(kind, "ls", refuse)
    told = []
    found = walked(store, unreadable=lambda *what: told.append(what))
    assert found == walked(store) == ["a/1.wav", "z/3.wav"]
    assert told == [("locked", "Access Denied")]
    with pytest.raises(AudioError, match="locked: Access Denied$"):
        walked(open_store(f"{memory}/locked"))


# Names


@pytest.mark.parametrize("name", AWKWARD)
def test_any_name_survives(url, name, temporary):
    store = plant(url, f"folder/{name}")
    assert walked(store) == [f"folder/{name}"]
    assert store.names("folder") == [name]
    assert copied(store.location(f"folder/{name}")) == (name, f"folder/{name}".encode())
    assert walked(open_store(f"{url}/folder")) == [name]
    assert not store.create(f"folder/{name}", b"new")
    store.remove(f"folder/{name}")
    assert store.names("folder") == []
    assert store.create(f"folder/{name}", b"new")
    assert store.read(f"folder/{name}", 3) == b"new"
    assert not any(temporary.iterdir())


def test_a_name_may_hold_newlines(memory):
    # moto's server has no route to such a key.
    store = plant(memory, "two\nlines\n")
    assert walked(store) == ["two\nlines\n"]
    assert copied(store.location("two\nlines\n")) == ("two\nlines\n", b"two\nlines\n")


def test_removing_a_name_with_a_star_removes_no_other(url):
    store = plant(url, "*.wav", "song.wav")
    store.remove("*.wav")
    assert walked(store) == ["song.wav"]


@pytest.mark.parametrize(
    ("name", "local"),
    [
        ("é" * 300 + ".flac", "é" * 125 + ".flac"),
        ("x" * 300, "x" * 255),
        ("a." + "x" * 300, "a." + "x" * 253),
    ],
)
def test_a_name_too_long_for_files_here_is_cut_before_its_suffix(memory, name, local):
    store = plant(memory, name)
    assert copied(store.location(name))[0] == local


@pytest.mark.parametrize("name", ["", "..", "a/../../b", "/b", "a//b"])
def test_no_name_leads_out_of_the_store(memory, name):
    store = open_store(f"{memory}/store")
    for use in (
        store.entry,
        store.location,
        store.remove,
        lambda name: store.read(name, 10),
        lambda name: store.write(name, b""),
        lambda name: store.create(name, b""),
    ):
        with pytest.raises(ParameterError, match="expected the name of a file in"):
            use(name)


@pytest.mark.parametrize("name", [".", ".."])
def test_no_copy_leaves_the_temporary_folder(memory, temporary, name):
    files = fsspec.filesystem("memory")
    files.pipe_file(f"{memory}/{name}", b"x")
    assert copied(f"{memory}/{name}") == ("_", b"x")
    assert not any(temporary.iterdir())


# Reading and writing


def test_what_is_written_is_read(url):
    store = open_store(url)
    assert store.read("x/y.json", 10) is None
    store.write("x/y.json", b"12345")
    assert store.read("x/y.json", 5) == b"12345"
    assert store.entry("x") is None
    store.write("x/y.json", b"")
    assert store.read("x/y.json", 5) == b""
    store.remove("x/y.json")
    store.remove("x/y.json")
    assert store.read("x/y.json", 5) is None
    assert store.names("x") == store.names("none") == []


def test_a_file_that_is_too_large_is_not_read(url):
    store = plant(url, "large")
    with pytest.raises(OutputError, match="large: expected at most 4 bytes"):
        store.read("large", 4)


def test_of_many_who_create_a_file_in_s3_one_succeeds(s3):
    stores = [open_store(s3.url) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda i: stores[i % 8].create("x", b"%d" % i), range(16)))
    assert sum(done) == 1
    assert stores[0].read("x", 10) == b"%d" % done.index(True)


def test_s3_itself_decides_who_creates_a_file(s3, monkeypatch):
    store = plant(s3.url, "lock")
    kind = fsspec.get_filesystem_class("s3")
    monkeypatch.setattr(kind, "exists", lambda self, path: False)
    assert not store.create("lock", b"mine too")
    assert store.read("lock", 10) == b"lock"


@pytest.mark.parametrize("refusal", [ValueError("xb"), OSError(38, "Not implemented")])
def test_creating_needs_no_storage_that_can_decide(memory, monkeypatch, refusal):
    kind = fsspec.get_filesystem_class("memory")
    write = kind.pipe_file

    def old(self, path, value, **options):
        if options:
            raise refusal
        write(self, path, value)

    monkeypatch.setattr(kind, "pipe_file", old)
    store = open_store(memory)
    assert store.create("lock", b"mine")
    assert not store.create("lock", b"yours")
    assert store.read("lock", 10) == b"mine"


def test_threads_share_a_store(url):
    store = open_store(url)

    def work(i):
        store.write(f"{i}", b"%d" % i)
        return store.read(f"{i}", 10)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(24))) == [b"%d" % i for i in range(24)]
    assert len(store.names("")) == 24


def test_another_process_finds_the_server_by_its_environment_alone(s3):
    store = plant(s3.url, "song.wav")
    run_elsewhere(
        "store.write('seen', next(store.walk(recursive=False)).name.encode())",
        s3.url,
        {**os.environ, **s3.environment},
    ).check_returncode()
    assert store.read("seen", 10) == b"song.wav"


def test_a_process_that_is_forked_makes_connections_of_its_own(s3):
    store = plant(s3.url, "song.wav")
    code = (
        "import os; names = store.names(''); child = os.fork();"
        "os.wait() if child else store.write('seen', ''.join(names).encode())"
    )
    environment = {**os.environ, **s3.environment}
    run_elsewhere(code, s3.url, environment).check_returncode()
    assert store.read("seen", 10) == b"song.wav"


def run_elsewhere(code, url, environment):
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from specnmf.batch.stores.places import open_store;"
            f"store = open_store(sys.argv[1]); {code}",
            url,
        ],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )


# Publishing


def test_a_published_run_is_there_whole(url, run):
    publish(run, f"{url}/out/song", overwrite=False)
    assert everything(f"{url}/out/song") == RUN
    assert open_store(url).read("out/song/run.json", 10) == b"new"


def test_run_json_comes_last_and_goes_first(memory, run, monkeypatch):
    names = ("run.json", "factors.npz", "sources/a.wav", "sources/z.wav", UPLOADING)
    plant(f"{memory}/song", *names)
    kind = fsspec.get_filesystem_class("memory")
    done = []

    def recorded(name):
        act = getattr(kind, name)

        def record(self, *paths, **options):
            done.append((name, paths[-1].rpartition("song/")[2]))
            return act(self, *paths, **options)

        monkeypatch.setattr(kind, name, record)

    recorded("put_file")
    recorded("rm_file")
    publish(run, f"{memory}/song", overwrite=True)
    assert done[0] == ("rm_file", "run.json")
    assert done[-2:] == [("put_file", "run.json"), ("rm_file", UPLOADING)]
    assert done.count(("rm_file", UPLOADING)) == 1
    assert everything(f"{memory}/song") == RUN


def test_a_finished_run_is_replaced_only_when_asked(url, run):
    store = plant(url, "song/run.json", "song/sources/old.wav", "song2/run.json")
    with pytest.raises(OutputError, match="song holds a finished run; use --overwrite"):
        publish(run, f"{url}/song", overwrite=False)
    assert store.read("song/run.json", 100) == b"song/run.json"
    publish(run, f"{url}/song", overwrite=True)
    assert everything(f"{url}/song") == RUN
    assert store.names("song2") == ["run.json"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_run_is_never_replaced(url, run, overwrite):
    plant(url, "song/thesis.docx")
    with pytest.raises(OutputError, match="song exists and is not a run; move it"):
        publish(run, f"{url}/song", overwrite=overwrite)
    assert everything(url) == ["song/thesis.docx"]


def test_a_file_in_the_place_of_a_run_is_no_run(url, run):
    plant(url, "song")
    with pytest.raises(OutputError, match="song exists and is not a run; move it"):
        publish(run, f"{url}/song", overwrite=True)


def test_an_empty_folder_in_s3_is_free(s3, run):
    fsspec.filesystem("s3").pipe_file(f"{s3.url}/song/", b"")
    publish(run, f"{s3.url}/song", overwrite=False)
    assert open_store(s3.url).names("song") == ["factors.npz", "run.json"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_an_upload_left_that_was_cut_off_gives_way(url, run, overwrite):
    plant(url, f"song/{UPLOADING}", "song/sources/other.wav")
    publish(run, f"{url}/song", overwrite=overwrite)
    assert everything(f"{url}/song") == RUN


@pytest.mark.parametrize("broken", ["factors.npz", "sources/[a-z]*.wav", "run.json"])
@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt])
def test_whatever_stops_an_upload_nothing_is_left(
    memory, run, monkeypatch, broken, error
):
    kind = fsspec.get_filesystem_class("memory")
    put = kind.put_file

    def fail(self, here, there, **options):
        put(self, here, there, **options)
        if there.endswith(broken):
            raise error

    monkeypatch.setattr(kind, "put_file", fail)
    expected = error if error is KeyboardInterrupt else OutputError
    with pytest.raises(expected) as caught:
        publish(run, f"{memory}/song", overwrite=False)
    assert everything(memory) == []
    if expected is OutputError:
        assert str(caught.value) == (
            f"{memory}/song cannot be written: Input/output error"
        )


def test_a_run_stays_where_no_other_can_be_written(memory, run, monkeypatch):
    plant(memory, "song/run.json", "song/factors.npz")
    kind = fsspec.get_filesystem_class("memory")

    def refuse(self, path, value, **options):
        raise PermissionError("Access Denied")

    monkeypatch.setattr(kind, "pipe_file", refuse)
    with pytest.raises(OutputError, match="song cannot be written: Access Denied$"):
        publish(run, f"{memory}/song", overwrite=True)
    assert everything(f"{memory}/song") == ["factors.npz", "run.json"]


def test_a_run_is_made_here_and_uploaded(url, temporary):
    store = open_store(url)
    assert not store.has_run("a/run", recorded=False)
    assert store.has_run("a/run", recorded=True)  # what is far away is believed
    with store.making("a/run") as folder:
        assert temporary in folder.parents
        (folder / "run").mkdir()
        (folder / "run" / "run.json").write_text("new")
        assert everything(url) == []
    assert everything(url) == ["a/run/run.json"]
    assert store.has_run("a/run", recorded=False)
    assert not any(temporary.iterdir())


def test_a_run_that_fails_is_not_uploaded(memory, temporary):
    def fail():
        with open_store(memory).making("run") as folder:
            (folder / "run").mkdir()
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert everything(memory) == []
    assert not any(temporary.iterdir())


def test_a_folder_within_another_is_found_by_its_url(memory, tmp_path):
    songs = open_store(f"{memory}/songs")
    assert songs.inside(open_store(f"{memory}/songs/x/runs/")) == "x/runs"
    for elsewhere in (f"{memory}/songs", f"{memory}/songs2/x", tmp_path):
        assert songs.inside(open_store(elsewhere)) is None
    assert open_store(tmp_path).inside(songs) is None


# Errors


def test_a_root_that_is_no_folder_is_one_line(url):
    plant(url, "song.wav")
    with pytest.raises(AudioError, match="none: no such folder$"):
        walked(open_store(f"{url}/none"))
    with pytest.raises(AudioError, match="song.wav: not a folder$"):
        walked(open_store(f"{url}/song.wav"))


def test_a_bucket_that_is_none_is_one_line(s3, run):
    store = open_store("s3://nowhere")
    with pytest.raises(AudioError, match="^s3://nowhere: no such folder$"):
        walked(store)
    assert store.names("x") == []
    assert store.read("x", 10) is store.entry("x") is None
    with pytest.raises(AudioError, match="^s3://nowhere/x.wav: no such file$"):
        copied("s3://nowhere/x.wav")
    message = "s3://nowhere/x cannot be written: The specified bucket does not exist$"
    with pytest.raises(OutputError, match=message):
        store.write("x", b"")
    with pytest.raises(OutputError, match=message):
        publish(run, "s3://nowhere/x", overwrite=False)


def test_a_file_that_is_none_is_one_line(url, temporary):
    plant(url, "folder/song.wav")
    with pytest.raises(AudioError, match=r"none\.wav: no such file$"):
        copied(f"{url}/none.wav")
    with pytest.raises(
        AudioError, match="folder: .*(no such file|expected a file, got a folder)"
    ):
        copied(f"{url}/folder")
    assert not any(temporary.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "Could not connect"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "credentials"),
    ],
)
def test_errors_of_the_network_are_one_line(s3, change, message, tmp_path):
    environment = {**os.environ, **s3.environment, **change, "AWS_MAX_ATTEMPTS": "1"}
    environment |= {"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(tmp_path / "none")}
    process = run_elsewhere("next(store.walk(recursive=True))", s3.url, environment)
    last = process.stderr.strip().splitlines()[-1]
    assert last.startswith(f"specnmf.errors.AudioError: {s3.url}: ")
    assert message in last


def test_an_error_of_many_lines_is_one(memory, monkeypatch):
    store = open_store(memory)
    kind = fsspec.get_filesystem_class("memory")

    def fail(self, path, **options):
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr(kind, "info", fail)
    with pytest.raises(AudioError, match="x: first$"):
        store.entry("x")


@pytest.mark.parametrize(
    ("missing", "url", "message"),
    [
        ("fsspec", "s3://b/x", "URLs need fsspec; pip install 'specnmf"),
        ("s3fs", "s3://b/x", "Install s3fs to access S3; pip install 'specnmf"),
        ("gcsfs", "gs://b/x", "install gcsfs to .*; pip install 'specnmf"),
        ("adlfs", "az://b/x", "Install adlfs to access .* Azure Blob Storage$"),
    ],
)
def test_what_is_not_installed_is_named_with_its_remedy(
    monkeypatch, missing, url, message
):
    registry = pytest.importorskip("fsspec.registry")
    monkeypatch.setattr(registry, "_registry", {})
    monkeypatch.setattr(registry, "registry", {})
    monkeypatch.setitem(sys.modules, missing, None)
    file_system.cache_clear()
    for use in (open_store, copied, lambda url: publish(Path(), url, overwrite=False)):
        with pytest.raises(ParameterError, match=message):
            use(url)


def test_an_unknown_protocol_is_named():
    with pytest.raises(ParameterError, match="^ftps3://b/: Protocol not known: ftps3$"):
        open_store("ftps3://b/x")


# What a person has in the place of a run


def files_at(url):
    files, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    return {
        key.removeprefix(f"{root}/"): files.cat_file(key) for key in files.find(root)
    }


@pytest.fixture
def listed(run):
    """The same run, whose run.json lists its files."""
    content = {"kind": "decompose", "files": list_files(run)[:1]}
    content["files"] += list_files(run / "sources")
    content["files"][1]["path"] = "sources/[a-z]*.wav"
    content["finished"] = seal(content)
    (run / "run.json").write_bytes(as_json(content))
    return run


def test_what_no_run_wrote_and_what_was_changed_is_kept(url, listed):
    place = f"{url}/song"
    publish(listed, place, overwrite=False)
    published = files_at(place)
    store = plant(place, "mine/notes.txt", "sources/mine.wav", "factors.npz")
    for _ in range(2):  # what was kept stays kept
        publish(listed, place, overwrite=True)
        assert files_at(place) == published | {
            "mine/notes.txt": b"mine/notes.txt",
            "sources/mine.wav": b"sources/mine.wav",
            "kept/factors.npz": b"factors.npz",
        }
    store.write("factors.npz", b"again")
    publish(listed, place, overwrite=True)
    assert store.read("kept_2/factors.npz", 9) == b"again"


def test_a_run_json_that_was_edited_is_kept(memory, listed):
    place = f"{memory}/song"
    publish(listed, place, overwrite=False)
    store = open_store(place)
    edited = store.read("run.json", 1 << 20).replace(b"decompose", b"my favourite")
    store.write("run.json", edited)
    publish(listed, place, overwrite=True)
    assert store.read("kept/run.json", 1 << 20) == edited
    store.write("run.json", b'{"name": "experiment 7"}')
    with pytest.raises(OutputError, match="exists and is not a run; move it"):
        publish(listed, place, overwrite=True)


def test_a_file_in_the_place_of_a_folder_is_kept(s3, listed):
    place = f"{s3.url}/song"
    publish(listed, place, overwrite=False)
    store = open_store(place)
    for name in ("sources/[a-z]*.wav", "factors.npz"):
        store.remove(name)
    for name in ("sources", "factors.npz/sub"):
        store.write(name, b"mine")
    publish(listed, place, overwrite=True)
    assert store.read("kept/sources", 9) == b"mine"
    assert store.read("kept/factors.npz/sub", 9) == b"mine"
    assert store.names("") == ["factors.npz", "run.json"]


@pytest.mark.parametrize("broken", ["factors.npz", "run.json"])
def test_an_upload_that_is_cut_off_loses_nothing_of_a_persons(
    memory, listed, monkeypatch, broken
):
    place = f"{memory}/song"
    publish(listed, place, overwrite=False)
    store = plant(place, "mine.txt", "factors.npz")
    kind = fsspec.get_filesystem_class("memory")
    put = kind.put_file

    def fail(self, here, there, **options):
        put(self, here, there, **options)
        if there.endswith(broken):
            raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(kind, "put_file", fail)
        with pytest.raises(OutputError, match="Input/output error"):
            publish(listed, place, overwrite=True)
    found = files_at(place)
    assert (found["mine.txt"], found["kept/factors.npz"]) == (
        b"mine.txt",
        b"factors.npz",
    )
    publish(listed, place, overwrite=False)  # it gives way to the next
    assert store.read("kept/factors.npz", 99) == b"factors.npz"
    assert store.names("") == ["factors.npz", "mine.txt", "run.json"]


def test_of_an_upload_that_was_killed_the_next_one_knows_what_it_left(memory, listed):
    place = f"{memory}/song"
    publish(listed, place, overwrite=False)
    store = open_store(place)
    marker = {"files": json.loads(store.read("run.json", 1 << 20))["files"]}
    store.remove("run.json")
    store.write(UPLOADING, json.dumps(marker).encode())
    store.write("sources/mine.wav", b"mine")
    publish(listed, place, overwrite=False)
    assert store.names("sources") == ["[a-z]*.wav", "mine.wav"]
    assert store.names("") == ["factors.npz", "run.json"]
