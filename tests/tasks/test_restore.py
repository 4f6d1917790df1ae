"""Finished runs sound again from what they stored: the same, sample for sample."""

import dataclasses
from contextlib import closing

import numpy as np
import pytest
import soundfile
from playing import DUET, SR, sound

from specnmf import Note, OutputError, Score, write_score
from specnmf.methods.components import budget
from specnmf.methods.components.budget import Budget
from specnmf.methods.partials import fitting
from specnmf.options import from_plain
from specnmf.output.stored import read_shown
from specnmf.tasks.registry import TASKS
from specnmf.tasks.run import run
from specnmf.tasks.stages import Stages
from specnmf.tasks.task import Song

#: The two lines of the duet, on two pitches at a time, and a drum.
BAND = Score(
    (*DUET.notes, *(Note(0.7 * k, 0.1, 38, 90, "drum", True) for k in range(4)))
)

#: Where the sounds of the song are marked.
MARKS = "0.2\t0.8\tlow/high\n0\t0.2\trest\n0.9\t1.4\tbell\n"

QUICK = {"max_iter": 3, "figures": False, "report": False}


def samples(n_channels):
    rng = np.random.default_rng(5)
    y = 0.1 * sound(DUET)
    for start in np.arange(4) * 0.7:
        t = np.arange(len(y)) / SR - start
        y += 0.05 * rng.standard_normal(len(y)) * np.exp(-t / 0.03) * (t >= 0)
    gains = np.array([1.0, 0.4])[:n_channels]
    return np.outer(y, gains) + 1e-4 * rng.standard_normal((len(y), n_channels))


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    for name, n_channels in (("mono", 1), ("stereo", 2)):
        soundfile.write(folder / f"{name}.wav", samples(n_channels), SR, "PCM_16")
    write_score(folder / "band.mid", BAND)
    (folder / "marks.txt").write_text(MARKS)
    return folder


@pytest.fixture
def runs(songs, tmp_path, monkeypatch):
    """Do a task with a song: the run, and what its fit gave."""

    def do(kind, song="mono", name="out", **options):
        task, fitted = TASKS[kind], []
        fit = type(task).fit

        def noted(self, *args):
            fitted.append(fit(self, *args))
            return fitted[-1]

        monkeypatch.setattr(type(task), "fit", noted)
        beside = {"separate": {"score": songs / "band.mid"}}
        beside["label"] = {"labels": songs / "marks.txt"}
        inputs = beside.get(kind, {})
        known = {field.name for field in dataclasses.fields(task.settings)}
        quick = {name: value for name, value in QUICK.items() if name in known}
        settings = task.settings(**{**quick, **options})
        path = songs / f"{song}.wav"
        done = run(task, path, settings, inputs=inputs, output=tmp_path / name)
        monkeypatch.setattr(type(task), "fit", fit)
        return done, fitted[0]

    return do


def restored(done, result, folder=None):
    """What a task restores of a run, with the settings as they were used."""
    task = TASKS[done.report["kind"]]
    settings = from_plain(task.settings, done.report["settings"])
    song = Song(result.song.path, settings, result.song.inputs, Stages(None))
    material = task.read(song, lambda *told, **note: None)
    return task.restore(song, material, folder or done.folder)


def streamed(groups, settings):
    """All samples of all stems of each group."""
    out = []
    for group in groups:
        with closing(group.stems.stream(settings)) as stream:
            out.append(np.concatenate([block.copy() for _, block in stream], axis=2))
    return out


