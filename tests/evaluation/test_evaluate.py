"""Evaluation as a whole: scores, matching, silence, means."""

import json
import sys
from dataclasses import asdict
from types import SimpleNamespace

import mir_eval
import numpy as np
import pytest

import specnmf
from specnmf.audio.recording import Audio
from specnmf.errors import ParameterError
from specnmf.evaluation.evaluate import evaluate
from specnmf.evaluation.measures import si_sdr
from specnmf.evaluation.scores import describe

N = 8000


@pytest.fixture
def references(rng):
    return {name: rng.standard_normal(N).astype(np.float32) for name in "abc"}


@pytest.fixture
def estimates(references, rng):
    noise = rng.standard_normal((3, N)).astype(np.float32)
    mixture = sum(references.values())
    return {
        name: y + 0.1 * mixture + 0.05 * noise[i]
        for i, (name, y) in enumerate(references.items())
    }


def test_paths_are_scored_as_what_they_hold(references, estimates, tmp_path):
    folders = {"true": references, "found": estimates}
    sounds = {
        kind: {name: Audio(y[np.newaxis] / 8, 8000) for name, y in group.items()}
        for kind, group in folders.items()
    }
    for kind, group in sounds.items():
        (tmp_path / kind).mkdir()
        for name, audio in group.items():
            specnmf.write(tmp_path / kind / f"{name}.wav", audio, subtype="FLOAT")
    expected = evaluate(sounds["found"], sounds["true"])
    assert evaluate(tmp_path / "found", str(tmp_path / "true")) == expected
    paths = {name: tmp_path / "found" / f"{name}.wav" for name in estimates}
    assert evaluate(paths, sounds["true"]) == expected


def test_a_mixture_among_the_files_of_references_is_the_mixture(
    references, estimates, tmp_path
):
    for name, y in references.items():
        specnmf.write(tmp_path / f"{name}.wav", Audio(y[np.newaxis] / 8, 8000))
    mixture = Audio(sum(references.values())[np.newaxis] / 16, 8000)
    specnmf.write(tmp_path / "mix.wav", mixture)
    found = {name: Audio(y[np.newaxis] / 8, 8000) for name, y in estimates.items()}
    result = evaluate(found, tmp_path)
    assert [row.reference for row in result.sources] == list(references)
    told = evaluate(found, tmp_path, mixture=tmp_path / "mix.wav")
    assert told == result


@pytest.mark.filterwarnings("ignore:mir_eval.separation:FutureWarning")
def test_the_scores_are_mir_evals_and_above_the_mixtures(references, estimates):
    result = evaluate(estimates, references)
    R, E = (np.stack(list(group.values())) for group in (references, estimates))
    mixture = R.sum(axis=0)
    expected, baseline = (
        mir_eval.separation.bss_eval_sources(R, y, compute_permutation=False)
        for y in (E, np.stack([mixture] * 3))
    )
    for i, row in enumerate(result.sources):
        assert row.reference == row.estimate == "abc"[i]
        assert row.sdr == pytest.approx(expected[0][i], abs=1e-3)
        assert row.sir == pytest.approx(expected[1][i], abs=1e-3)
        assert row.sar == pytest.approx(expected[2][i], abs=1e-3)
        assert row.si_sdr == pytest.approx(si_sdr(R[i], E[i]))
        gain = expected[0][i] - baseline[0][i]
        assert row.sdr_improvement == pytest.approx(gain, abs=1e-3)
        gain = row.si_sdr - si_sdr(R[i], mixture)
        assert row.si_sdr_improvement == pytest.approx(gain, abs=1e-3)
        assert row.sdr_v4 is row.leak is None
    assert result.mean["sdr"] == pytest.approx(np.mean(expected[0]), abs=1e-3)
    assert result.mean["sdr_v4"] is None
    assert (result.unused, result.warnings, result.oracle) == ((), (), ())


def test_the_mixture_of_a_quartet_scores_what_it_is_known_to(shared_data):
    folder = shared_data / "bach10" / "P4_Mix01"
    files = sorted((folder / "ref").glob("*.flac"))
    references = {file.stem: specnmf.read(file) for file in files}
    mixture = specnmf.read(folder / "mix.flac")
    estimates = dict.fromkeys(references, mixture)
    result = evaluate(estimates, references, mixture=mixture, oracle=True, n_fft=4096)
    found = [row.sdr for row in result.sources]
    np.testing.assert_allclose(found, [-3.49, -6.12, -4.27, -4.21], atol=0.01)
    assert result.mean["sdr_improvement"] == pytest.approx(0, abs=1e-9)
    assert describe(result)[1].split()[-2:] == ["0.00", "0.00"]
    oracle = result.as_dict()["oracle_mean"]
    assert oracle["sdr"] == pytest.approx(13.5, abs=0.05)


