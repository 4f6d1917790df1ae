"""Reading MIDI: what sounds when, and who plays it."""

import subprocess
import sys

import mido
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specnmf import ScoreError
from specnmf.score.midi import write_midi
from specnmf.score.midi_names import PROGRAMS
from specnmf.score.midi_reading import read_midi
from specnmf.score.notelist import read_csv
from specnmf.score.notes import Note, Score

BEAT = 480  # half a second, unless a tempo says otherwise


def on(pitch, wait=0, velocity=80, channel=0):
    return mido.Message(
        "note_on", note=pitch, velocity=velocity, channel=channel, time=wait
    )


def off(pitch, wait=0, channel=0):
    return mido.Message("note_off", note=pitch, channel=channel, time=wait)


def control(number, value, wait=0, channel=0):
    return mido.Message(
        "control_change", control=number, value=value, channel=channel, time=wait
    )


def program(number, channel=0):
    return mido.Message("program_change", program=number, channel=channel)


def meta(kind, wait=0, **values):
    return mido.MetaMessage(kind, time=wait, **values)


def saved(tmp_path, *tracks, kind=1, division=BEAT, charset="utf-8"):
    file = mido.MidiFile(type=kind, ticks_per_beat=division, charset=charset)
    file.tracks.extend(mido.MidiTrack(track) for track in tracks)
    file.save(tmp_path / "score.mid")
    return tmp_path / "score.mid"


def read(tmp_path, *tracks, **options):
    return read_midi(saved(tmp_path, *tracks, **options))


def spans(score):
    """The notes as (start, end, pitch), to the microsecond."""
    return [
        (round(n.start, 6), round(n.start + n.duration, 6), n.pitch)
        for n in score.notes
    ]


def close(score, other, *, within):
    """Whether notes begin and end as their twins do."""
    assert len(score.notes) == len(other.notes)
    for note, twin in zip(
        sorted(score.notes, key=lambda n: (n.part, n.pitch, n.start)),
        sorted(other.notes, key=lambda n: (n.part, n.pitch, n.start)),
        strict=True,
    ):
        assert note[2:] == twin[2:]
        assert note.start == pytest.approx(twin.start, abs=within)
        end = twin.start + twin.duration
        assert note.start + note.duration == pytest.approx(end, abs=within)


# ------------------------------------------------------------------- reference


def test_notes_are_those_of_pretty_midi(tmp_path, rng):
    pretty_midi = pytest.importorskip("pretty_midi")
    tempi = [
        meta("set_tempo", int(wait), tempo=int(tempo))
        for wait, tempo in zip(
            rng.integers(0, 2000, 40), rng.integers(200_000, 900_000, 40), strict=True
        )
    ]
    tracks = [tempi]
    for k in range(3):
        track = [meta("track_name", name=f"part {k}"), program(k, k)]
        for pitch in rng.permutation(range(30, 100)):
            wait, length = (int(ticks) for ticks in rng.integers(1, 900, 2))
            track += [on(int(pitch), wait, channel=k), off(int(pitch), length, k)]
        tracks.append(track)
    path = saved(tmp_path, *tracks)
    peer = pretty_midi.PrettyMIDI(str(path))
    expected = Score(
        Note(n.start, n.end - n.start, n.pitch, n.velocity, instrument.name)
        for instrument in peer.instruments
        for n in instrument.notes
    )
    close(read_midi(path), expected, within=1e-9)


def test_overlapping_notes_end_in_the_order_in_which_they_began(tmp_path):
    pretty_midi = pytest.importorskip("pretty_midi")
    track = [on(60), on(60, BEAT), off(60, BEAT), off(60, BEAT)]
    path = saved(tmp_path, track)
    assert spans(read_midi(path)) == [(0, 1, 60), (0.5, 1.5, 60)]
    peer = pretty_midi.PrettyMIDI(str(path)).instruments[0].notes
    assert sorted((n.start, n.end) for n in peer) == [(0, 1), (0.5, 1)]  # cut short


def test_real_scores_are_those_of_pretty_midi(shared_data):
    pretty_midi = pytest.importorskip("pretty_midi")
    paths = [
        *shared_data.glob("bach10/*/score.mid"),
        shared_data / "drums/808/score.mid",
    ]
    assert len(paths) > 3
    for path in paths:
        expected = Score(
            Note(n.start, n.end - n.start, n.pitch, n.velocity, i.name, i.is_drum)
            for i in pretty_midi.PrettyMIDI(str(path)).instruments
            for n in i.notes
        )
        close(read_midi(path), expected, within=1e-6)


