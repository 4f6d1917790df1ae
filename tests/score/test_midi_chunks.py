"""MIDI chunks: tracks found where they are, in files as players meet them."""

import time
from contextlib import suppress

import pytest

from specnmf import ScoreError
from specnmf.score.midi_chunks import MAX_TRACKS, midi_data

END = b"\x00\xff\x2f\x00"
ONE = b"\x00\x90\x3c\x40\x60\x3c\x00" + END
TWO = b"\x00\x91\x30\x40\x60\x30\x00" + END


def smf(*tracks, kind=1, division=480, n_tracks=None):
    numbers = kind, len(tracks) if n_tracks is None else n_tracks, division
    header = b"".join(number.to_bytes(2, "big") for number in numbers)
    chunks = [b"MThd", len(header).to_bytes(4, "big"), header]
    for track in tracks:
        chunks += [chunk(track)]
    return b"".join(chunks)


def chunk(track, more=0, name=b"MTrk"):
    """A chunk that says that it is some bytes longer than it is."""
    return name + (len(track) + more).to_bytes(4, "big") + track


def header(n_tracks, kind=1):
    return smf(n_tracks=n_tracks, kind=kind)


def riff(*chunks):
    body = b"RMID" + b"".join(
        name + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)
        for name, data in chunks
    )
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def test_a_file_as_the_standard_has_it_gives_no_remark():
    data = midi_data(smf(ONE, TWO, division=96))
    assert data == (1, 96, (ONE, TWO), (), ())


@pytest.mark.parametrize(
    "data",
    [
        header(1) + chunk(b"abc", name=b"XFIH") + chunk(ONE),
        header(1) + chunk(chunk(TWO), name=b"OTSc") + chunk(ONE),
        header(1) + chunk(ONE) + chunk(b"abc", name=b"XFKM"),
        header(1) + chunk(ONE) + b"junk that goes on",
        header(1) + chunk(ONE) + bytes(50),
        header(1) + chunk(b"abc", name=b"XFIH") + b"\0" + chunk(ONE) + b"\0",
        b"MThd\0\0\0\x08" + header(1)[8:] + b"\0\0" + chunk(ONE),
        riff((b"data", header(1) + chunk(ONE))),
        riff((b"LIST", b"INFOINAM" + 90 * b"a"), (b"data", header(1) + chunk(ONE))),
        riff((b"data", header(1) + chunk(ONE)), (b"LIST", b"INFOISFT\1\0\0\0a\0")),
    ],
    ids=[
        *("alien", "alien with a track inside", "alien at the end", "junk", "zeros"),
        *("padded", "long header", "RIFF", "LIST first", "LIST last"),
    ],
)
def test_what_is_beside_the_tracks_is_passed_over(data):
    read = midi_data(data)
    assert read.tracks == (ONE,)
    assert read.remarks == read.mismeasured == ()


@pytest.mark.parametrize(
    ("counted", "remark"),
    [
        (5, "its header states 5 tracks, there are 2"),
        (1, "its header states 1 track, there are 2"),
        (0, "its header states 0 tracks, there are 2"),
    ],
)
def test_tracks_are_counted_whatever_the_header_says(counted, remark):
    read = midi_data(smf(ONE, TWO, n_tracks=counted))
    assert read.tracks == (ONE, TWO)
    assert read.remarks == (remark,)


@pytest.mark.parametrize("more", [-9, -4, -3, -1, 1, 4, 8, 12, 19, 1 << 20, -11])
def test_a_track_of_another_length_than_it_says_ends_where_its_events_do(more):
    read = midi_data(header(2) + chunk(ONE, more) + chunk(TWO))
    assert read.tracks == (ONE, TWO)
    assert read.mismeasured == (1,)
    read = midi_data(header(2) + chunk(ONE) + chunk(TWO, more))
    assert read.tracks[0] == ONE
    assert read.tracks[1][: len(TWO)] == TWO
    assert read.mismeasured == (2,)


def test_a_wrong_length_without_an_end_lasts_until_the_next_track():
    read = midi_data(header(2) + chunk(ONE[:-4], 100) + chunk(TWO))
    assert read.tracks == (ONE[:-4], TWO)
    assert read.mismeasured == (1,)


def test_a_text_that_spells_a_chunk_is_none():
    track = b"\x00\xff\x01\x08MTrk\0\0\0\1" + ONE
    read = midi_data(smf(track, TWO))
    assert read.tracks == (track, TWO)
    assert read.mismeasured == ()