def check_same(done, result):
    again = restored(done, result)
    expected = result.sources()
    assert [(g.names, g.within) for g in again] == [
        (g.names, g.within) for g in expected
    ]
    heard = streamed(again, result.settings)
    for one, other in zip(heard, streamed(expected, result.settings), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.any()
    for one, other in zip(again, expected, strict=True):
        assert one.stems.names == other.stems.names
        assert one.stems.factors.labels == other.stems.factors.labels
        np.testing.assert_array_equal(one.stems.factors.H, other.stems.factors.H)
        np.testing.assert_array_equal(one.stems.factors.W, other.stems.factors.W)
        np.testing.assert_array_equal(one.stems.pitches, other.stems.pitches)
        np.testing.assert_array_equal(one.stems.losses, other.stems.losses)
    return again


@pytest.mark.parametrize(
    ("song", "options"),
    [
        ("mono", {}),
        ("mono", {"n_components": 1}),
        ("stereo", {"start": 0.5, "duration": 1.5, "only": ("component_02",)}),
        ("mono", {"mask_power": 2.0, "n_fft": 512, "hop_length": 100}),
        ("stereo", {"mask": "binary", "solver": "mu", "beta": 1.0}),
        ("mono", {"n_components": "auto"}),
        ("stereo", {"split": "hpss", "split_margin": 1.5, "mask_power": 2.0}),
        ("mono", {"split": "hpss", "n_components": "auto", "mask": "binary"}),
    ],
    ids=str,
)
def test_a_decomposition_sounds_again(runs, song, options):
    check_same(*runs("decompose", song, **{"n_components": 3, **options}))


def test_a_decomposition_by_templates_sounds_again(runs, songs, tmp_path):
    first, _ = runs("decompose", n_components=2, sources=False)
    task = TASKS["decompose"]
    settings = task.settings(**QUICK, n_components=3)
    templates = {"templates": first.folder / "factors.npz"}
    path = songs / "stereo.wav"
    done = run(task, path, settings, inputs=templates, output=tmp_path / "held")
    groups = task.restore(
        Song(path, settings, {}, Stages(None)),
        task.read(Song(path, settings, templates, Stages(None)), lambda *told: None),
        done.folder,
    )
    (sounds,) = streamed(groups, settings)
    for name, heard in zip(groups[0].names, sounds, strict=True):
        written = soundfile.read(done.folder / "sources" / f"{name}.wav")[0].T
        np.testing.assert_allclose(heard, written, atol=3 * 2.0**-15)


@pytest.mark.parametrize("song", ["mono", "stereo"])
def test_a_decomposition_of_what_memory_does_not_hold_sounds_again(
    runs, song, monkeypatch
):
    monkeypatch.setattr(Budget, "most_samples", lambda self: 0)
    monkeypatch.setattr(budget, "MOST_SAMPLE", 50)
    done, result = runs("decompose", song, n_components=3)
    assert done.report["streamed"]
    check_same(done, result)
    monkeypatch.undo()
    check_same(done, result)  # also where memory holds it


def test_decompositions_of_older_versions_sound_again(runs):
    done, result = runs("decompose", "stereo", n_components=3)
    (done.folder / "model.npz").unlink()
    check_same(done, result)


@pytest.mark.parametrize(
    ("song", "options"),
    [
        ("mono", {}),
        ("stereo", {"residual": True, "mask_power": 2.0}),
        ("stereo", {"wiener": "always"}),
        ("stereo", {"hpss": True, "residual": True}),
        ("mono", {"hpss": True, "mask_power": 1.0}),
        ("stereo", {"start": 0.6, "duration": 1.2, "only": ("low",)}),
        ("mono", {"mask": "binary", "by": "pitch"}),
        ("stereo", {"by": "note", "n_fft": 1024}),
        ("stereo", {"groups": {"all": ["low", "high"]}}),
    ],
    ids=str,
)
def test_a_separation_sounds_again(runs, song, options):
    (again,) = check_same(*runs("separate", song, **options))
    assert again.stems.onset_model is not None
    assert len(again.stems.model.schedule.drums.frame)


def test_a_separation_of_struck_strings_sounds_again(runs, monkeypatch):
    monkeypatch.setattr(fitting, "STRUCK", -1.0)
    done, result = runs("separate", "stereo", residual=True)
    (again,) = check_same(done, result)
    assert len(again.stems.model.schedule.hammers.frame)
    assert again.stems.struck == result.stems.struck
    assert again.stems.explained == result.stems.explained
    for name, envelope in result.stems.envelopes().items():
        np.testing.assert_array_equal(again.stems.envelopes()[name], envelope)
    np.testing.assert_array_equal(again.stems.start.H, result.stems.start.H)
    assert again.stems.notes == result.stems.notes


def test_a_separation_of_drums_alone_sounds_again(runs, songs, tmp_path):
    drums = Score(tuple(note for note in BAND.notes if note.percussion))
    write_score(songs / "band.mid", drums)
    try:
        (again,) = check_same(*runs("separate", "stereo"))
    finally:
        write_score(songs / "band.mid", BAND)
    assert again.stems.onset_model is None


@pytest.mark.parametrize(
    ("song", "model", "options"),
    [
        ("mono", "fmp", {}),
        ("stereo", "fmp-onsets", {"mask_power": 2.0, "duration": 1.4}),
        ("stereo", "fmp", {"mask": "binary"}),
    ],
    ids=str,
)
def test_a_separation_by_the_books_model_sounds_again(runs, song, model, options):
    check_same(*runs("separate", song, model=model, **options))


def test_stems_without_components_come_again(runs, songs):
    late = Score((*BAND.notes, Note(60, 1, 70, 90, "late"), Note(2, 0.5, 80, 90, "in")))
    write_score(songs / "band.mid", late)
    try:
        done, result = runs("separate", model="fmp", align="never", by="part")
        (again,) = check_same(done, result)
    finally:
        write_score(songs / "band.mid", BAND)
    assert {"drum", "in"} <= {*again.names}


@pytest.mark.parametrize(
    ("song", "options"),
    [
        ("mono", {}),
        ("stereo", {"mask_power": 2.0, "start": 0.1, "duration": 2.0}),
        ("stereo", {"mask": "binary"}),
    ],
    ids=str,
)
def test_what_was_labelled_sounds_again(runs, song, options):
    quick = {"n_components": 2, "n_rest": 1}
    (again,) = check_same(*runs("label", song, **quick, **options))
    assert "low_high" in again.names


@pytest.mark.parametrize(
    ("song", "options"),
    [
        ("mono", {}),
        ("stereo", {"method": "neural", "mask_power": 2.0}),
        ("stereo", {"stems": (2,), "start": 0.4, "duration": 2.0, "mask": "binary"}),
    ],
    ids=str,
)
def test_layers_sound_again(runs, song, options):
    groups = check_same(*runs("layers", song, ranks=(5, 3, 2), **options))
    assert len(groups) == len(options.get("stems", (1, 2, 3)))


def check_shown(done, result):
    """The notes of a run come back, but for the rounding of their ends."""
    shown = read_shown(done.folder)
    for note, expected in zip(shown.notes, result.shown().notes, strict=True):
        assert note.duration == pytest.approx(expected.duration)
        assert note == expected._replace(duration=note.duration, staff=0)
    return shown


def test_the_notes_of_a_separation_are_shown_by_stem(runs):
    shown = check_shown(*runs("separate", groups={"all": ["low", "high"]}))
    assert {*shown.parts} == {"all", "drum"}
    assert len(shown.notes) == len(BAND.notes)


def test_drums_are_the_same_again(runs):
    (again,) = check_same(*runs("drums", "stereo", drums=("kick", "snare")))
    assert again.stems.names[-1] == "rest"
    assert len(again.stems.names) > 1


@pytest.mark.parametrize("kind", ["decompose", "label", "layers", "transcribe"])
def test_other_runs_show_the_notes_that_they_found(runs, kind):
    options = {"ranks": (4, 2)} if kind == "layers" else {}
    if kind == "transcribe":
        options = {"transcriber": "builtin", "start": 0.5}
    assert check_shown(*runs(kind, **options)).notes


def test_names_of_an_edited_run_do_not_matter(runs):
    done, result = runs("decompose", "stereo", n_components=3)
    path = done.folder / "factors.npz"
    with np.load(path) as archive:
        arrays = dict(archive)
    np.savez(path, **{**arrays, "labels": np.array(["a", "b", "a"])})
    check_same(done, result)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("separate", {}),
        ("separate", {"model": "fmp"}),
        ("label", {}),
        ("layers", {"ranks": (4, 2)}),
    ],
)
def test_other_runs_of_older_versions_say_what_to_do(runs, kind, options):
    done, result = runs(kind, **options)
    (done.folder / "model.npz").unlink()
    with pytest.raises(OutputError, match=r"no model\.npz.*specnmf rerun"):
        restored(done, result)


