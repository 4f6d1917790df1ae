"""Loops of drums for `drums.py`: patterns of our own, played by kits of Debian.

    apt-get download avldrums.lv2-soundfont hydrogen-drumkits hydrogen-data \
        timgm6mb-soundfont
    for package in *.deb; do dpkg -x $package kits; done
    SPECNMF_DRUM_KITS=kits python benchmarks/drums_material.py FOLDER

The last writes loops by the kits `TUNED`, to which training/weigh_drums.py fits: each
pattern by each kit, alone and beside music, in a folder with mix.wav and score.mid.

No built-in template of specnmf is made of these kits. Some were used to choose
constants (`TUNED`), the others only to measure (`TESTED`). Every stroke is placed to
the sample, with its own velocity, a few milliseconds off the grid, and a random gain;
kits with layers have other samples for other velocities.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import mido
import numpy as np
import soundfile as sf

import specnmf
from specnmf.methods.drums.hits import drum_of

#: Where the packages were unpacked.
ROOT = Path(os.environ.get("SPECNMF_DRUM_KITS", "kits"))
SR = 44_100
LAYERS = (24, 48, 72, 96, 120)
LENGTH = 3.0  # seconds of a stroke

#: General MIDI's numbers, of drums that count as one: an articulation each.
NOTES = {
    "kick": (36,),
    "snare": (38,),
    "hihat": (42, 46, 44),
    "toms": (50, 47, 43),
    "ride": (51,),
    "crash": (49,),
    "clap": (39,),
}
DRUM_OF = {note: drum for drum, notes in NOTES.items() for note in notes}

#: Level in dB of a stroke of velocity 100, by its loudest 50 ms.
LEVEL = {
    "kick": 0, "snare": -2, "hihat": -13, "toms": -3, "ride": -14, "crash": -8,
    "clap": -5,
}  # fmt: skip

#: The kits: a soundfont with bank and program, or a folder of Hydrogen.
SF2 = "usr/share/sounds/sf2"
HYDROGEN = "usr/share/hydrogen/data/drumkits"
KITS = {
    "tim_standard": (f"{SF2}/TimGM6mb.sf2", 128, 0),
    "tim_electronic": (f"{SF2}/TimGM6mb.sf2", 128, 24),
    "millo": (f"{HYDROGEN}/Millo_MultiLayered3",),
    "pacific": (f"{HYDROGEN}/BJA_Pacific",),
    "empire": (f"{HYDROGEN}/ElectricEmpireKit",),
    "pearl": (f"{SF2}/Black_Pearl_4_LV2.sf2", 0, 0),
    "zeppelin": (f"{SF2}/Red_Zeppelin_4_LV2.sf2", 0, 0),
    "forzee": (f"{HYDROGEN}/ForzeeStereo",),
    "colombo": (f"{HYDROGEN}/ColomboAcousticDrumkit",),
    "tr808": (f"{HYDROGEN}/TR808EmulationKit",),
}
TUNED = "tim_standard", "tim_electronic", "millo", "pacific", "empire"
TESTED = tuple(kit for kit in KITS if kit not in TUNED)

#: How Hydrogen's kits call each note.
_NAMES = {
    36: r"(bass ?drum|kick)",
    38: r"^(?!.*(stick|roll|rimshot|dry|hand)).*snare",
    42: r"^(?!.*(open|op |pedal|semi|free|pd|swish|choke)).*(\bhh|hat|hi.hat)",
    46: r"(open.*(hh|hat)|(hh|hat|hi.hat).*(open|op ))",
    44: r"(pedal.*(hh|hat)|(hh|hat|hi.hat).*pedal)",
    50: r"tom ?-?(hi|1)",
    47: r"tom ?-?(mid|2)|^tom$",
    43: r"(tom low|floor tom)",
    51: r"ride(?!.*(bell|cup))",
    49: r"(crash|cymbal)",
    39: r"clap",
}

#: Patterns: beats a minute, swing (the share of a beat by which every other sixteenth
#: is late) and rows of sixteenths by note: a dot rests, 9 is loud, 1 is a ghost note.
PATTERNS: dict[str, tuple[float, float, dict[int, str]]] = {
    "rock": (
        112,
        0,
        {
            36: "9.....8.9.......|9.....8.9.8.....",
            38: "....9.......9...|....9.......9..4",
            42: "7.5.7.5.7.5.7.5.|7.5.7.5.7.5.7...",
            46: "................|..............7.",
        },
    ),
    "funk": (
        100,
        0.02,
        {
            36: "9..6......8..5..|9..6..7...8.....",
            38: "....9..2.2..9..3|....9..2.2..9.2.",
            42: "7466746674667466|746674667466746.",
            46: "................|...............7",
        },
    ),
    "swing": (
        140,
        0.0,
        {
            36: "6..5..6..5..|6..5..6..5..",
            38: ".........5..|.....3...6..",
            51: "8..8.68..8.6|8..8.68..8.6",
            44: "...7.....7..|...7.....7..",
        },
    ),
    "latin": (
        104,
        0,
        {
            36: "9..8....9..8....|9..8....9..8....",
            38: "...6..6...6..6..|...6..6...6.6...",
            42: "7.6.7.6.7.6.7.6.|7.6.7.6.7.6.7.6.",
            50: "............7.5.|............7...",
            43: "..............6.|..............76",
        },
    ),
    "house": (
        124,
        0,
        {
            36: "9...9...9...9...|9...9...9...9...",
            39: "....8.......8...|....8.......8..5",
            42: "4.4.4.4.4.4.4.4.|4.4.4.4.4.4.4.4.",
            46: "..8...8...8...8.|..8...8...8...8.",
        },
    ),
    "breakbeat": (
        136,
        0.01,
        {
            36: "9.9.......99....|9.9.......9.....",
            38: "....9..3.3..9..3|....9..3.3....9.",
            42: "7.7.7.7.7.7.7.7.|7.7.7.7.7.......",
            49: "................|..........9.....",
        },
    ),
    "ballad": (
        72,
        0,
        {
            36: "9.......7.6.....|9.......7.6.....",
            38: "....8.......8...|....8.......8.33",
            51: "7.5.6.5.7.5.6.5.|7.5.6.5.7.5.....",
            50: "................|............8...",
            47: "................|.............88.",
        },
    ),
    "disco": (
        118,
        0,
        {
            36: "9...8...9...8...|9...8...9...8...",
            38: "....9.......9...|....9.......9..6",
            42: "7.2.7.2.7.2.7.2.|7.2.7.2.7.2.7.2.",
            46: "..7...7...7...7.|..7...7...7...7.",
        },
    ),
    "trap": (
        140,
        0,
        {
            36: "9......8....6...|9.....8...9.....",
            38: "........9.......|........9.......",
            42: "7.7.7.7.7.777.7.|7.7.7777777.7.66",
            39: "........5.......|........5.......",
        },
    ),
    "fills": (
        108,
        0,
        {
            36: "9.......9.......|9.......9...9...",
            38: "....9.......9...|....9...7777....",
            42: "7.6.7.6.7.6.7.6.|7.6.7.6.........",
            50: "................|............88..",
            43: "................|..............99",
            49: "9...............|................",
        },
    ),
    "shuffle": (
        92,
        0.08,
        {
            36: "9..5..8...7.....|9..5..8...7..4..",
            38: "....8..2.2..8..1|....8..2.2..8.21",
            42: "6.4.6.43.6.4.6.4|6.4.6.4.6.4.634.",
        },
    ),
    "march": (
        120,
        0,
        {
            36: "8...8...8...8...|8...8...8...8...",
            38: "5.556.555.556666|5.556.5559...9..",
            49: "................|............9...",
        },
    ),
    "halftime": (
        84,
        0.01,
        {
            36: "9.....6...8.....|9..5......8..6..",
            38: "........9......2|........9....2.3",
            42: "6.6.6.6.6.6.6.66|6.6.6.6.6.6.6...",
            46: "................|..............7.",
        },
    ),
    "punk": (
        176,
        0,
        {
            36: "9...9...9...9...|9...9...9.9.9...",
            38: "..9...9...9...9.|..9...9...9...99",
            51: "8.7.8.7.8.7.8.7.|8.7.8.7.8.7.8.7.",
            49: "9...............|................",
        },
    ),
}


class Stroke(NamedTuple):
    """A stroke: its time in seconds, General MIDI's note, its velocity."""

    time: float
    note: int
    velocity: int


