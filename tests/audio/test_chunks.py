"""Headers set right: against soundfile's reading of the finished file."""

import re
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

import specnmf
from specnmf.audio import chunks, reading
from specnmf.audio.opening import sound_file

SR = 8000

UNSTATED = "its header states no length: read to the end of the file"

#: Larger than many samples, and no sound.
LIST = b"LIST" + struct.pack("<I", 2012) + b"INFOINAM" + struct.pack("<I", 2000)
LIST += b"A song. " * 250


@pytest.fixture
def noise(rng):
    return 0.2 * rng.standard_normal((1000, 2)).clip(-3, 3)


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content


def fmt(bits=16, channels=2, tag=1):
    block = channels * bits // 8
    numbers = (tag, channels, SR, SR * block, block, bits)
    return chunk(b"fmt ", struct.pack("<HHIIHH", *numbers))


def riff(*parts, mark=b"RIFF", size=None):
    body = b"WAVE" + b"".join(parts)
    size = len(body) if size is None else size
    return mark + struct.pack("<I", size) + body


def samples_of(noise):
    """Samples as 16 bits, and as they should be read."""
    y = np.round(noise * 32768).astype("<i2")
    return y.tobytes(), (y / 32768).astype(np.float32).T


def read(path, *messages):
    """The samples, read with exactly these warnings."""
    expected = [f"{path}: {message}" for message in messages]
    if not expected:
        return specnmf.read(path).samples
    with pytest.warns(UserWarning, match=re.escape(str(path))) as caught:
        audio = specnmf.read(path)
    assert [str(each.message) for each in caught] == expected
    assert reading.remarks(path, audio.n_samples) == list(messages)
    return audio.samples


@pytest.mark.parametrize("sizes", [(0, 0), (36, 0), (8, 0), (4036, 0)])
@pytest.mark.parametrize("tail", [b"", LIST, LIST + chunk(b"id3 ", bytes(4000))])
def test_a_wav_whose_sizes_are_zero_is_read_to_its_end(tmp_path, noise, sizes, tail):
    data, expected = samples_of(noise)
    riff_size, size = sizes
    content = riff(fmt(), b"data" + struct.pack("<I", size) + data + tail)
    path = tmp_path / "unfinished.wav"
    path.write_bytes(content[:4] + struct.pack("<I", riff_size) + content[8:])
    assert (read(path, UNSTATED) == expected).all()
    part = reading.load(path, start=0.05, duration=0.05)
    assert (part.samples == expected[:, 400:800]).all()
    with reading.reading(path) as source:
        assert source.expected(0, None) == 1000


@pytest.mark.parametrize("size", [0x7FFFFFFF, 0xFFFFFFFF, 0x80000000])
def test_metadata_behind_a_pipes_samples_does_not_sound(tmp_path, noise, size):
    data, expected = samples_of(noise)
    path = tmp_path / "piped.wav"
    part = b"data" + struct.pack("<I", size) + data + LIST
    path.write_bytes(riff(fmt(), part, size=size))
    assert (read(path) == expected).all()


