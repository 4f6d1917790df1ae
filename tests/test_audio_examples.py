"""The clips in audio_examples/ are what their README promises."""

import csv
import importlib.util
import itertools
import sys
from pathlib import Path
from typing import NamedTuple

import mido
import numpy as np
import pytest
import soundfile as sf

EXAMPLES = Path(__file__).parents[1] / "audio_examples"
PARTS = {
    "chopin_op28_4": ["left_hand", "right_hand"],
    "chorale": ["alto", "bass", "soprano", "tenor"],
    "drums": ["hihat", "kick", "snare"],
    "greensleeves": ["guitar", "recorder"],
}
PITCHED = ["chopin_op28_4", "chorale", "greensleeves"]
STRUCK = ["chopin_op28_4", "drums"]  # winds swell: their onsets have no one instant
every_clip = pytest.mark.parametrize("clip", PARTS)


class Row(NamedTuple):
    start: float
    duration: float
    pitch: int
    velocity: int
    label: str


def read_csv(clip):
    with (EXAMPLES / clip / f"{clip}.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == list(Row._fields)
    return [Row(float(s), float(d), int(p), int(v), part) for s, d, p, v, part in rows]


def read_midi(clip):
    """Tell the notes of a MIDI file by mido alone, apart from the package's reader."""
    song = mido.MidiFile(EXAMPLES / clip / f"{clip}.mid")
    tempo = song.tracks[0][0].tempo
    rows = []
    for track in song.tracks[1:]:
        now, sounding = 0, {}
        for message in track:
            now += message.time
            seconds = mido.tick2second(now, song.ticks_per_beat, tempo)
            if message.type == "note_on":
                assert message.note not in sounding, "a note starts twice"
                sounding[message.note] = seconds, message.velocity
            elif message.type == "note_off":
                start, velocity = sounding.pop(message.note)
                duration = seconds - start
                rows.append(Row(start, duration, message.note, velocity, track.name))
        assert not sounding, "a note never ends"
    return sorted(rows, key=lambda row: (row.start, row.pitch))


def read_mix(clip):
    return sf.read(EXAMPLES / clip / f"{clip}.flac", dtype="int16", always_2d=True)


def read_stems(clip):
    return {
        part: sf.read(
            EXAMPLES / clip / "stems" / f"{part}.flac", dtype="int16", always_2d=True
        )[0]
        for part in PARTS[clip]
    }


def rises(y, sr, *, n_fft=2048, hop=441):
    """Sum how far each bin's log magnitude rises in 20 ms, with the frames' times."""
    padded = np.pad(y, n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    magnitude = np.abs(np.fft.rfft(frames * np.hanning(n_fft)))
    log = np.log1p(100 * magnitude / magnitude.max())
    rise = np.maximum(log[2:] - log[:-2], 0).sum(axis=1)
    return rise, (np.arange(len(rise)) + 1) * hop / sr


def strong_onsets(y, sr, *, expected):
    """Find the peaks of at least 0.15 of the median of the `expected` largest."""
    rise, times = rises(y, sr)
    local = np.lib.stride_tricks.sliding_window_view(np.pad(rise, 5), 11).max(axis=1)
    peaks = rise == local
    typical = np.median(np.sort(rise[peaks])[-expected:])
    return times[peaks & (rise > 0.15 * typical)]


@every_clip
def test_stems_add_up_to_the_mix_exactly(clip):
    mix, _ = read_mix(clip)
    total = sum(y.astype(np.int32) for y in read_stems(clip).values())
    np.testing.assert_array_equal(total, mix)


@every_clip
def test_mix_peaks_at_one_decibel_below_full_scale(clip):
    mix, _ = read_mix(clip)
    peak = np.abs(mix.astype(np.int32)).max() / 32768
    assert 20 * np.log10(peak) == pytest.approx(-1, abs=0.01)


@every_clip
def test_every_stem_is_heard(clip):
    for part, y in read_stems(clip).items():
        assert np.sqrt(np.mean((y / 32768) ** 2)) > 0.01, part


@every_clip
def test_every_file_is_16_bit_at_44100_hertz(clip):
    for path in (EXAMPLES / clip).rglob("*.flac"):
        info = sf.info(path)
        assert (info.samplerate, info.subtype) == (44100, "PCM_16"), path.name


@every_clip
def test_a_stem_is_there_for_each_part_and_no_other(clip):
    stems = sorted(path.stem for path in (EXAMPLES / clip / "stems").iterdir())
    assert stems == PARTS[clip] == sorted({row.label for row in read_csv(clip)})


@every_clip
def test_midi_and_csv_hold_the_same_notes(clip):
    listed, played = read_csv(clip), read_midi(clip)
    assert [row[2:] for row in listed] == [row[2:] for row in played]
    np.testing.assert_allclose(
        [row[:2] for row in listed], [row[:2] for row in played], atol=1e-6
    )


@every_clip
def test_a_note_ends_before_it_is_struck_again(clip):
    notes = sorted(read_csv(clip), key=lambda row: (row.label, row.pitch, row.start))
    for now, then in itertools.pairwise(notes):
        if (now.label, now.pitch) == (then.label, then.pitch):
            assert now.start + now.duration < then.start


@every_clip
def test_the_script_still_holds_the_notes_of_the_files(clip, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # beside the clips
    spec = importlib.util.spec_from_file_location("make", EXAMPLES / "make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    written = getattr(make, clip)()
    listed = read_csv(clip)
    assert [row[2:] for row in written.rows()] == [row[2:] for row in listed]
    np.testing.assert_allclose(
        [row[:2] for row in written.rows()], [row[:2] for row in listed], atol=1e-6
    )
    assert written.n_samples == len(read_mix(clip)[0])


@every_clip
def test_each_part_enters_when_the_score_says(clip):
    _, sr = read_mix(clip)
    for part, y in read_stems(clip).items():
        loud = np.abs(y).max(axis=1) > 1e-3 * np.abs(y).max()
        start = min(row.start for row in read_csv(clip) if row.label == part)
        assert np.argmax(loud) / sr == pytest.approx(start, abs=0.01), part


@pytest.mark.parametrize("clip", STRUCK)
def test_the_score_lists_every_onset_heard(clip):
    _, sr = read_mix(clip)
    for part, y in read_stems(clip).items():
        written = np.unique([row.start for row in read_csv(clip) if row.label == part])
        heard = strong_onsets(y.mean(axis=1), sr, expected=len(written))
        assert len(heard) == len(written), part
        np.testing.assert_allclose(heard, written, atol=0.02, err_msg=part)


@pytest.mark.parametrize("clip", PITCHED)
def test_every_note_of_the_score_sounds_at_its_pitch(clip):
    _, sr = read_mix(clip)
    stems = {part: y.mean(axis=1) for part, y in read_stems(clip).items()}
    n_fft = 2**16
    for row in read_csv(clip):
        first = round((row.start + 0.05) * sr)
        y = stems[row.label][first : round((row.start + row.duration) * sr)]
        spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y)), n_fft))
        f0 = 440 * 2 ** ((row.pitch - 69) / 12)

        def level(hertz, spectrum=spectrum):
            bins = np.array([hertz * 2 ** (-0.5 / 12), hertz * 2 ** (0.5 / 12)])
            first, last = np.rint(bins * n_fft / sr).astype(int)
            return 20 * np.log10(spectrum[first : last + 1].max() / spectrum.max())

        assert level(f0) > -30, row  # dB below the strongest partial
        assert level(f0) > level(f0 / 2) + 6, row  # not an octave too high


