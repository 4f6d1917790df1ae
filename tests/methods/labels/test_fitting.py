"""Sounds that a person marked here and there, found in the whole recording."""

from dataclasses import replace

import numpy as np
import pytest

import specnmf
from specnmf import Audio, ParameterError
from specnmf.audio.stft import Grid
from specnmf.methods.labels.activity import decide, predict
from specnmf.methods.labels.fitting import fit_labelled
from specnmf.methods.labels.templates import Templates, transposed
from specnmf.tasks.label import LabelSettings

N_BINS, N_FRAMES = 64, 400

#: Frames that are annotated: where only one sounds, then both, then none.
ONE, TWO, BOTH, NONE = slice(0, 40), slice(40, 80), slice(80, 120), slice(120, 140)

SETTINGS = LabelSettings(n_components=3, n_rest=2, transpose=0, max_iter=100)


class Song:
    """Two sounds of two spectra each, and a hum that no label names."""

    def __init__(self, rng, hum=0.0):
        self.heard = np.zeros((2, N_FRAMES), bool)
        self.heard[0, ONE] = self.heard[1, TWO] = self.heard[:, BOTH] = True
        self.annotated = np.zeros(N_FRAMES, bool)
        self.annotated[: NONE.stop] = True
        self.truth = self.heard.copy()
        self.truth[0, 160:280] = self.truth[1, 220:360] = True
        W = np.zeros((5, N_BINS))
        for k, row in enumerate(W):
            row[12 * k : 12 * k + 16] = rng.random(16) ** 2
        H = 0.2 + rng.random((5, N_FRAMES))
        H[:4] *= np.repeat(self.truth, 2, axis=0)
        H[4] *= hum
        self.parts = [W[k].T @ H[k] for k in ([0, 1], [2, 3], [4])]
        self.V = sum(self.parts).astype(np.float32)

    def fit(self, settings=SETTINGS, names=("one", "two"), **options):
        return fit_labelled(
            self.V, self.heard, self.annotated, names, settings, **options
        )


@pytest.fixture
def song(rng):
    return Song(rng)


def model_of(result, name):
    own = np.array([label == name for label in result.factorization.labels])
    return result.factorization.W[:, own] @ result.factorization.H[own]


def errors(song, result, names):
    """How far each model is from its part, relative to the part."""
    return [
        np.linalg.norm(model_of(result, name) - part) / np.linalg.norm(part)
        for name, part in zip(names, song.parts, strict=False)
    ]


def test_sounds_are_found_where_nothing_was_marked(song):
    result = song.fit()
    assert max(errors(song, result, ["one", "two"])) < 0.1
    np.testing.assert_array_equal(result.active, song.truth)
    assert result.remarks == ()


def test_what_no_label_names_is_learned_where_none_is_heard(rng):
    song = Song(rng, hum=1.0)
    known, unknown = (
        song.fit(replace(SETTINGS, n_components=2, n_rest=n)) for n in (1, 0)
    )
    assert known.names == ("one", "two", "rest")
    assert unknown.names == ("one", "two")
    found, without = (errors(song, r, r.names[:2]) for r in (known, unknown))
    assert max(found) < 0.5 * max(without)


def test_unmarked_frames_may_hold_what_was_never_heard_before(rng):
    song = Song(rng)
    surprise = np.zeros_like(song.V)
    surprise[-4:, 300:] = 5
    song.V = song.V + surprise
    result = song.fit()
    rest = model_of(result, "rest")
    assert np.linalg.norm(rest - surprise) < 0.1 * np.linalg.norm(surprise)
    assert not rest[:, song.annotated].any()


def test_sounds_that_are_never_alone_are_told_apart_by_where_they_rest(rng):
    song = Song(rng)
    third = np.zeros(N_FRAMES, bool)
    third[ONE] = third[TWO] = True
    song.heard = np.stack([*song.heard, third])
    song.V[-8:] += third * (1 + rng.random(N_FRAMES).astype(np.float32))
    result = song.fit(names=("one", "two", "three"))
    assert [r.split()[0] for r in result.remarks] == ["one", "two", "three"]
    assert all("never marked alone" in remark for remark in result.remarks)
    one, two, three = (model_of(result, n)[-8:] for n in ("one", "two", "three"))
    assert three.sum() > 5 * (one.sum() + two.sum())