class Loop(NamedTuple):
    """A loop: its stems, (n_samples,) each, and its strokes."""

    name: str
    stems: dict[str, np.ndarray]
    strokes: list[Stroke]

    @property
    def mix(self) -> np.ndarray:
        """The sum of the stems."""
        return sum(self.stems.values())


@cache
def kit(name: str) -> dict[int, list[np.ndarray]]:
    """The strokes of a kit, by note: a sound for each of LAYERS."""
    place, *preset = KITS[name]
    found = _soundfont(ROOT / place, *preset) if preset else _hydrogen(ROOT / place)
    return {note: _levelled(note, layers) for note, layers in found.items()}


def _levelled(note: int, layers: list[np.ndarray]) -> list[np.ndarray]:
    """Strokes at the level of their drum; the layers keep their differences."""
    power = np.convolve(layers[3] ** 2, np.ones(2205) / 2205)
    gain = 10 ** (LEVEL[DRUM_OF[note]] / 20) * 0.1 / np.sqrt(power.max())
    return [gain * layer for layer in layers]


def _soundfont(path: Path, bank: int, program: int) -> dict[int, list[np.ndarray]]:
    """Strokes as fluidsynth plays them."""
    channel = 9 if bank == 128 else 0
    track = mido.MidiTrack()
    track.append(mido.Message("program_change", channel=channel, program=program))
    for note in DRUM_OF:
        for velocity in LAYERS:
            own = {"channel": channel, "note": note}
            track.append(mido.Message("note_on", velocity=velocity, **own))
            track.append(mido.Message("note_off", time=round(960 * LENGTH), **own))
    y = _rendered(path, [track])
    y = np.pad(y, (0, round(SR * LENGTH)))
    size = round(SR * LENGTH)
    strokes: dict[int, list[np.ndarray]] = {}
    for index, note in enumerate(DRUM_OF):
        first = index * len(LAYERS) * size
        own = [y[first + i * size :][:size] for i in range(len(LAYERS))]
        if min(np.abs(each).max() for each in own) > 1e-4:
            strokes[note] = [_trimmed(each) for each in own]
    return strokes


