"""One song through the pipeline: what the run folder holds, on real sounds."""

import hashlib
import json

import mido
import numpy as np
import pytest
import soundfile
from conftest import ROOT

import specnmf
from specnmf import ParameterError, Settings, TemplateError
from specnmf.output.sources import EXACT_DB

CHOPIN = ROOT / "audio_examples" / "chopin_op28_4" / "chopin_op28_4.flac"
DRUMS = ROOT / "audio_examples" / "drums" / "drums.flac"


def decompose(path, output, templates=None, **options):
    settings = Settings(**{"n_components": 3, "max_iter": 10, **options})
    return specnmf.decompose(path, settings, output=output, templates=templates)


def sum_of_sources(run, dtype):
    paths = sorted((run.folder / "sources").iterdir())
    return sum(soundfile.read(p, dtype=dtype, always_2d=True)[0] for p in paths)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    output = tmp_path_factory.mktemp("out")
    return specnmf.decompose(CHOPIN, Settings(duration=8.0), output=output)


@pytest.mark.parametrize(("figures", "n_said"), [(True, 1), (False, 0)])
def test_a_title_that_no_font_has_is_worth_a_warning(
    tmp_path, monkeypatch, figures, n_said
):
    from specnmf.output.figures import lettering

    monkeypatch.setattr(lettering, "_installed", lambda: ())
    lettering._file.cache_clear()
    path = tmp_path / "夜曲 $a_b$.flac"
    path.write_bytes(DRUMS.read_bytes())
    run = decompose(path, tmp_path, duration=1.0, sources=False, figures=figures)
    lettering._file.cache_clear()
    said = [w for w in run.report["warnings"] if "no installed font has 夜曲" in w]
    assert len(said) == n_said


def test_a_run_leaves_everything_that_is_promised(run):
    names = {str(p.relative_to(run.folder)) for p in run.folder.rglob("*.*")}
    figures = "spectrogram", "templates", "activations", "reconstruction", "loss"
    assert names == {
        "run.json",
        "report.html",
        "factors.npz",
        "model.npz",
        "pianoroll.mid",
        "pianoroll.csv",
        *(f"figures/{name}.png" for name in figures),
        *(f"sources/component_0{k}.wav" for k in range(1, 9)),
    }


def test_run_json_says_what_was_done(run):
    report = json.loads((run.folder / "run.json").read_text())
    assert report == run.report
    assert report["seed"] == 0
    assert report["settings"]["n_fft"] == 2048
    assert report["settings"]["duration"] == 8.0
    assert report["versions"]["specnmf"] == specnmf.__version__
    assert report["inputs"] == [
        {
            "path": str(CHOPIN),
            "sha256": hashlib.sha256(CHOPIN.read_bytes()).hexdigest(),
        }
    ]
    assert set(report["seconds"]) >= {"read", "factorise", "sources", "figures"}
    assert [entry["label"] for entry in report["components"]] == [
        f"component_0{k}" for k in range(1, 9)
    ]
    assert sum(e["energy_share"] for e in report["components"]) == pytest.approx(1)
    assert report["warnings"] == []


def test_factors_load_without_pickle_and_fit_together(run):
    with np.load(run.folder / "factors.npz", allow_pickle=False) as factors:
        W, H = factors["W"], factors["H"]
        assert W.dtype == H.dtype == np.float32
        assert W.shape == (len(factors["frequencies"]), 8)
        assert H.shape == (8, len(factors["times"]))
        assert factors["frequencies"][-1] == 22050
        assert factors["times"][1] == pytest.approx(512 / 44100)
        assert factors["labels"].dtype.kind == "U"
        losses = factors["losses"]
        np.testing.assert_allclose(W.max(axis=0), 1, rtol=1e-6)
        energies = (W**2).sum(axis=0) * (H**2).sum(axis=1)
    assert (np.diff(losses) <= 0).all()
    assert losses[-1] == run.report["final_loss"]
    assert len(losses) == run.report["iterations"]
    assert (np.diff(energies) <= 0).all()