def test_a_note_that_was_not_marked_is_borrowed_from_another():
    bins = np.arange(400)[:, np.newaxis]

    def lobes(centres):
        return np.maximum(0, 1 - np.abs(bins - centres) / 4).sum(axis=1)

    def tone(f0):
        return lobes(f0 * np.arange(1, 9))

    def even(f0):
        return lobes(f0 * np.array([1, 3, 5]))

    major_third = 2 ** (4 / 12)
    spectra = [tone(40), even(33), tone(40 * major_third) + even(33 * major_third)]
    V = np.repeat(spectra, 30, axis=0).T.astype(np.float32)
    heard = np.zeros((2, 90), bool)
    heard[0, :30] = heard[1, 30:60] = True
    settings = LabelSettings(n_components=2, n_rest=0)
    expected = tone(40 * major_third)

    def error(transpose):
        options = replace(settings, transpose=transpose)
        found = fit_labelled(V, heard, heard.any(axis=0), ["full", "odd"], options)
        return np.linalg.norm(model_of(found, "full")[:, 75] - expected)

    assert error(7) < 0.35 * np.linalg.norm(expected)
    assert error(0) > 0.8 * np.linalg.norm(expected)


def test_labels_are_exactly_silent_where_they_are_marked_as_absent(rng):
    result = Song(rng, hum=1.0).fit()
    assert not model_of(result, "one")[:, TWO].any()
    assert not model_of(result, "two")[:, ONE].any()
    assert not model_of(result, "one")[:, NONE].any()
    assert model_of(result, "one")[:, ONE].any()


def test_loss_never_rises_and_each_iteration_is_told(rng):
    told = []
    result = Song(rng, hum=1.0).fit(callback=lambda *pair: told.append(pair))
    losses = result.factorization.losses
    assert len(losses) > 5
    assert (np.diff(losses) <= 0).all()
    assert told == list(enumerate(losses, start=1))


def test_a_result_depends_on_the_seed_and_not_on_the_threads(song):
    one, two, other = (
        song.fit(replace(SETTINGS, **options)).factorization
        for options in ({"threads": 1}, {"threads": 2}, {"seed": 1})
    )
    np.testing.assert_array_equal(one.W, two.W)
    np.testing.assert_array_equal(one.H, two.H)
    assert not np.array_equal(one.W, other.W)


def test_what_was_said_stands_and_what_the_sound_says_is_told(song):
    song.heard[0, 35:45] = False
    song.annotated[35:40] = True
    song.heard[1, 35:40] = True
    result = song.fit()
    assert not result.active[0, 35:40].any()
    assert (result.activity[0, 35:40] > 0.5).all()


def test_blips_are_no_activity():
    activity = np.zeros((1, 60))
    activity[0, [10, 11, 30]] = 1
    activity[0, 40:52] = 1
    said = np.zeros((1, 60), bool)
    active = decide(activity, said, said[0])
    assert np.flatnonzero(active).tolist() == list(range(40, 52))


def test_annotated_frames_set_the_border_of_activity():
    loudness = np.ones((2, 40))
    loudness[0, :20], loudness[0, 20:] = 0.25, 1.0
    heard = np.zeros((1, 40), bool)
    usual = predict(loudness, heard, np.zeros(40, bool))
    assert (usual > 0.5).all()
    heard[0, 20:30] = True
    annotated = np.zeros(40, bool)
    annotated[10:30] = True
    taught = predict(loudness, heard, annotated)
    assert ((taught[0] > 0.5) == (np.arange(40) >= 20)).all()


