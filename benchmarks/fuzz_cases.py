"""Cases: what is fuzzed, from which files, and by the door that a user's file takes."""

from __future__ import annotations

import dataclasses
import io
import json
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from runpy import run_path
from typing import Any

import numpy as np
from fuzz_mutators import BINARY, TEXT, Mutator, member_changed, pages_sealed
from numpy.typing import NDArray

from specnmf.audio import reading, streaming
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Grid
from specnmf.errors import AudioError
from specnmf.score.reading import read_score
from specnmf.tasks.decompose import Settings
from specnmf.tasks.label import LabelSettings
from specnmf.tasks.layers import LayerSettings
from specnmf.tasks.separate import ScoreSettings

ROOT = Path(__file__).parents[1]

#: Real files: those of the project, and others where they lie beside it.
EXAMPLES = (ROOT / "audio_examples", ROOT.parent / "shared" / "data")

#: Samples a channel of each recording, so that thousands are read in a second.
N_SAMPLES = 2000

#: What templates are read for: the grid of a small recording.
GRID = Grid(8000, 8000, 64, 16)

Corpus = dict[str, bytes]


@dataclass(frozen=True)
class Case:
    """A parser under test.

    Attributes
    ----------
    corpus : callable
        Returns whole files by name; an input is called as what it came from.
    mutators : tuple of callable
        What is done to them.
    door : callable
        Reads a path, or raises as it would for a user.
    """

    corpus: Callable[[], Corpus]
    mutators: tuple[Mutator, ...]
    door: Callable[[Path], object]


def read_audio(path: Path) -> None:
    """Read a recording in every way that a run does, which must agree."""
    try:
        audio = reading.read(path)
    except AudioError:
        _refused(lambda: streaming.survey(path))
        raise
    surveyed = streaming.survey(path)
    if surveyed.n_samples != audio.n_samples or surveyed.found != tuple(
        audio.findings()
    ):
        raise AssertionError("read and survey find different recordings")
    # a header may promise a little more than there is
    part = reading.read_up_to(2 * audio.n_samples, path)
    if part is not None and not np.array_equal(part.samples, audio.samples):
        raise AssertionError("read and read_up_to find different recordings")
    reading.remarks(path, audio.n_samples)


def read_tags(path: Path) -> None:
    """Read the tags of a recording, and write them into files that must keep them."""
    from specnmf.audio.writing import Writer

    with reading.reading(path) as source:
        tags = source.tags().later(1000).of_stem("kick")
    sound = Audio(np.zeros((1, 100), np.float32), 8000)
    for format, subtype in (("wav", "FLOAT"), ("flac", "PCM_24")):
        made = path.with_name(f"made.{format}")
        kind = {"format": format, "subtype": subtype}
        writer = Writer(made, sound, **kind, tags=tags)
        writer.write(np.zeros((100, 1), np.int32))
        writer.close()
        with reading.reading(made) as source:
            found = source.tags()
        has_time = format == "wav"
        if found.texts != tags.texts or (has_time and found.bext != tags.bext):
            raise AssertionError(f"written and read again, tags of {format} differ")


def _refused(survey: Callable[[], object]) -> None:
    try:
        survey()
    except AudioError:
        return
    raise AssertionError("refused by read, accepted by survey")


def read_templates(path: Path) -> None:
    """Read templates as a run does: counted first, then for a recording."""
    from specnmf.methods.components.templates import count_templates, read_templates

    count_templates(path)
    read_templates(path, GRID)


def read_learned(path: Path) -> None:
    """Read learned templates as a run does: counted first, then for a recording."""
    from specnmf import Settings
    from specnmf.methods.learned.known import known_of, n_rows

    n_rows(path, Settings())
    known_of(path, GRID)


def read_config(path: Path) -> None:
    """Call a command with a configuration file, and no song that there is."""
    from specnmf.cli import cli

    arguments = ["decompose", "none.wav", "--config", str(path), "--quiet"]
    with redirect_stdout(io.StringIO()):
        cli(arguments, standalone_mode=False)


def read_run(path: Path) -> None:
    """Read how a run was made, as rerun does first."""
    from specnmf.record.record import read_record

    read_record(path.parent)