def test_stereo_scores_are_those_of_the_averaged_channels(references, estimates, rng):
    gains = np.array([[1.2], [0.8]], np.float32)
    wide = {name: gains * y for name, y in references.items()}
    result = evaluate({k: gains * y for k, y in estimates.items()}, wide)
    expected = evaluate(estimates, references)
    swapped = evaluate({k: gains[::-1] * y for k, y in estimates.items()}, wide)
    for row, mono, other in zip(
        result.sources, expected.sources, swapped.sources, strict=True
    ):
        assert row.sdr == pytest.approx(mono.sdr, abs=1e-3)
        assert other.sdr == pytest.approx(mono.sdr, abs=1e-3)
        assert row.si_sdr == pytest.approx(mono.si_sdr, abs=1e-3)
        assert other.si_sdr < mono.si_sdr - 3


@pytest.mark.parametrize("shape", [[1, -1], [1, -0.9], [0.5, -0.6]])
def test_stems_of_opposite_phase_have_the_scores_of_one_channel(
    references, estimates, shape
):
    gains = np.array(shape, np.float32)[:, None]
    wide = {name: gains * y for name, y in references.items()}
    result = evaluate({k: gains * y for k, y in estimates.items()}, wide)
    expected = evaluate(estimates, references)
    for metric, mean in expected.mean.items():
        assert result.mean[metric] == pytest.approx(mean, abs=1e-3)
    (warning,) = result.warnings
    assert warning.startswith("a, b, c: the channels cancel each other in the mean, so")


@pytest.mark.filterwarnings("ignore:mir_eval.separation:FutureWarning")
def test_one_stem_of_opposite_phase_has_the_channels_taken_one_after_the_other(
    references, estimates
):
    gains = {"a": [1, -1], "b": [1, 1], "c": [1, 0]}
    gains = {name: np.array(x, np.float32)[:, None] for name, x in gains.items()}
    wide = {name: gains[name] * y for name, y in references.items()}
    wider = {name: gains[name] * y for name, y in estimates.items()}
    result = evaluate(wider, wide)
    assert result.warnings[0].startswith("a: the channels cancel each other")
    # With so much silence between the channels no filter reaches into the next.
    R, E = (
        np.stack([np.pad(y, ((0, 0), (0, 600))).ravel() for y in group.values()])
        for group in (wide, wider)
    )
    sdr, sir, sar, _ = mir_eval.separation.bss_eval_sources(
        R, E, compute_permutation=False
    )
    for i, row in enumerate(result.sources):
        assert row.sdr == pytest.approx(sdr[i], abs=1e-3)
        assert row.sir == pytest.approx(sir[i], abs=1e-3)
        assert row.sar == pytest.approx(sar[i], abs=1e-3)


def test_an_estimate_of_opposite_phase_is_no_silence(references, estimates):
    wide = {name: np.stack([y, 0.2 * y]) for name, y in references.items()}
    turned = {name: np.stack([y, -y]) for name, y in estimates.items()}
    result = evaluate(turned, wide)
    assert result.warnings == ()
    for row in result.sources:
        assert row.sdr == -30  # of its average nothing is left
        assert row.si_sdr == pytest.approx(-3.5, abs=0.5)
    silent = {"d": 0 * wide["a"], **wide}
    result = evaluate({"d": turned["a"], **turned}, silent)
    assert result.sources[0].leak == pytest.approx(-2, abs=1)


def test_one_channel_against_two_of_opposite_phase_is_no_silence(references, estimates):
    wide = {name: np.stack([y, -y]) for name, y in references.items()}
    result = evaluate(estimates, wide)
    assert result.warnings[0] == "numbers of channels differ: mono is copied to all 2"
    assert [row.sdr for row in result.sources] == [-30] * 3
    result = evaluate({k: np.stack([y, -y]) for k, y in estimates.items()}, references)
    assert [row.sdr for row in result.sources] == [-30] * 3


def test_a_reference_that_is_the_sum_of_others_is_left_out(references, estimates):
    expected = evaluate(estimates, references)
    more = {**references, "accompaniment": references["b"] + references["c"]}
    result = evaluate(estimates, more)
    assert result.sources == expected.sources
    assert result.warnings == ("accompaniment: the sum of b and c, left out",)
    renamed = dict(zip("xyz", estimates.values(), strict=True))
    assert evaluate(renamed, more).mean == expected.mean
    assert evaluate(estimates, more, match="best").mean == expected.mean
    whole = {"song": sum(references.values()), **more}
    assert evaluate(estimates, whole).sources == expected.sources


