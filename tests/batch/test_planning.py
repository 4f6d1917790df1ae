"""What a batch will do with each song, and whether two want one folder."""

import dataclasses
import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest
from runs import settings_hash

from specnmf.batch.batch import Request, make_plan
from specnmf.batch.finding import Song
from specnmf.batch.planning import Plan, Recipe, check_targets
from specnmf.batch.settings import BatchSettings
from specnmf.batch.stores.manifest import MANIFEST, Record
from specnmf.batch.stores.places import open_store
from specnmf.errors import AudioError, BatchError, ParameterError
from specnmf.output.folder import PARTIAL, REPORT
from specnmf.tasks.decompose import Settings
from specnmf.tasks.label import LabelSettings
from specnmf.tasks.registry import TASKS
from specnmf.tasks.separate import ScoreSettings

SONG = Song("live/a.wav", "1:1")

RECIPE = Recipe(
    tasks=[TASKS["separate"], TASKS["decompose"]],
    settings={"separate": ScoreSettings(), "decompose": Settings()},
)

#: What is asked for of a song without a score.
HASH = RECIPE.hash_of(SONG)

#: What may be known of a song: nothing; that it was done or failed, as it is now, or
#: as it was when it, or what was asked for, was another.
HISTORIES = {
    "nothing": {},
    "done": {SONG.name: Record(True, HASH, "1:1")},
    "failed": {SONG.name: Record(False, HASH, "1:1", "broken")},
    "done, other input": {SONG.name: Record(True, HASH, "1:2")},
    "failed, other input": {SONG.name: Record(False, HASH, "1:2")},
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
    given = {"templates": "/t.npz"}
    recipe = replace(RECIPE, given=given, command="c")
    settings = BatchSettings(timeout=5.0, overwrite=True)
    job = replace(plan, recipe=recipe, settings=settings).job(SONG)
    assert job.name == SONG.name
    assert job.song == plan.source.location(SONG.name)
    assert (job.output, job.target) == (plan.output.root, "live/a")
    assert (job.task, job.inputs) == (TASKS["decompose"], given)
    assert job.settings == Settings()
    assert recipe.hash_of(SONG) == settings_hash(Settings())
    assert (job.seconds, job.redo, job.command) == (5.0, True, "c")


SCORED = replace(SONG, beside=(("score", "live/a.mid"),))


def test_a_song_with_a_score_is_separated_and_needs_no_templates(plan):
    sums = {"templates": "0"}
    recipe = replace(RECIPE, given={"templates": "/t.npz"}, checksums=sums)
    job = replace(plan, recipe=recipe).job(SCORED)
    assert job.task is TASKS["separate"]
    assert job.inputs == {"score": plan.source.location("live/a.mid")}
    assert job.settings == ScoreSettings()
    assert recipe.hash_of(SCORED) == settings_hash(ScoreSettings())


def test_the_score_of_all_songs_goes_before_a_songs_own(plan):
    recipe = replace(RECIPE, given={"score": "/all.mid"}, checksums={"score": "0"})
    job = replace(plan, recipe=recipe).job(SCORED)
    assert job.inputs == {"score": "/all.mid"}
    assert recipe.hash_of(SCORED) == settings_hash(ScoreSettings(), score="0")


def test_a_song_that_lacks_what_all_tasks_require_gets_the_last(plan):
    for name in ("separate", "label"):
        recipe = replace(
            RECIPE, tasks=[TASKS[name]], settings={name: TASKS[name].settings()}
        )
        job = replace(plan, recipe=recipe).job(SONG)
        assert (job.task, job.inputs) == (TASKS[name], {})


def test_what_lost_workers_left_is_swept_where_runs_go(plan, tmp_path):
    left = tmp_path / "runs" / "live" / f"{PARTIAL}dead"
    elsewhere = tmp_path / "runs" / "studio" / f"{PARTIAL}dead"
    for folder in (left, elsewhere):
        folder.mkdir(parents=True)
    plan.sweep(plan.songs)
    assert (left.exists(), elsewhere.exists()) == (False, True)


def test_songs_apart_do_not_collide():
    names = ("a.wav", "b.wav", "x/a.wav", "a.b.wav", "A.wav.wav", "x/batch.jsonl.wav")
    songs = [Song(name, "") for name in names]
    assert len({song.target for song in songs}) == len(names)
    check_targets(songs)
    check_targets([])


def test_two_songs_of_one_stem_collide():
    message = collides("x/a.wav", "b.wav", "x/a.mp3")
    assert message == (
        "x/a.wav and x/a.mp3: both runs would be x/a; rename one, or use --exclude"
    )


def test_the_other_collisions_are_counted():
    assert "(and 2 more); " in collides("a.wav", "a.mp3", "a.ogg", "a.au")


def test_a_run_within_a_run_is_a_collision():
    message = collides("a/b/c.wav", "a.wav")
    assert message.startswith("a/b/c.wav: its run would be in that of a.wav, a; ")


@pytest.mark.parametrize(
    "name",
    ["batch.jsonl.wav", "batch.lock.mp3", "batch_logs.wav", "batch_logs/a.wav"],
)
def test_what_the_batch_needs_is_not_for_runs(name):
    assert "which the batch needs for itself" in collides(name)


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
    with pytest.raises(
        BatchError, match=r"runs holds a batch; use --resume to continue"
    ):
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
        {"settings": [Settings(seed=1)]},
        {"settings": [Settings(n_components=3)]},
        {"inputs": {"templates": "t2.npz"}},
        {"inputs": {"templates": "t.npz", "score": "s1.mid"}},
        {"task": "layers", "inputs": {}},
    ],
)
def test_other_settings_are_done_again(request_of, tmp_path, change):
    for name in ("t.npz", "t2.npz", "s1.mid"):
        (tmp_path / name).write_text(name)
    before = request_of(batch=RESUME, inputs={"templates": str(tmp_path / "t.npz")})
    done_as(make_plan(before))
    plan = make_plan(before)
    assert [plan.verdict(song) for song in plan.songs] == ["done"]
    if "inputs" in change:
        places = {role: str(tmp_path / at) for role, at in change["inputs"].items()}
        change = {**change, "inputs": places}
    plan = make_plan(replace(before, **change))
    assert [plan.verdict(song) for song in plan.songs] == ["again"]


