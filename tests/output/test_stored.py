"""What a run has stored, read back: notes, models and factors, from strangers too."""

import io
import json
import zipfile

import numpy as np
import pytest

from specnmf import Factorization, Note, OutputError, Score, archives
from specnmf.output import report, stored
from specnmf.output.stored import (
    note_arrays,
    notes_from,
    read_factors,
    read_shown,
    stored_model,
)

SCORE = Score(
    (
        Note(0.1, 0.7, 60, 90, "left", cents=-12.5, confidence=0.75),
        Note(1 / 3, 2.0, 64, 1, "right"),
        Note(0.0, 0.25, 36, 127, "<img src=x>", percussion=True),
    )
)


def store(folder, arrays):
    report.write_arrays(folder / "model.npz", arrays)


def npy(array):
    sink = io.BytesIO()
    np.lib.format.write_array(sink, np.asarray(array))
    return sink.getvalue()


def header(shape, descr="<f8"):
    """What begins an array of this shape; the array itself is missing."""
    sink = io.BytesIO()
    content = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(sink, content)
    return sink.getvalue()


def pack(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


def test_notes_come_back_as_they_were_stored(tmp_path):
    store(tmp_path, note_arrays(SCORE))
    found = read_shown(tmp_path)
    assert found.parts == SCORE.parts
    for note, expected in zip(found.notes, SCORE.notes, strict=True):
        assert note._replace(duration=0) == expected._replace(duration=0)
        assert note.duration == pytest.approx(expected.duration, abs=1e-12)


def test_notes_that_came_back_are_stored_alike(tmp_path):
    store(tmp_path, note_arrays(SCORE))
    again = note_arrays(read_shown(tmp_path))
    first = note_arrays(SCORE)
    assert all((again[name] == first[name]).all() for name in first)


def test_a_run_without_notes_shows_none(tmp_path):
    store(tmp_path, note_arrays(Score(())))
    assert read_shown(tmp_path) == Score(())


def test_runs_without_a_model_show_their_piano_roll(tmp_path):
    table = "start,duration,pitch,velocity,label\n"
    (tmp_path / "pianoroll.csv").write_text(table)
    assert read_shown(tmp_path) == Score(())
    (tmp_path / "pianoroll.csv").write_text(f"{table}1.5,0.5,60,90,component_01\n")
    assert read_shown(tmp_path).notes == (Note(1.5, 0.5, 60, 90, "component_01"),)
    store(tmp_path, {"labels": np.array(["component_01"])})  # an edit of such a run
    assert read_shown(tmp_path).parts == ("component_01",)


def test_transcriptions_without_a_model_show_their_score_from_the_excerpt_on(tmp_path):
    rows = "start,duration,pitch,velocity,label\n11.5,0.5,60,90,voice_1\n"
    (tmp_path / "score.csv").write_text(rows)
    (tmp_path / "run.json").write_text(json.dumps({"settings": {"start": 10}}))
    assert read_shown(tmp_path).notes == (Note(1.5, 0.5, 60, 90, "voice_1"),)
    for damaged in ("{", "[]", "[" * 100_000, '{"settings": {"start": "x"}}'):
        (tmp_path / "run.json").write_text(damaged)
        with pytest.raises(OutputError, match="has no start"):
            read_shown(tmp_path)


def test_a_folder_without_notes_is_refused(tmp_path):
    with pytest.raises(OutputError, match="no notes"):
        read_shown(tmp_path)
    (tmp_path / "pianoroll.csv").write_text("nothing of the kind\n" * 9)
    with pytest.raises(OutputError, match=r"pianoroll\.csv: .*expected columns"):
        read_shown(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"note_start": [-1.0, 0, 0]}, "note_start must lie between 0 and 86400"),
        ({"note_start": [np.nan, 0, 0]}, "note_start must lie"),
        ({"note_end": [0.0, np.inf, 0]}, "note_end must lie"),
        ({"note_end": [0.0, 0, 0]}, "duration must be 0 s or more"),
        ({"note_end": [0.0, 1]}, r"note_end must have the shape \(3\)"),
        ({"note_end": np.zeros((3, 1))}, r"note_end must have the shape \(3\)"),
        ({"note_start": [0, 1, 2]}, "note_start must hold floats"),
        ({"note_start": np.zeros(3, np.float32)}, "note_start must hold float64"),
        ({"note_pitch": [0, 1, 128]}, "note_pitch must lie between 0 and 127"),
        ({"note_pitch": [-1, 1, 2]}, "note_pitch must lie between 0 and 127"),
        ({"note_velocity": [0, 1, 2]}, "a velocity lies between 1 and 127"),
        ({"note_percussion": [0, 1, 2]}, "note_percussion must hold booleans"),
        ({"note_confidence": [0, 0.5, 1.5]}, "note_confidence must lie between 0"),
        ({"note_cents": [0, 0, 1e300]}, "note_cents must lie"),
        ({"note_stem": [0, 1, 3]}, "note_stem must lie between 0 and 2"),
        ({"note_stem": [0, 1, -1]}, "note_stem must lie between 0 and 2"),
        ({"note_stems": [1, 2, 3]}, "note_stems must hold text"),
        ({"note_stems": ["a" * 2000, "b", "c"]}, "note_stems must have names"),
        (
            {"note_stems": np.full(3, 0x110000, "<u4").view("<U1")},
            "must hold text, got",
        ),
        ({"note_end": None}, "expected note_end, got none; make the run again"),
    ],
)
def test_what_is_no_note_is_refused_in_one_line(tmp_path, change, message):
    arrays = note_arrays(SCORE) | change
    store(tmp_path, {n: np.asarray(a) for n, a in arrays.items() if a is not None})
    with pytest.raises(OutputError, match=message) as refused:
        read_shown(tmp_path)
    assert str(tmp_path) in str(refused.value)
    assert str(refused.value).isprintable()