def test_the_preludes_notes_are_found(run):
    score = np.genfromtxt(CHOPIN.with_suffix(".csv"), delimiter=",", skip_header=1)
    sounding = {int(pitch) for start, _, pitch, *_ in score if start < 8}
    found = {round(e["pitch"]) for e in run.report["components"] if e["pitch"]}
    assert len(found & sounding) >= 5
    played = mido.MidiFile(run.folder / "pianoroll.mid")
    pitches = {m.note for track in played.tracks for m in track if m.type == "note_on"}
    assert pitches & {71, 72} == {71, 72}  # the melody, B4 and C5


def test_drums_go_to_the_percussion_channel(tmp_path):
    run = decompose(DRUMS, tmp_path, max_iter=100, figures=False, sources=False)
    unpitched = {e["label"] for e in run.report["components"] if e["pitch"] is None}
    assert unpitched
    midi = mido.MidiFile(run.folder / "pianoroll.mid")
    for track in midi.tracks:
        channels = {m.channel for m in track if m.type == "note_on"}
        if track.name in unpitched:
            assert channels <= {9}
        else:
            assert 9 not in channels


def test_sources_add_up_sample_for_sample(run):
    mixture = soundfile.read(CHOPIN, frames=8 * 44100, dtype="int16", always_2d=True)[0]
    assert (sum_of_sources(run, "int16") == mixture).all()
    assert run.report["residual_db"] == EXACT_DB


@pytest.mark.slow  # whole runs
@pytest.mark.parametrize("mask", [{"mask": "binary"}, {"mask_power": 2.0}])
@pytest.mark.parametrize(
    ("format", "subtype", "suffix"),
    [
        ("WAV", "PCM_U8", "wav"),
        ("WAV", "PCM_16", "wav"),
        ("WAV", "PCM_24", "wav"),
        ("WAV", "PCM_32", "wav"),
        ("WAVEX", "PCM_24", "wav"),
        ("RF64", "PCM_16", "wav"),
        ("FLAC", "PCM_24", "flac"),
        ("AIFF", "PCM_S8", "aiff"),
    ],
)
def test_integers_add_up_in_every_format(tmp_path, rng, mask, format, subtype, suffix):
    path = tmp_path / f"noise.{suffix}"
    samples = rng.integers(-(2**31), 2**31, (9000, 2)) * 0.9
    soundfile.write(path, samples.astype(np.int32), 8000, subtype, format=format)
    run = decompose(path, tmp_path, figures=False, **mask)
    mixture = soundfile.read(path, dtype="int32", always_2d=True)[0]
    # int32 wraps at overflow, so a sum that is right in the end is right
    assert (sum_of_sources(run, "int32") == mixture).all()
    assert run.report["residual_db"] == EXACT_DB
    written = soundfile.info(run.folder / "sources" / "component_01.wav")
    assert (written.samplerate, written.channels, written.frames) == (8000, 2, 9000)
    assert written.subtype == subtype.replace("S8", "U8")


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_floats_add_up_to_single_precision(tmp_path, rng, subtype):
    path = tmp_path / "noise.wav"
    soundfile.write(path, rng.standard_normal((9000, 2)), 8000, subtype)
    run = decompose(path, tmp_path, figures=False)
    mixture = soundfile.read(path, always_2d=True)[0]
    error = sum_of_sources(run, "float64") - mixture
    measured = 20 * np.log10(error.std() / mixture.std())
    assert measured < -120
    assert run.report["residual_db"] == pytest.approx(measured, abs=1)