def test_the_labels_of_greensleeves_say_who_is_heard_for_40_percent_of_the_time():
    text = (EXAMPLES / "greensleeves" / "labels.txt").read_text(encoding="utf-8")
    stems, sr = read_stems("greensleeves"), 44100
    heard = {part: np.zeros(len(y), bool) for part, y in stems.items()}
    for line in text.splitlines():
        start, end, part = line.split("\t")
        heard[part][round(float(start) * sr) : round(float(end) * sr)] = True
    marked = np.any(list(heard.values()), axis=0)
    assert marked.mean() == pytest.approx(0.4, abs=0.01)
    for part, y in stems.items():
        energy = (y.astype(float) ** 2).mean(axis=1)
        absent = marked & ~heard[part]
        assert energy[absent].mean() < 1e-3 * energy[heard[part]].mean(), part


def test_examples_stay_under_ten_megabytes():
    sizes = [path.stat().st_size for path in EXAMPLES.rglob("*") if path.is_file()]
    assert sum(sizes) < 10e6


@pytest.mark.parametrize("word", ["MIT", "CC0", "public domain", "menegass", *PARTS])
def test_readme_names_every_clip_and_licence(word):
    assert word in (EXAMPLES / "README.md").read_text(encoding="utf-8")


def test_the_soundfonts_licence_goes_with_the_clips():
    notice = (EXAMPLES / "LICENSE-fluid-soundfont.txt").read_text(encoding="utf-8")
    assert "Frank Wen" in notice
    assert "Permission is hereby granted, free of charge" in notice
