"""Templates out of files from strangers."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from specnmf import TemplateError, archives
from specnmf.audio.stft import Grid
from specnmf.methods.components import templates
from specnmf.methods.components.templates import count_templates, read_templates

GRID = Grid(8000, 8000, 64, 16)


def npy(array, **options):
    sink = io.BytesIO()
    np.lib.format.write_array(sink, np.asarray(array), **options)
    return sink.getvalue()


def header(shape, descr="<f4"):
    """What begins an array of this shape; the array itself is missing."""
    sink = io.BytesIO()
    content = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(sink, content)
    return sink.getvalue()


@pytest.fixture
def packed(tmp_path):
    """Make an archive of W, the frequencies and other members."""

    def packed(W=None, frequencies=None, **others):
        W = npy(np.ones((GRID.n_bins, 3), np.float32)) if W is None else W
        frequencies = npy(GRID.frequencies) if frequencies is None else frequencies
        path = tmp_path / "factors.npz"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("W.npy", W)
            archive.writestr("frequencies.npy", frequencies)
            for name, content in others.items():
                archive.writestr(name, content)
        return path

    return packed


class Trap:
    """What makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_templates_are_those_that_were_saved(packed, rng):
    W = rng.random((GRID.n_bins, 5)).astype(np.float32)
    path = packed(npy(W))
    assert (read_templates(path, GRID) == W).all()
    assert count_templates(path) == 5
    assert count_templates(None) == 0


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i2", "u1"])
def test_any_real_numbers_are_templates(packed, dtype):
    path = packed(npy(np.arange(GRID.n_bins, dtype=dtype)[:, np.newaxis]))
    assert (read_templates(path, GRID)[:, 0] == np.arange(GRID.n_bins)).all()


def test_a_pickle_is_refused_and_not_run(packed, tmp_path):
    trap = np.array([Trap(tmp_path / "sprung")], dtype=object)
    for options in ({"W": npy(trap)}, {"frequencies": npy(trap)}):
        with pytest.raises(TemplateError, match="must hold real numbers, got object"):
            read_templates(packed(**options), GRID)
    (tmp_path / "bare.npz").write_bytes(npy(trap))
    with pytest.raises(TemplateError, match="expected a factors.npz"):
        read_templates(tmp_path / "bare.npz", GRID)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "shape", [(GRID.n_bins, 1 << 40), (1 << 33, 1 << 33), (GRID.n_bins, -1)]
)
def test_a_header_that_promises_too_much_is_not_believed(packed, shape):
    with pytest.raises(TemplateError, match="is larger than|has an impossible shape"):
        count_templates(packed(header(shape)))


def test_a_bomb_is_not_unpacked(packed, monkeypatch):
    monkeypatch.setattr(archives.npy, "read_array", pytest.fail)
    columns = 1 + templates.MOST_BYTES // (4 * GRID.n_bins)
    bomb = packed(header((GRID.n_bins, columns)) + bytes(columns * 4 * GRID.n_bins))
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(TemplateError, match="is larger than"):
        count_templates(bomb)


def test_other_members_are_left_alone(packed, tmp_path):
    escape = {"../escape.npy": npy(np.ones(3)), "/tmp/specnmf_escape": b"x"}
    path = packed(H=bytes(1 << 20), **escape)
    assert count_templates(path) == 3
    assert list(tmp_path.iterdir()) == [path]
    assert not (tmp_path.parent / "escape.npy").exists()
    assert not Path("/tmp/specnmf_escape").exists()


@pytest.mark.parametrize(
    ("W", "message"),
    [
        (b"", "expected a factors.npz"),
        (b"no array", "expected a factors.npz"),
        (header((GRID.n_bins, 3)), "expected a factors.npz"),
        (b"\x93NUMPY\x01\x00\xff\xff" + bytes(0xFFFF), "expected a factors.npz"),
        (npy(np.ones(GRID.n_bins)), "W must be a matrix"),
        (npy(np.ones((GRID.n_bins, 0))), "W must be a matrix"),
        (npy(np.ones((GRID.n_bins, 2), complex)), "real numbers, got complex128"),
        (npy(np.full((GRID.n_bins, 2), "1")), "must hold real numbers"),
        (npy(np.full((GRID.n_bins, 2), np.nan)), "finite and non-negative"),
        (npy(np.ones((2, 2))), "have 2 bins and 33 frequencies, the recording 33"),
    ],
)
def test_what_is_no_template_is_refused_in_one_line(packed, W, message):
    with pytest.raises(TemplateError, match=message) as refused:
        read_templates(packed(W), GRID)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("frequencies", [np.full(GRID.n_bins, "a"), np.ones(3)])
def test_frequencies_must_be_those_of_the_bins(packed, frequencies):
    with pytest.raises(
        TemplateError, match="real numbers|have 33 bins and 3 frequencies"
    ):
        read_templates(packed(frequencies=npy(frequencies)), GRID)


def test_a_missing_array_and_a_damaged_archive_are_refused(packed):
    path = packed()
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"frequencies.npy", b"frequenciez.npy"))
    with pytest.raises(TemplateError, match="no item named 'frequencies.npy'"):
        count_templates(path)
    path.write_bytes(whole[:-30])
    with pytest.raises(TemplateError, match="File is not a zip file"):
        count_templates(path)
