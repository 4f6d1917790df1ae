"""Learned templates: what they are, their file, and recordings of other windows."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

import specnmf
from specnmf import OutputError, TemplateError
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Grid
from specnmf.methods.learned import templates as module
from specnmf.methods.learned.templates import (
    Templates,
    converted,
    merged,
    read_templates,
    write_templates,
)

HASH = "0" * 64


def make(rng, names=("a", "b_1", "b_2"), n_frames=1, **changes):
    """Random templates at 8 kHz, a window of 64."""
    W = 0.1 + rng.random((33, len(names), n_frames))
    groups = [name.partition("_")[0] for name in names]
    window = {"sr": 8000, "n_fft": 64, "hop_length": 16}
    return Templates(**{"W": W, "names": names, "groups": groups, **window, **changes})


def npy(array, **options):
    sink = io.BytesIO()
    np.lib.format.write_array(sink, np.asarray(array), **options)
    return sink.getvalue()


@pytest.fixture
def packed(tmp_path, rng):
    """Write the file of some templates with other members."""

    def packed(**others):
        write_templates(tmp_path / "good.npz", make(rng, sources=[("a.wav", HASH)]))
        path = tmp_path / "templates.npz"
        with (
            zipfile.ZipFile(tmp_path / "good.npz") as good,
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for name in good.namelist():
                content = others.get(name.removesuffix(".npy"), good.read(name))
                if content is not None:
                    archive.writestr(name, content)
        return path

    return packed


class Trap:
    """What makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def tone(frequency, sr, n_fft):
    """The mean spectrum of a tone in noise, with a maximum of 1."""
    rng = np.random.default_rng(0)
    t = np.arange(sr) / sr
    y = np.sin(2 * np.pi * frequency * t) + 0.05 * rng.standard_normal(sr)
    V = specnmf.stft(Audio(y[np.newaxis].astype(np.float32), sr), n_fft=n_fft)
    power = (V.magnitude().astype(float) ** 2).mean(axis=1)
    return np.sqrt(power / power.max())


def test_what_is_written_is_read_again(tmp_path, rng):
    sources = (("a.wav", HASH), ("b.wav", "f" * 64))
    written = make(rng, n_frames=4, sources=sources)
    write_templates(tmp_path / "t.npz", written)
    read = read_templates(tmp_path / "t.npz")
    np.testing.assert_array_equal(read.W, written.W)
    assert read.W.dtype == np.float32
    for name in ("names", "groups", "sr", "n_fft", "hop_length", "sources"):
        assert getattr(read, name) == getattr(written, name)
    assert read.stems == ("a", "b")
    assert [path.name for path in tmp_path.iterdir()] == ["t.npz"]
    with pytest.raises(OutputError, match=r"t\.npz: cannot .*no folder .*none, make"):
        write_templates(tmp_path / "none" / "t.npz", make(rng))


def test_the_same_templates_give_the_same_bytes(tmp_path, rng):
    templates = make(rng)
    for name in ("one.npz", "two.npz"):
        write_templates(tmp_path / name, templates)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_each_template_has_a_maximum_of_one(rng):
    templates = make(rng, n_frames=3)
    np.testing.assert_allclose(templates.W.max(axis=(0, 2)), 1)


def test_merged_templates_keep_their_order_and_their_sources_once(rng):
    one = make(rng, ("a", "b_1"), sources=[("x.wav", HASH)])
    other = make(rng, ("c",), sources=[("x.wav", HASH), ("y.wav", HASH)])
    both = merged([one, other])
    assert both.names == ("a", "b_1", "c")
    assert both.groups == ("a", "b", "c")
    assert [name for name, _ in both.sources] == ["x.wav", "y.wav"]
    np.testing.assert_array_equal(both.W, np.concatenate([one.W, other.W], axis=1))


def test_the_same_grid_changes_nothing(rng):
    for n_frames in (1, 4):
        templates = make(rng, n_frames=n_frames)
        same = converted(templates, Grid(8000, 4000, 64, 16))
        np.testing.assert_array_equal(same.W, templates.W)


def test_spectra_do_not_depend_on_the_hop(rng):
    templates = make(rng)
    same = converted(templates, Grid(8000, 4000, 64, 8))
    np.testing.assert_array_equal(same.W, templates.W)
    assert same.hop_length == 8


