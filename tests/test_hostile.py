"""Files, names and folders from strangers, through the doors that users have."""

import dataclasses
import json
import os
import struct
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import mido
import numpy as np
import pytest
import soundfile
from conftest import ROOT
from runs import separate

import specnmf
from specnmf import AudioError, ScoreSettings, Settings, decompose
from specnmf.audio import reading, streaming
from specnmf.errors import OutputError

sys.path.append(str(ROOT / "benchmarks"))  # whose mutations a share is tested of here

from fuzz import ACCEPTED, REFUSED, inputs, verdict
from fuzz_cases import CASES

#: Mutated files of each kind; the whole ones come first and are among them.
SHARE = 120

#: Of kinds that another library reads, in a process of its own.
CONVERTED = {"mei, krn": 20, "gp3, gp4, gp5": 20}

QUICK = Settings(n_components=2, max_iter=3, figures=False)

#: Names of parts that lead out of a folder, or to no file.
NAMES = (
    "../../etc/x", "/etc/x", "..", ".", "CON", "nul.txt", "x" * 300, "é" * 300, "a/b",
    "a\\b", "a\x00b\x1b[31mc\n", " ", "-rf", "~", "$HOME", "*?", "a" * 99 + "/" + "b",
)  # fmt: skip


def tone(n=8000):
    return 0.3 * np.sin(2 * np.pi * 440 * np.arange(n) / 8000)


@pytest.fixture
def song(tmp_path):
    soundfile.write(tmp_path / "song.wav", tone(), 8000, "PCM_16")
    return tmp_path / "song.wav"


def wav(sr, n_channels, n_samples, *, samples=None):
    """A WAV of 16 bits, or of the float32 samples given."""
    width = 2 if samples is None else 4
    data = bytes(n_channels * n_samples * width) if samples is None else samples
    rate = sr * n_channels * width % (1 << 32)
    kind = 1 if samples is None else 3
    form = (kind, n_channels, sr, rate, n_channels * width, 8 * width)
    chunks = struct.pack("<4sIHHIIHH", b"fmt ", 16, *form)
    chunks += struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks


def files_in(folder):
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow  # many files
@pytest.mark.parametrize("name", list(CASES))
def test_mutated_files_are_accepted_or_refused_in_a_line(name, tmp_path):
    case = CASES[name]
    wrong = {}
    share = CONVERTED.get(name, SHARE)
    with warnings.catch_warnings(action="error"):
        warnings.simplefilter("ignore", UserWarning)  # what readers assume
        for number, file, data in inputs(case, case.corpus(), 0, (0, share)):
            path = tmp_path / Path(file).name
            path.write_bytes(data)
            if (found := verdict(case, path)) not in (ACCEPTED, REFUSED):
                wrong[number] = found
    assert wrong == {}


def test_a_fuzzer_that_finds_something_says_so(tmp_path):
    """The checks above can fail."""
    path = tmp_path / "song.wav"
    path.write_bytes(b"")
    case = CASES["wav"]

    def says(error):
        def door(path):
            raise error

        return verdict(type(case)(case.corpus, case.mutators, door), path)

    assert says(AudioError("one line")) == REFUSED
    assert "says" in says(AudioError("two\nlines"))
    assert "KeyError" in says(KeyError(1))
    assert "RuntimeWarning" in says(RuntimeWarning("rounded"))


def test_raw_samples_are_refused(tmp_path):
    (tmp_path / "song.raw").write_bytes(bytes(1000))
    with pytest.raises(AudioError, match="raw samples without a header"):
        specnmf.read(tmp_path / "song.raw")


def test_an_mp3_behind_rubbish_is_read_with_a_warning(tmp_path):
    """libsndfile finds the first frame there by itself, but not in a pipe."""
    path = tmp_path / "song.mp3"
    soundfile.write(path, tone(20000), 44100, format="MP3")
    whole = path.read_bytes().replace(b"Info", bytes(4)).replace(b"Xing", bytes(4))
    path.write_bytes(whole)
    expected = specnmf.read(path).samples
    path.write_bytes(b"\x55" * 3000 + whole)
    with pytest.warns(UserWarning, match="damaged: 3000 bytes belong to no frame"):
        samples = specnmf.read(path).samples
    assert (samples == expected).all()