def read_manifest(path: Path) -> None:
    """Read what a batch did before, as resuming it does."""
    from specnmf.batch.stores.manifest import read_history
    from specnmf.batch.stores.places import open_store

    read_history(open_store(path.parent))


def read_songs(path: Path) -> None:
    """Read a list of songs."""
    from specnmf.batch.finding import read_list

    list(read_list(str(path)))


def read_labels(path: Path) -> None:
    """Read labels and lay them over a recording of four seconds, as a run does."""
    from specnmf.score.marks import mark
    from specnmf.score.regions import read_regions, write_regions

    regions = read_regions(path)
    mark(regions, np.arange(0, 4, 0.01), duration=4.0)
    write_regions(path.with_name("again"), regions)
    again = read_regions(path.with_name("again"))
    if sorted(name for *_, name in again) != sorted(name for *_, name in regions):
        raise AssertionError("written and read again, labels are called otherwise")


def audio_files(*kinds: tuple[str, str, str]) -> Callable[[], Corpus]:
    """Return a maker of recordings: suffix, format and subtype as libsndfile's."""

    def files() -> Corpus:
        y = reading.read(ROOT / "audio_examples" / "chorale" / "chorale.flac")
        mono = y.samples[0, 20000 : 20000 + N_SAMPLES]
        stereo = np.stack([mono, mono[::-1]], axis=1)
        made: Corpus = {}
        for suffix, format, subtype in kinds:
            for samples in (mono, stereo):
                data = _written(samples, y.sr, format, subtype)
                if data:
                    name = f"{format}_{subtype}_{samples.ndim}.{suffix}"
                    made[name.lower()] = data
        return made

    return files


def _written(
    samples: NDArray[np.float32], sr: int, format: str, subtype: str
) -> bytes | None:
    """A recording as libsndfile writes it, None if it cannot."""
    import soundfile

    rate = 48000 if subtype == "OPUS" else sr
    sink = io.BytesIO()
    try:
        soundfile.write(sink, samples, rate, format=format, subtype=subtype)
    except (soundfile.LibsndfileError, ValueError):
        return None
    return sink.getvalue()


def tagged_files() -> Corpus:
    """Return recordings with tags, and WAVs with a time."""
    import soundfile

    texts = {"title": "Lied é", "artist": "A", "comment": "take 2", "album": "B"}
    texts |= {"date": "2020", "genre": "Jazz", "copyright": "C", "tracknumber": "3"}
    made = {}
    for suffix, format in {"wav": "WAV", "flac": "FLAC", "ogg": "OGG"}.items():
        sink = io.BytesIO()
        with soundfile.SoundFile(sink, "w", 8000, 1, format=format) as file:
            for name, text in texts.items():
                setattr(file, name, text)
            file.write(np.linspace(-0.5, 0.5, 200))
        made[f"tagged.{suffix}"] = sink.getvalue()
    bext = b"bext" + (602).to_bytes(4, "little") + bytes(range(1, 251)) * 3
    wav = made["tagged.wav"] + bext[: 8 + 602]
    made["time.wav"] = wav[:4] + (len(wav) - 8).to_bytes(4, "little") + wav[8:]
    return made


def mp3_files() -> Corpus:
    """Return MP3s of constant and variable rate, tagged and without a length."""
    made = audio_files(("mp3", "MP3", "MPEG_LAYER_III"))()
    for name, data in tuple(made.items()):
        made[f"tagged_{name}"] = b"ID3\x04\0\0\0\0\0\x20" + bytes(32) + data
        untold = data.replace(b"Info", bytes(4)).replace(b"Xing", bytes(4))
        made[f"untold_{name}"] = untold
    return made


def other_audio_files() -> Corpus:
    """Return recordings in all other formats that libsndfile writes."""
    import soundfile

    usual = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3"}
    usual.add("SD2")  # which leaves a file in the current folder, even if in memory
    return audio_files(
        *(
            (format.lower(), format, soundfile.default_subtype(format) or "PCM_16")
            for format in soundfile.available_formats()
            if format not in usual
        )
    )()