def test_a_sum_that_alone_has_an_estimate_takes_the_place_of_its_parts(
    references, estimates
):
    two = {"a": references["a"], "rest": references["b"] + references["c"]}
    pair = {"a": estimates["a"], "rest": estimates["b"] + estimates["c"]}
    expected = evaluate(pair, two)
    result = evaluate(pair, {**references, "rest": two["rest"]})
    assert result.sources == expected.sources
    assert result.warnings == ("b, c: part of rest, which has an estimate, left out",)


def test_the_mixture_among_the_estimates_is_taken_for_none(references, estimates):
    bad = {"x": estimates["a"], "y": estimates["b"], "z": 1e-3 * estimates["a"][::-1]}
    mixture = sum(references.values())
    result = evaluate({**bad, "mix": mixture}, references)
    assert [row.estimate for row in result.sources] == ["x", "y", "z"]
    assert result.unused == ("mix",)
    (row,) = evaluate({"mix": mixture}, {"a": references["a"]}).sources
    assert row.estimate == "mix"


def test_a_single_reference_without_a_mixture_has_no_improvement(references, estimates):
    result = evaluate({"a": estimates["a"]}, {"a": references["a"]})
    assert result.mean["sdr_improvement"] is None
    assert result.mean["si_sdr_improvement"] is None
    mixture = sum(references.values())
    result = evaluate({"x": estimates["a"]}, {"a": references["a"]}, mixture=mixture)
    assert result.mean["sdr_improvement"] > 10


def test_names_that_do_not_agree_leave_the_choice_to_the_scores(references, estimates):
    renamed = {
        "hiss": np.float32(0.01) * estimates["a"][::-1],
        "x": estimates["c"],
        "y": estimates["a"],
        "z": estimates["b"],
    }
    result = evaluate(renamed, references)
    assert [row.estimate for row in result.sources] == ["y", "z", "x"]
    assert result.unused == ("hiss",)
    expected = evaluate(estimates, references)
    assert result.mean == pytest.approx(
        {k: v for k, v in expected.mean.items() if v is not None} | {"sdr_v4": None}
    )


def test_names_go_before_scores_unless_the_best_is_asked_for(references, estimates):
    a, b, c = estimates.values()
    crossed = {"A": b, "B": a, "d": c}
    by_name = evaluate(crossed, references)
    assert [row.estimate for row in by_name.sources] == ["A", "B", None]
    assert by_name.unused == ("d",)
    best = evaluate(crossed, references, match="best")
    assert [row.estimate for row in best.sources] == ["B", "A", "d"]
    none = evaluate({"x": a}, references, match="name")
    assert [row.estimate for row in none.sources] == [None] * 3


def test_a_missing_or_silent_estimate_counts_as_the_lowest_score(references, estimates):
    estimates["b"] = 0 * estimates["b"]
    del estimates["c"]
    result = evaluate(estimates, references)
    for row in result.sources[1:]:
        assert (row.sdr, row.sir, row.sar, row.si_sdr) == (-30,) * 4
        assert row.sdr_improvement < -20
    assert result.mean["sdr"] == pytest.approx((result.sources[0].sdr - 60) / 3)
    assert result.warnings == ("c: no estimate, counted as silence",)


def test_scores_are_held_within_bounds(references):
    perfect = evaluate(references, references)
    for row in perfect.sources:
        assert (row.sdr, row.sir, row.sar, row.si_sdr) == (80,) * 4
    t = np.arange(N) * 2 * np.pi / N
    (wrong,) = evaluate({"a": np.sin(5 * t)}, {"a": np.sin(3 * t)}).sources
    assert wrong.si_sdr == -30


def test_a_silent_reference_is_reported_and_left_out(references, estimates):
    level = 1e-4
    quiet = {**references, "d": np.float32(level) * references["a"][::-1]}
    result = evaluate({**estimates, "d": 0.1 * estimates["a"]}, quiet)
    row = result.sources[3]
    assert row.sdr is row.sir is row.sar is row.si_sdr is row.sdr_improvement is None
    assert row.leak == pytest.approx(-24, abs=1)
    assert result.warnings == ("d: the reference is silent, left out of the means",)
    kept = evaluate(estimates, references)
    assert result.mean["sdr"] == pytest.approx(kept.mean["sdr"], abs=0.01)
    unheard = evaluate({**estimates, "d": 0 * estimates["a"]}, quiet)
    assert unheard.sources[3].leak is None


