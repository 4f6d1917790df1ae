"""FLAC without a length, or cut short: against the whole file."""

import shutil
import subprocess

import numpy as np
import pytest
import soundfile

import specnmf
from specnmf.audio import flac, reading

SR = 44100

TAG = b"TAG" + b"x" * 125

#: Where the header has the number of samples, after 28 bits of other things.
TOTAL = slice(18, 26)


@pytest.fixture
def noise(rng):
    return 0.2 * rng.standard_normal((40_000, 2)).clip(-4, 4)


def without_total(data):
    """The file as it is written to a pipe."""
    number = int.from_bytes(data[TOTAL], "big") >> 36 << 36
    return data[: TOTAL.start] + number.to_bytes(8, "big") + data[TOTAL.stop :]


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_S8"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sr", [8000, 44100, 12345, 96000])
@pytest.mark.parametrize("n", [17, 4096, 40_000])
def test_a_flac_that_states_no_length_is_read_whole(
    tmp_path, noise, subtype, channels, sr, n
):
    path = tmp_path / "piped.flac"
    soundfile.write(path, noise[:n, :channels], sr, subtype)
    assert flac.layout(path) is None
    expected = specnmf.read(path).samples
    path.write_bytes(without_total(path.read_bytes()))
    assert (specnmf.read(path).samples == expected).all()
    path.write_bytes(b"ID3\x04\0\0\0\0\x07\x68" + bytes(1000) + path.read_bytes() + TAG)
    assert (specnmf.read(path).samples == expected).all()
    part = specnmf.read(path, start=5 / sr, duration=9 / sr).samples
    assert (part == expected[:, 5:14]).all()


def test_what_ffmpeg_writes_to_a_pipe_is_read(tmp_path, noise):
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg")
    wav, path = tmp_path / "song.wav", tmp_path / "song.flac"
    soundfile.write(wav, noise, SR, "PCM_16")
    command = ["ffmpeg", "-v", "error", "-i", wav, "-f", "flac", "-"]
    path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    assert (specnmf.read(path).samples == specnmf.read(wav).samples).all()


@pytest.mark.parametrize("share", [0.15, 0.5, 0.99])
def test_of_a_flac_cut_short_every_whole_frame_is_read(tmp_path, noise, share):
    path = tmp_path / "cut.flac"
    soundfile.write(path, noise, SR)
    whole = specnmf.read(path).samples
    data = path.read_bytes()
    cut = data[: int(share * len(data))]
    path.write_bytes(cut)
    with pytest.warns(UserWarning, match=r"\d s shorter than its header says"):
        audio = specnmf.read(path)
    n = audio.n_samples
    assert n % 4096 == 0
    assert share * len(noise) - 2 * 4096 < n <= share * len(noise)
    assert (audio.samples == whole[:, :n]).all()
    with reading.reading(path) as source:
        assert source.expected(0, None) == len(noise)
    path.write_bytes(without_total(cut))
    with pytest.warns(UserWarning, match="its last frame is cut short"):
        assert specnmf.read(path).n_samples == n


@pytest.mark.parametrize(
    "back",
    [TAG, b"ID3\x04\0\0\0\0\x07\x68" + bytes(1000), b"APETAGEX" + bytes(999),
     bytes(5000), b"whatever" * 9000],
)  # fmt: skip
def test_what_stands_behind_the_frames_costs_none(tmp_path, noise, back):
    path = tmp_path / "tagged.flac"
    soundfile.write(path, noise, SR)
    expected = specnmf.read(path).samples
    path.write_bytes(path.read_bytes() + back)
    assert (specnmf.read(path).samples == expected).all()


def test_damaged_files_raise_nothing_else(tmp_path, noise, rng):
    path = tmp_path / "hostile.flac"
    soundfile.write(path, noise[:3000], SR)
    data = path.read_bytes()
    for _ in range(300):
        damaged = bytearray(data[: rng.integers(1, len(data))])
        for at in rng.integers(0, min(len(damaged), 9000), 4):
            damaged[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF])
        path.write_bytes(damaged)
        found = flac.layout(path)
        assert found is None or 0 <= found.missing <= 1


def test_what_is_no_flac_has_no_layout(tmp_path, noise):
    path = tmp_path / "song.wav"
    soundfile.write(path, noise, SR)
    assert flac.layout(path) is None
    for data in (b"fLaC", b"fLaC" + bytes(60), np.zeros(99).tobytes()):
        path.write_bytes(data)
        assert flac.layout(path) is None


@pytest.mark.parametrize("code", range(16))
def test_a_frame_of_any_size_code_is_parsed_or_none(code):
    header = bytes([0xFF, 0xF8, code << 4 | 9, 0x10, 0]) + b"\x0f" * (code in (6, 7))
    header += b"\x00" * (code == 7)
    crc = next(c for c in range(256) if flac._crc(header + bytes([c]), 8, 7) == 0)
    sizes = [0, 192, 576, 1152, 2304, 4608, 16, 3841, *(256 << k for k in range(8))]
    frame = flac._parsed(header + bytes([crc, 0, 0]), 0, 4096)
    assert frame is not None
    assert frame[-1] == sizes[code]