@pytest.mark.parametrize("sr", [1, 99, 3_072_001, 0x7FFF_FFFF])
def test_a_rate_that_no_recording_has_is_refused(tmp_path, sr):
    (tmp_path / "song.wav").write_bytes(wav(sr, 1, 100))
    for read in (specnmf.read, streaming.survey):
        with pytest.raises(AudioError, match=f"sample rate of {sr} Hz, expected 100"):
            read(tmp_path / "song.wav")


def test_a_thousand_channels_take_no_more_memory_than_eight(tmp_path):
    (tmp_path / "song.wav").write_bytes(wav(8000, 1024, 5000))
    with reading.reading(tmp_path / "song.wav") as source:
        blocks = list(source.blocks(dtype="float64"))
    assert max(block.size for block in blocks) <= 8 * reading.BLOCK
    assert sum(block.shape[1] for block in blocks) == 5000


def test_more_channels_than_samples_are_the_headers_fault(tmp_path):
    (tmp_path / "song.wav").write_bytes(wav(8000, 300, 7))
    for read in (specnmf.read, streaming.survey):
        with pytest.raises(AudioError, match="300 channels of 7 samples, expected a"):
            read(tmp_path / "song.wav")


def test_signalling_nans_are_refused_without_a_warning(tmp_path):
    samples = struct.pack("<I", 0x7F80_0001) * 100
    (tmp_path / "song.wav").write_bytes(wav(8000, 1, 100, samples=samples))
    for read in (specnmf.read, streaming.survey):
        with pytest.raises(AudioError, match="NaN or infinite samples"):
            read(tmp_path / "song.wav")


def midi_of(names, path):
    """A score with a part of each name, all notes at once."""
    file = mido.MidiFile(charset="utf-8")
    for k, name in enumerate(names):
        track = [mido.MetaMessage("track_name", name=name)]
        track.append(mido.Message("note_on", note=69 - k, velocity=80))
        track.append(mido.Message("note_off", note=69 - k, time=800))
        file.tracks.append(mido.MidiTrack(track))
    file.save(path)


def musicxml_of(names, path):
    from xml.sax.saxutils import escape

    listed = "".join(
        f'<score-part id="P{k}"><part-name>{escape(name)}</part-name></score-part>'
        for k, name in enumerate(names)
    )
    music = "".join(
        f'<part id="P{k}"><measure><note><pitch><step>A</step><octave>{k % 8}</octave>'
        "</pitch><duration>2</duration></note></measure></part>"
        for k in range(len(names))
    )
    text = f"<score-partwise><part-list>{listed}</part-list>{music}</score-partwise>"
    path.write_text(text, encoding="utf-8")


@pytest.mark.slow  # whole runs
@pytest.mark.parametrize("kind", ["mid", "musicxml"])
def test_no_name_of_a_part_leads_out_of_the_runs_folder(song, tmp_path, kind):
    score = tmp_path / f"score.{kind}"
    if kind == "mid":
        midi_of(NAMES, score)
    else:  # XML has no control characters
        musicxml_of([n for n in NAMES if n.replace("\n", "").isprintable()], score)
    figures = kind == "musicxml"
    settings = ScoreSettings(align="never", max_iter=2, model="fmp", figures=figures)
    before = files_in(tmp_path)
    run = separate(song, score, settings, output=tmp_path / "out" / "deeper")
    assert run.folder == tmp_path / "out" / "deeper" / "song"
    new = files_in(tmp_path) - before
    assert new == files_in(run.folder)
    sources = sorted((run.folder / "sources").iterdir())
    assert len(sources) == len(specnmf.read_score(score).parts) > 10
    assert all(path.name.endswith(".wav") and path.is_file() for path in sources)
    assert json.loads((run.folder / "run.json").read_text())["kind"] == "separate"