def _rendered(font: Path, tracks: list[mido.MidiTrack]) -> np.ndarray:
    """What fluidsynth plays, dry and mono, (n_samples,)."""
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "a.mid"), Path(folder, "a.wav")
        mido.MidiFile(ticks_per_beat=480, tracks=tracks).save(score)
        dry = ["-n", "-i", "-q", "-R", "0", "-C", "0", "-O", "float"]
        command = ["fluidsynth", *dry, "-r", str(SR), "-F", sound, font, score]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return sf.read(sound)[0].mean(axis=1)


def _hydrogen(folder: Path) -> dict[int, list[np.ndarray]]:
    """Strokes of a kit of Hydrogen."""
    tree = ET.parse(folder / "drumkit.xml").getroot()
    for element in tree.iter():
        element.tag = element.tag.split("}")[-1]
    strokes: dict[int, list[np.ndarray]] = {}
    for note, pattern in _NAMES.items():
        for instrument in tree.iter("instrument"):
            layers = list(instrument.iter("layer"))
            name = instrument.findtext("name", "").lower()
            if layers and re.search(pattern, name):
                strokes[note] = [_layer(folder, layers, v / 127) for v in LAYERS]
                break
    return strokes


def _layer(folder: Path, layers: list, velocity: float) -> np.ndarray:
    def away(layer: ET.Element) -> float:
        low, high = float(layer.findtext("min", "0")), float(layer.findtext("max", "1"))
        return max(low - velocity, velocity - high, 0)

    best = min(layers, key=away)
    y, sr = sf.read(folder / best.findtext("filename", ""), always_2d=True)
    y = y.mean(axis=1) * float(best.findtext("gain", "1"))
    if sr != SR:
        import librosa

        y = librosa.resample(y, orig_sr=sr, target_sr=SR)
    y = _trimmed(y)[: round(SR * LENGTH)]
    fade = min(len(y), 2205)
    y = y.copy()
    y[-fade:] *= np.linspace(1, 0, fade)
    return velocity**1.5 * y