def test_transposed_copies_move_partials_by_semitones():
    W = np.zeros((200, 1), np.float32)
    W[100] = 1
    copies = transposed(Templates(W, np.array([3])), 12)
    assert copies.W.shape == (200, 24)
    assert set(copies.owners) == {3}
    peaks = copies.W.argmax(axis=0)
    assert peaks[0] == 50
    assert peaks[18] == round(100 * 2 ** (7 / 12))
    np.testing.assert_allclose(copies.W.sum(axis=0), 1, rtol=1e-5)


def test_a_label_alone_in_a_song_that_is_all_annotated_has_all_of_it(rng):
    V = rng.random((20, 50)).astype(np.float32)
    heard = np.ones((1, 50), bool)
    result = fit_labelled(V, heard, heard[0], ["voice"], replace(SETTINGS, n_rest=0))
    assert result.names == ("voice",)
    assert set(result.factorization.labels) == {"voice"}
    assert result.active.all()


def test_silence_has_no_activations(song):
    song.V[:] = 0
    result = song.fit()
    assert not result.factorization.H.any()
    assert not result.active[:, ~song.annotated].any()


def test_silent_frames_have_no_activations(song):
    song.V[:, 370:] = 0
    result = song.fit()
    assert not result.factorization.H[:, 370:].any()


def test_a_row_called_rest_is_that_of_no_label(rng):
    song = Song(rng, hum=1.0)
    expected = song.fit()
    rest = np.zeros((1, N_FRAMES), bool)
    rest[0, NONE] = True
    song.heard = np.concatenate([rest, song.heard])
    found = song.fit(names=("rest", "one", "two"))
    assert found.names == expected.names
    np.testing.assert_array_equal(found.factorization.H, expected.factorization.H)


def test_a_label_with_little_time_alone_is_remarked_upon(rng):
    song = Song(rng)
    song.heard[0, 10:40] = False
    song.heard[1, 10:40] = True
    settings = replace(SETTINGS, n_components=6)
    assert song.fit(settings).remarks == (
        "one is marked alone for only 10 frames, too little for 6 templates: mark more",
    )
    (remark,) = song.fit(settings, frame_seconds=0.01).remarks
    assert "only 0.10 s" in remark