def media_files(*kinds: tuple[str, str, str]) -> Callable[[], Corpus]:
    """Return a maker of what FFmpeg reads: suffix, container and codec as its own."""

    def files() -> Corpus:
        y = reading.read(ROOT / "audio_examples" / "chorale" / "chorale.flac")
        samples = np.ascontiguousarray(y.samples[:, 20000 : 20000 + 2 * N_SAMPLES])
        return {
            f"{container}_{codec}.{suffix}": _encoded(samples, container, codec)
            for suffix, container, codec in kinds
        }

    return files


def _encoded(samples: NDArray[np.float32], container: str, codec: str) -> bytes:
    """A recording as FFmpeg writes it."""
    import av

    sr, sink = 48000, io.BytesIO()
    with av.open(
        sink, "w", format=container, container_options={"fflags": "+bitexact"}
    ) as file:
        stream = file.add_stream(codec, rate=sr, options={"strict": "experimental"})
        stream.codec_context.bit_rate = 128_000
        stream.codec_context.layout = "stereo"
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        wanted = stream.codec_context.codec.audio_formats[0].name
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = sr, 0
        convert = av.AudioResampler(format=wanted, layout="stereo", rate=sr)
        for part in (*convert.resample(frame), *convert.resample(None), None):
            file.mux(stream.encode(part))
    return sink.getvalue()


def examples(*suffixes: str, most: int = 8000) -> Iterator[tuple[str, bytes]]:
    """Yield the real files of a kind, cut where they are long."""
    for folder in EXAMPLES:
        for path in sorted(folder.rglob("*")):
            if path.suffix in suffixes:
                name = f"{path.parent.name}_{path.name}"
                yield name, path.read_bytes()[:most]


def midi_files() -> Corpus:
    """Return real MIDI files, and one with all that the reader knows."""
    track = bytes.fromhex(
        "00ff030576 696f6c61 00ff04016f 00ff210101 00ff510307a120 00ff58040402 1808"
        "00c028 00b0407f 00903c50 60903e50 60803c00 10903e00 00b04000 00f00343 12f7"
        "00e00040 00903c40 817fb07b00 00ff2f00"
    )
    chunks = b"MTrk" + len(track).to_bytes(4, "big") + track
    header = b"MThd\0\0\0\6\0\1\0\2\1\xe0"
    made = dict(examples(".mid"))
    made["all.mid"] = header + 2 * chunks
    made["film.mid"] = b"MThd\0\0\0\6\0\0\0\1\xe7\x28" + chunks
    riff = b"RIFF\0\0\0\0RMIDdata\0\0\0\0"
    made["riff.rmi"] = riff + made["all.mid"]
    made["odd.mid"] = _odd_midi(track)
    return made


def _odd_midi(track: bytes) -> bytes:
    """A file that players play though it breaks most rules, with names in Shift-JIS."""
    name = "ピアノ".encode("cp932")
    odd = (
        b"\0\xff\3"
        + bytes([len(name)])
        + name
        + bytes.fromhex("00903cc8 05fd4000 60f800fe 00f301 00ff51040000000000")
    )
    stream = bytes.fromhex("00903cf840 60f83cfe00 00f04310f7 00ff2f00 0001")
    chunks = [
        b"MTrk" + (len(part) + more).to_bytes(4, "big") + part
        for part, more in ((odd, 0), (track, 3), (track, -4), (stream, 0), (track, 99))
    ]
    header = b"MThd\0\0\0\x08\0\0\0\2\1\xe0\0\0XFIH\0\0\0\1a\0"
    return bytes(128) + header + b"junk".join(chunks)


def csv_files() -> Corpus:
    """Return real tables of notes, and one in another encoding."""
    made = dict(examples(".csv", most=1500))
    text = next(iter(made.values())).decode()
    made["utf16.csv"] = text.encode("utf-16")
    made["latin1.csv"] = (
        b"sep=;\n# x\nOnset (s);Length;f0;label\n0;0:01.5;440,5;Fl\xf6te\n"
    )
    made["values.csv"] = b"TIME,VALUE,DURATION,LEVEL,LABEL\n0.5,261.6,0.4,0.8,a\n"
    made["percussion.csv"] = (
        b"onset\tend\tpitch\tpercussion\n0,5\t1\t36\tyes\n1\t2\t38\t\n"
    )
    return made


