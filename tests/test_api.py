"""The public functions: what the commands do, in memory and by the same names."""

import dataclasses
import importlib
import inspect
import typing

import numpy as np
import pytest
from conftest import ROOT

import specnmf
from specnmf.tasks.registry import TASKS

EXAMPLES = ROOT / "audio_examples"
CHORALE = EXAMPLES / "chorale" / "chorale.flac"
SCORE = CHORALE.with_suffix(".mid")
DRUMS = EXAMPLES / "drums" / "drums.flac"
GREENSLEEVES = EXAMPLES / "greensleeves" / "greensleeves.flac"
LABELS = GREENSLEEVES.with_name("labels.txt")

#: Files that have the samples of the stems.
FLOATS = {"figures": False, "report": False, "format": "wav", "subtype": "float"}

#: A short excerpt, and few iterations.
BRIEF = {"start": 1.0, "duration": 2.0, "max_iter": 5}

#: Each task on a song: the function, the song, what comes with it, options.
CALLS = {
    "decompose": (specnmf.decompose, DRUMS, [], {"n_components": 3, **BRIEF}),
    "separate": (specnmf.separate, CHORALE, [SCORE], BRIEF),
    "separate heard": (
        specnmf.separate,
        CHORALE,
        [],
        {"no_score": True, "transcriber": "builtin", **BRIEF},
    ),
    "label": (specnmf.label, GREENSLEEVES, [LABELS], BRIEF),
    "layers": (specnmf.layers, CHORALE, [[4, 2]], BRIEF),
}


@pytest.fixture(params=CALLS)
def call(request):
    return CALLS[request.param]


def written(run):
    """The samples of the files that a run wrote, by their names in sources/."""
    folder = run.folder / "sources"
    return {
        path.relative_to(folder).with_suffix("").as_posix(): specnmf.read(path).samples
        for path in sorted(folder.rglob("*.wav"))
    }


def samples(stems):
    return {name: audio.samples for name, audio in sorted(stems.items())}


def test_in_memory_the_stems_are_the_samples_that_a_run_writes(call, tmp_path):
    function, song, given, options = call
    stems = function(song, *given, **options)
    assert isinstance(stems, specnmf.Separated)
    run = function(song, *given, output=tmp_path, **options, **FLOATS)
    assert isinstance(run, specnmf.Run)
    np.testing.assert_equal(samples(stems), written(run))
    assert list(stems.remarks) == run.report["warnings"]
    with np.load(run.folder / "factors.npz") as arrays:
        np.testing.assert_array_equal(stems.factors.W, arrays["W"])
        np.testing.assert_array_equal(stems.factors.H, arrays["H"])
        np.testing.assert_array_equal(stems.frequencies, arrays["frequencies"])
        np.testing.assert_array_equal(stems.times, arrays["times"])
    assert len(stems.pitches) == stems.factors.n_components
    assert {note.part for note in stems.notes.notes} <= {
        name.split("/")[-1] for name in stems
    }


def test_an_array_and_an_audio_give_what_their_file_gives(call):
    function, song, given, options = call
    stems = samples(function(song, *given, **options))
    audio = specnmf.read(song)
    np.testing.assert_equal(samples(function(audio, *given, **options)), stems)
    array = audio.samples.astype(np.float64)
    again = function(array, *given, sr=audio.sr, **options)
    np.testing.assert_equal(samples(again), stems)