# ------------------------------------------------------------------ properties

NAMES = ("Flöte 笛", "piano", "left hand")


@st.composite
def scores(draw):
    """Scores in which no pitch of a part sounds twice at once."""
    notes = []
    for part in draw(st.sets(st.sampled_from(NAMES), min_size=1)):
        for pitch in draw(st.sets(st.integers(0, 127), min_size=1, max_size=4)):
            steps = draw(st.lists(st.integers(2, 3000), min_size=2, max_size=12))
            edges = np.cumsum(steps) / 1000
            velocity = draw(st.integers(1, 127))
            notes += [
                Note(float(start), float(end - start), pitch, velocity, part)
                for start, end in zip(edges[::2], edges[1::2], strict=False)
            ]
    for start in draw(st.lists(st.integers(0, 9), unique=True, max_size=3)):
        notes.append(Note(float(start), 0.25, 38, 90, "kit", percussion=True))
    return Score(notes)


@pytest.mark.slow  # many scores
@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(scores(), st.sampled_from((20.0, 97.3, 120.0, 1000.0)))
def test_what_was_written_is_read_to_the_millisecond(tmp_path, score, tempo):
    write_midi(tmp_path / "twin.mid", score, tempo=tempo)
    close(read_midi(tmp_path / "twin.mid"), score, within=1e-3)


def test_real_scores_survive_being_written(shared_data, tmp_path):
    for path in shared_data.glob("bach10/*/score.mid"):
        score = read_midi(path)
        write_midi(tmp_path / "twin.mid", score)
        close(read_midi(tmp_path / "twin.mid"), score, within=1e-3)


# ----------------------------------------------------------------------- times


def test_tempi_hold_for_all_tracks_wherever_they_stand(tmp_path):
    first = [on(60), off(60, BEAT), on(60, BEAT), off(60, BEAT)]
    second = [meta("set_tempo", BEAT, tempo=1_000_000), on(48, BEAT), off(48, BEAT)]
    score = read(tmp_path, first, second)
    assert spans(score) == [(0, 0.5, 60), (1.5, 2.5, 48), (1.5, 2.5, 60)]


def test_of_two_tempi_at_one_tick_the_last_counts(tmp_path):
    tempi = [meta("set_tempo", tempo=1), meta("set_tempo", tempo=250_000)]
    assert spans(read(tmp_path, tempi, [on(60), off(60, BEAT)])) == [(0, 0.25, 60)]


def test_a_million_ticks_later_nothing_has_drifted(tmp_path):
    tempi = [meta("set_tempo", 7, tempo=333_333 + k % 2) for k in range(20_000)]
    late = [on(60, 140_000), off(60, BEAT)]
    microseconds = 7 * 500_000 + 7 * sum(333_333 + k % 2 for k in range(19_999))
    note = read(tmp_path, tempi, late).notes[0]
    assert note.start == microseconds / (BEAT * 1_000_000)


@pytest.mark.parametrize(
    ("frames", "seconds"),
    [(24, 1 / 24), (25, 1 / 25), (29, 1001 / 30_000), (30, 1 / 30)],
)
def test_film_time_counts_frames_and_ignores_tempi(tmp_path, frames, seconds):
    division = -(frames << 8) + 40
    track = [meta("set_tempo", tempo=1), on(60, 80), off(60, 40)]
    (note,) = read(tmp_path, track, division=division).notes
    assert (note.start, note.duration) == pytest.approx((2 * seconds, seconds))


def test_the_time_before_an_event_that_mido_forgets_passes(tmp_path):
    path = saved(tmp_path, [on(60, BEAT), off(60, BEAT)])
    unknown = b"\x83\x60\xff\x60\x00"  # after a beat, a meta event of type 0x60
    data = path.read_bytes()
    size = int.from_bytes(data[18:22], "big") + len(unknown)
    path.write_bytes(data[:18] + size.to_bytes(4, "big") + unknown + data[22:])
    assert spans(read_midi(path)) == [(1, 1.5, 60)]


def test_a_note_released_as_it_is_struck_lasts_a_millisecond(tmp_path):
    score = read(tmp_path, [on(60, BEAT), off(60), on(62), on(62, velocity=0)])
    assert spans(score) == [(0.5, 0.501, 60), (0.5, 0.501, 62)]