def label_files() -> Corpus:
    """Return label tracks and tables of regions."""
    track = ROOT / "audio_examples" / "greensleeves" / "labels.txt"
    return {
        "track.txt": track.read_bytes(),
        "selections.txt": b'\xef\xbb\xbf0,5\t1,25\tkick "1"\r\n\\\t50,0\t99,5\r\n'
        b"1,25\t2\tRest\r\n",
        "table.csv": b"start,end,name\n0,1.5,voice\n1,3,guitar\n",
        "regions.txt": b"0.232199546\t5\t2.028208616\tguitar\n"
        b"3.260408163\t6\t1.938412698\tFl\xf6te\n",
        "regions.csv": b'0.232199546,5,2.028208616,"guitar"\n',
        "spaces.lab": b"0.000 1.250 kick\n1.250 2.0 snare drum\n",
        "reaper.csv": b"#,Name,Start,End,Length\nR1,a,0:01.5,0:02.0,0:00.5\n",
        "raven.txt": "Begin Time (s)\tEnd Time (s)\tAnnotation\n0\t1.5\t鳥\n".encode(
            "utf-16"
        ),
        "table.txt": "Label;Onset;Duration\nflûte;0,5;1,25\n;;\n".encode(),
    }


def tier_files() -> Corpus:
    """Return labels of Praat, ELAN, REAPER, HTK, and subtitles."""
    texts = run_path(str(ROOT / "tests" / "label_texts.py"))
    names = {
        "long.TextGrid": "LONG_GRID",
        "tiers.TextGrid": "TWO_TIERS",
        "labels.eaf": "ELAN_REFERRED",
        "labels.srt": "SUBRIP",
        "labels.vtt": "WEBVTT",
        "regions.csv": "REAPER",
        "htk.lab": "HTK",
    }
    found = {file: texts[name].encode() for file, name in names.items()}
    return found | {"short.TextGrid": texts["SHORT_GRID"].encode("utf-16")}


NOTE = (
    "<note><pitch><step>{step}</step><alter>{alter}</alter><octave>4</octave></pitch>"
    '<duration>{duration}</duration><tie type="start"/><staff>1</staff></note>'
)

MEASURE = (
    "<measure><attributes><divisions>2</divisions><transpose><chromatic>-2</chromatic>"
    "<octave-change>-1</octave-change></transpose></attributes>"
    "<direction><direction-type><metronome><beat-unit>quarter</beat-unit><beat-unit-dot/>"
    "<per-minute>96</per-minute></metronome></direction-type></direction>"
    '<barline><ending number="1, 2" type="start"/><repeat direction="forward"/>'
    "</barline>{notes}<backup><duration>2</duration></backup><forward><duration>1</duration>"
    '</forward><note><grace/><unpitched/><instrument id="I1"/></note>'
    "<note><chord/><cue/><rest/><duration>1</duration></note>"
    '<sound tempo="120" segno="a" dalsegno="a" tocoda="b" coda="b" fine="yes"/>'
    '<barline><ending number="1" type="stop"/><repeat direction="backward" times="3"/>'
    "</barline></measure>"
    '<measure number="2" implicit="yes"><attributes><time><beats>3+2</beats><beat-type>'
    '8</beat-type></time><clef number="2"><sign>percussion</sign></clef><transpose '
    'number="2"><chromatic>3</chromatic><double/></transpose><measure-style>'
    '<measure-repeat type="start">1</measure-repeat></measure-style></attributes>'
    "<direction><direction-type><words>D.S. al Coda</words></direction-type>"
    '<direction-type><segno/></direction-type><offset sound="yes">-3</offset>'
    '<sound tempo="90"/></direction><direction><direction-type><metronome><beat-unit>'
    "half</beat-unit><beat-unit-tied><beat-unit>16th</beat-unit></beat-unit-tied>"
    "<beat-unit>32nd</beat-unit></metronome></direction-type></direction>"
    '<barline><ending number="2" type="start">2.</ending></barline><note><grace/>'
    "<pitch><step>A</step><octave>4</octave></pitch></note><note><unpitched><display-step>F"
    "</display-step><display-octave>4</display-octave></unpitched><type>eighth</type>"
    "<dot/><time-modification><actual-notes>3</actual-notes><normal-notes>2"
    "</normal-notes></time-modification><notehead>x</notehead><notations><tied "
    'type="stop"/></notations></note><barline location="right"><ending number="" '
    'type="discontinue"/></barline></measure><measure number="3"/>'
)

