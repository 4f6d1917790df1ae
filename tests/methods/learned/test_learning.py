"""Templates learned from sounds, from labels, and from runs."""

import hashlib

import numpy as np
import pytest
import soundfile

import specnmf
from specnmf import (
    AudioError,
    LearnSettings,
    OutputError,
    ParameterError,
    Region,
    ScoreError,
    TemplateError,
)
from specnmf.audio.recording import Audio
from specnmf.record.learn import learn_from_run

SR = 8000
WINDOW = {"n_fft": 256, "hop_length": 64}


def tone(frequency, seconds=0.5, level=0.5):
    t = np.arange(round(SR * seconds)) / SR
    return (level * np.sin(2 * np.pi * frequency * t)).astype(np.float32)


def hits(seconds=1.0, every=0.25):
    """Noise that fades within 50 ms, four times."""
    rng = np.random.default_rng(0)
    t = np.arange(round(SR * seconds)) / SR
    return (rng.standard_normal(t.size) * np.exp(-(t % every) / 0.02)).astype("f4")


def audio(samples):
    return Audio(samples[np.newaxis], SR)


def peaks(templates):
    """The frequency at which each template is highest, Hz."""
    return templates.frequencies[templates.W.sum(axis=2).argmax(axis=0)]


@pytest.fixture
def folder(tmp_path):
    """Sounds in files: two alone, and two of one group."""
    sounds = tmp_path / "sounds"
    for name, samples in {
        "low.wav": tone(500),
        "high.wav": tone(2000),
        "horn/a.wav": tone(1000),
        "horn/b.wav": tone(1250),
        ".hidden.wav": tone(3000),
        "notes.txt": None,
    }.items():
        path = sounds / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if samples is None:
            path.write_text("not a sound")
        else:
            soundfile.write(path, samples, SR)
    return sounds


def test_a_sound_gives_its_spectrum():
    templates = specnmf.learn({"a": audio(tone(1000))}, n_components=1, **WINDOW)
    assert templates.names == templates.groups == ("a",)
    assert peaks(templates) == pytest.approx([1000])
    assert templates.sources == ()
    assert (templates.sr, templates.n_fft, templates.hop_length) == (SR, 256, 64)


def test_each_note_of_a_sound_has_a_template():
    scale = np.concatenate([tone(f) for f in (500, 1000, 1500)])
    templates = specnmf.learn({"a": audio(scale)}, n_components=3, **WINDOW)
    assert templates.names == ("a_1", "a_2", "a_3")
    assert sorted(peaks(templates)) == pytest.approx([500, 1000, 1500], abs=32)


def test_the_loudest_come_first():
    scale = np.concatenate([tone(500, level=0.1), tone(1500), tone(1000, level=0.3)])
    templates = specnmf.learn({"a": audio(scale)}, n_components=3, **WINDOW)
    assert peaks(templates) == pytest.approx([1500, 1000, 500], abs=32)


def test_templates_of_several_frames_fade_as_the_sound_does():
    templates = specnmf.learn({"hit": audio(hits())}, n_template_frames=6, **WINDOW)
    assert templates.names == ("hit",)
    levels = np.linalg.norm(templates.W[:, 0], axis=0)
    assert levels[-1] < 0.3 * levels.max()


def test_folders_within_a_folder_are_groups(folder):
    templates = specnmf.learn(folder, n_components=1, **WINDOW)
    assert templates.names == ("high", "low", "horn_1", "horn_2")
    assert templates.groups == ("high", "low", "horn", "horn")
    assert peaks(templates) == pytest.approx([2000, 500, 1000, 1250])
    digests = dict(templates.sources)
    assert list(digests) == ["high.wav", "low.wav", "a.wav", "b.wav"]
    content = (folder / "low.wav").read_bytes()
    assert digests["low.wav"] == hashlib.sha256(content).hexdigest()


def test_names_may_be_given_to_files_and_to_arrays(folder):
    sounds = {
        "bass": folder / "low.wav",
        "brass": [folder / "horn", folder / "high.wav"],
    }
    templates = specnmf.learn(sounds, n_components=1, **WINDOW)
    assert templates.names == ("bass", "brass_1", "brass_2", "brass_3")


def test_a_group_keeps_together_wherever_its_sounds_are(folder):
    (folder / "low").mkdir()
    (folder / "low.wav").rename(folder / "low" / "x.wav")
    sounds = [folder / "high.wav", folder / "horn" / "a.wav", folder]
    templates = specnmf.learn(sounds, n_components=1, **WINDOW)
    assert templates.groups == ("high", "high", "a", "horn", "horn", "low")