def test_nothing_is_written_without_an_output(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function, song, given, options = call
    function(song, *given, **options)
    assert not list(tmp_path.iterdir())


def test_the_stems_add_up_to_the_excerpt(call):
    function, song, given, options = call
    audio = specnmf.read(song, start=options["start"], duration=options["duration"])
    stems = function(song, *given, **options)
    layer = [y for name, y in samples(stems).items() if "layer_2" not in name]
    np.testing.assert_allclose(np.sum(layer, axis=0), audio.samples, atol=1e-6)


def test_a_transcription_is_the_score_that_a_run_writes(tmp_path):
    options = {"transcriber": "builtin", "start": 1.0, "duration": 2.0}
    score = specnmf.transcribe(CHORALE, **options)
    audio = specnmf.read(CHORALE)
    assert specnmf.transcribe(audio.samples, sr=audio.sr, **options) == score
    run = specnmf.transcribe(CHORALE, output=tmp_path, figures=False, **options)
    told = specnmf.read_score(run.folder / "score.csv")
    assert len(score.notes) == len(told.notes) > 0
    for note, other in zip(score.notes, told.notes, strict=True):
        assert note.start == pytest.approx(other.start, abs=1e-3)
        assert (note.pitch, note.part) == (other.pitch, other.part)


def test_librosas_mono_array_is_taken_as_it_is():
    t = np.arange(22050, dtype=np.float32) / 22050
    y = np.where(t < 0.5, np.sin(2 * np.pi * 440 * t), np.sin(2 * np.pi * 660 * t))
    stems = specnmf.decompose(y, sr=22050, n_components=2)
    assert [audio.samples.shape for audio in stems.values()] == [(1, 22050)] * 2
    assert sorted(stems.pitches.round()) == [69, 76]
    notes = specnmf.Score(
        (specnmf.Note(0.0, 0.5, 69, part="a"), specnmf.Note(0.5, 0.5, 76, part="b"))
    )
    assert list(specnmf.separate(y, notes, sr=22050, max_iter=2)) == ["a", "b"]
    aligned = specnmf.align(notes, y, sr=22050)
    assert list(specnmf.separate(y, aligned, sr=22050, max_iter=2)) == ["a", "b"]
    assert list(specnmf.separate_by_score(y, notes, sr=22050, max_iter=2)) == ["a", "b"]
    regions = [(0.0, 0.5, "a"), specnmf.Region(0.5, 1.0, "b")]
    assert list(specnmf.label(y, regions, sr=22050, n_rest=0)) == ["a", "b"]
    np.testing.assert_array_equal(
        specnmf.stft(y, sr=22050).X, specnmf.stft(specnmf.Audio(y, 22050)).X
    )


def test_an_alignment_is_taken_as_it_is():
    audio, score = specnmf.read(CHORALE), specnmf.read_score(SCORE)
    stems = specnmf.separate(audio, score, **BRIEF)
    aligned = specnmf.align(score, audio)
    np.testing.assert_equal(
        samples(specnmf.separate(audio, aligned, **BRIEF)), samples(stems)
    )


def test_a_score_beside_the_song_is_only_looked_for_by_a_run(tmp_path):
    options = {"transcriber": "builtin", **BRIEF}
    assert "voice_1" in specnmf.separate(CHORALE, **options)
    run = specnmf.separate(CHORALE, output=tmp_path, **options, **FLOATS)
    assert "tenor" in written(run)


def test_templates_may_be_a_file_an_array_or_a_factorisation(tmp_path):
    options = {"n_components": 3, **BRIEF}
    first = specnmf.decompose(DRUMS, **options)
    run = specnmf.decompose(DRUMS, output=tmp_path, **options, **FLOATS)
    from_file = specnmf.decompose(
        DRUMS, templates=run.folder / "factors.npz", **options
    )
    for given in (first.factors, first.factors.W):
        stems = specnmf.decompose(DRUMS, templates=given, **options)
        np.testing.assert_equal(samples(stems), samples(from_file))


def test_only_some_of_the_stems_are_made_and_none_without_sources():
    stems = specnmf.separate(CHORALE, SCORE, only="tenor,1", **BRIEF)
    assert list(stems) == ["bass", "tenor"]
    whole = specnmf.separate(CHORALE, SCORE, **BRIEF)
    np.testing.assert_array_equal(stems["tenor"].samples, whole["tenor"].samples)
    none = specnmf.separate(CHORALE, SCORE, sources=False, **BRIEF)
    assert not none
    assert none.factors.n_components == whole.factors.n_components
    with pytest.raises(specnmf.ParameterError, match="only: no source matches 'x'"):
        specnmf.separate(CHORALE, SCORE, only=("x",), **BRIEF)


def test_all_layers_come_with_layers():
    found = specnmf.layers(CHORALE, [4, 2], **BRIEF)
    assert found.layers.ranks == (4, 2)
    np.testing.assert_array_equal(found.factors.W, found.layers.A[0])
    labels = [(1.0, 2.0, "a"), (2.0, 3.0, "b")]
    told = specnmf.layers(CHORALE, [4, 2], labels=labels, method="neural", **BRIEF)
    assert told.layers.B is not None


def test_separate_still_takes_a_spectrogram_and_factors():
    spectrogram = specnmf.stft(CHORALE)
    factors = specnmf.nmf(spectrogram.magnitude(), 2, max_iter=2)
    sources = specnmf.separate(spectrogram, factors, mask="binary", power=2.0)
    assert list(sources) == ["component_01", "component_02"]
    assert sources.factors is factors
    again = specnmf.separate(spectrogram, factors=factors, mask="binary")
    np.testing.assert_equal(samples(again), samples(sources))


@pytest.mark.parametrize(
    ("name", "given"),
    [("settings", specnmf.ScoreSettings()), ("sr", 22050), ("output", "runs")],
)
def test_what_a_spectrogram_has_no_use_for_is_refused(name, given):
    spectrogram = specnmf.stft(np.zeros(4000, np.float32), sr=8000)
    factors = specnmf.starts.random(spectrogram.magnitude(), 2, rng=0)
    with pytest.raises(specnmf.ParameterError, match=f"^{name} is for a recording"):
        specnmf.separate(spectrogram, factors, **{name: given})


def test_options_override_settings_and_are_read_as_on_the_command_line():
    settings = specnmf.Settings(n_components=4, beta=2.0, **BRIEF)
    stems = specnmf.decompose(DRUMS, settings, n_components="2", beta="kl")
    other = specnmf.decompose(DRUMS, n_components=np.int64(2), beta=1, **BRIEF)
    np.testing.assert_equal(samples(stems), samples(other))
    assert settings.n_components == 4


def test_progress_is_told_in_memory_too():
    told = []
    specnmf.decompose(
        DRUMS, n_components=2, progress=lambda *call: told.append(call), **BRIEF
    )
    stages = list(dict.fromkeys(stage for stage, *_ in told))
    assert stages == ["read", "transform", "factorise", "pitches", "sources"]


TONE = np.sin(np.arange(4000, dtype=np.float32))


@pytest.mark.parametrize(
    ("work", "error", "message"),
    [
        (
            lambda: specnmf.decompose(TONE),
            specnmf.AudioError,
            "an array does not tell its sample rate; pass sr in Hz, such as sr=22050",
        ),
        (
            lambda: specnmf.decompose((TONE * 999).astype(np.int16), sr=8000),
            specnmf.AudioError,
            "samples must be floats whose full scale is 1, got int16; pass x / 32768",
        ),
        (
            lambda: specnmf.stft(DRUMS, sr=44100),
            specnmf.AudioError,
            "drums.flac: sr is for arrays, a file has its own; leave it out",
        ),
        (
            lambda: specnmf.decompose(DRUMS, sr=44100),
            specnmf.AudioError,
            "drums.flac: sr is for arrays, a file has its own; leave it out",
        ),
        (
            lambda: specnmf.decompose(specnmf.Audio(TONE, 8000), sr=4000),
            specnmf.AudioError,
            "an Audio of 8000 Hz comes with sr=4000; leave sr out",
        ),
        (
            lambda: specnmf.transcribe(None),
            specnmf.AudioError,
            "expected an Audio, a path, or an array of samples with its rate sr, got "
            "NoneType",
        ),
        (
            lambda: specnmf.decompose(TONE, sr=8000, output="runs"),
            specnmf.OutputError,
            "a run records its file, got no path; write the audio first: "
            r"specnmf.write\(path, audio\)",
        ),
        (
            lambda: specnmf.separate(CHORALE, specnmf.read_score(SCORE), output="runs"),
            specnmf.OutputError,
            "a run records its files, got no path for score; write them first: "
            r"specnmf.write_score\(path, score\)",
        ),
        (
            lambda: specnmf.decompose(DRUMS, n_component=3),
            specnmf.ParameterError,
            "there is no setting 'n_component'; did you mean 'n_components'?",
        ),
        (
            lambda: specnmf.decompose(DRUMS, n_components=2.5),
            specnmf.ParameterError,
            "n_components must be a whole number or auto, got 2.5",
        ),
        (
            lambda: specnmf.decompose(DRUMS, specnmf.ScoreSettings()),
            specnmf.ParameterError,
            "settings must be Settings, got ScoreSettings",
        ),
        (
            lambda: specnmf.decompose(TONE, sr=8000, start=2.0),
            specnmf.AudioError,
            "the recording ends before the start of the excerpt at 2.0 s",
        ),
        (
            lambda: specnmf.decompose(TONE, sr=8000, templates=np.ones((5, 2))),
            specnmf.TemplateError,
            "templates: 5 bins, the recording has 1025",
        ),
        (
            lambda: specnmf.decompose(TONE, sr=8000, templates=-np.ones((1025, 2))),
            specnmf.TemplateError,
            "templates: W must be finite and non-negative",
        ),
        (
            lambda: specnmf.label(TONE, [(2.0, 1.0, "a")], sr=8000),
            specnmf.ScoreError,
            "a region is a start, a later end in seconds and a name, got 2.0, 1.0",
        ),
        (
            lambda: specnmf.label(TONE, None, sr=8000),
            specnmf.ScoreError,
            "recording: no labels given",
        ),
        (
            lambda: specnmf.separate(CHORALE, SCORE, no_score=True),
            specnmf.ParameterError,
            "are given; expected only one of them",
        ),
    ],
)
def test_a_wrong_call_is_one_line(work, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message) as found:
        work()
    assert "\n" not in str(found.value)
    assert not list(tmp_path.iterdir())


# What is exported


def functions():
    """Each public function and method, by its name."""
    for name in specnmf.__all__:
        value = getattr(specnmf, name)
        if inspect.isfunction(value):
            yield name, value
        elif inspect.ismodule(value):
            own = getattr(value, "__all__", ["random", "nndsvd"])
            yield from ((f"{name}.{each}", getattr(value, each)) for each in own)
        elif inspect.isclass(value):
            yield name, value
            for each, member in vars(value).items():
                bare = getattr(member, "fget", None) or getattr(
                    member, "__func__", member
                )
                if inspect.isfunction(bare) and not each.startswith("_"):
                    yield f"{name}.{each}", bare


def hints_of(value):
    """The annotations of a function or class, without those that are not imported."""
    known = {
        name: getattr(importlib.import_module(module), name)
        for module, names in {
            "matplotlib.axes": ["Axes"],
            "collections.abc": ["Mapping", "Sequence", "Iterator", "Callable"],
        }.items()
        for name in names
    }
    return typing.get_type_hints(value, localns=known)


def classes_in(hint):
    """The classes of specnmf that an annotation names, but for protocols."""
    arguments = hint if isinstance(hint, list | tuple) else typing.get_args(hint)
    for each in arguments:
        yield from classes_in(each)
    own = inspect.isclass(hint) and hint.__module__.startswith("specnmf")
    if own and not getattr(hint, "_is_protocol", False):
        yield hint


@pytest.mark.parametrize(
    "value", [pytest.param(value, id=name) for name, value in functions()]
)
def test_every_class_in_a_public_annotation_is_exported(value):
    exported = {getattr(specnmf, name) for name in specnmf.__all__}
    for hint in hints_of(value).values():
        assert {*classes_in(hint)} <= exported


def test_every_exported_settings_is_taken_by_an_exported_function():
    taken = {
        kind
        for _, value in functions()
        if inspect.isfunction(value)
        for name, hint in hints_of(value).items()
        if name != "return"
        for kind in classes_in(hint)
    }
    kinds = {getattr(specnmf, n) for n in specnmf.__all__ if n.endswith("Settings")}
    assert kinds <= taken


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_a_function_of_its_name(name):
    parameters = inspect.signature(getattr(specnmf, name)).parameters
    assert TASKS[name].settings in {
        getattr(specnmf, each) for each in specnmf.__all__ if each.endswith("Settings")
    }
    assert {"sr", "output", "overwrite", "progress"} <= {*parameters}
    fields = {each.name for each in dataclasses.fields(TASKS[name].settings)}
    assert not {*parameters} - {"ranks"} & fields