def test_a_silent_reference_takes_the_quietest_that_is_left(references, estimates):
    quiet = {"rest": 0 * references["a"], **references}
    renamed = dict(zip("xyz", estimates.values(), strict=True))
    loud, soft = (level * references["a"][::-1] for level in (1e-1, 1e-3))
    for extra in ({"loud": loud, "soft": soft}, {"soft": soft, "loud": loud}):
        result = evaluate({**extra, **renamed}, quiet)
        assert [row.estimate for row in result.sources] == ["soft", "x", "y", "z"]
        assert result.unused == ("loud",)


def test_fewer_estimates_than_references_go_to_those_that_sound(references, estimates):
    quiet = {"rest": 0 * references["a"], **references}
    result = evaluate({"x": estimates["b"]}, quiet)
    assert [row.estimate for row in result.sources] == [None, None, "x", None]


def test_all_references_silent_is_no_error():
    y = np.ones(100)
    for estimate in (y, 0 * y):
        result = evaluate({"x": estimate}, {"a": 0 * y})
        assert set(result.mean.values()) == {None}
        json.dumps(result.as_dict(), allow_nan=False)


def test_the_oracle_scores_ideal_masks(references, estimates):
    result = evaluate(estimates, references, oracle=True, n_fft=256, sr=8000)
    assert [row.reference for row in result.oracle] == ["a", "b", "c"]
    assert result.oracle_n_fft == 256
    assert all(row.sdr_improvement > 3 for row in result.oracle)
    default = evaluate(estimates, references, oracle=True, sr=96000)
    assert default.oracle_n_fft == 4096


def test_v4_leaves_silent_estimates_to_the_floor(references, estimates, monkeypatch):
    def bss_eval(references, estimates, **_):
        assert references.shape == estimates.shape == (2, N, 1)
        assert np.abs(estimates).max(axis=1).min() > 0
        return (np.array([[3.0, 5.0], [np.nan, 99.0]]),)

    fake = SimpleNamespace(bss_eval=bss_eval)
    monkeypatch.setitem(sys.modules, "museval", SimpleNamespace(metrics=fake))
    monkeypatch.setitem(sys.modules, "museval.metrics", fake)
    estimates["b"] = 0 * estimates["b"]
    result = evaluate(estimates, references, v4=True, sr=8000)
    assert [row.sdr_v4 for row in result.sources] == [5, -30, 80]


def test_progress_names_the_stages(references, estimates):
    stages = []
    evaluate(
        dict(zip("xyz", estimates.values(), strict=True)),
        references,
        progress=lambda *step: stages.append(step),
    )
    names = ("references", "matching", "estimates")
    assert stages == [(name, 1, 1, "") for name in names]


def test_the_result_is_json_and_a_table(references, estimates):
    references["d"] = 0 * references["a"]
    references["e"] = references["a"][::-1]
    renamed = {
        "A": estimates["a"],
        "b": estimates["b"],
        "d": estimates["a"],
        "u": [1.0],
    }
    result = evaluate(renamed, references, oracle=True, sr=8000)
    content = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert content["sources"][0] == asdict(result.sources[0])
    assert content["mean"] == result.mean
    lines = describe(result)
    assert lines[0].split() == ["dB", "SDR", "SIR", "SAR", "SI-SDR", "SDRi", "SI-SDRi"]
    assert lines[1].startswith("a = A")
    assert lines[1].split()[3] == f"{result.sources[0].sdr:.2f}"
    assert lines[3].startswith("c (missing)   -30.00")
    assert lines[4].startswith("d            silent; estimate -")
    assert lines[6].split()[:2] == ["mean", f"{result.mean['sdr']:.2f}"]
    assert lines[8] == "ideal ratio masks, 2048 samples"
    assert lines[13].split() == ["d", "silent"]
    assert lines[-1] == "unused: u"
    assert len({len(line) for line in (lines[0], lines[1], lines[3], lines[6])}) == 1


def test_wrong_options_are_errors(references, estimates, monkeypatch):
    with pytest.raises(ParameterError, match="match must be one of auto, name, best"):
        evaluate(estimates, references, match="worst")
    with pytest.raises(ParameterError, match="n_fft must be even"):
        evaluate(estimates, references, n_fft=99)
    with pytest.raises(ParameterError, match="need the sample rate"):
        evaluate(estimates, references, oracle=True)
    monkeypatch.setitem(sys.modules, "museval", None)
    monkeypatch.delitem(sys.modules, "museval.metrics", raising=False)
    with pytest.raises(ParameterError, match="needs museval"):
        evaluate(estimates, references, v4=True)
    a = Audio(references["a"], 8000)
    with pytest.raises(ParameterError, match="estimate x is at 44100 Hz"):
        evaluate({"x": Audio(references["a"], 44100)}, {"a": a})
    with pytest.raises(ParameterError, match="at most 32 references"):
        evaluate({"x": [1.0]}, {str(i): np.ones(9) for i in range(33)})
