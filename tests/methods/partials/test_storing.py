"""The parametric model as arrays: small, and nothing in them is believed."""

import numpy as np
import pytest
from playing import DUET, SR, sound

from specnmf import Audio, Note, OutputError, Score, ScoreSettings
from specnmf.methods.by_score import fit_stems, label_notes
from specnmf.methods.partials import fitting
from specnmf.methods.partials.storing import restore, store
from specnmf.methods.storing import StoredArrays

BAND = Score(
    (*DUET.notes, *(Note(0.7 * k, 0.1, 38, 90, "drum", True) for k in range(4)))
)


@pytest.fixture(scope="module")
def audio():
    left = 0.1 * sound(DUET)
    noise = 1e-3 * np.random.default_rng(0).standard_normal((2, len(left)))
    return Audio((np.stack([left, 0.5 * left]) + noise).astype(np.float32), SR)


@pytest.fixture(scope="module")
def stems(audio):
    """Those of a piano of two parts, and a drum."""
    options = ScoreSettings(max_iter=20, residual=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "STRUCK", -1.0)
        return fit_stems(audio, BAND, label_notes(BAND, options), options)


@pytest.fixture(scope="module")
def arrays(stems):
    return store(stems)


def restored(arrays, audio):
    return restore(StoredArrays(arrays, "model.npz"), audio)


def test_what_was_learned_comes_back_bit_by_bit(arrays, stems, audio):
    again = restored(arrays, audio)
    pairs = [(stems.model, again.model), (stems.onset_model, again.onset_model)]
    for one, other in pairs:
        assert one.grid == other.grid
        assert one.names == other.names
        assert one.schedule.templates == other.schedule.templates
        for layer, names in {
            "partials": ("strengths", "amplitudes", "pans", "instruments"),
            "drums": ("strengths", "spectra", "heard"),
            "hammers": ("strengths", "spectra", "heard"),
            "noise": ("strengths", "bands", "sums"),
        }.items():
            for name in names:
                old, new = (getattr(getattr(m, layer), name) for m in (one, other))
                np.testing.assert_array_equal(old, new)
                assert old.dtype == new.dtype
        for name in ("first", "length", "offset", "values"):
            old, new = (getattr(m.partials.lobes, name) for m in (one, other))
            np.testing.assert_array_equal(old, new)


def test_strengths_of_zero_take_no_room(arrays, stems):
    strengths = stems.model.partials.strengths
    assert arrays["long_strengths"].size == np.count_nonzero(strengths)
    assert arrays["long_strengths"].size < strengths.size


def test_arrays_stored_again_are_the_same(arrays, audio):
    again = store(restored(arrays, audio))
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(again[name], array)
        assert again[name].dtype == array.dtype


#: Arrays that kernels index by, or that decide sizes, each with values out of range.
INDICES = {
    f"{analysis}_{name}": most
    for analysis in ("long", "short")
    for name, most in {
        "entry_template": 1000,
        "entry_owner": 3,
        "template_part": 9,
        "template_pitch": 128,
        "entry_counts": 1 << 20,
        "drum_hit_frame": 1 << 20,
        "drum_hit_template": 1,
        "drum_hit_owner": 3,
        "hammer_hit_frame": 1 << 20,
        "hammer_hit_template": 20,
        "hammer_hit_owner": 3,
    }.items()
}


@pytest.mark.parametrize("name", INDICES)
def test_indices_out_of_range_are_refused(arrays, audio, name):
    assert arrays[name].size
    for value in (INDICES[name], -1):
        changed = arrays[name].astype(np.int64)
        changed.flat[-1] = value
        with pytest.raises(OutputError) as refused:
            restored(arrays | {name: changed}, audio)
        assert str(refused.value).isprintable()


LEARNED = [
    f"long_{name}"
    for name in (
        *("strengths", "amplitudes", "pans", "noise"),
        *("drum_spectra", "drum_strengths", "hammer_spectra", "hammer_strengths"),
    )
]


@pytest.mark.parametrize("name", LEARNED)
@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_what_is_not_finite_or_negative_is_refused(arrays, audio, name, value):
    changed = arrays[name].copy()
    changed.flat[0] = value
    with pytest.raises(OutputError, match=f"{name} must lie between 0 and inf"):
        restored(arrays | {name: changed}, audio)


@pytest.mark.parametrize("name", LEARNED)
def test_shapes_that_do_not_fit_are_refused(arrays, audio, name):
    array = arrays[name]
    for changed in (array[..., :-1], array[np.newaxis], array.astype(np.float64)):
        with pytest.raises(OutputError, match=f"{name} must"):
            restored(arrays | {name: changed}, audio)


def test_a_missing_array_is_told(arrays, audio):
    for name in arrays:
        if name != "short_n_fft":  # without it there is no second analysis
            less = {other: arrays[other] for other in arrays if other != name}
            with pytest.raises(OutputError, match=f"expected {name}, got none; make"):
                restored(less, audio)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("long_n_fft", np.array(1 << 30)),
        ("long_n_fft", np.array([1024])),
        ("long_hop_length", np.array(0)),
        ("long_hop_length", np.array(-4)),
        ("long_sounding", np.zeros(1 << 20, np.uint8)),
        ("long_sounding", None),
        ("stems", np.array(["../low", "high", "drum"])),
        ("stems", np.array(["low", "low", "drum"])),
        ("stems", np.array([], np.str_)),
        ("rest", np.array(["a", "b"])),
        ("rest", np.array(["/etc/rest"])),
        ("tuning", np.array(np.nan)),
        ("tuning", np.array(1e6)),
        ("resting", np.array(1)),
        ("onsets", np.array([0.2, 0.1])),
        ("onsets", np.zeros(0)),
        ("struck_shares", np.array([2.0, 0.0])),
        ("long_template_struck", np.zeros(3, bool)),
        ("long_drum_spectra", np.zeros((1, 0, 2, 3), np.float32)),
    ],
)
def test_what_no_model_has_is_refused_in_one_line(arrays, audio, name, value):
    changed = np.full_like(arrays[name], 255) if value is None else value
    with pytest.raises(OutputError) as refused:
        restored(arrays | {name: changed}, audio)
    assert str(refused.value).isprintable()


def test_more_templates_than_memory_holds_are_refused(arrays, audio):
    many = np.zeros(1 << 19, np.uint8)
    changed = {"long_template_part": many, "long_template_pitch": many}
    with pytest.raises(OutputError, match="expected at most .* templates"):
        restored(arrays | changed, audio)


def test_the_model_of_another_recording_is_refused(arrays, audio):
    for other in (
        Audio(audio.samples[:, : SR // 2], SR),
        Audio(np.concatenate([audio.samples, audio.samples[:1]]), SR),
    ):
        with pytest.raises(OutputError):
            restored(arrays, other)
