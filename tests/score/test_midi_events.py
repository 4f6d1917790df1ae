"""MIDI events: framed as mido frames them, and safe to take from strangers."""

import io
import time

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specnmf import ScoreError
from specnmf.score import midi_events
from specnmf.score.midi_events import events, midi_data

END = b"\x00\xff\x2f\x00"


def smf(*tracks, kind=1, division=480, n_tracks=None):
    numbers = kind, len(tracks) if n_tracks is None else n_tracks, division
    header = b"".join(number.to_bytes(2, "big") for number in numbers)
    chunks = [b"MThd", len(header).to_bytes(4, "big"), header]
    for track in tracks:
        chunks += [b"MTrk", len(track).to_bytes(4, "big"), track]
    return b"".join(chunks)


def heard(track):
    return [tuple(event) for event in events(track)]


def messages():
    data, channel = st.integers(0, 127), st.integers(0, 15)
    time = st.integers(0, 0x0FFF_FFFF)
    return st.one_of(
        st.builds(mido.Message, st.just("note_on"), channel=channel, note=data,
                  velocity=data, time=time),
        st.builds(mido.Message, st.just("control_change"), channel=channel,
                  control=data, value=data, time=time),
        st.builds(mido.Message, st.just("program_change"), channel=channel,
                  program=data, time=time),
        st.builds(mido.Message, st.just("pitchwheel"), channel=channel,
                  pitch=st.integers(-8192, 8191), time=time),
        st.builds(mido.Message, st.just("sysex"), data=st.lists(data), time=time),
        st.builds(mido.MetaMessage, st.just("set_tempo"),
                  tempo=st.integers(0, 0xFFFFFF), time=time),
        st.builds(mido.MetaMessage, st.just("lyrics"),
                  text=st.text(st.characters(max_codepoint=255)), time=time),
    )  # fmt: skip


@given(st.lists(st.lists(messages(), max_size=30), min_size=1, max_size=3))
def test_events_are_those_that_mido_wrote(tracks):
    file = mido.MidiFile(type=1, ticks_per_beat=96)
    file.tracks.extend(mido.MidiTrack(track) for track in tracks)
    data = io.BytesIO()
    file.save(file=data)
    read = midi_data(data.getvalue())
    assert (read.format, read.division) == (1, 96)
    for track, chunk in zip(tracks, read.tracks, strict=True):
        tick, expected = 0, []
        for message in track:
            tick += message.time
            if message.type != "sysex":
                body = None if message.is_meta else bytes(message.bytes()[1:])
                expected.append((tick, message.is_meta, body))
        found = list(events(chunk))
        assert found.pop().kind == midi_events.END
        assert [
            (e.tick, e.kind > 0xFF, None if e.kind > 0xFF else e.data) for e in found
        ] == expected


def test_a_status_holds_for_the_events_that_have_none():
    track = b"\x00\x91\x3c\x40\x10\x3c\x00\x00\xff\x01\x01x\x05\x3e\x41" + END
    assert heard(track)[:4] == [
        (0, 0x90, 1, b"\x3c\x40"),
        (16, 0x90, 1, b"\x3c\x00"),
        (16, 0x101, 0, b"x"),
        (21, 0x90, 1, b"\x3e\x41"),
    ]


def test_the_time_before_unknown_and_exclusive_events_passes():
    # mido forgets the time before a meta event that it does not know
    track = b"\x81\x00\xff\x60\x02ab\x81\x00\xf0\x02\x01\xf7\x01\xc0\x05" + END
    assert heard(track)[1] == (257, midi_events.PROGRAM, 0, b"\x05")


def test_a_track_ends_at_its_end_or_where_it_stops():
    assert len(heard(b"\x00\x90\x3c\x40" + END + b"\x00\x90\x3c\x00")) == 2
    assert len(heard(b"\x00\x90\x3c\x40")) == 1
    assert heard(b"") == []


def test_alien_chunks_are_passed_over():
    data = smf(END)
    data = data[:14] + b"XFIH\x00\x00\x00\x02ab" + data[14:] + b"trailing"
    assert midi_data(data).tracks == (END,)


def test_a_file_inside_a_riff_file_is_read():
    inner = smf(END)
    size = len(inner).to_bytes(4, "little")
    data = b"RIFF" + (len(inner) + 12).to_bytes(4, "little") + b"RMIDdata" + size
    assert midi_data(data + inner).tracks == (END,)


def test_a_wrong_length_of_the_last_track_is_forgiven_if_its_end_is_there():
    data = smf(b"\x00\x90\x3c\x40" + END)
    size = (1 << 31).to_bytes(4, "big")
    assert len(midi_data(data.replace(b"\x00\x00\x00\x08\x00\x90", size + b"\x00\x90"))
               .tracks[0]) == 8  # fmt: skip


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"MThe", "does not begin with MThd"),
        (b"RIFF\x00\x00\x00\x00WAVE", "does not begin with MThd"),
        (b"MThd\x00\x00\x00\x02\x00\x01", "cut short in its header"),
        (b"MThd", "cut short in its header"),
        (smf(END, kind=2), "format 2, expected 0 or 1"),
        (smf(END, n_tracks=3), "holds 1 of its 3 tracks"),
        (smf(END)[:-1], "cut short in a track"),
    ],
)
def test_what_is_no_file_is_refused(data, message):
    with pytest.raises(ScoreError, match=message):
        midi_data(data)


@pytest.mark.parametrize(
    ("track", "message"),
    [
        (b"\x00", "cut short in the midst of an event"),
        (b"\x00\x90\x3c", "cut short"),
        (b"\x81", "cut short"),
        (b"\x00\xff\x03\x05abc", "cut short"),
        (b"\x00\xf0\xff\xff\xff\x7fabc", "cut short"),
        (b"\x00\x3c\x40", "status 0x00"),
        (b"\x00\xf4\x00", "status 0xf4"),
        (b"\x00\x90\x3c\x80", "data bytes 3c 80"),
        (b"\xff\xff\xff\xff\x7f\x90\x3c\x40", "more than four bytes"),
    ],
)
def test_damaged_events_are_refused(track, message):
    with pytest.raises(ScoreError, match=message):
        heard(track)


def test_an_endless_number_takes_no_time():
    # mido spends minutes on this
    began = time.perf_counter()
    with pytest.raises(ScoreError, match="more than four bytes"):
        heard(b"\x00\xf0" + b"\xff" * 1_000_000)
    assert time.perf_counter() - began < 1