def _trimmed(y: np.ndarray) -> np.ndarray:
    """A stroke from its onset on."""
    loud = np.abs(y) > 0.02 * np.abs(y).max()
    return y[max(0, int(np.argmax(loud)) - 32) :]


def strokes_of(pattern: str, seed: int) -> list[Stroke]:
    """The strokes of a pattern, played by a person: late, early, softer, louder."""
    rng = np.random.default_rng(seed)
    bpm, swing, rows = PATTERNS[pattern]
    step = 60 / bpm / (3 if pattern == "swing" else 4)
    strokes = []
    for note, row in rows.items():
        for i, level in enumerate(row.replace("|", "")):
            if level == ".":
                continue
            late = swing * 60 / bpm * (i % 2) + 0.004 * np.clip(rng.normal(), -2, 2)
            velocity = int(np.clip(10 + 12.5 * int(level) + 5 * rng.normal(), 8, 127))
            strokes.append(Stroke(0.1 + i * step + late, note, velocity))
    return sorted(strokes)


def loop(pattern: str, kit_name: str, seed: int = 0) -> Loop:
    """A pattern, played by a kit; notes that it lacks are played by its nearest."""
    sounds = kit(kit_name)
    strokes = [
        stroke._replace(note=note)
        for stroke in strokes_of(pattern, seed)
        if (note := _played(stroke.note, sounds)) is not None
    ]
    rng = np.random.default_rng(1000 + seed)
    n = round(SR * (max(stroke.time for stroke in strokes) + 0.6))
    stems = {DRUM_OF[stroke.note]: np.zeros(n) for stroke in strokes}
    for i, stroke in enumerate(strokes):
        layer = int(np.argmin(np.abs(np.array(LAYERS) - stroke.velocity)))
        y = sounds[stroke.note][layer] * (stroke.velocity / LAYERS[layer]) ** 1.5
        y = y * 10 ** (rng.normal() / 20)
        if DRUM_OF[stroke.note] == "hihat":  # a hi-hat is choked by its next stroke
            later = [
                other.time
                for other in strokes[i + 1 :]
                if DRUM_OF[other.note] == "hihat" and other.time > stroke.time + 0.01
            ]
            if later:
                stop = round(SR * (later[0] - stroke.time))
                y = y[: stop + 441].copy()
                y[stop:] *= np.linspace(1, 0, len(y[stop:])) if len(y) > stop else 1
        first = round(SR * stroke.time)
        y = y[: n - first]
        stems[DRUM_OF[stroke.note]][first : first + len(y)] += y
    return Loop(f"{pattern}-{kit_name}", stems, strokes)


def _played(note: int, sounds: dict[int, list[np.ndarray]]) -> int | None:
    """The note, or another of its drum that the kit has."""
    if note in sounds:
        return note
    others = [other for other in NOTES[DRUM_OF[note]] if other in sounds]
    if others:
        return others[0]
    return {39: 38, 51: 42, 49: None}.get(note) if note in (39, 51, 49) else None