#: Names of songs, as a file system keeps them; the first are a title's trial as well.
PUZZLES = (
    b"x" * 251 + b".wav", b"caf\xe9\xff.wav", "smile 😀.wav".encode(), b"$x^{2$.wav",
    b"tab\t\x1b[31m.wav",
)  # fmt: skip
SONGS = (
    *PUZZLES, b"y" * 255, "é".encode() * 125 + b".wav", b"-k.wav", b"--help", b" .wav",
    b"q\"u'o`$(te).wav", b"new\nline.wav", b"%s{0}\\.wav",
)  # fmt: skip


@pytest.mark.slow  # whole runs
@pytest.mark.parametrize("name", SONGS, ids=lambda name: ascii(name[:12]))
def test_a_song_of_any_name_is_taken_apart(song, tmp_path, name):
    path = tmp_path / os.fsdecode(name)
    song.rename(path)
    settings = dataclasses.replace(QUICK, figures=name in PUZZLES)
    run = decompose(path, settings, output=tmp_path / "out")
    assert run.folder.parent == tmp_path / "out"
    assert os.fsencode(run.folder.name) == os.fsencode(path.stem)
    told = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    assert Path(told["inputs"][0]["path"]) == path
    assert (run.folder / "figures").is_dir() == settings.figures


@pytest.mark.slow  # many processes
@pytest.mark.parametrize(
    ("name", "more"),
    [(b"-k.wav", ()), (b"caf\xe9 \xf0\x9f\x98\x80\n.wav", ("--json",))],
)
def test_the_command_takes_any_name_behind_dashes(song, tmp_path, name, more):
    song.rename(tmp_path / os.fsdecode(name))
    options = ("-k", "2", "--max-iter", "3", "--no-figures", *more)
    done = subprocess.run(
        [sys.executable, "-m", "specnmf", "decompose", *options, "--", name],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "specnmf_out" / os.fsdecode(name)).with_suffix("").is_dir()
    if more:
        told = json.loads(os.fsdecode(done.stdout))["runs"][0]["inputs"][0]["path"]
        assert os.fsencode(told) == name


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 300 KB, with the options of a remount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a file system")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.parametrize(
    ("free", "message"), [(None, "but only .* kB are free for"), (1e9, "be written")]
)
def test_a_full_disk_is_an_error_and_is_left_as_it_was(
    small_disk, tmp_path, monkeypatch, free, message
):
    """It is seen before the work, or only when it fills up meanwhile."""
    soundfile.write(tmp_path / "song.wav", tone(80000), 8000, "PCM_16")
    (small_disk / "precious").write_text("kept")
    if free is not None:
        usage = SimpleNamespace(free=free)
        monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises((OutputError, AudioError), match=message):
        decompose(tmp_path / "song.wav", QUICK, output=small_disk / "out")
    assert files_in(small_disk) == {small_disk / "precious"}
    assert (small_disk / "precious").read_text() == "kept"


def test_a_folder_that_is_read_only_is_an_error(small_disk, song):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(OutputError, match="cannot be written: Read-only file system"):
        decompose(song, QUICK, output=small_disk / "out")
    assert list(small_disk.iterdir()) == []


def test_what_may_not_be_read_is_an_error(song, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    song.chmod(0)
    with pytest.raises(AudioError, match="cannot be opened"):
        decompose(song, QUICK, output=tmp_path / "out")


def test_links_in_a_circle_are_an_error(tmp_path):
    for one, other in (("a.wav", "b.wav"), ("b.wav", "a.wav")):
        (tmp_path / one).symlink_to(other)
    with pytest.raises(AudioError, match=r"a\.wav: cannot be opened"):
        decompose(tmp_path / "a.wav", QUICK, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_circle_of_links_is_an_error(song, tmp_path):
    (tmp_path / "out").symlink_to("out")
    with pytest.raises(OutputError, match=r"out.* cannot be written"):
        decompose(song, QUICK, output=tmp_path / "out")