@pytest.mark.parametrize("suffix", ["ogg", "mp3"])
def test_lossy_inputs_give_24_bits(tmp_path, suffix):
    samples, sr = soundfile.read(DRUMS, frames=44100)
    path = tmp_path / f"loop.{suffix}"
    soundfile.write(path, samples, sr)
    run = decompose(path, tmp_path, figures=False)
    decoded = soundfile.read(path, dtype="float64", always_2d=True)[0]
    assert soundfile.info(run.folder / "sources" / "component_01.wav").subtype == (
        "PCM_24"
    )
    assert np.abs(sum_of_sources(run, "float64") - decoded).max() <= 2.0**-24
    assert run.report["residual_db"] < -90


@pytest.mark.parametrize(
    ("format", "most"), [("flac", EXACT_DB), ("ogg", -5), ("mp3", -5)]
)
def test_other_formats_of_sources_are_measured_as_written(tmp_path, format, most):
    run = decompose(DRUMS, tmp_path, figures=False, format=format, duration=2.0)
    paths = sorted((run.folder / "sources").iterdir())
    assert {path.suffix for path in paths} == {f".{format}"}
    assert EXACT_DB <= run.report["residual_db"] <= most
    warned = any(text.startswith("null test") for text in run.report["warnings"])
    assert warned == (format != "flac")


def test_hot_recordings_add_up_and_say_what_was_moved(tmp_path, rng):
    path = tmp_path / "hot.wav"
    y = np.clip(3 * rng.standard_normal(20_000), -1, 1)
    soundfile.write(path, y, 44100, "PCM_16")
    run = decompose(path, tmp_path, figures=False, mask="binary")
    mixture = soundfile.read(path, dtype="int16", always_2d=True)[0]
    assert (sum_of_sources(run, "int16") == mixture).all()
    assert any(text.startswith("clipped") for text in run.report["warnings"])
    assert any(text.startswith("full scale") for text in run.report["warnings"])


def test_silence_decomposes_to_silence(tmp_path):
    path = tmp_path / "rest.wav"
    soundfile.write(path, np.zeros((9000, 2)), 8000)
    run = decompose(path, tmp_path)
    assert not sum_of_sources(run, "int16").any()
    assert run.report["warnings"][0].startswith("silent")
    assert run.report["residual_db"] == EXACT_DB
    assert (run.folder / "pianoroll.csv").read_text().count("\n") == 1


@pytest.mark.slow  # whole runs
@pytest.mark.parametrize("options", [{}, {"beta": 2.0}, {"init": "nndsvda"}])
def test_the_same_seed_gives_the_same_bytes_with_any_threads(tmp_path, options):
    contents = []
    for i, threads in enumerate((1, 2, 2)):
        run = decompose(
            CHOPIN, tmp_path / str(i), threads=threads, duration=4.0, **options
        )
        paths = sorted(p for p in run.folder.rglob("*.*") if p.name != "run.json")
        contents.append([p.read_bytes() for p in paths])
    assert contents[0] == contents[1] == contents[2]


def test_an_excerpt_adds_up_and_says_if_it_is_shorter_than_asked(tmp_path):
    run = decompose(DRUMS, tmp_path, figures=False, start=9.0, duration=5.0)
    mixture = soundfile.read(DRUMS, start=9 * 44100, dtype="int16", always_2d=True)[0]
    assert (sum_of_sources(run, "int16") == mixture).all()
    assert run.report["warnings"] == ["the excerpt ends with the recording, 1.18 s"]


def test_another_seed_gives_other_factors(tmp_path):
    runs = [
        decompose(CHOPIN, tmp_path / str(seed), seed=seed, duration=2.0, figures=False)
        for seed in (0, 1)
    ]
    assert len({(run.folder / "factors.npz").read_bytes() for run in runs}) == 2


@pytest.mark.slow  # whole runs
def test_templates_are_held_fixed_and_the_rest_is_learned(tmp_path):
    first = decompose(CHOPIN, tmp_path / "a", duration=3.0, figures=False)
    templates = first.folder / "factors.npz"
    run = decompose(
        CHOPIN, tmp_path / "b", templates=templates, n_components=5, start=3.0
    )
    with np.load(templates) as old, np.load(run.folder / "factors.npz") as new:
        assert (new["W"][:, :3] == old["W"]).all()
        assert new["W"].shape[1] == 5
    assert len(run.report["inputs"]) == 2