DOCUMENT = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
    '<score-partwise version="4.0"><part-list><score-part id="P1"><part-name>Viola'
    '</part-name><midi-instrument id="I1"><midi-unpitched>37</midi-unpitched>'
    '</midi-instrument></score-part></part-list><part id="P1">{measures}</part>'
    "</score-partwise>"
)

CONTAINER = (
    '<?xml version="1.0"?><container><rootfiles><rootfile full-path="score.xml"/>'
    "</rootfiles></container>"
)


def musicxml_files() -> Corpus:
    """Return documents: one with all that the reader knows, and real ones exported."""
    notes = "".join(
        NOTE.format(step=step, alter=k - 1, duration=k + 1)
        for k, step in enumerate("CDE")
    )
    document = DOCUMENT.format(measures=2 * MEASURE.format(notes=notes)).encode()
    return {"all.musicxml": document, **_exported()}


def _exported() -> Corpus:
    """The bundled chorale as partitura writes it, if that is installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import partitura
        except ImportError:
            return {}
        score = partitura.load_score_midi(
            ROOT / "audio_examples" / "chorale" / "chorale.mid"
        )
        return {"chorale.xml": partitura.save_musicxml(score)}


def mxl_files() -> Corpus:
    """Return the same documents, packed."""
    return {
        f"{Path(name).stem}.mxl": _zipped(
            {"META-INF/container.xml": CONTAINER.encode(), "score.xml": document}
        )
        for name, document in musicxml_files().items()
    }


def template_files() -> Corpus:
    """Return a file of factors, and others that are up to no good."""
    W = np.ones((GRID.n_bins, 3), np.float32)
    fits = {"frequencies": GRID.frequencies, "labels": np.array(["a", "b", "c"])}
    sink = io.BytesIO()
    np.savez(sink, W=W, H=np.ones((3, 9), np.float32), **fits)
    made = {"factors.npz": sink.getvalue()}
    frequencies = _npy(GRID.frequencies)
    hostile = {
        "pickled": _npy(np.array([len], dtype=object)),
        "huge": _npy_header("<f4", (33, 1 << 40)),
        "negative": _npy_header("<f4", (33, -1)),
        "overflowing": _npy_header("<f4", (1 << 33, 1 << 33)),
        "text": _npy(np.full((33, 2), "1")),
        "complex": _npy(np.ones((33, 2), complex)),
        "flat": _npy(np.ones(33)),
        "bomb": _npy_header("<f4", (33, 1000)) + bytes(33 * 1000 * 4),
        "version 2": _npy(W, (2, 0)),
        "version 3": _npy(W, (3, 0)),
    }
    for name, member in hostile.items():
        made[f"{name}.npz"] = _zipped({"W.npy": member, "frequencies.npy": frequencies})
    made["words.npz"] = _zipped(
        {"W.npy": _npy(W), "frequencies.npy": _npy(np.full(GRID.n_bins, "a"))}
    )
    return made


def learned_files() -> Corpus:
    """Return files of learned templates, and others that are up to no good."""
    W = np.ones((GRID.n_bins, 3, 2), np.float32)
    window = {"sr": GRID.sr, "n_fft": GRID.n_fft, "hop_length": GRID.hop_length}
    members = {
        "W": W,
        "names": np.array(["a", "b_1", "b_2"]),
        "groups": np.array(["a", "b", "b"]),
        "source_names": np.array(["a.wav"]),
        "source_sha256": np.array(["0" * 64]),
        **{name: np.int64(value) for name, value in window.items()},
    }
    good = {f"{name}.npy": _npy(np.asarray(each)) for name, each in members.items()}
    hostile = {
        "good": {},
        "spectra": {"W": _npy(W[:, :, :1])},
        "pickled": {"names": _npy(np.array([len] * 3, dtype=object))},
        "huge": {"W": _npy_header("<f4", (33, 3, 1 << 40))},
        "flat": {"W": _npy(W[:, :, 0])},
        "no frames": {"W": _npy(W[:, :, :0])},
        "nan": {"W": _npy(np.full_like(W, np.nan))},
        "silent": {"W": _npy(np.zeros_like(W))},
        "twice": {"names": _npy(np.array(["a"] * 3))},
        "escaping": {"groups": _npy(np.array(["../x", "/etc", "\0"]))},
        "long": {"groups": _npy(np.array(["x" * 5000] * 3))},
        "rate": {"sr": _npy(np.int64(1 << 62))},
        "window": {"n_fft": _npy(np.int64(-2))},
        "hop": {"hop_length": _npy(np.int64(0))},
        "missing": {"source_names": b""},
    }
    return {
        f"{name}.npz": _zipped(good | {f"{key}.npy": x for key, x in changes.items()})
        for name, changes in hostile.items()
    }


def _npy(array: NDArray[Any], version: tuple[int, int] | None = None) -> bytes:
    sink = io.BytesIO()
    np.lib.format.write_array(sink, array, version=version)
    return sink.getvalue()


def _npy_header(descr: str, shape: tuple[int, ...]) -> bytes:
    sink = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(sink, header)
    return sink.getvalue()


def _zipped(members: Mapping[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return sink.getvalue()


def config_files() -> Corpus:
    """Return a configuration with most kinds of values."""
    return {
        "specnmf.toml": b"components = 8\nbeta = 'kl'\nmax-iter = 200\ntol = 1e-4\n"
        b"no-figures = true\nmemory = '2G'\nstart = 0.5\nformat = \"wav\"\n"
        b"# a comment\nseed = 0x10\nmask_power = 1.0\ninit = '''random'''\n",
        "group.toml": b"[group]\nstrings = ['violin', 'viola']\n[a]\nc = 1979-05-27\n",
    }


def run_files() -> Corpus:
    """Return a run.json of each kind."""
    runs = (("decompose", Settings(), ["song.wav"]),)
    runs += (("separate", ScoreSettings(), ["song.wav", "song.mid"]),)
    runs += (("layers", LayerSettings(stems=(2, 3)), ["song.wav"]),)
    runs += (("label", LabelSettings(), ["song.wav", "song.txt"]),)
    made = {}
    for kind, settings, paths in runs:
        content = {
            "kind": kind,
            "command": f"specnmf {kind} song.wav",
            "inputs": [{"path": path, "sha256": 64 * "0"} for path in paths],
            "settings": dataclasses.asdict(settings),
            "asked": {"n_fft": None},
            "versions": {"specnmf": "0.1.0", "numpy": "2.0.0"},
            "seconds": {"read": 0.5},
            "warnings": [],
        }
        made[f"{kind}/run.json"] = json.dumps(content, indent=2).encode()
    return made


def manifest_files() -> Corpus:
    """Return a manifest with an event of each kind."""
    done = {"event": "done", "song": "a.wav", "settings_hash": "0f", "stamps": "1"}
    events = (
        *({"event": "begin", "time": 1.5, "jobs": 2}, done),
        *({**done, "event": "failed", "error": "a.wav: no such file"}, {}),
    )
    return {"batch.jsonl": b"".join(json.dumps(e).encode() + b"\n" for e in events)}


def song_lists() -> Corpus:
    """Return a list of songs."""
    return {"songs.txt": "a.wav\n# b\n\nc/d é.flac\r\n/e f.mp3\n".encode()}


def _registry() -> dict[str, Case]:
    wav = audio_files(
        *(
            ("wav", "WAV", subtype)
            for subtype in (
                *("PCM_16", "PCM_24", "PCM_U8", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM"),
                *("MS_ADPCM", "GSM610", "G721_32", "NMS_ADPCM_16", "MPEG_LAYER_III"),
            )
        ),
        *(("wav", format, "PCM_16") for format in ("WAVEX", "RF64")),
        *(("w64", "W64", subtype) for subtype in ("PCM_16", "FLOAT", "MS_ADPCM")),
    )
    apple = audio_files(
        *(("aiff", "AIFF", s) for s in ("PCM_16", "PCM_S8", "FLOAT", "IMA_ADPCM")),
        *(("au", "AU", s) for s in ("PCM_16", "ULAW", "G721_32", "DOUBLE")),
        *(("caf", "CAF", s) for s in ("PCM_24", "ALAC_16", "ALAC_24", "FLOAT")),
    )
    flac = audio_files(*(("flac", "FLAC", s) for s in ("PCM_16", "PCM_24", "PCM_S8")))
    ogg = audio_files(*(("ogg", "OGG", s) for s in ("VORBIS", "OPUS")))
    mp4 = media_files(
        *(("m4a", "ipod", "aac"), ("m4a", "ipod", "alac"), ("mov", "mov", "pcm_s24le")),
        *(("mp4", "mp4", "ac3"), ("mp4", "mp4", "libopus"), ("mp4", "mp4", "flac")),
        *(("mov", "mov", "adpcm_ima_qt"), ("caf", "caf", "alac")),
    )
    matroska = media_files(
        *(("mka", "matroska", codec) for codec in ("aac", "flac", "wavpack", "tta")),
        *(("mkv", "matroska", codec) for codec in ("pcm_f32le", "eac3", "mp2")),
        *(("webm", "webm", codec) for codec in ("libopus", "vorbis")),
    )
    media = media_files(
        *(("wma", "asf", "wmav2"), ("wma", "asf", "wmav1"), ("wv", "wv", "wavpack")),
        *(("tta", "tta", "tta"), ("ac3", "ac3", "ac3"), ("eac3", "eac3", "eac3")),
        *(("aac", "adts", "aac"), ("ts", "mpegts", "aac"), ("ts", "mpegts", "mp2")),
        *(("mpg", "mpeg", "mp2"), ("avi", "avi", "mp2"), ("avi", "avi", "pcm_s16le")),
        *(("flv", "flv", "aac"), ("ogg", "ogg", "flac"), ("wav", "wav", "ac3")),
    )
    sealed = tuple(map(pages_sealed, BINARY))
    document = (*TEXT, *BINARY)
    packed = (*BINARY[:4], *4 * (member_changed(document),))
    return {
        "wav": Case(wav, BINARY, read_audio),
        "aiff, au, caf": Case(apple, BINARY, read_audio),
        "flac": Case(flac, BINARY, read_audio),
        "ogg": Case(ogg, (*BINARY, *sealed), read_audio),
        "mp3": Case(mp3_files, BINARY, read_audio),
        "tags": Case(tagged_files, BINARY, read_tags),
        "other audio": Case(other_audio_files, BINARY, read_audio),
        "mp4, mov": Case(mp4, BINARY, read_audio),
        "matroska": Case(matroska, BINARY, read_audio),
        "other media": Case(media, (*BINARY, *sealed), read_audio),
        "midi": Case(midi_files, BINARY, read_score),
        "musicxml": Case(musicxml_files, (*TEXT, *BINARY[:2]), read_score),
        "mxl": Case(mxl_files, packed, read_score),
        "csv": Case(csv_files, (*TEXT, *BINARY[:2]), read_score),
        "labels": Case(label_files, (*TEXT, *BINARY[:2]), read_labels),
        "tiers, subtitles": Case(tier_files, (*TEXT, *BINARY[:2]), read_labels),
        "npz": Case(template_files, packed, read_templates),
        "learned npz": Case(learned_files, packed, read_learned),
        "toml": Case(config_files, TEXT, read_config),
        "run.json": Case(run_files, TEXT, read_run),
        "batch.jsonl": Case(manifest_files, document, read_manifest),
        "song list": Case(song_lists, document, read_songs),
    }


CASES = _registry()
