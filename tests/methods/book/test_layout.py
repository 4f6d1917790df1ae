"""The book's model: against libfmp and a twin of it, properties, edges, errors."""

import csv
from itertools import product

import numpy as np
import pytest
import reference
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

import specnmf
from specnmf import Factorization, ParameterError, ScoreError, nmf
from specnmf.audio.stft import Grid
from specnmf.methods.book.fitting import by_stem
from specnmf.methods.book.layout import Tolerances, fmp_layout
from specnmf.score.grouping import stem_labels
from specnmf.score.notes import Note, Score

GRID = Grid(sr=22_050, n_samples=22_050 * 6, n_fft=2048, hop_length=512)
PRELUDE = ROOT / "audio_examples" / "chopin_op28_4" / "chopin_op28_4.csv"
SHARED = (
    "chopin_op10_3/Chopin_Op010-03-Measures1-8_MIDI.csv",
    "schubert_d911_11/FMP_B_Sonify_Pitch_Schubert_D911-11_SC06.csv",
    "bach_bwv846/FMP_C1_F12_Bach_BWV846_Sibelius-Tracks.csv",
)

notes = st.builds(
    Note,
    start=st.floats(0, 8),
    duration=st.floats(0, 3),
    pitch=st.integers(0, 127),
    velocity=st.integers(1, 127),
    part=st.sampled_from(["rh", "lh"]),
    percussion=st.just(False),
    staff=st.just(0),
)
grids = st.builds(
    Grid,
    sr=st.sampled_from([8000, 22_050, 44_100, 48_000]),
    n_samples=st.integers(1, 200_000),
    n_fft=st.sampled_from([64, 1024, 2048, 4096]),
    hop_length=st.sampled_from([16, 441, 512, 1000]),
)


def annotation(path):
    """A score as libfmp has it: rows of start, duration, pitch, velocity, label."""
    with path.open(encoding="utf-8", newline="") as file:
        first = file.readline()
        rows = csv.reader(file, delimiter=";" if ";" in first else ",")
        return [[float(t), float(d), int(p), v, label] for t, d, p, v, label in rows]


def score_of(rows):
    return Score(Note(t, d, p, part=label) for t, d, p, _, label in rows)


def rows_of(score):
    return [[n.start, n.duration, n.pitch, n.velocity, n.part] for n in score.notes]


def templates_of(pitches, grid, *, tolerance=0.05, **options):
    """The templates of some pitches, none twice, (n_bins, n_pitches)."""
    score = Score([Note(0, 1, int(pitch)) for pitch in pitches])
    tolerances = Tolerances(pitch=tolerance)
    return fmp_layout(score, grid, tolerances=tolerances, **options).start.W


def activations_of(own, grid, *, before=0.2, after=0.5):
    """The activations of some notes, a row for each pitch from low to high."""
    tolerances = Tolerances(before=before, after=after)
    return fmp_layout(Score(own), grid, tolerances=tolerances).start.H


def masks_of(layout, labels):
    """Where the notes of each label may sound, (n_components, n_frames) each."""
    masks = {label: np.zeros(layout.start.H.shape, bool) for label in labels}
    for note, row, first, end in layout.spans:
        masks[labels[note]][row, first:end] = True
    return masks


def resolutions(grid):
    return grid.sr / grid.n_fft, grid.hop_length / grid.sr


def twin_template(n_bins, pitch, resolution, tolerance):
    """FMP notebook C8S3_NMFSpecFac, bin by bin."""
    template, m, first = np.zeros(n_bins), 0, 0
    while first < n_bins:
        m += 1
        hz = 2 ** ((pitch - 69) / 12) * 440
        first = int((1 - tolerance) * m * hz / resolution)
        last = int((1 + tolerance) * m * hz / resolution)
        for k in range(first, min(last + 1, n_bins)):
            template[k] = 1 / m
    return template


def twin_activation(n_frames, rows, pitch, frame, tolerances, *, onsets=False):
    """FMP notebook C8S3_NMFSpecFac, frame by frame."""
    before, after = tolerances
    activation = np.zeros(n_frames)
    for start, duration, own, *_ in rows:
        end = start if onsets else start + duration
        first, last = int((start - before) / frame), int((end + after) / frame)
        for n in range(max(0, first), min(last, n_frames)):
            activation[n] = max(activation[n], own == pitch)
    return activation