def test_templates_that_do_not_fit_are_refused(tmp_path):
    first = decompose(CHOPIN, tmp_path / "a", duration=3.0, figures=False)
    templates = first.folder / "factors.npz"
    with pytest.raises(
        TemplateError, match="have 1025 bins and 1025 frequencies, the recording 513"
    ):
        decompose(CHOPIN, tmp_path / "b", templates=templates, n_fft=1024)
    soundfile.write(tmp_path / "slow.wav", np.ones(9000), 8000)
    with pytest.raises(
        TemplateError, match="end at 22050 Hz, those of the recording at 4000"
    ):
        decompose(tmp_path / "slow.wav", tmp_path / "b", templates=templates)
    with pytest.raises(TemplateError, match="expected a factors.npz"):
        decompose(CHOPIN, tmp_path / "b", templates=CHOPIN)
    with pytest.raises(TemplateError, match="none.npz: No such file"):
        decompose(CHOPIN, tmp_path / "b", templates=tmp_path / "none.npz")
    assert not (tmp_path / "b").exists()


def test_more_components_than_frames_are_refused(tmp_path):
    path = tmp_path / "one.wav"
    soundfile.write(path, [0.5], 44100)
    with pytest.raises(ParameterError, match="at most 1 components fit"):
        decompose(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    run = decompose(path, tmp_path / "out", n_components=1)
    assert run.report["residual_db"] == EXACT_DB


def test_figures_and_sources_can_be_left_out(tmp_path):
    run = decompose(DRUMS, tmp_path, sources=False, figures=False, duration=1.0)
    assert sorted(path.name for path in run.folder.iterdir()) == [
        "factors.npz",
        "model.npz",
        "pianoroll.csv",
        "pianoroll.mid",
        "report.html",
        "run.json",
    ]
    assert run.report["residual_db"] is None


def test_progress_passes_through_the_stages(tmp_path):
    heard = []
    specnmf.decompose(
        DRUMS,
        Settings(n_components=2, max_iter=5, tol=0, duration=1.0),
        output=tmp_path,
        progress=lambda *call: heard.append(call),
    )
    stages = list(dict.fromkeys(stage for stage, *_ in heard))
    assert stages[:3] == ["read", "transform", "factorise"]
    assert set(stages) == {
        "read", "transform", "factorise", "pitches", "sources", "piano roll",
        "figures", "report",
    }  # fmt: skip
    for stage in stages:
        last = [call for call in heard if call[0] == stage][-1]
        assert last[1] == last[2]  # done is all
    iterations = [call for call in heard if call[0] == "factorise"]
    assert [done for _, done, _, _ in iterations] == [0, 1, 2, 3, 4, 5, 5]
    assert iterations[5][3].startswith("loss ")


@pytest.mark.slow  # whole runs
@pytest.mark.parametrize(
    "name",
    [
        "bach10/P4_Mix01/mix.flac",
        "chopin_op10_3/Chopin_Op010-03-Measures1-8_Igoshina.wav",
        "chopin_op10_3/Chopin_Op010-03-Measures1-8_Varsi.wav",
        "schubert_d911_11/FMP_B_Sonify_Pitch_Schubert_D911-11_SC06.wav",
        "drums/808/mix.flac",
    ],
)
def test_real_recordings_add_up(tmp_path, shared_data, name):
    path = shared_data / name
    run = decompose(path, tmp_path, duration=5.0, figures=False)
    frames = 5 * soundfile.info(path).samplerate
    mixture = soundfile.read(path, frames=frames, dtype="int32", always_2d=True)[0]
    assert (sum_of_sources(run, "int32") == mixture).all()