@pytest.mark.parametrize("mark", [b"RF64", b"BW64"])
@pytest.mark.parametrize("size", [0, 4000, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF])
@pytest.mark.parametrize("tail", [b"", LIST])
def test_rf64_and_bw64_are_read_whatever_their_sizes(tmp_path, noise, mark, size, tail):
    data, expected = samples_of(noise)
    numbers = struct.pack("<QQQI", size, size, size // 4, 0)
    unknown = b"data\xff\xff\xff\xff"
    parts = chunk(b"ds64", numbers), fmt(), unknown + data + tail
    path = tmp_path / "long.wav"
    path.write_bytes(riff(*parts, mark=mark, size=0xFFFFFFFF))
    assert (read(path, *([UNSTATED] if size == 0 else [])) == expected).all()


@pytest.mark.parametrize(
    ("format", "subtype", "at", "form", "sizes"),
    [
        ("AIFF", "PCM_16", lambda d: d.index(b"SSND") + 4, ">I", [0, 8, 0xFFFFFFFF]),
        ("AIFF", "PCM_24", lambda d: d.index(b"SSND") + 4, ">I", [8]),
        ("W64", "PCM_16", lambda d: d.index(b"data") + 16, "<Q", [0, 24, 2**64 - 1]),
        ("AU", "FLOAT", lambda d: 8, ">I", [0, 0xFFFFFFFF]),
        ("CAF", "PCM_24", lambda d: d.index(b"data") + 4, ">q", [0, 4, -1]),
        ("RF64", "FLOAT", lambda d: d.index(b"ds64") + 16, "<Q", [0]),
        ("WAV", "FLOAT", lambda d: d.index(b"data") + 4, "<I", [0]),
        ("WAVEX", "PCM_24", lambda d: d.index(b"data") + 4, "<I", [0]),
        ("WAV", "PCM_U8", lambda d: d.index(b"data") + 4, "<I", [0]),
        ("WAV", "ULAW", lambda d: d.index(b"data") + 4, "<I", [0]),
        ("WAV", "MS_ADPCM", lambda d: d.index(b"data") + 4, "<I", [0]),
    ],
)
def test_any_container_that_states_no_length_is_read_to_its_end(
    tmp_path, noise, format, subtype, at, form, sizes
):
    path = tmp_path / "song"
    soundfile.write(path, noise, SR, subtype, format=format)
    expected = soundfile.read(path, dtype="float32")[0].T
    data = bytearray(path.read_bytes())
    for size in sizes:
        struct.pack_into(form, data, at(data), size)
        path.write_bytes(data)
        named = 0 <= size < 25  # the largest number means the end, as is the rule
        assert (read(path, *([UNSTATED] if named else [])) == expected).all()


def test_a_tag_in_front_changes_nothing(tmp_path, noise):
    data, expected = samples_of(noise)
    path = tmp_path / "tagged.wav"
    tag = b"ID3\x04\0\0\0\0\x07\x68" + bytes(1000)
    path.write_bytes(tag + riff(fmt(), b"data\0\0\0\0" + data + LIST, size=0))
    assert (read(path, UNSTATED) == expected).all()


def test_chunks_may_stand_in_any_order(tmp_path, noise):
    data, expected = samples_of(noise)
    path = tmp_path / "odd.wav"
    for parts in (
        (chunk(b"data", data), fmt()),
        (fmt(), fmt(8, 1), chunk(b"data", data)),
    ):
        path.write_bytes(riff(*parts))
        assert (read(path) == expected).all()
    path.write_bytes(
        riff(fmt(), chunk(b"data", data[:1200]), chunk(b"data", data[1200:]))
    )
    assert (
        read(path, "its samples are in several chunks: all are read") == expected
    ).all()


def test_a_frame_that_is_not_whole_is_left_out(tmp_path, noise):
    data, expected = samples_of(noise)
    path = tmp_path / "odd.wav"
    path.write_bytes(riff(fmt(), b"data\0\0\0\0" + data[:-1], size=0))
    assert (read(path, UNSTATED) == expected[:, :-1]).all()
    path.write_bytes(riff(fmt(), chunk(b"data", data + b"\1"), b"\0" + LIST))
    assert (read(path) == expected).all()


def test_a_header_that_is_four_gigabytes_short_is_seen_through(tmp_path, noise):
    data, expected = samples_of(noise)
    path = tmp_path / "day.wav"
    with path.open("wb") as file:
        file.write(riff(fmt(), chunk(b"data", data)))
        file.truncate(44 + 4000 + (1 << 32))
    assert reading.remarks(path) == [chunks.WRAPPED]
    with sound_file(path) as opened:
        assert opened.file.frames == 1000 + (1 << 30)
        assert (opened.file.read(1000, "float32").T == expected).all()


def test_samples_behind_a_stale_header_are_remarked_on(tmp_path, rng):
    data, expected = samples_of(0.2 * rng.standard_normal((4000, 2)))
    path = tmp_path / "stale.wav"
    path.write_bytes(riff(fmt(), chunk(b"data", data[:4000])) + data[4000:])
    message = "12000 bytes after its samples are not read"
    assert (read(path, message) == expected[:, :1000]).all()
    path.write_bytes(riff(fmt(), chunk(b"data", data[:4000])) + bytes(12000))
    assert (read(path) == expected[:, :1000]).all()


@pytest.mark.parametrize("tail", [b"", LIST])
def test_what_is_empty_stays_so(tmp_path, tail):
    path = tmp_path / "empty.wav"
    path.write_bytes(riff(fmt(), chunk(b"data", b""), tail))
    with pytest.raises(specnmf.AudioError, match="holds no samples"):
        specnmf.read(path)


def test_sound_files_are_read_as_they_are(tmp_path, noise):
    for format in ("WAV", "WAVEX", "RF64", "AIFF", "W64", "AU", "CAF", "FLAC", "OGG"):
        path = tmp_path / format
        soundfile.write(path, noise, SR, format=format)
        assert chunks.layout(path) is None


def test_damaged_headers_raise_nothing_else(tmp_path, noise, rng):
    data = samples_of(noise)[0]
    path = Path(tmp_path / "hostile")
    soundfile.write(path, noise, SR, format="AIFF")
    seeds = [path.read_bytes()]
    for format in ("RF64", "W64", "AU", "CAF"):
        soundfile.write(path, noise, SR, format=format)
        seeds.append(path.read_bytes())
    seeds.append(riff(fmt(), b"data\0\0\0\0" + data + LIST, size=0))
    for seed in seeds:
        for _ in range(100):
            damaged = bytearray(seed[: rng.integers(1, len(seed))])
            for at in rng.integers(0, min(len(damaged), 200), 3):
                damaged[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF])
            path.write_bytes(damaged)
            found = chunks.layout(path)
            assert found is None or all(map(within(damaged), found.pieces))


def within(data):
    """Whether a piece to read is bytes, or a span of some data."""
    return lambda piece: (
        isinstance(piece, bytes) or (0 <= piece.start <= piece.stop <= len(data))
    )