@pytest.mark.slow  # real recordings
def test_labelled_stems_of_real_instruments(shared_data):
    """The violin and the clarinet of a quartet, marked in 40 % of the frames.

    Measured: 13 dB above the mixture itself; half of that is the floor.
    """
    names = ["S1", "S2"]
    stems = []
    for k, name in enumerate(names):
        path = shared_data / "bach10" / "P4_Mix01" / "ref" / f"{name}.flac"
        y = np.tile(specnmf.read(path).samples[0, ::2], 2)
        beat = np.arange(len(y)) // 11025 % 6
        stems.append(y * np.isin(beat, ([0, 1, 2, 4], [2, 3, 4, 5])[k]))
    stems = np.stack(stems)
    mixture = Audio(stems.sum(axis=0, keepdims=True), 22050)
    spectrogram = specnmf.stft(mixture, n_fft=2048, hop_length=512)
    V = spectrogram.magnitude()
    beat = np.arange(V.shape[1]) * 512 // 11025
    annotated = beat < 0.4 * beat[-1]
    heard = np.isin(beat % 6, [0, 1, 2, 4]), np.isin(beat % 6, [2, 3, 4, 5])
    result = fit_labelled(V, heard & annotated, annotated, names, LabelSettings())
    found = specnmf.separate(spectrogram, result.factorization)
    estimates = np.stack([found[name].samples[0] for name in names])
    sdr, _, _ = specnmf.bss_eval(stems, estimates)
    before, _, _ = specnmf.bss_eval(stems, np.stack([mixture.samples[0]] * 2))
    assert (sdr - before).mean() > 6
    assert (result.active == heard)[:, ~annotated].mean() > 0.8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ()}, "no label except rest"),
        ({"names": ("rest",)}, "no label except rest"),
        ({"names": ("one", "one")}, "expected different labels, got one, one"),
        ({"names": ("one",)}, r"heard must be booleans of shape \(1, 400\)"),
        ({"annotated": np.ones(3, bool)}, r"annotated must be booleans .* \(3,\)"),
        ({"annotated": np.zeros(N_FRAMES, bool)}, "in annotated frames only"),
        ({"V": np.full((N_BINS, N_FRAMES), np.nan)}, "finite and non-negative"),
        ({"V": np.zeros(4)}, "V must be"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(song, change, message):
    arguments = {
        "V": song.V,
        "heard": song.heard,
        "annotated": song.annotated,
        "names": ("one", "two"),
        **change,
    }
    if len(arguments["names"]) != 1 or arguments["names"] == ("rest",):
        arguments["heard"] = song.heard[: len(arguments["names"])]
    with pytest.raises(ParameterError, match=message):
        fit_labelled(**arguments, options=SETTINGS)


def test_a_label_that_is_heard_nowhere_is_refused(song):
    song.heard[1] = False
    with pytest.raises(ParameterError, match="label two covers no frame"):
        song.fit()


def test_labels_that_are_always_heard_together_are_refused(song):
    song.heard[1] = song.heard[0]
    with pytest.raises(ParameterError, match="one and two mark the same fram"):
        song.fit()


def test_labels_and_rest_are_stems_that_add_up(song, rng):
    audio = Audio(0.1 * rng.standard_normal((1, 399 * 32)), 8000)
    grid = Grid.of(audio, 126, 32)
    assert (grid.n_bins, grid.n_frames) == (N_BINS, N_FRAMES)
    found = song.fit()
    stems = found.stems(audio, grid)
    assert stems.names == found.names
    assert stems.factors is found.factorization
    assert len(stems.pitches) == found.factorization.n_components
    blocks = [block.sum(axis=0) for _, block in stems.stream(SETTINGS)]
    np.testing.assert_allclose(np.hstack(blocks), audio.samples, atol=1e-6)


@pytest.fixture
def bounded(rng):
    """A song with a hum, and the bins in which its sounds lie."""
    song = Song(rng, hum=1.0)
    support = np.zeros((2, N_BINS), bool)
    support[0, :28], support[1, 24:52] = True, True
    return song, support


def test_a_label_is_zero_outside_its_bounds(bounded):
    song, support = bounded
    settings = replace(SETTINGS, transpose=2)
    result = song.fit(settings, support=support)
    labels = np.array(result.factorization.labels)
    for name, bins in zip(("one", "two"), support, strict=True):
        own = result.factorization.W[:, labels == name]
        assert own[bins].any()
        assert not own[~bins].any()
    assert (np.diff(result.factorization.losses) <= 0).all()


@pytest.mark.parametrize("known", [True, False], ids=["rest marked", "not marked"])
def test_bounds_keep_what_is_beyond_them_out_of_a_label(bounded, known):
    song, support = bounded
    if not known:
        song.annotated[NONE] = False
    free = errors(song, song.fit(), ("one", "two"))
    kept = errors(song, song.fit(support=support), ("one", "two"))
    assert np.mean(kept) < np.mean(free)


def test_bounds_of_all_bins_change_nothing_where_the_rest_is_known(bounded):
    song, _ = bounded
    everything = np.ones((2, N_BINS), bool)
    one, other = song.fit(), song.fit(support=everything)
    np.testing.assert_array_equal(one.factorization.W, other.factorization.W)
    np.testing.assert_array_equal(one.factorization.H, other.factorization.H)


def test_copies_beyond_the_bounds_are_left_out():
    W = np.zeros((200, 1), np.float32)
    W[100] = 1
    support = np.zeros((1, 200), bool)
    support[0, 90:110] = True
    copies = transposed(Templates(W, np.array([0])), 12, support)
    assert copies.W.shape == (200, 2)
    assert not copies.W[~support[0]].any()


@pytest.mark.parametrize("support", [np.ones((2, 3), bool), np.ones((2, N_BINS))])
def test_bounds_of_another_shape_or_kind_are_refused(song, support):
    with pytest.raises(ParameterError, match="support must be booleans of shape"):
        song.fit(support=support)