def test_what_lies_before_the_header_and_between_chunks_is_told():
    mac = b"\0\x08song.mid".ljust(128, b"\0")
    read = midi_data(mac + header(2) + chunk(ONE) + b"\xfe\xdc\xba" + chunk(TWO))
    assert read.tracks == (ONE, TWO)
    assert read.remarks == (
        "128 bytes before its header, skipped",
        "3 bytes before track 2, skipped",
    )


def test_a_second_file_is_left_out_and_told():
    read = midi_data(smf(ONE) + smf(TWO))
    assert read.tracks == (ONE,)
    assert read.remarks == ("another MIDI file after its end, ignored",)


def test_several_tracks_are_of_format_1_and_one_is_itself_in_any():
    read = midi_data(smf(ONE, TWO, kind=0))
    assert read[0] == 1
    assert read.remarks == ("of format 0 with 2 tracks, read as format 1",)
    assert midi_data(smf(ONE, kind=2))[0] == 0


def random_track(rng):
    """Notes, texts and exclusive messages of random bytes, with their end."""
    track = b""
    for _ in range(rng.integers(30)):
        kind, length = rng.integers(3), int(rng.integers(20))
        if kind == 0:
            track += bytes([5, 0x90 | length % 16, *rng.integers(0, 128, 2)])
        elif kind == 1:
            track += bytes([0x83, 0x60, 0xFF, 1, length]) + rng.bytes(length)
        else:
            body = bytes(rng.integers(0, 128, length).tolist())
            track += bytes([0, 0xF0, length + 1]) + body + b"\xf7"
    return track + END


def test_tracks_are_found_whatever_header_and_lengths_say(rng):
    for _ in range(500):
        tracks = [random_track(rng) for _ in range(rng.integers(1, 6))]
        data = header(int(rng.integers(9)))
        for track in tracks:
            wrong = int(rng.integers(-len(track), 300))
            data += chunk(track, int(rng.choice([0, -4, -1, 1, 8, 1 << 20, wrong])))
        read = midi_data(data)
        assert len(read.tracks) == len(tracks)
        for found, track in zip(read.tracks, tracks, strict=True):
            assert found[: len(track)] == track


# ---------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"MThe", "not a MIDI file: it has no header"),
        (b"RIFF\x00\x00\x00\x00WAVE", "not a MIDI file: it has no header"),
        (b"MThd\x00\x00\x00\x02\x00\x01", "the file ends within its header"),
        (b"MThd", "the file ends within its header"),
        (smf(END, END, kind=2), "format 2, whose tracks are separate pieces"),
        (
            smf(ONE)[:-1],
            "the file ends within track 1, which states 11 bytes and has 10",
        ),
        (header(1) + chunk(ONE[:-4], 99), "the file ends within track 1"),
    ],
)
def test_what_is_no_file_is_refused(data, message):
    with pytest.raises(ScoreError, match=message):
        midi_data(data)


def test_a_file_cut_off_within_a_track_is_refused_wherever():
    whole = smf(ONE, TWO)
    for end in range(15, len(whole)):
        if end == len(smf(ONE)):  # all of a track: it cannot be told
            assert "there are 1" in midi_data(whole[:end]).remarks[0]
            continue
        with pytest.raises(ScoreError, match=r"the file ends (within|before)"):
            midi_data(whole[:end])


def test_more_tracks_than_a_header_can_count_are_refused():
    data = header(1) + (MAX_TRACKS + 1) * b"MTrk\0\0\0\0"
    with pytest.raises(ScoreError, match="more than 65535 tracks"):
        midi_data(data)


@pytest.mark.slow  # large files
@pytest.mark.parametrize(
    "part",
    [
        b"MTrk\0\0\0\1\0\xff\1\xff\xff\xff\x7f",
        b"MTrk\0\0\0\2\0\0\xf0\xff\xff\xff\x00",
        b"MTrk\xff\xff\xff\xff\0\x90",
        b"MTrk\0\0\0\1\0\x90\x90\x90",
        b"MTrk\0\0\0\5\0\xff\1\x87\xff\x7f",
        b"XXXX\0\0\0\0",
        b"\0",
        b"M",
    ],
)
def test_a_hostile_file_takes_no_time(part):
    data = header(9) + part * (2_000_000 // len(part))
    began = time.process_time()
    with suppress(ScoreError):
        midi_data(data)
    assert time.process_time() - began < 10