def oneshots(kit_name: str, folder: Path) -> None:
    """Write the kit's loud strokes as files named after the drums."""
    folder.mkdir(parents=True, exist_ok=True)
    for note, layers in kit(kit_name).items():
        for velocity in (1, 3):
            path = folder / f"{DRUM_OF[note]}_{note}_{LAYERS[velocity]}.wav"
            sf.write(path, layers[velocity], SR, subtype="FLOAT")


#: Accompaniment: chords, and a bass, as (program, notes of each half bar); by whom.
_CHORDS = ((45, 60, 64, 69), (41, 60, 65, 69), (36, 60, 64, 67), (43, 59, 62, 67))
_PROGRAMS = ((33, 4), (32, 0), (34, 25), (38, 81), (33, 16))
_FLUID = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")


def music(seconds: float, seed: int = 0, bpm: float = 112) -> np.ndarray:
    """Chords and a bass by FluidR3, (n_samples,)."""
    rng = np.random.default_rng(seed)
    bass, keys = _PROGRAMS[seed % len(_PROGRAMS)]
    tracks = [mido.MidiTrack(), mido.MidiTrack()]
    for channel, (track, program) in enumerate(zip(tracks, (bass, keys), strict=True)):
        track.append(mido.Message("program_change", channel=channel, program=program))
    events: list[tuple[float, int, int, int]] = []
    beat, now, step = 60 / bpm, 0.1, 0
    while now < seconds:
        root, *notes = _CHORDS[(step // 4 + seed) % len(_CHORDS)]
        for part in (0, 0.5):
            if part == 0 or rng.random() < 0.5:
                events += [(now + part * beat, 0, root + int(rng.choice([0, 7])), 90)]
        if step % 2 == 0 or rng.random() < 0.3:
            events += [(now, 1, note, 70) for note in notes]
        now, step = now + beat, step + 1
    for channel, track in enumerate(tracks):
        own = [(t, "note_on", n, v) for t, c, n, v in events if c == channel]
        own += [
            (t + 0.9 * beat, "note_off", n, 0) for t, c, n, _ in events if c == channel
        ]
        tick = 0
        for t, kind, note, velocity in sorted(own):
            at = round(960 * t)
            track.append(
                mido.Message(
                    kind, channel=channel, note=note, velocity=velocity, time=at - tick
                )
            )
            tick = at
    y = _rendered(_FLUID, tracks)
    n = round(SR * seconds)
    return np.pad(y, (0, max(0, n - len(y))))[:n]


def mixed(own: Loop, seed: int = 0) -> Loop:
    """A loop with music of the same energy, which is the stem rest."""
    bpm = PATTERNS[own.name.split("-")[0]][0]
    y = music(len(own.mix) / SR, seed, bpm)
    y = y * np.sqrt(np.mean(own.mix**2) / np.mean(y**2))
    return own._replace(name=f"{own.name}+music", stems={**own.stems, "rest": y})


def score_of(own: Loop) -> specnmf.Score:
    """The strokes of a loop as notes."""
    return specnmf.Score(
        tuple(
            specnmf.Note(
                s.time, 0.1, s.note, s.velocity, part=drum_of(s.note), percussion=True
            )
            for s in own.strokes
        )
    )


def tuned() -> Iterator[Loop]:
    """Yield each pattern by each of the kits `TUNED`, alone and beside music."""
    for number, name in enumerate(TUNED):
        for i, pattern in enumerate(PATTERNS):
            alone = loop(pattern, name, i + 100 * number)
            yield alone
            yield mixed(alone, i + number)


def main() -> None:
    """Write the loops of the kits `TUNED`, numbered."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    for number, own in enumerate(tuned()):
        folder = given.folder / f"{number:03}-{own.name}"
        folder.mkdir(parents=True, exist_ok=True)
        sf.write(folder / "mix.wav", own.mix, SR, subtype="FLOAT")
        specnmf.write_score(folder / "score.mid", score_of(own))
        print(folder, flush=True)


if __name__ == "__main__":
    main()