def test_a_note_never_released_ends_with_its_track(tmp_path):
    long = [on(48), off(48, 8 * BEAT)]
    track = [on(60), on(60, BEAT), off(60, BEAT), meta("lyrics", BEAT, text="x")]
    assert spans(read(tmp_path, long, track))[1:] == [(0, 1, 60), (0.5, 1.5, 60)]


def test_a_release_of_nothing_is_ignored(tmp_path):
    assert spans(
        read(tmp_path, [off(60), off(61), on(60), off(60, BEAT), off(60)])
    ) == [(0, 0.5, 60)]


def test_all_notes_off_ends_those_of_its_channel(tmp_path):
    track = [on(60), on(64), on(60, channel=1), control(123, 0, BEAT), off(60, BEAT, 1)]
    expected = {(0, 0.5, 60), (0, 0.5, 64), (0, 1, 60)}
    assert set(spans(read(tmp_path, track))) == expected


# ----------------------------------------------------------------------- pedal


def test_the_pedal_holds_what_is_released_under_it(tmp_path):
    track = [on(60), control(64, 64, BEAT // 2), off(60, BEAT // 2), on(62, BEAT)]
    track += [control(64, 63, BEAT), off(62, BEAT)]
    assert spans(read(tmp_path, track)) == [(0, 1.5, 60), (1, 2, 62)]


def test_what_is_struck_again_under_the_pedal_ends_before(tmp_path):
    track = [control(64, 127), on(60), off(60, BEAT), on(60, BEAT), off(60, BEAT)]
    track += [control(64, 0, BEAT)]
    assert spans(read(tmp_path, track)) == [(0, 1, 60), (1, 2, 60)]


def test_a_pedal_works_across_tracks_but_not_across_channels_or_ports(tmp_path):
    feet = [control(64, 127), control(64, 0, 4 * BEAT)]
    hand = [on(60), off(60, BEAT)]
    other = [on(72, channel=1), off(72, BEAT, 1)]
    elsewhere = [meta("midi_port", port=1), on(48), off(48, BEAT)]
    score = read(tmp_path, feet, hand, other, elsewhere)
    assert spans(score) == [(0, 0.5, 48), (0, 2, 60), (0, 0.5, 72)]


def test_a_pedal_that_stays_down_holds_to_the_end(tmp_path):
    feet = [control(64, 127), meta("lyrics", 3 * BEAT, text="x")]
    assert spans(read(tmp_path, feet, [on(60), off(60, BEAT)])) == [(0, 1.5, 60)]


def test_drums_know_no_pedal_and_a_reset_lifts_it(tmp_path):
    track = [control(64, 127), control(64, 127, channel=9), on(60), on(36, channel=9)]
    track += [off(60, BEAT), off(36, channel=9), control(121, 0, BEAT)]
    track += [control(64, 0, BEAT)]
    score = read(tmp_path, track)
    assert sorted(spans(score)) == [(0, 0.5, 36), (0, 1, 60)]


def test_the_pedal_of_a_real_recording_lengthens_notes(shared_data):
    folder = shared_data / "chopin_op10_3"
    pressed = read_csv(folder / "Chopin_Op010-03-Measures1-8_MIDI.csv")
    heard = read_midi(folder / "Chopin_Op010-03-Measures1-8_MIDI.mid")
    longer = 0
    for key, note in zip(pressed.notes, heard.notes, strict=True):
        assert note.pitch == key.pitch
        assert note.start == pytest.approx(key.start, abs=1e-9)
        assert note.duration > key.duration - 1e-9
        longer += note.duration > key.duration + 0.01
    assert longer > len(pressed.notes) / 4


# ----------------------------------------------------------------------- parts


def parts(tmp_path, *tracks, **options):
    return read(tmp_path, *tracks, **options).parts


def test_a_part_is_called_as_its_track_instrument_or_program(tmp_path):
    def later(k, *first):
        return [*first, on(60, k), off(60, BEAT)]

    assert parts(
        tmp_path,
        later(1, meta("track_name", name="Sopran"), program(40)),
        later(2, meta("instrument_name", name="Oboe d'amore"), program(68)),
        later(3, program(68)),
        [on(60, 4, channel=1), off(60, BEAT, 1)],
    ) == ("Sopran", "Oboe d'amore", "Oboe", "track 4")


def test_a_channel_of_a_track_is_a_part_and_equal_names_are_numbered(tmp_path):
    name = meta("track_name", name="Piano")
    first = [name, on(60), on(64, 1, channel=1), off(60, 9), off(64, channel=1)]
    second = [meta("track_name", name="Piano 2"), on(67, 2), off(67, 9)]
    assert parts(tmp_path, first, second) == ("Piano", "Piano 3", "Piano 2")


def test_programs_are_called_as_general_midi_calls_them():
    pretty_midi = pytest.importorskip("pretty_midi")

    def bare(names):
        return [name.lower().translate({40: None, 41: None}) for name in names]

    assert bare(PROGRAMS) == bare(pretty_midi.constants.INSTRUMENT_MAP)


def test_in_a_file_of_one_track_channels_are_called_by_their_programs(tmp_path):
    track = [meta("track_name", name="Sonata"), program(0), program(73, 1)]
    track += [on(60), on(62, 1, channel=1), on(64, 1, channel=2), on(36, 1, channel=9)]
    expected = ("Acoustic Grand Piano", "Flute", "channel 3", "drums")
    assert parts(tmp_path, track, kind=0) == expected


def test_the_tenth_channel_is_percussion(tmp_path):
    kick = [meta("track_name", name="kick"), on(36, channel=9), off(36, BEAT, 9)]
    kit = [program(3, 9), on(38, 1, channel=9), off(38, BEAT, 9)]
    score = read(tmp_path, kick, kit)
    assert score.parts == ("kick", "drums")
    assert all(note.percussion for note in score.notes)


@pytest.mark.parametrize(
    ("encoding", "called", "names"),
    [
        ("utf-8", None, ("Flöte", "ピアノ")),
        ("latin-1", "Latin-1", ("Flöte", "Violoncello")),
        ("cp932", "Shift-JIS", ("ピアノ", "ベース")),
        ("gbk", "GBK", ("钢琴", "Strings")),
        ("cp1251", "Windows-1251", ("Скрипка", "Фортепиано")),
        ("cp949", "EUC-KR", ("피아노", "기타")),
        ("big5", "Big5", ("鋼琴", "吉他")),
    ],
)
def test_names_are_in_one_encoding_which_is_told(tmp_path, encoding, called, names):
    tracks = []
    for k, name in enumerate(names):
        data = b"\x00\xff\x03" + bytes([len(name.encode(encoding))])
        note = bytes([0, 0x90, 60 + k, 64, 96, 60 + k, 0])
        tracks.append(data + name.encode(encoding) + note + END)
    score = read_bytes(tmp_path, smf(*tracks))
    assert score.parts == names
    told = () if called is None else (f"its names are not UTF-8, read as {called}",)
    assert score.remarks == told


def test_a_program_that_another_track_has_set_by_then_names_a_part(tmp_path):
    programs = [program(40), program(32, 1), meta("text", BEAT, text="x"), program(41)]
    programs += [meta("text", 9 * BEAT, text="x"), program(0, 2)]
    tracks = [
        [on(60, 1), off(60, BEAT)],
        [on(62, 2, channel=1), off(62, BEAT, 1)],
        [on(64, BEAT), off(64, BEAT)],
        [on(65, BEAT, channel=2), off(65, BEAT, 2)],
        [meta("text", BEAT + 1, text="x"), program(6), on(67), off(67, BEAT)],
        [meta("midi_port", port=1), on(69, BEAT + 2), off(69, BEAT)],
    ]
    assert parts(tmp_path, programs, *tracks) == (
        *("Violin", "Acoustic Bass", "Viola", "track 5", "Harpsichord", "track 7"),
    )


def test_a_program_set_at_the_tick_of_a_note_in_a_later_track_names_it(tmp_path):
    # a bank is of variants of one sound
    notes = [on(60), off(60, BEAT)]
    assert parts(tmp_path, notes, [control(0, 8), program(73)]) == ("Flute",)


def test_names_fit_on_a_line(tmp_path):
    name = meta("track_name", name=" a\nb\x00\t c" + "x" * 900)
    (part,) = parts(tmp_path, [name, on(60), off(60, 9)])
    assert part.startswith("a b c")
    assert len(part) == 200


# ------------------------------------------------------------------- odd files

END = b"\x00\xff\x2f\x00"


def smf(*tracks, n_tracks=None):
    numbers = 1, len(tracks) if n_tracks is None else n_tracks, BEAT
    chunks = [b"MThd\0\0\0\6", *(n.to_bytes(2, "big") for n in numbers)]
    for track in tracks:
        chunks += [b"MTrk", len(track).to_bytes(4, "big"), track]
    return b"".join(chunks)


def read_bytes(tmp_path, data):
    (tmp_path / "score.mid").write_bytes(data)
    return read_midi(tmp_path / "score.mid")


C, D = b"\x00\x90\x3c\x40\x83\x60\x3c\x00", b"\x00\x3e\x40\x83\x60\x3e\x00"


@pytest.mark.parametrize(
    ("between", "remark"),
    [
        (b"", None),
        (b"\x00\xb0\x07\xc8", "values above 127, such pitches left out, other "
         "values read as 127"),
        (b"\x00\x90\xfd\x4b\x00\x90\xfd\x00", "values above 127, such pitches left "
         "out, other values read as 127"),
        (b"\x00\xf8\x00\xfe", "system messages, ignored"),
        (b"\x00\xf3\x01\x00\xf6", "system messages, ignored"),
        (b"\x00\xff\x51\x03\x00\x00\x00", "a tempo of length zero, ignored"),
        (b"\x00\xff\x51\x02\x07\xa1", "a tempo of length zero, ignored"),
        (b"\x00\xff\x51\x04\x07\xa1\x20\x00", "a tempo of more than three bytes, the "
         "rest ignored"),
        (b"\x00\xff\x01\x01x\x00\xf0\x02\x7e\xf7", None),
    ],
)  # fmt: skip
def test_odd_events_cost_no_note_and_are_told(tmp_path, between, remark):
    score = read_bytes(tmp_path, smf(C + between + b"\x00\x90" + D[1:] + END))
    assert spans(score) == [(0, 0.5, 60), (0.5, 1, 62)]
    told = f"breaks the MIDI standard, read as players do: {remark} (track 1)"
    assert score.remarks == (() if remark is None else (told,))


def test_a_track_recorded_from_a_cable_is_read_as_such(tmp_path):
    track = b"\x00\x90\x3c\xf8\x40\x83\x60\xf8\x3c\xfe\x00" + D + END
    score = read_bytes(tmp_path, smf(track))
    assert spans(score) == [(0, 0.5, 60), (0.5, 1, 62)]
    assert [note.velocity for note in score.notes] == [64, 64]
    assert score.remarks[0].endswith("players do: system messages, ignored (track 1)")


def test_what_is_odd_in_several_tracks_is_told_in_one_line(tmp_path):
    tracks = [C + D] * 6 + [C + END + b"more"]
    score = read_bytes(tmp_path, smf(*tracks, n_tracks=2))
    assert len(score.notes) == 13
    assert score.remarks == (
        "breaks the MIDI standard, read as players do: its header states 2 tracks, "
        "there are 7; no end of track (tracks 1, 2, 3, 4 and 2 more); bytes after the "
        "end of track, ignored (track 7)",
    )


# ---------------------------------------------------------------------- errors


@pytest.mark.parametrize("track", [[], [off(60)], [meta("track_name", name="empty")]])
def test_a_file_without_notes_is_refused(tmp_path, track):
    with pytest.raises(ScoreError, match=r"score.mid: holds no notes$"):
        read(tmp_path, track)


def test_damage_is_placed_in_its_track(tmp_path):
    path = saved(tmp_path, [on(60), off(60, 9)], [on(60), off(60, 9)])
    path.write_bytes(path.read_bytes()[:-3] + b"\xf4\x2f\x00")
    with pytest.raises(
        ScoreError, match="score.mid: the file ends within an event, in track 2$"
    ):
        read_midi(path)


@pytest.mark.parametrize(
    ("division", "message"),
    [(0, "a quarter note has no ticks"), (-(23 << 8) + 40, "23 frames per second")],
)
def test_an_impossible_division_is_refused(tmp_path, division, message):
    with pytest.raises(ScoreError, match=message):
        read(tmp_path, [on(60), off(60, 9)], division=division)


def test_a_score_of_more_than_a_day_is_refused(tmp_path):
    track = [on(60), *(meta("lyrics", 0x0FFF_FFFF, text="") for _ in range(2)), off(60)]
    with pytest.raises(ScoreError, match="lasts 155 hours, expected at most a day"):
        read(tmp_path, track)


def test_reading_needs_no_mido():
    code = "import sys, specnmf.score.midi_reading; sys.exit('mido' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