#: Runs, and changes of what their archives hold, none of which is believed.
HOSTILE = {
    "decompose": (
        {"n_components": 2},
        ("factors", {"W": np.ones((3, 2))}),
        ("factors", {"H": np.full((2, 9), np.nan)}),
        ("model", {"labels": np.array(["a", "../../b"])}),
        ("model", {"labels": np.array(["a"])}),
        ("model", {"pitches": np.full(2, 1e9)}),
        ("model", {"pitches": np.zeros(3)}),
    ),
    "label": (
        {"n_components": 2},
        ("model", {"stems": np.array(["bell"])}),
        ("model", {"losses": np.array([[1.0]])}),
    ),
    "separate": (
        {"model": "fmp"},
        ("model", {"H": np.full((9, 9), 1.0)}),
        ("model", {"W": np.array("x")}),
        ("model", {"stems": np.array(["a/b"])}),
    ),
    "drums": (
        {},
        ("model", {"spectra": np.ones((1, 2, 1, 9), np.float32)}),
        ("model", {"strengths": np.full(3, -1.0, np.float32)}),
        ("model", {"drums": np.array(["../kick"])}),
        ("model", {"drums": np.array(["rest"])}),
        ("model", {"entry_frame": np.array([10**6])}),
        ("model", {"entry_template": np.array([99])}),
        ("model", {"rest_H": np.ones((1, 3, 24), np.float32)}),
        ("model", {"rest_H": np.full((1, 1, 1), np.nan, np.float32)}),
        ("model", {"hit_time": np.array([np.nan])}),
        ("model", {"hit_note": np.array([500])}),
        ("model", {"n_fft": np.array(1 << 40)}),
    ),
    "layers": (
        {"ranks": (4, 2)},
        ("layers", {"A_1": np.ones((4, 4))}),
        ("layers", {"A_2": np.ones((3, 2))}),
        ("layers", {"S_2": np.full((2, 2), -1.0)}),
        ("layers", {"S_1": np.array(["x"])}),
        ("model", {"pitches": np.zeros(3)}),
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_no_run_has_stored_is_refused(runs, kind):
    options, *attacks = HOSTILE[kind]
    done, result = runs(kind, **options, sources=False)
    for archive, changes in attacks:
        path = done.folder / f"{archive}.npz"
        content = path.read_bytes()
        with np.load(path) as whole:
            arrays = dict(whole)
        np.savez(path, **(arrays | changes))
        with pytest.raises(OutputError) as refused:
            restored(done, result)
        assert str(done.folder) in str(refused.value)
        assert str(refused.value).isprintable()
        path.write_bytes(content)
    restored(done, result)


@pytest.mark.parametrize("kind", ["decompose", "label", "layers"])
def test_the_model_of_another_recording_is_refused(runs, songs, kind):
    options = {"ranks": (4, 2)} if kind == "layers" else {"n_components": 2}
    done, result = runs(kind, **options, sources=False)
    path = songs / "short.wav"
    soundfile.write(path, samples(1)[: 2 * SR], SR)
    song = dataclasses.replace(result.song, path=path)
    with pytest.raises(OutputError, match="is it another one"):
        restored(done, dataclasses.replace(result, song=song))
