"""What a batch will do with each song, and whether two want one folder."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest

from specnmf.batch.batch import Request, make_plan
from specnmf.batch.finding import Song
from specnmf.batch.planning import Plan, Recipe, check_targets
from specnmf.batch.settings import BatchSettings
from specnmf.batch.stores.manifest import MANIFEST, Record
from specnmf.batch.stores.places import open_store
from specnmf.errors import AudioError, BatchError
from specnmf.output.folder import PARTIAL, REPORT
from specnmf.tasks.decompose import Settings
from specnmf.tasks.separate import ScoreSettings

SONG = Song("live/a.wav", "1:1")

RECIPE = Recipe(Settings(), "hash", ScoreSettings(), "score hash")

#: What may be known of a song: nothing; that it was done or failed, as it is now, or
#: as it was when it, or what was asked for, was another.
HISTORIES = {
    "nothing": {},
    "done": {SONG.name: Record(True, "hash", "1:1")},
    "failed": {SONG.name: Record(False, "hash", "1:1", "broken")},
    "done, other input": {SONG.name: Record(True, "hash", "1:2")},
    "failed, other input": {SONG.name: Record(False, "hash", "1:2")},
    "done, other settings": {SONG.name: Record(True, "other", "1:1")},
    "failed, other settings": {SONG.name: Record(False, "other", "1:1")},
}


@pytest.fixture
def plan(tmp_path):
    songs, runs = open_store(tmp_path / "songs"), open_store(tmp_path / "runs")
    return Plan([SONG], songs, runs, RECIPE, BatchSettings(), {})


def put_run(plan, content="{}"):
    path = Path(plan.output.location(f"{SONG.target}/{REPORT}"))
    path.parent.mkdir(parents=True)
    path.write_text(content)


def collides(*names):
    with pytest.raises(BatchError) as caught:
        check_targets(Song(name, "") for name in names)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("history", "options", "there", "verdict"),
    [
        # A batch of its own: nothing is known.
        ("nothing", {}, False, "new"),
        ("nothing", {}, True, "taken"),
        ("nothing", {"overwrite": True}, False, "new"),
        ("nothing", {"overwrite": True}, True, "new"),
        # Resumed: what is known decides, if it is true of the song still.
        ("nothing", {"resume": True}, False, "new"),
        ("nothing", {"resume": True}, True, "new"),
        ("done", {"resume": True}, True, "done"),
        ("done", {"resume": True}, False, "again"),
        ("done", {"resume": True, "checksum": True}, True, "again"),
        ("done", {"retry_failed": True}, True, "done"),
        ("failed", {"resume": True}, False, "failed"),
        ("failed", {"resume": True}, True, "failed"),
        ("failed", {"retry_failed": True}, False, "again"),
        ("failed", {"resume": True, "retry_failed": True}, False, "again"),
        *(
            (f"{event}, other {what}", {"resume": True}, there, "again")
            for event, what, there in itertools.product(
                ("done", "failed"), ("input", "settings"), (False, True)
            )
        ),
    ],
)
def test_what_is_known_and_asked_decides_the_verdict(
    plan, history, options, there, verdict
):
    if there:
        put_run(plan)
    settings = BatchSettings(**options)
    plan = replace(plan, history=HISTORIES[history], settings=settings)
    assert plan.verdict(SONG) == verdict


def test_far_from_here_the_manifest_is_believed(plan):
    pytest.importorskip("fsspec")
    runs = open_store("memory://planning/runs")
    history, settings = HISTORIES["done"], BatchSettings(resume=True)
    plan = replace(plan, output=runs, history=history, settings=settings)
    assert plan.verdict(SONG) == "done"


def test_a_song_without_a_score_is_decomposed(plan):
    recipe = replace(RECIPE, templates="t.npz", seconds=5.0, redo=True, command="c")
    job = replace(plan, recipe=recipe).job(SONG)
    assert job.name == SONG.name
    assert job.song == plan.source.location(SONG.name)
    assert (job.output, job.target) == (plan.output.root, "live/a")
    assert (job.score, job.templates) == (None, "t.npz")
    assert (job.settings, job.settings_hash) == (RECIPE.settings, "hash")
    assert (job.seconds, job.redo, job.command) == (5.0, True, "c")


def test_a_song_with_a_score_is_separated_and_needs_no_templates(plan):
    recipe = replace(RECIPE, templates="t.npz")
    job = replace(plan, recipe=recipe).job(replace(SONG, score="live/a.mid"))
    assert job.score == plan.source.location("live/a.mid")
    assert job.templates is None
    assert (job.settings, job.settings_hash) == (RECIPE.score_settings, "score hash")


def test_the_score_of_all_songs_goes_before_a_songs_own(plan):
    recipe = replace(RECIPE, score="/all.mid")
    job = replace(plan, recipe=recipe).job(replace(SONG, score="live/a.mid"))
    assert job.score == "/all.mid"


def test_what_lost_workers_left_is_swept_where_runs_go(plan, tmp_path):
    left = tmp_path / "runs" / "live" / f"{PARTIAL}dead"
    elsewhere = tmp_path / "runs" / "studio" / f"{PARTIAL}dead"
    for folder in (left, elsewhere):
        folder.mkdir(parents=True)
    plan.sweep(plan.songs)
    assert (left.exists(), elsewhere.exists()) == (False, True)


def test_songs_apart_do_not_collide():
    names = ("a.wav", "b.wav", "x/a.wav", "a.b.wav", "A.wav.wav", "x/batch.jsonl.wav")
    check_targets(Song(name, "") for name in names)
    check_targets([])


def test_two_songs_of_one_stem_collide():
    message = collides("x/a.wav", "b.wav", "x/a.mp3")
    assert message == (
        "x/a.wav and x/a.mp3 would both become x/a; rename one, or use --exclude"
    )


def test_the_other_collisions_are_counted():
    assert "(and 2 more such); " in collides("a.wav", "a.mp3", "a.ogg", "a.au")


def test_a_run_within_a_run_is_a_collision():
    message = collides("a/b/c.wav", "a.wav")
    assert message.startswith("a/b/c.wav would be put into a, the run of a.wav; ")


@pytest.mark.parametrize(
    "name",
    ["batch.jsonl.wav", "batch.lock.mp3", "batch_logs.wav", "batch_logs/a.wav"],
)
def test_what_the_batch_needs_is_not_for_runs(name):
    assert "where the batch keeps its own files" in collides(name)


def test_a_run_is_not_called_like_what_is_swept():
    collides(f"{PARTIAL}a.wav")


@pytest.fixture
def request_of(tmp_path):
    """Ask for a batch of one song, which is in place."""
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "a.wav").write_bytes(b"sound")

    def request_of(**options):
        parts = {"source": str(tmp_path / "songs"), "output": str(tmp_path / "runs")}
        return Request(**parts, **options)

    return request_of


def done_as(plan):
    """Write down that all songs of a plan are done."""
    for song in plan.songs:
        event = {
            "event": "done",
            "song": song.name,
            "settings_hash": plan.recipe.hash_of(song),
            "stamps": song.stamps,
        }
        content = json.dumps(event) + "\n"
        plan.output.write(MANIFEST, content.encode())
        plan.output.write(f"{song.target}/{REPORT}", b"{}")


RESUME = BatchSettings(resume=True)


def test_a_folder_that_holds_a_batch_is_refused_unless_it_is_resumed(request_of):
    done_as(make_plan(request_of()))
    with pytest.raises(BatchError, match=r"runs holds a batch; use --resume to go on"):
        make_plan(request_of())
    assert make_plan(request_of(batch=RESUME)).verdict(Song("a.wav", "")) == "again"
    plan = make_plan(request_of(batch=BatchSettings(overwrite=True)))
    assert [plan.verdict(song) for song in plan.songs] == ["new"]


def test_a_plan_writes_nothing(request_of, tmp_path):
    make_plan(request_of())
    assert [path.name for path in tmp_path.iterdir()] == ["songs"]


@pytest.mark.parametrize(
    "change",
    [
        {"settings": Settings(seed=1)},
        {"settings": Settings(n_components=3)},
        {"templates": "t2.npz"},
        {"score": "s1.mid"},
    ],
)
def test_other_settings_are_done_again(request_of, tmp_path, change):
    for name in ("t.npz", "t2.npz", "s1.mid"):
        (tmp_path / name).write_text(name)
    before = request_of(batch=RESUME, templates=str(tmp_path / "t.npz"))
    done_as(make_plan(before))
    plan = make_plan(before)
    assert [plan.verdict(song) for song in plan.songs] == ["done"]
    for key in {"templates", "score"} & change.keys():
        change = {key: str(tmp_path / change[key])}
    plan = make_plan(replace(before, **change))
    assert [plan.verdict(song) for song in plan.songs] == ["again"]


@pytest.mark.parametrize("kind", ["score", "templates"])
def test_a_changed_file_for_all_songs_is_noticed(request_of, tmp_path, kind):
    common = tmp_path / "common"
    common.write_text("first")
    request = request_of(batch=RESUME, **{kind: str(common)})
    done_as(make_plan(request))
    plan = make_plan(request)
    assert [plan.verdict(song) for song in plan.songs] == ["done"]
    common.write_text("second")
    plan = make_plan(request)
    assert [plan.verdict(song) for song in plan.songs] == ["again"]


def test_another_score_for_all_songs_is_noticed(request_of, tmp_path):
    for name in ("first.mid", "second.mid"):
        (tmp_path / name).write_text(name)
    request = request_of(batch=RESUME, score=str(tmp_path / "first.mid"))
    done_as(make_plan(request))
    plan = make_plan(replace(request, score=str(tmp_path / "second.mid")))
    assert [plan.verdict(song) for song in plan.songs] == ["again"]


@pytest.mark.parametrize("kind", ["score", "templates"])
def test_a_missing_file_for_all_songs_is_told_before_work_begins(
    request_of, tmp_path, kind
):
    with pytest.raises(AudioError, match="none: no such file"):
        make_plan(request_of(**{kind: str(tmp_path / "none")}))