@given(grid=grids, pitch=st.integers(0, 127), tolerance=st.floats(0, 0.4))
@settings(max_examples=40, deadline=None)
def test_templates_are_those_of_the_book(grid, pitch, tolerance):
    W = templates_of([pitch], grid, tolerance=tolerance)
    resolution, _ = resolutions(grid)
    expected = twin_template(grid.n_bins, pitch, resolution, tolerance)
    assert np.array_equal(W, expected[:, None])


@given(
    own=st.lists(notes, max_size=8),
    grid=grids,
    before=st.floats(0, 1),
    after=st.floats(0, 2),
)
@settings(max_examples=40, deadline=None)
def test_activations_are_those_of_the_book(own, grid, before, after):
    own = [*own, Note(0, 1, 69)]  # so that one sounds within the recording
    pitches = sorted({note.pitch for note in own})
    H = activations_of(own, grid, before=before, after=after)
    _, frame = resolutions(grid)
    assert H.shape == (len(pitches), grid.n_frames)
    for row, pitch in zip(H, pitches, strict=True):
        expected = twin_activation(grid.n_frames, own, pitch, frame, (before, after))
        assert np.array_equal(row, expected)


@given(own=st.lists(notes, min_size=1, max_size=8), grid=grids)
@settings(max_examples=40, deadline=None)
def test_templates_and_activations_with_onsets_are_those_of_the_book(own, grid):
    score = Score([*own, Note(0, 1, 69)])
    layout = fmp_layout(score, grid, onsets=True)
    rows, (resolution, frame) = rows_of(score), resolutions(grid)
    pitches = sorted({note.pitch for note in score.notes})
    assert layout.kinds == ("onset", "pitch") * len(pitches)
    assert layout.pitches.tolist() == [p for p in pitches for _ in range(2)]
    for k, pitch in enumerate(pitches):
        shape = grid.n_frames, rows, pitch, frame
        onset = twin_activation(*shape, (0.3, 0.1), onsets=True)
        assert (layout.start.W[:, 2 * k] == 0.1).all()
        assert np.array_equal(layout.start.H[2 * k], onset)
        template = twin_template(grid.n_bins, pitch, resolution, 0.05)
        assert np.array_equal(layout.start.W[:, 2 * k + 1], template)
        note = twin_activation(*shape, (0.2, 0.5))
        assert np.array_equal(layout.start.H[2 * k + 1], note)