@pytest.mark.parametrize(
    ("sr", "n_fft"), [(44100, 1024), (22050, 512), (48000, 2048), (22050, 1024)]
)
def test_a_tone_is_like_one_that_the_other_window_shows(sr, n_fft):
    own = tone(3000, 44100, 2048)[:, np.newaxis, np.newaxis]
    templates = Templates(own, ["a"], ["a"], 44100, 2048, 512)
    moved = converted(templates, Grid(sr, sr, n_fft, n_fft // 4)).W[:, 0, 0]
    direct = tone(3000, sr, n_fft)
    assert moved @ direct > 0.97 * np.linalg.norm(moved) * np.linalg.norm(direct)


def test_a_tone_between_wider_bins_is_not_lost():
    W = np.full((1025, 1, 1), 1e-3)
    W[101] = 1
    templates = Templates(W, ["a"], ["a"], 44100, 2048, 512)
    wide = converted(templates, Grid(44100, 44100, 1024, 256)).W[:, 0, 0]
    assert set(np.argsort(wide)[-2:]) == {50, 51}


def test_another_hop_keeps_the_seconds(rng):
    fading = np.exp(-np.arange(12) / 3)
    W = (0.1 + rng.random((33, 1, 1))) * fading
    templates = Templates(W, ["a"], ["a"], 8000, 64, 16)
    for hop_length, n_frames in ((8, 24), (32, 6)):
        moved = converted(templates, Grid(8000, 4000, 64, hop_length))
        assert moved.n_template_frames == n_frames
        expected = np.exp(-np.arange(n_frames) * hop_length / 16 / 3)
        levels = moved.W[:, 0].max(axis=0)
        np.testing.assert_allclose(levels[:-2], expected[:-2], atol=0.03)


def test_the_faintest_templates_are_scaled_as_well(rng):
    templates = make(rng, W=np.full((33, 3, 1), 1e-20))
    np.testing.assert_allclose(templates.W, 1)


def test_more_than_the_recording_has_is_left_out(rng):
    low = converted(make(rng), Grid(4000, 4000, 32, 8))
    assert low.W.shape == (17, 3, 1)
    np.testing.assert_allclose(low.W.max(axis=(0, 2)), 1)


def test_a_recording_that_reaches_higher_is_refused(rng):
    with pytest.raises(TemplateError, match="reach 4000 Hz, the recording 8000 Hz; le"):
        converted(make(rng), Grid(16000, 16000, 128, 32))


@pytest.mark.parametrize("n_fft", [24, 256])
def test_a_much_longer_or_shorter_window_is_refused(rng, n_fft):
    with pytest.raises(TemplateError, match="window of 8 ms, .* use --n-fft 64, or"):
        converted(make(rng), Grid(8000, 8000, n_fft, n_fft // 4))


def test_templates_silent_where_the_recording_ends_are_refused(rng):
    W = np.zeros((33, 1, 1))
    W[30:] = 1
    with pytest.raises(TemplateError, match="template 'hat' is silent"):
        converted(make(rng, ("hat",), W=W), Grid(4000, 4000, 32, 8))


def test_a_hop_that_makes_templates_huge_is_refused(rng, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 4 * 33 * 3 * 8)
    templates = make(rng, n_frames=8)
    with pytest.raises(TemplateError, match="of 16 frames would need more than"):
        converted(templates, Grid(8000, 8000, 64, 8))
    with pytest.raises(TemplateError, match="would not be read again"):
        write_templates("none.npz", templates)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"W": np.ones((33, 3))}, "must be \\(n_bins, n_components, n_template_fr"),
        ({"W": np.ones((32, 3, 1))}, "need W of shape \\(33, 3\\)"),
        ({"W": -np.ones((33, 3, 1))}, "finite and non-negative"),
        ({"W": np.full((33, 3, 1), np.nan)}, "finite and non-negative"),
        ({"W": np.zeros((33, 3, 1))}, "template 'a' is silent; leave it out"),
        ({"names": ("a", "b", "a")}, "two templates are called 'a'"),
        ({"names": ("a", "b", "")}, "must be printable"),
        ({"names": ("a", "b", "c\nd")}, "must be printable"),
        ({"groups": ("a", "b", "c" * 201)}, "must be printable"),
        ({"groups": ("a", "b")}, "a group for each of 3 templates, got 2"),
        ({"n_fft": 65}, "n_fft must be even"),
        ({"hop_length": 65}, "hop_length must not exceed n_fft"),
        ({"sr": 0}, "expected a sample rate of 1 to"),
        ({"sources": [("a", "abc")]}, "expected the SHA-256 of source 'a', got 'abc'"),
    ],
)
def test_what_does_not_fit_together_is_refused(rng, changes, message):
    with pytest.raises(TemplateError, match=message):
        make(rng, **changes)


