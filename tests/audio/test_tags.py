"""Tags of recordings, and of the files of their sources."""

import struct

import numpy as np
import pytest
import soundfile

from specnmf import Audio
from specnmf.audio.reading import reading
from specnmf.audio.tags import LONGEST, Tags
from specnmf.audio.writing import Writer

TEXTS = {
    "title": "Lööp",
    "artist": "Änn",
    "album": "Album",
    "date": "2020",
    "tracknumber": "4",
    "genre": "Jazz",
    "comment": "take 2",
    "copyright": "C",
}
AUDIO = Audio(np.full((2, 101), 0.25, np.float32), 8000)


def bext(time, *, version=2, size=602):
    content = bytearray(b"\x01" * size)
    struct.pack_into("<Q", content, 338, time)
    struct.pack_into("<H", content, 346, version)
    return bytes(content)


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) & 1)


def write(path, tags, subtype="PCM_24"):
    format = path.suffix[1:]
    writer = Writer(path, AUDIO, format=format, subtype=subtype, tags=tags)
    samples = AUDIO.samples.T
    whole = (samples * 2**23).astype(np.int32)
    writer.write(whole if writer.bits == 24 else samples)
    writer.close()


def tags_of(path):
    with reading(path) as source:
        return source.tags()


@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [("wav", "PCM_24"), ("wav", "FLOAT"), ("flac", "PCM_24"), ("ogg", "VORBIS")],
)
def test_texts_are_read_as_they_were_written(tmp_path, suffix, subtype):
    path = tmp_path / f"a.{suffix}"
    write(path, Tags(TEXTS), subtype)
    assert tags_of(path) == Tags(TEXTS)
    assert soundfile.info(path).frames == 101


def test_an_mp3_gets_texts_of_ascii_alone(tmp_path):
    write(tmp_path / "a.mp3", Tags(TEXTS), "MPEG_LAYER_III")
    texts = tags_of(tmp_path / "a.mp3").texts
    assert "title" not in texts
    assert texts["album"] == "Album"


@pytest.mark.parametrize("subtype", ["PCM_24", "FLOAT"])
def test_the_time_of_a_broadcast_wav_is_kept_and_moves_with_the_excerpt(
    tmp_path, subtype
):
    path, again = tmp_path / "a.wav", tmp_path / "b.wav"
    write(path, Tags(TEXTS), subtype)
    data = path.read_bytes() + chunk(b"bext", bext(48_000, size=700))
    path.write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    tags = tags_of(path).later(1500)
    write(again, tags, subtype)
    assert tags_of(again) == tags
    assert struct.unpack_from("<Q", tags.bext, 338) == (49_500,)
    assert tags.bext[346] == 1  # without the loudness of version 2
    assert not any(tags.bext[412:422])
    data = again.read_bytes()
    assert struct.unpack_from("<I", data, 4) == (len(data) - 8,)
    with reading(again) as source:
        samples = np.concatenate([*source.blocks(dtype="float32")], axis=1)
    assert np.array_equal(samples, AUDIO.samples)


def test_a_chunk_of_a_large_file_is_found_behind_its_samples(tmp_path):
    fmt = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16))
    sizes = chunk(b"ds64", struct.pack("<QQQI", 0, 200, 100, 0))
    data = b"data" + b"\xff" * 4 + bytes(200)
    body = b"WAVE" + sizes + fmt + data + chunk(b"bext", bext(7))
    (tmp_path / "a.wav").write_bytes(b"RF64" + b"\xff" * 4 + body)
    assert struct.unpack_from("<Q", tags_of(tmp_path / "a.wav").bext, 338) == (7,)


def test_the_title_of_a_stem_names_it():
    tags = Tags(TEXTS, b"x").of_stem("kick")
    assert tags == Tags(TEXTS | {"title": "Lööp (kick)"}, b"x")
    assert Tags({"artist": "A"}).of_stem("kick") == Tags({"artist": "A"})
    title = Tags({"title": "ä" * 500}).of_stem("kick").texts["title"]
    assert title == f"{'ä' * 250} (kick)"


def test_floats_with_tags_are_the_same_bytes_at_any_time(tmp_path, monkeypatch):
    said = Tags({"title": "data PEAK fact", "comment": "PEAK" + "x" * 900})
    for name in ("a", "b"):
        write(tmp_path / f"{name}.wav", said, "FLOAT")
        data = bytearray((tmp_path / f"{name}.wav").read_bytes())
        place = data.index(b"PEAK\x18\x00\x00\x00")
        assert data[place + 12 : place + 16] == bytes(4)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert tags_of(tmp_path / "a.wav") == said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a\x1b[31m\x07b", "a [31m b"),
        (b"one\r\ntwo\t three", "one two three"),
        (b"caf\xe9", "caf\ufffd"),
        ("\u202eevil\u2028".encode(), "evil"),
        (b"   ", None),
        (b"x" * 1900, "x" * LONGEST),
    ],
)
def test_hostile_texts_become_one_line(tmp_path, text, expected):
    write(tmp_path / "a.wav", Tags())
    data = (tmp_path / "a.wav").read_bytes()
    info = chunk(b"LIST", b"INFO" + chunk(b"INAM", text + b"\0"))
    data = data[:36] + info + data[36:]
    (tmp_path / "a.wav").write_bytes(
        data[:4] + struct.pack("<I", len(data) - 8) + data[8:]
    )
    tags = tags_of(tmp_path / "a.wav")
    assert tags.texts.get("title") == expected
    write(tmp_path / "b.wav", tags)
    assert tags_of(tmp_path / "b.wav") == tags


@pytest.mark.parametrize("size", [0, 10, 345])
def test_a_broadcast_chunk_that_is_cut_short_is_ignored(tmp_path, size):
    write(tmp_path / "a.wav", Tags())
    data = (tmp_path / "a.wav").read_bytes() + chunk(b"bext", b"\x01" * size)
    (tmp_path / "a.wav").write_bytes(data)
    assert tags_of(tmp_path / "a.wav") == Tags()


def test_a_time_beyond_its_bits_stays_the_largest():
    tags = Tags({}, bext((1 << 64) - 5)).later(100)
    assert struct.unpack_from("<Q", tags.bext, 338) == ((1 << 64) - 1,)