#: Each input with a task that takes it.
INPUTS = [
    ("auto", "score"),
    ("auto", "templates"),
    ("separate", "score"),
    ("decompose", "templates"),
    ("label", "labels"),
    ("layers", "labels"),
]


@pytest.mark.parametrize(("task", "kind"), INPUTS)
def test_a_changed_file_for_all_songs_is_noticed(request_of, tmp_path, task, kind):
    common = tmp_path / "common"
    common.write_text("first")
    request = request_of(batch=RESUME, task=task, inputs={kind: str(common)})
    done_as(make_plan(request))
    plan = make_plan(request)
    assert [plan.verdict(song) for song in plan.songs] == ["done"]
    common.write_text("second")
    plan = make_plan(request)
    assert [plan.verdict(song) for song in plan.songs] == ["again"]


@pytest.mark.parametrize(("task", "kind"), INPUTS)
def test_a_file_for_a_song_that_comes_changes_or_goes_is_noticed(
    request_of, tmp_path, task, kind
):
    folder = tmp_path / "folder"
    folder.mkdir()
    request = request_of(batch=RESUME, task=task, inputs={kind: str(folder)})
    suffix = {"score": ".mid", "templates": ".npz", "labels": ".txt"}[kind]
    own = folder / f"a{suffix}"

    def verdicts():
        plan = make_plan(request)
        return [plan.verdict(song) for song in plan.songs]

    for content in (None, "first", "the second", None):
        if content is None:
            own.unlink(missing_ok=True)
        else:
            own.write_text(content)
        assert verdicts() in (["new"], ["again"])
        done_as(make_plan(request))
        assert verdicts() == ["done"]


def test_another_score_for_all_songs_is_noticed(request_of, tmp_path):
    for name in ("first.mid", "second.mid"):
        (tmp_path / name).write_text(name)
    first, second = (
        request_of(batch=RESUME, inputs={"score": str(tmp_path / name)})
        for name in ("first.mid", "second.mid")
    )
    done_as(make_plan(first))
    plan = make_plan(second)
    assert [plan.verdict(song) for song in plan.songs] == ["again"]


@pytest.mark.parametrize(("task", "kind"), INPUTS)
@pytest.mark.parametrize("name", ["none", "x" * 300])
def test_a_missing_file_for_all_songs_is_told_before_work_begins(
    request_of, tmp_path, task, kind, name
):
    why = "none: no such file" if name == "none" else "x: File name too long"
    with pytest.raises(AudioError, match=why):
        make_plan(request_of(task=task, inputs={kind: str(tmp_path / name)}))