def test_no_notes_fit_no_stems():
    arrays = note_arrays(Score(()))
    arrays["note_stem"] = np.zeros(1, np.int32)
    with pytest.raises(OutputError, match="note_stem must have the shape"):
        notes_from(stored.StoredArrays(arrays, "model.npz"))


def test_an_array_that_promises_more_than_the_file_holds_is_refused(tmp_path):
    for shape in ((1 << 40,), (1 << 33, 1 << 33), (0, 1 << 60)):
        pack(tmp_path / "model.npz", note_start=header(shape))
        with pytest.raises(OutputError, match="note_start is larger than"):
            stored_model(tmp_path)
    pack(tmp_path / "model.npz", note_start=header((-1,)))
    with pytest.raises(OutputError, match="has an impossible shape"):
        stored_model(tmp_path)
    pack(tmp_path / "model.npz", **{"a\nb": header((1 << 40,))})
    with pytest.raises(OutputError, match="a b is larger than"):
        stored_model(tmp_path)
    pack(tmp_path / "model.npz", note_stems=header((1 << 60,), "<U0"))
    with pytest.raises(OutputError, match="must hold numbers or text"):
        stored_model(tmp_path)


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.npy, "read_array", pytest.fail)
    pack(tmp_path / "model.npz", note_start=npy(np.zeros(1 << 18)))
    with pytest.raises(OutputError, match="note_start is larger than"):
        stored_model(tmp_path)
    few = {f"a{n}": npy(np.zeros(400)) for n in range(40)}
    pack(tmp_path / "model.npz", **few)  # each of which the file could hold
    with pytest.raises(OutputError, match="is larger than"):
        stored_model(tmp_path)
    pack(tmp_path / "model.npz", **{f"a{n}": b"" for n in range(1001)})
    with pytest.raises(OutputError, match="holds 1001 arrays"):
        stored_model(tmp_path)


def test_objects_are_not_unpickled(tmp_path):
    store(tmp_path, {"note_start": np.array([{}, {}], object)})
    with pytest.raises(OutputError, match="must hold numbers or text, got object"):
        stored_model(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"x" * 99])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "model.npz").write_bytes(content)
    with pytest.raises(OutputError, match=r"(model\.npz: |no notes)"):
        read_shown(tmp_path)


def test_a_folder_without_a_model_says_what_to_do(tmp_path):
    with pytest.raises(OutputError, match="make the run again with specnmf rerun"):
        stored_model(tmp_path)
    with pytest.raises(OutputError, match="No such file"):
        read_factors(tmp_path)
    (tmp_path / "model.npz").mkdir()
    with pytest.raises(OutputError, match="not a file"):
        stored_model(tmp_path)


@pytest.fixture
def factors(rng):
    W, H = rng.random((5, 2), np.float32), rng.random((2, 7), np.float32)
    return Factorization(np.asfortranarray(W), H, ("a", "b"), np.array([2.0, 1.0]))


def write_factors(folder, factors, **changes):
    path = folder / "factors.npz"
    axes = {"frequencies": np.arange(5.0), "times": np.arange(7.0)}
    report.write_factors(path, factors, **axes)
    if changes:
        with np.load(path) as archive:
            arrays = dict(archive)
        np.savez(path, **(arrays | changes))


def test_factors_come_back_as_they_were_written(tmp_path, factors):
    write_factors(tmp_path, factors)
    found = read_factors(tmp_path)
    assert (found.factors.W == factors.W).all()
    assert found.factors.W.flags.f_contiguous  # which sums depend on
    assert (found.factors.H == factors.H).all()
    assert found.factors.labels == ("a", "b")
    assert found.factors.losses.tolist() == [2.0, 1.0]
    assert found.frequencies.tolist() == [*range(5)]
    assert found.times.tolist() == [*range(7)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W": np.full((5, 2), np.nan)}, "W must be finite and non-negative"),
        ({"H": np.full((2, 7), -1.0)}, "H must be finite and non-negative"),
        ({"H": np.zeros((3, 7))}, "W has 2 columns"),
        ({"W": np.zeros(2)}, "W must be a matrix"),
        ({"labels": np.array(["a"])}, "2 components need as many labels"),
        ({"labels": np.arange(2)}, "labels must hold text"),
        ({"losses": np.array([np.inf])}, "losses must lie"),
        ({"frequencies": np.arange(4.0)}, r"frequencies must have the shape \(5\)"),
        ({"times": np.arange(4.0)}, r"times must have the shape \(7\)"),
    ],
)
def test_factors_that_do_not_fit_are_refused(tmp_path, factors, change, message):
    write_factors(tmp_path, factors, **change)
    with pytest.raises(OutputError, match=message) as refused:
        read_factors(tmp_path)
    assert str(refused.value).isprintable()