def test_shorter_templates_end_in_silence(rng):
    one, longer = make(rng), make(rng, ("c",), 2)
    both = merged([one, longer])
    np.testing.assert_array_equal(both.W[:, :3, :1], one.W)
    assert not both.W[:, :3, 1].any()
    np.testing.assert_array_equal(both.W[:, 3:], longer.W)


def test_templates_of_another_window_are_converted_when_they_are_merged(rng):
    other = make(rng, ("c",), W=np.ones((65, 1, 1)), n_fft=128)
    both = make(rng) + other
    assert (both.n_fft, both.W.shape) == (64, (33, 4, 1))
    with pytest.raises(TemplateError, match="reach 4000 Hz, the recording 8000 Hz"):
        merged([make(rng, sr=16000), make(rng, ("c",))])


def test_names_in_two_files_are_numbered_and_groups_joined(rng):
    both = merged([make(rng), make(rng, ("a", "a_2"))])
    assert both.names == ("a", "b_1", "b_2", "a_3", "a_2")
    assert both.stems == ("a", "b")


def test_a_pickle_is_refused_and_not_run(packed, tmp_path):
    trap = npy(np.array([Trap(tmp_path / "sprung")], dtype=object))
    for name in ("W", "names", "sr", "source_sha256"):
        with pytest.raises(TemplateError, match="got object"):
            read_templates(packed(**{name: trap}))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ({"W": npy(np.ones((33, 3, 1)))}, "W must hold float32, got float64"),
        ({"W": npy(np.ones((33, 3), np.float32))}, "W must have the shape"),
        ({"W": npy(np.full((33, 3, 1), np.nan, "f"))}, "W must lie between 0"),
        ({"W": npy(np.ones((33, 0, 1), np.float32))}, "W must be"),
        ({"W": None}, "expected templates of specnmf learn"),
        ({"W": b"\x93NUMPY\x01\x00"}, "expected templates of specnmf learn"),
        ({"names": npy(["a", "b"])}, "2 names and a window of 64 need W"),
        ({"names": npy([1, 2, 3])}, "names must hold text"),
        ({"names": npy(["a", "a", "b"])}, "two templates are called 'a'"),
        ({"groups": npy(["a", "b", "\u202e"])}, "must be printable"),
        ({"groups": npy(["x" * 1001] * 3)}, "groups must have names of 1000"),
        ({"sr": npy(8000.5)}, "sr must hold whole numbers"),
        ({"sr": npy([8000])}, "sr must have the shape"),
        ({"n_fft": npy(-64)}, "n_fft must lie between 0 and"),
        ({"hop_length": npy(0)}, "hop_length must be at least 1"),
        ({"source_names": npy(["a", "b"])}, "a hash for each of 2 sources, got 1"),
        ({"source_sha256": npy(["../x"])}, "expected the SHA-256 of source 'a.wav'"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(packed, member, message):
    path = packed(**member)
    with pytest.raises(TemplateError, match=message) as refused:
        read_templates(path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_a_file_that_promises_more_than_it_may_is_refused(packed):
    sink = io.BytesIO()
    content = {"descr": "<f4", "fortran_order": False, "shape": (33, 1 << 20, 99)}
    np.lib.format.write_array_header_1_0(sink, content)
    with pytest.raises(TemplateError, match="W is larger than"):
        read_templates(packed(W=sink.getvalue()))


def test_thousands_of_templates_are_refused(rng):
    many = [str(number) for number in range(4097)]
    with pytest.raises(TemplateError, match="at most 4096 templates, got 4097"):
        make(rng, many)


@pytest.mark.parametrize("keep", [0, 1, 100, 1000])
def test_a_truncated_file_is_refused(packed, keep):
    path = packed()
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(TemplateError, match="expected templates of specnmf learn"):
        read_templates(path)


def test_no_file_is_left_where_writing_fails(tmp_path, rng):
    (tmp_path / "t.npz").mkdir()
    (tmp_path / "t.npz" / "x").touch()
    with pytest.raises(OutputError, match="t.npz: "):
        write_templates(tmp_path / "t.npz", make(rng))
    assert [path.name for path in tmp_path.iterdir()] == ["t.npz"]
    with pytest.raises(TemplateError, match="none.npz: No such file"):
        read_templates(tmp_path / "none.npz")