@pytest.mark.parametrize(
    ("options", "tasks"),
    [
        ({}, ["separate", "decompose"]),
        ({"batch": BatchSettings(scores=False)}, ["decompose"]),
        (
            {"batch": BatchSettings(scores=False), "inputs": {"score": "s.mid"}},
            ["separate", "decompose"],
        ),
        ({"task": "layers"}, ["layers"]),
        ({"task": "separate", "batch": BatchSettings(scores=False)}, ["separate"]),
    ],
)
def test_the_task_decides_what_comes_into_question(request_of, options, tasks):
    assert [task.name for task in request_of(**options).tasks()] == tasks


def test_scores_beside_songs_count_unless_they_are_not_to(request_of, tmp_path):
    (tmp_path / "songs" / "a.mid").touch()
    (tmp_path / "scores").mkdir()
    scores = {"inputs": {"score": str(tmp_path / "scores")}}
    none = {"batch": BatchSettings(scores=False)}
    for options, task in (
        ({}, "separate"),
        (none, "decompose"),
        (scores, "separate"),
        ({**scores, **none}, "decompose"),
        ({**none, "task": "separate"}, "separate"),
    ):
        plan = make_plan(request_of(**options))
        (song,) = plan.songs
        assert plan.recipe.task_of(song).name == task
        beside = {"score": "a.mid"} if task == "separate" else {}
        assert plan.recipe.inputs_of(song) == beside


@pytest.mark.parametrize("without", ["decompose", "separate", "transcribe"])
def test_what_becomes_of_songs_without_a_score_can_be_chosen(
    request_of, tmp_path, without
):
    (tmp_path / "songs" / "b.wav").touch()
    (tmp_path / "songs" / "b.mid").touch()
    for scores, with_score in ((True, "separate"), (False, without)):
        settings = BatchSettings(without_score=without, scores=scores)
        plan = make_plan(request_of(batch=settings))
        tasks = {song.name: plan.recipe.task_of(song).name for song in plan.songs}
        assert tasks == {"a.wav": without, "b.wav": with_score}
        inputs = {song.name: plan.recipe.inputs_of(song) for song in plan.songs}
        assert inputs["a.wav"] == {}
        assert inputs["b.wav"] == ({"score": "b.mid"} if scores else {})


def test_scores_that_a_task_is_not_to_take_are_not_looked_for(request_of, tmp_path):
    (tmp_path / "songs" / "a.mid").touch()
    settings = [ScoreSettings(no_score=True)]
    plan = make_plan(request_of(task="separate", settings=settings))
    assert plan.recipe.inputs_of(plan.songs[0]) == {}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"task": "magic"}, "task .*auto.*magic"),
        (
            {"inputs": {"labels": "l"}},
            "labels is not an input of separate and decompose",
        ),
        ({"task": "label", "inputs": {"score": "s"}}, "score is not an input of label"),
    ],
)
def test_what_no_task_takes_is_refused(request_of, options, why):
    with pytest.raises(ParameterError, match=why):
        make_plan(request_of(**options))


def test_settings_are_for_the_task_of_their_kind(request_of):
    own = [Settings(n_components=3), LabelSettings(n_components=4)]
    for task, settings in (
        ("decompose", own[0]),
        ("label", own[1]),
        ("separate", ScoreSettings()),
    ):
        plan = make_plan(request_of(task=task, settings=own))
        linked = dataclasses.replace(settings, report_audio="link")
        assert plan.recipe.settings == {task: linked}


def test_a_file_for_all_songs_may_not_lie_in_a_run_of_one(request_of, tmp_path):
    inner = tmp_path / "runs" / "a" / "sub" / "t.npz"
    inner.parent.mkdir(parents=True)
    inner.touch()
    (tmp_path / "runs" / "ab").symlink_to(tmp_path / "runs" / "a")
    for place in (inner, tmp_path / "runs" / "ab" / "sub" / "t.npz"):
        with pytest.raises(
            BatchError, match="the templates for all songs: it is in the"
        ):
            make_plan(request_of(inputs={"templates": str(place)}))
    beside = tmp_path / "runs" / "t.npz"
    beside.touch()
    make_plan(request_of(inputs={"templates": str(beside)}))


def test_what_is_there_is_replaced_only_when_resumed_or_overwritten(plan):
    for settings, may in (
        (BatchSettings(), False),
        (BatchSettings(overwrite=True), True),
        (BatchSettings(resume=True), True),
        (BatchSettings(retry_failed=True), True),
    ):
        assert replace(plan, settings=settings).job(SONG).overwrite == may