@pytest.mark.slow  # libfmp takes long
@pytest.mark.parametrize("tolerance", [0, 0.01, 0.05, 0.3])
def test_templates_are_those_of_libfmp(tolerance):
    c8 = pytest.importorskip("libfmp.c8")
    pitches = np.arange(128)
    for sr, n_fft in ((8000, 1000), (22_050, 2048), (44_100, 4096), (96_000, 8192)):
        grid = Grid(sr, sr, n_fft, n_fft // 4)
        W = templates_of(pitches, grid, tolerance=tolerance)
        expected = c8.init_nmf_template_pitch(
            grid.n_bins, pitches, sr / n_fft, tol_pitch=tolerance
        )
        assert np.array_equal(W, expected)


@pytest.mark.parametrize("name", SHARED)
def test_starts_are_those_of_libfmp_for_its_scores(shared_data, name):
    c8 = pytest.importorskip("libfmp.c8")
    rows = annotation(shared_data / name)
    score = score_of(rows)
    assert len(score.notes) == len(rows) > 40
    tolerances = Tolerances(
        pitch=0.02, before=0.1, after=0.7, onset_before=0.2, onset_after=0.15
    )
    for seconds, (sr, n_fft, hop) in product(
        (10, 200), ((22_050, 2048, 512), (44_100, 4096, 1024), (48_000, 4096, 882))
    ):
        grid = Grid(sr, seconds * sr, n_fft, hop)
        resolution, frame = resolutions(grid)
        H, pitches = c8.init_nmf_activation_score(grid.n_frames, rows, frame)
        W = c8.init_nmf_template_pitch(grid.n_bins, pitches, resolution)
        layout = fmp_layout(score, grid)
        assert np.array_equal(layout.pitches, pitches)
        assert np.array_equal(layout.start.W, W)
        assert np.array_equal(layout.start.H, H)

        H, pitches, labels = c8.init_nmf_activation_score_onset(
            grid.n_frames, rows, frame, tol_note=[0.1, 0.7], tol_onset=[0.2, 0.15]
        )
        W = c8.init_nmf_template_pitch_onset(
            grid.n_bins, pitches, resolution, tol_pitch=0.02
        )
        layout = fmp_layout(score, grid, onsets=True, tolerances=tolerances)
        assert np.array_equal(layout.pitches, labels)
        assert np.array_equal(layout.start.W, W)
        assert np.array_equal(layout.start.H, H)


@given(own=st.lists(notes, min_size=1, max_size=20), grid=grids)
@settings(max_examples=30, deadline=None)
def test_starts_are_those_of_libfmp_for_any_score(own, grid):
    c8 = pytest.importorskip("libfmp.c8")
    rows, (resolution, frame) = rows_of(Score(own)), resolutions(grid)
    layout = fmp_layout(Score([*own, Note(0, 0, 69)]), grid, onsets=True)
    pitches = layout.pitches[::2]
    rows.append([0, 0, 69])
    H, *_ = c8.init_nmf_activation_score_onset(grid.n_frames, rows, frame)
    W = c8.init_nmf_template_pitch_onset(grid.n_bins, pitches, resolution)
    assert np.array_equal(layout.start.W, W)
    assert np.array_equal(layout.start.H, H)


@pytest.fixture(scope="module")
def prelude():
    """The book's example: its score in libfmp's rows, and its magnitudes."""
    audio = specnmf.read(PRELUDE.with_suffix(".flac"))
    spectrogram = specnmf.stft(audio, n_fft=4096)
    rows = annotation(PRELUDE)
    for row in rows:
        row[4] = {"left_hand": "lh", "right_hand": "rh"}[row[4]]
    return rows, spectrogram, spectrogram.magnitude().astype(np.float64)


def book_factors(V, W, H, n_iter=50):
    """libfmp's, its loop not compiled; its twin where there is no libfmp."""
    try:
        from libfmp.c8 import nmf as libfmp_nmf
    except ImportError:
        return reference.fmp_nmf(V, W, H, n_iter, 0)[:2]
    return libfmp_nmf.py_func(V, W.shape[1], thresh=0, L=n_iter, W=W, H=H)[:2]


def assert_nmf_gives(V, start, W, H, n_iter=50):
    result = nmf(V, start, beta=2, solver="mu", tol=0, max_iter=n_iter, normalize=False)
    assert len(result.losses) == n_iter
    assert relative_error(result.W, W) < 1e-6
    assert relative_error(result.H, H) < 1e-6


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.slow  # libfmp takes long
@pytest.mark.parametrize("onsets", [False, True])
def test_factors_are_those_of_libfmp(prelude, onsets):
    rows, spectrogram, V = prelude
    layout = fmp_layout(score_of(rows), spectrogram.grid, onsets=onsets)
    W, H = book_factors(V, layout.start.W, layout.start.H)
    assert_nmf_gives(V, layout.start, W, H)


def test_factors_of_a_recording_in_another_tempo_are_those_of_libfmp(shared_data):
    rows = annotation(shared_data / SHARED[0])
    path = shared_data / "chopin_op10_3" / "Chopin_Op010-03-Measures1-8_Varsi.wav"
    spectrogram = specnmf.stft(specnmf.read(path, duration=12), n_fft=2048)
    V = spectrogram.magnitude().astype(np.float64)
    layout = fmp_layout(score_of(rows), spectrogram.grid)
    W, H = book_factors(V, layout.start.W, layout.start.H)
    assert_nmf_gives(V, layout.start, W, H)


@pytest.mark.parametrize("onsets", [False, True])
def test_hands_are_split_as_in_the_book(prelude, onsets):
    rows, spectrogram, V = prelude
    grid, score = spectrogram.grid, score_of(rows)
    layout = fmp_layout(score, grid, onsets=onsets)
    labels = stem_labels(score, "hand")
    masks = masks_of(layout, labels)
    _, frame = resolutions(grid)
    for part, hand in (("lh", "left"), ("rh", "right")):
        own = [row for row in rows if row[4] == part]
        kinds = zip(layout.pitches, layout.kinds, masks[hand], strict=True)
        for pitch, kind, mask in kinds:
            onset = kind == "onset"
            tolerances = (0.3, 0.1) if onset else (0.2, 0.5)
            expected = twin_activation(
                grid.n_frames, own, pitch, frame, tolerances, onsets=onset
            )
            assert np.array_equal(mask, expected)

    result = nmf(V, layout.start, beta=2, solver="mu", tol=0, max_iter=5)
    stems = by_stem(result, layout, labels)
    alone = ~(masks["left"] & masks["right"]).any(axis=0)
    assert 0.2 < alone.mean() < 1
    for hand in ("left", "right"):
        expected = result.W @ (result.H * masks[hand])  # the notebook's W H^L
        model = model_of(stems, hand)
        np.testing.assert_allclose(model[:, alone], expected[:, alone], atol=1e-12)


def model_of(stems, label):
    own = [k for k, name in enumerate(stems.labels) if name == label]
    return stems.W[:, own] @ stems.H[own]


def test_hands_are_those_of_libfmp(prelude):
    c8s3_nmf = pytest.importorskip("libfmp.c8.c8s3_nmf")
    rows = prelude[0]
    score = score_of(rows)
    left, right = c8s3_nmf.split_annotation_lh_rh(rows)
    labels = stem_labels(score, "hand")
    for label, expected in (("left", left), ("right", right)):
        own = zip(score.notes, labels, strict=True)
        assert [n[:3] for n, name in own if name == label] == sorted(
            tuple(row[:3]) for row in expected
        )


@pytest.mark.parametrize("by", ["hand", "pitch", "note"])
@pytest.mark.parametrize("onsets", [False, True])
def test_stems_add_up_to_the_model(prelude, by, onsets):
    rows, spectrogram, _ = prelude
    score = score_of(rows)
    layout = fmp_layout(score, spectrogram.grid, onsets=onsets)
    stems = by_stem(layout.start, layout, stem_labels(score, by))
    total = layout.start.W @ layout.start.H
    np.testing.assert_allclose(stems.W @ stems.H, total, rtol=1e-12)


def test_stems_come_in_the_order_of_their_notes():
    score = Score([Note(0, 1, 70, part="b"), Note(1, 1, 60, part="a")])
    layout = fmp_layout(score, GRID)
    stems = by_stem(layout.start, layout, stem_labels(score))
    assert stems.labels == ("b", "a")
    assert stems.H.dtype == np.float64
    single = Factorization(*(x.astype("f") for x in (layout.start.W, layout.start.H)))
    assert by_stem(single, layout, stem_labels(score)).H.dtype == np.float32


@pytest.mark.parametrize(
    ("beta", "solver"), [(0, "mu"), (1, "mu"), (2, "mu"), (2, "hals")]
)
def test_zeros_stay_zero(prelude, beta, solver):
    rows, spectrogram, V = prelude
    layout = fmp_layout(score_of(rows), spectrogram.grid)
    result = nmf(
        V, layout.start, beta=beta, solver=solver, support=layout.support, max_iter=5
    )
    assert (result.W[layout.start.W == 0] == 0).all()
    assert (result.H[layout.start.H == 0] == 0).all()
    assert result.losses[-1] < result.losses[0] < np.inf


@given(own=st.lists(notes, min_size=1, max_size=12), data=st.data())
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_notes_does_not_matter(own, data):
    own = [*own, Note(0, 1, 69)]
    shuffled = data.draw(st.permutations(own))
    H = activations_of(own, GRID)
    assert np.array_equal(activations_of(shuffled, GRID), H)
    assert np.array_equal(activations_of([*own, *own], GRID), H)


@given(own=st.lists(notes, min_size=1, max_size=12), onsets=st.booleans())
@settings(max_examples=30, deadline=None)
def test_spans_paint_the_activations(own, onsets):
    score = Score([*own, Note(1, 1, 60, percussion=True)])
    layout = fmp_layout(score, GRID, onsets=onsets)
    painted = np.zeros(layout.start.H.shape)
    for note, component, first, end in layout.spans:
        assert score.notes[note].pitch == layout.pitches[component]
        is_drum = layout.kinds[component] == "drum"
        assert score.notes[note].percussion == is_drum
        assert 0 <= first < end <= GRID.n_frames
        painted[component, first:end] = 1
    assert np.array_equal(painted, layout.start.H)


def test_a_higher_tuning_moves_the_harmonics():
    W = templates_of([69], GRID, tuning=440 * 2 ** (1 / 12))
    assert np.array_equal(W, templates_of([70], GRID))


def test_components_are_named_after_their_notes():
    score = Score([Note(0, 1, 61), Note(0, 1, 60), Note(0, 1, 38, percussion=True)])
    assert fmp_layout(score, GRID).start.labels == ("C4", "C#4", "snare")
    names = fmp_layout(score, GRID, onsets=True).start.labels
    assert names == ("C4", "C4", "C#4", "C#4", "snare")


def test_drums_are_flat_and_no_pitches():
    score = Score([Note(1, 0.1, 60), Note(2, 0.1, 60, percussion=True)])
    layout = fmp_layout(score, GRID, onsets=True)
    assert layout.kinds == ("onset", "pitch", "drum")
    assert (layout.start.W[:, 2] == 1).all()
    _, frame = resolutions(GRID)
    sounding = np.flatnonzero(layout.start.H[2])
    assert sounding[[0, -1]].tolist() == [int(1.8 / frame), int(2.6 / frame) - 1]
    without = fmp_layout(Score(score.notes[:1]), GRID, onsets=True)
    assert np.array_equal(layout.start.H[:2], without.start.H)


def test_drums_rise_like_pitches():
    drums = (75, 36, 81, 38, 36)
    score = Score(Note(t, 1, drum, percussion=True) for t, drum in enumerate(drums))
    assert fmp_layout(score, GRID).pitches.tolist() == [36, 38, 75, 81]


def test_drums_alone_make_a_layout():
    score = Score([Note(0, 0.1, 36, percussion=True)])
    assert fmp_layout(score, GRID).kinds == ("drum",)
    pitched = Score([*score.notes, Note(0, 1, 36)])
    assert fmp_layout(pitched, GRID).kinds == ("pitch", "drum")


def test_pitches_above_all_bins_have_empty_templates():
    pitches = list(range(96, 128))
    grid = Grid(8000, 80_000, 1024, 256)
    W = templates_of(pitches, grid)
    above = [p for p in pitches if 0.95 * 440 * 2 ** ((p - 69) / 12) > 4000]
    assert [p for p, w in zip(pitches, W.T, strict=True) if w.max() == 0] == above
    score = Score([Note(0, 1, pitch) for pitch in (60, 127)])
    result = nmf(np.ones((grid.n_bins, grid.n_frames)), fmp_layout(score, grid).start)
    assert np.isfinite(result.W).all()
    assert np.isfinite(result.H).all()
    assert result.W[:, 1].max() == 0


def test_notes_past_the_end_sound_nowhere():
    score = Score([Note(5, 100, 60, part="in"), Note(7, 1, 62, part="out")])
    layout = fmp_layout(score, GRID)
    assert layout.start.H[0, -1] == 1
    assert layout.start.H[1].max() == 0
    assert by_stem(layout.start, layout, stem_labels(score)).labels == ("in",)
    masks = masks_of(layout, stem_labels(score))
    assert masks["in"].any()
    assert not masks["out"].any()


def test_overlapping_notes_of_one_pitch_count_once():
    apart = [Note(1, 2, 60), Note(2, 1.5, 60), Note(1.5, 0.1, 60)]
    H = activations_of(apart, GRID)
    assert np.array_equal(H, activations_of([Note(1, 2.5, 60)], GRID))


def test_notes_of_no_length_and_of_endless_length_are_laid_out():
    H = activations_of([Note(1, 0, 60), Note(1, 1e308, 62)], GRID)
    _, frame = resolutions(GRID)
    assert np.count_nonzero(H[0]) == int(1.5 / frame) - int(0.8 / frame)
    assert H[1, int(0.8 / frame) :].all()


def test_a_score_without_notes_is_refused():
    with pytest.raises(ScoreError, match="expected a score with notes"):
        fmp_layout(Score(()), GRID)


def test_a_score_that_starts_after_the_recording_is_refused():
    with pytest.raises(
        ScoreError, match="the 6.0 s of the recording; the first starts at 9.0 s"
    ):
        fmp_layout(Score([Note(9, 1, 60)]), GRID)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pitch": 0.5}, "tolerance pitch must be below 0.5 of a harmonic, got 0.5"),
        ({"pitch": -0.1}, "tolerance pitch must be at least 0, got -0.1"),
        ({"before": -1}, "tolerance before must be at least 0, got -1"),
        ({"onset_after": np.nan}, "tolerance onset_after must be at least 0, got nan"),
        ({"after": np.inf}, "tolerance after must be at least 0, got inf"),
    ],
)
def test_tolerances_out_of_range_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        Tolerances(**options)


@pytest.mark.parametrize("tuning", [0, 219, 1000, np.nan])
def test_a_tuning_out_of_range_is_refused(tuning):
    with pytest.raises(ParameterError, match="expected a tuning from 220 to 880 Hz"):
        templates_of([69], GRID, tuning=tuning)


def test_labels_and_results_that_do_not_fit_are_refused():
    layout = fmp_layout(Score([Note(0, 1, 60), Note(1, 1, 62)]), GRID)
    other = fmp_layout(Score([Note(0, 1, 60)]), GRID)
    for labels in ((), ("a",), ("a", "b", "c")):
        with pytest.raises(ParameterError, match="one label for each of 2 notes"):
            by_stem(layout.start, layout, labels)
    with pytest.raises(
        ParameterError, match="pass the result of nmf from layout.start"
    ):
        by_stem(other.start, layout, ("a", "b"))