def test_regions_of_a_recording_are_learned_where_they_are_alone():
    y = np.concatenate([tone(500, 1), tone(2000, 1), tone(3000, 0.2)])
    y[SR // 2 : SR] += tone(1000, 0.5)
    regions = [
        Region(0.0, 1.0, "low"),
        Region(0.5, 1.0, "mid"),
        Region(1.0, 2.0, "high"),
        Region(2.0, 2.2, "rest"),
    ]
    sounds = {"song": audio(y)}
    templates = specnmf.learn(sounds, labels=regions, n_components=2, **WINDOW)
    assert set(templates.groups) == {"low", "mid", "high", "rest"}
    of = {name: set(peaks(templates)[np.array(templates.groups) == name])
          for name in templates.stems}  # fmt: skip
    assert 500 in of["low"]
    assert 2000 in of["high"]
    assert 3000 in of["rest"]
    assert 1000 not in of["low"] | of["high"] | of["rest"]


def test_the_same_sounds_give_the_same_templates_with_any_threads(folder):
    for options in ({}, {"n_template_frames": 3}):
        one, two = (
            specnmf.learn(folder, threads=threads, **WINDOW, **options)
            for threads in (1, 2)
        )
        np.testing.assert_array_equal(one.W, two.W)


@pytest.fixture
def finished(tmp_path):
    """A run of two components."""
    y = np.concatenate([tone(500, 0.5), tone(2000, 0.5, 0.2)])
    soundfile.write(tmp_path / "song.wav", y, SR)
    return specnmf.decompose(
        tmp_path / "song.wav",
        n_components=2,
        output=tmp_path / "runs",
        figures=False,
        report=False,
        sources=False,
        **WINDOW,
    )


def test_components_of_a_run_become_groups(finished):
    templates = learn_from_run(
        finished.folder, {"b": ["component_02"], "a": ["component_01"]}
    )
    assert templates.names == ("b", "a")
    assert peaks(templates) == pytest.approx([2000, 500])
    assert (templates.sr, templates.n_fft, templates.hop_length) == (SR, 256, 64)
    assert templates.sources == (("song.wav", finished.report["inputs"][0]["sha256"]),)
    assert learn_from_run(finished.folder).names == ("component_01", "component_02")


def test_components_that_are_not_there_are_refused(finished):
    with pytest.raises(ParameterError, match="no component 'x'; it has component"):
        learn_from_run(finished.folder, {"a": ["x"]})
    with pytest.raises(ParameterError, match="a component is given twice"):
        learn_from_run(finished.folder, {"a": ["component_01"], "b": ["component_01"]})
    with pytest.raises(OutputError, match="run.json"):
        learn_from_run(finished.folder.parent)


def test_a_run_that_claims_another_window_is_refused(finished):
    report = finished.folder / "run.json"
    text = report.read_text().replace('"n_fft": 256', '"n_fft": 512')
    report.write_text(text)
    with pytest.raises(TemplateError, match="need W of shape"):
        learn_from_run(finished.folder)


def test_fewer_frames_than_templates_give_fewer():
    templates = specnmf.learn({"a": audio(tone(1000, 0.02))}, **WINDOW)
    assert 1 <= templates.n_templates <= 3


@pytest.mark.parametrize(
    ("sounds", "error", "message"),
    [
        (
            {"a": audio(np.zeros(4000, np.float32))},
            TemplateError,
            "a: silent; expected",
        ),
        ("none.wav", AudioError, "none.wav: no such file"),
        ([audio(tone(500))], AudioError, "expected paths, or a mapping of names to"),
        ({"a\nb": audio(tone(500))}, TemplateError, "must be printable"),
    ],
)
def test_what_is_no_sound_is_refused(sounds, error, message):
    with pytest.raises(error, match=message):
        specnmf.learn(sounds, **WINDOW)


def test_a_folder_without_recordings_is_refused(tmp_path):
    with pytest.raises(AudioError, match="no recordings in it, expected wav, flac"):
        specnmf.learn(tmp_path)


def test_a_sound_of_another_rate_is_converted_or_refused(folder):
    soundfile.write(folder / "low.wav", tone(500), SR // 2)
    paths = [folder / "high.wav", folder / "low.wav"]
    with pytest.raises(TemplateError, match="low.wav: the templates reach 2000 Hz"):
        specnmf.learn(paths, **WINDOW)
    soundfile.write(folder / "low.wav", tone(500, 1), 2 * SR)
    templates = specnmf.learn(paths, n_components=1, n_fft=256)
    assert peaks(templates)[1] == pytest.approx(1000)  # half as long at twice the rate


def test_labels_need_one_recording_and_spectra(folder):
    regions = [Region(0.0, 0.2, "a")]
    with pytest.raises(ParameterError, match="labels are for one recording, got 4"):
        specnmf.learn(folder, labels=regions, **WINDOW)
    song = folder / "low.wav"
    with pytest.raises(ParameterError, match="use --frames 1"):
        specnmf.learn(song, labels=regions, n_template_frames=4, **WINDOW)
    with pytest.raises(ScoreError, match="only rest is marked"):
        specnmf.learn(song, labels=[Region(0.0, 0.2, "rest")], **WINDOW)


def test_a_sound_too_long_for_the_memory_is_refused_before_it_is_read(folder):
    with pytest.raises(ParameterError, match=r"high.wav: .* need .* use --memory"):
        specnmf.learn(folder, memory=1 << 20)


def test_options_are_checked():
    with pytest.raises(ParameterError, match="n_components must be at least 1, got 0"):
        LearnSettings(n_components=0)
    with pytest.raises(ParameterError, match="there is no setting 'frames'"):
        specnmf.learn("x.wav", frames=2)
