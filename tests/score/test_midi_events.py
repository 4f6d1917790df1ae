"""MIDI events: framed as mido frames them, and safe to take from strangers."""

import io

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specnmf import ScoreError
from specnmf.score import midi_events
from specnmf.score.midi_chunks import midi_data
from specnmf.score.midi_events import Walk

END = b"\x00\xff\x2f\x00"


def heard(track):
    return [tuple(event) for event in Walk(track)]


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
    assert (read.format, read.division, read.remarks) == (1, 96, ())
    for track, chunk in zip(tracks, read.tracks, strict=True):
        tick, expected = 0, []
        for message in track:
            tick += message.time
            if message.type != "sysex":
                body = None if message.is_meta else bytes(message.bytes()[1:])
                expected.append((tick, message.is_meta, body))
        found = list(Walk(chunk))
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


def test_values_above_127_are_cut_and_such_pitches_left_out():
    walk = Walk(b"\x00\x90\x3c\xc8\x01\xb0\x07\xff\x01\x90\xfd\x40\x01\xc0\x80" + END)
    assert [tuple(event) for event in walk] == [
        (0, 0x90, 0, b"\x3c\x7f"),
        (1, 0xB0, 0, b"\x07\x7f"),
        (3, midi_events.END, 0, b""),
    ]
    assert walk.n_above == 4


@pytest.mark.parametrize(
    "message",
    [b"\xf8", b"\xfe", b"\xfa", b"\xf6", b"\xf3\x01", b"\xf1\x01", b"\xf2\x01\x02"],
)
def test_a_system_message_is_an_event_that_ends_no_running_status(message):
    walk = Walk(b"\x00\x90\x3c\x40\x05" + message + b"\x05\x3e\x40" + END)
    assert [event.tick for event in walk] == [0, 10, 10]
    assert walk.n_system == 1


def test_in_a_stream_real_time_bytes_stand_anywhere_and_sysex_has_no_length():
    track = b"\x00\xf8\x90\x3c\xf8\xfe\x40\x05\xf0\x43\x10\xf7\x05\xf8\x3c\x00" + END
    walk = Walk(track, stream=True)
    assert [tuple(event) for event in walk][:2] == [
        (0, 0x90, 0, b"\x3c\x40"),
        (10, 0x90, 0, b"\x3c\x00"),
    ]
    assert walk.is_whole
    assert walk.n_system == 4


@pytest.mark.parametrize(
    ("track", "message"),
    [
        (b"\x00", "the file ends within an event"),
        (b"\x00\x90\x3c", "the file ends within an event"),
        (b"\x81", "the file ends within an event"),
        (b"\x00\xff\x03\x05abc", "the file ends within an event"),
        (b"\x00\xf0\xff\xff\xff\x7fabc", "the file ends within an event"),
        (b"\x00\x3c\x40", "an event without a status at byte 1"),
        (b"\xff\xff\xff\xff\x7f\x90\x3c\x40", "longer than four bytes"),
    ],
)
def test_damaged_events_are_refused(track, message):
    with pytest.raises(ScoreError, match=message):
        heard(track)


def test_an_endless_number_takes_no_time():
    # mido spends minutes on this
    with pytest.raises(ScoreError, match="longer than four bytes"):
        heard(b"\x00\xf0" + b"\xff" * 1_000_000)
