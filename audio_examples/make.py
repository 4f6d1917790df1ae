"""Make the example clips: mix, stems and score of four short pieces.

    python make.py [FOLDER]

fluidsynth plays the pitched clips with the FluidR3 soundfont, one part at a
time; the drum loop is put together from single hits of sonic-pi's samples. All
parts of a clip are scaled by one gain and rounded to 16 bits before they are
summed, so the stems add up to the mix sample for sample. With the same versions
of the tools the same bytes come out again.
"""

import csv
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile as sf
from mido import Message, MetaMessage, MidiFile, MidiTrack, second2tick

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
SAMPLES = Path("/usr/share/sonic-pi/samples")
SR = 44100
TICKS = 480  # a quarter note
LEAD = 0.25  # seconds of silence before the first note
TAIL = 0.75  # seconds for the last note to ring out
PEAK = 10 ** (-1 / 20)  # of the mix; full scale is 1
ACCENT = 6  # added to the velocity of the first note of a bar
SWING = 14  # ticks by which every other sixteenth of the drums is late
STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
DRUMS = {"kick": 36, "snare": 38, "hihat": 42}  # General MIDI
DRUM_SAMPLES = {  # (softest velocity, sample), loudest first
    "kick": ((90, "drum_bass_hard"), (1, "drum_bass_soft")),
    "snare": ((70, "drum_snare_hard"), (1, "drum_snare_soft")),
    "hihat": ((1, "drum_cymbal_closed"),),
}


class Note(NamedTuple):
    """A note; times in ticks from the first beat of the music."""

    start: int
    duration: int
    pitch: int
    velocity: int


class Part(NamedTuple):
    """A part, which becomes one stem; drums have no program."""

    notes: list[Note]
    program: int | None = None  # General MIDI, from 0
    pan: float = 0.0  # -1 left, 1 right
    gain: float = 0.0  # dB, balances the parts


class Clip(NamedTuple):
    """A clip; its parts by name."""

    name: str
    tempo: int  # microseconds a quarter note
    parts: dict[str, Part]

    @property
    def lead(self) -> int:
        """The silence before the music in ticks."""
        return round(LEAD * 1e6 * TICKS / self.tempo)

    def seconds(self, ticks: int) -> float:
        """Give a number of ticks in seconds."""
        return ticks * self.tempo / (TICKS * 1e6)

    def rows(self) -> list[tuple[float, float, int, int, str]]:
        """List start and duration in s, pitch, velocity and part of every note."""
        rows = [
            (self.seconds(self.lead + start), self.seconds(duration), *rest, name)
            for name, part in self.parts.items()
            for start, duration, *rest in part.notes
        ]
        return sorted(rows, key=lambda row: (row[0], row[2]))  # start, pitch

    @property
    def n_samples(self) -> int:
        """The length of the mix and of every stem."""
        end = max(start + duration for start, duration, *_ in self.rows())
        return round(SR * (end + TAIL))


def notated(text: str, gap: int = 16) -> list[Note]:
    """Read a line of LilyPond: absolute pitches, chords, lengths, bar lines.

    Besides, ``@70`` sets the velocity and ``<g b>8*4`` plays four times. A note is
    let go `gap` ticks before its written end: a repeated note is heard as two.
    """
    notes, now, length, velocity, accent = [], 0, TICKS, 80, 0
    pitch = r"[a-g](?:is|es)?[',]*"
    token = rf"(\|)|@(\d+)|(r|<[^>]+>|{pitch})(\d*)(\.?)(?:\*(\d+))?"
    for bar, loudness, pitches, number, dot, times in re.findall(token, text):
        if bar:
            accent = ACCENT
        elif loudness:
            velocity = int(loudness)
        else:
            if number:
                length = 4 * TICKS // int(number) * (3 if dot else 2) // 2
            for _ in range(int(times or 1)):
                for name in re.findall(pitch, pitches):
                    loud = velocity + accent
                    notes.append(Note(now, length - gap, midi_pitch(name), loud))
                now, accent = now + length, 0
    return notes


def midi_pitch(name: str) -> int:
    """Give the MIDI number of a LilyPond pitch; c' is 60."""
    sharps = name.count("is") - name.count("es")
    return 48 + STEPS[name[0]] + sharps + 12 * (name.count("'") - name.count(","))


def grid(text: str, pitch: int) -> list[Note]:
    """Read a row of sixteenths: a dot rests, 9 is loud, 1 is a ghost note."""
    step = TICKS // 4
    return [
        Note(i * step + SWING * (i % 2), step // 2, pitch, 12 + 12 * int(level))
        for i, level in enumerate(text.replace("|", ""))
        if level != "."
    ]


def chopin_op28_4() -> Clip:
    """Write down Chopin's Prelude Op. 28 No. 4, bars 1 to 4 with the upbeat."""
    right = """@70 b8. @76 b'16 | @82 b'2. @86 c''4 | @80 b'2. @86 c''4
        | @78 b'2. @84 c''4 | @76 b'2. @72 bes'4"""
    left = """r4 | @52 <g b e'>8*8 | @50 <fis a e'>8*4 <fis a dis'>8*4
        | @48 <f a dis'>8*4 @46 <f a d'>8*2 <f gis d'>8*2
        | @44 <e gis d'>8*4 @42 <e g d'>8*2 <e g cis'>8*2"""
    parts = {
        "right_hand": Part(notated(right), program=0, pan=0.25),
        "left_hand": Part(notated(left, gap=24), program=0, pan=-0.25),
    }
    return Clip("chopin_op28_4", 937_500, parts)  # 64 quarters a minute


def chorale() -> Clip:
    """Write down Bach's Aus meines Herzens Grunde, BWV 269, the first two lines."""
    soprano = """@78 g'4 | g'2 @86 d''4 | b'4. a'8 g'4 | @80 g'4. a'8 b'4 | a'2
        @82 b'4 | @88 d''2 c''4 | @80 b'4 a'2 | @74 g'2"""
    alto = """@76 d'4 | d' e' d' | d'2 b4 | e'8 d' e' fis' g'4 | fis'2
        @80 g'4 | d' e' fis' | @76 g'2 fis'4 | @70 d'2"""
    tenor = """@76 b4 | b c'8 b a4 | g fis g | c'8 b c'4 d' | d'2
        @80 d'4 | a b c' | @76 d' e' d'8 c' | @70 b2"""
    bass = """@78 g,4 | g e fis | g d e | c b,8 a, g,4 | d2
        @82 g,4 | fis, g, a, | @78 b, c d | @72 g,2"""
    parts = {
        "soprano": Part(notated(soprano), program=73, pan=-0.4),  # flute
        "alto": Part(notated(alto), program=68, pan=0.15, gain=2),  # oboe
        "tenor": Part(notated(tenor), program=57, pan=-0.15, gain=-2),  # trombone
        "bass": Part(notated(bass), program=70, pan=0.4),  # bassoon
    }
    return Clip("chorale", 600_000, parts)  # 100 quarters a minute


def drums() -> Clip:
    """Write down four bars of drums in lightly swung sixteenths."""
    kick = "9..5..8...7.....|9..5..8...7..4..|9..5..8...7.....|9.6...8..57....."
    snare = "....8..2.2..8..1|....8..2.2..8.21|....8..2.2..8..1|....8..2.2..8.46"
    hihat = "6.4.6.43.6.4.6.4|6.4.6.4.6.4.634.|6.4.6.43.6.4.6.4|6.4.6.4.6.4.6343"
    parts = {
        "kick": Part(grid(kick, DRUMS["kick"]), gain=-5),
        "snare": Part(grid(snare, DRUMS["snare"])),
        "hihat": Part(grid(hihat, DRUMS["hihat"]), gain=4),
    }
    return Clip("drums", 576_923, parts)  # 104 quarters a minute


def greensleeves() -> Clip:
    """Write down Greensleeves for recorder and guitar, each alone at times."""
    recorder = """r4.*3 r4 @78 a'8 | @82 c''4 d''8 e''8. f''16 e''8
        | d''4 b'8 g'8. a'16 b'8 | c''4 a'8 a'8. gis'16 a'8 | b'4 gis'8 e'4 @84 a'8
        | @86 c''4 d''8 e''8. f''16 e''8 | d''4 b'8 g'8. a'16 b'8
        | @80 c''8. b'16 a'8 gis'8. fis'16 gis'8 | @76 a'2."""
    guitar = """@76 a,8 e a c' a e | a,8 e b c' b e | @80 a,8 e a c' a e
        | g,8 d g b g d | a,8 e a c' a e | e,8 b, e gis e b, | r4.*4
        | @80 a,8 e c' e,8 b, gis | a,8 e a c' a e | @70 a,2."""
    parts = {
        "recorder": Part(notated(recorder), program=74),
        "guitar": Part(notated(guitar, gap=8), program=24, gain=4),
    }
    return Clip("greensleeves", 500_000, parts)  # 80 dotted quarters a minute


#: Who is heard in which eighths of Greensleeves, as far as ``labels.txt`` says it.
MARKED = (
    ("guitar", 0, 11),
    ("guitar", 18, 24),
    ("recorder", 18, 24),
    ("recorder", 37, 48),
)


def write_labels(path: Path, clip: Clip) -> None:
    """Write a label track as Audacity does."""
    with path.open("w", newline="") as file:
        for name, first, last in MARKED:
            ticks = (clip.lead + n * TICKS // 2 for n in (first, last))
            start, end = map(clip.seconds, ticks)
            file.write(f"{start:.6f}\t{end:.6f}\t{name}\n")


def midi_track(name: str, part: Part, channel: int, lead: int) -> MidiTrack:
    """Give a part as a MIDI track that starts after `lead` ticks."""
    track = MidiTrack([MetaMessage("track_name", name=name)])
    if part.program is not None:
        pan = {"control": 10, "value": round(64 + 63 * part.pan)}
        track.append(Message("program_change", channel=channel, program=part.program))
        track.append(Message("control_change", channel=channel, **pan))
    ons = [(n.start, "note_on", n.pitch, n.velocity) for n in part.notes]
    offs = [(n.start + n.duration, "note_off", n.pitch, 0) for n in part.notes]
    now = -lead
    for tick, kind, pitch, velocity in sorted(ons + offs):  # "note_off" < "note_on"
        event = Message(kind, channel=channel, note=pitch, velocity=velocity)
        track.append(event.copy(time=tick - now))
        now = tick
    return track


def midi_file(clip: Clip) -> MidiFile:
    """Give a clip as a MIDI file, one track and channel a part."""
    tracks = [MidiTrack([MetaMessage("set_tempo", tempo=clip.tempo)])]
    for i, (name, part) in enumerate(clip.parts.items()):
        channel = 9 if part.program is None else i
        tracks.append(midi_track(name, part, channel, clip.lead))
    return MidiFile(ticks_per_beat=TICKS, tracks=tracks)


def play_soundfont(clip: Clip, name: str) -> np.ndarray:
    """Play a part with fluidsynth, dry [shape=(n_samples, 2)]."""
    song = midi_file(clip._replace(parts={name: clip.parts[name]}))
    rest = second2tick(TAIL, TICKS, clip.tempo)
    song.tracks[-1].append(MetaMessage("end_of_track", time=rest))
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "part.mid"), Path(folder, "part.wav")
        song.save(score)
        dry = ["-n", "-i", "-q", "-R", "0", "-C", "0", "-r", str(SR), "-O", "float"]
        command = ["fluidsynth", *dry, "-F", sound, SOUNDFONT, score]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        y = sf.read(sound, frames=clip.n_samples)[0]
    return np.pad(y, ((0, clip.n_samples - len(y)), (0, 0)))


def play_samples(clip: Clip, name: str) -> np.ndarray:
    """Play a part of drums, each hit a sample [shape=(n_samples, 1)]."""
    y = np.zeros((clip.n_samples, 1))
    for start, _, _, velocity, part in clip.rows():
        if part == name:
            layers = DRUM_SAMPLES[name]
            sample = next(sample for softest, sample in layers if velocity >= softest)
            first = round(start * SR)
            hit = sf.read(SAMPLES / f"{sample}.flac", always_2d=True)[0]
            hit = hit[: clip.n_samples - first] * (velocity / 127) ** 2
            y[first : first + len(hit)] += hit
    return y


def stems_of(clip: Clip) -> dict[str, np.ndarray]:
    """Play all parts at their common gain, rounded to int16."""
    stems = {}
    for name, part in clip.parts.items():
        play = play_samples if part.program is None else play_soundfont
        stems[name] = 10 ** (part.gain / 20) * play(clip, name)
    gain = 32767 * PEAK / np.abs(sum(stems.values())).max()
    return {name: np.rint(gain * y).astype(np.int16) for name, y in stems.items()}


def write_clip(clip: Clip, folder: Path) -> None:
    """Write mix, stems and score of a clip to a folder."""
    (folder / "stems").mkdir(parents=True, exist_ok=True)
    stems = stems_of(clip)
    sounds = {f"stems/{name}": y for name, y in stems.items()}
    for name, y in {clip.name: sum(stems.values()), **sounds}.items():
        sf.write(folder / f"{name}.flac", y, SR, compression_level=1.0)
    midi_file(clip).save(folder / f"{clip.name}.mid")
    with (folder / f"{clip.name}.csv").open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["start", "duration", "pitch", "velocity", "label"])
        for start, duration, *rest in clip.rows():
            table.writerow([f"{start:.6f}", f"{duration:.6f}", *rest])


def main() -> None:
    """Make all clips, in the folder given or beside this script."""
    needed = {
        "fluidsynth": shutil.which("fluidsynth"),
        "fluid-soundfont-gm": SOUNDFONT.is_file(),
        "sonic-pi-samples": SAMPLES.is_dir(),
    }
    missing = " ".join(package for package, found in needed.items() if not found)
    if missing:
        sys.exit(f"make.py: tools are missing, Debian has them: apt install {missing}")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    for clip in (chopin_op28_4(), chorale(), drums(), greensleeves()):
        write_clip(clip, folder / clip.name)
    write_labels(folder / "greensleeves" / "labels.txt", greensleeves())


if __name__ == "__main__":
    main()
